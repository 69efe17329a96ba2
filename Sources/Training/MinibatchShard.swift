internal import Compute
internal import Datasets

/// A shard of a minibatch, as plans read samples.
struct MinibatchShard: ShardSource {
  let minibatch: Minibatch
  /// Positions within the minibatch.
  let range: Range<Int>

  var sampleCount: Int { range.count }

  var element: InputElement {
    switch minibatch.pixelType {
    case .uint8: .uint8
    case .float32: .float32
    }
  }

  /// The address stays valid as long as this value lives, since it keeps the minibatch, which keeps the pixels.
  func pixels(at index: Int) -> UnsafeRawPointer {
    minibatch.withSample(range.lowerBound + index) { bytes in
      bytes.baseAddress ?? UnsafeRawPointer(bitPattern: MemoryLayout<Float>.alignment).unsafelyUnwrapped
    }
  }

  func label(at index: Int) -> Int32 { minibatch.label(range.lowerBound + index) }
}

/// A shard of a minibatch whose samples are varied as they are read.
struct AugmentedShard: ShardSource {
  let shard: MinibatchShard
  /// The worker's own: what it varied last is overwritten by the next sample.
  let augmenter: Augmenter

  var sampleCount: Int { shard.sampleCount }
  var element: InputElement { shard.element }

  func pixels(at index: Int) -> UnsafeRawPointer {
    augmenter.pixels(shard.range.lowerBound + index, of: shard.minibatch)
  }

  func label(at index: Int) -> Int32 { shard.label(at: index) }

  func target(at index: Int) -> SampleTarget {
    let place = shard.range.lowerBound + index
    guard let mixture = augmenter.mixture(place, of: shard.minibatch) else { return .label(label(at: index)) }
    return .mixed(
      shard.minibatch.label(place), shard.minibatch.label(mixture.partner), share: mixture.share)
  }
}
