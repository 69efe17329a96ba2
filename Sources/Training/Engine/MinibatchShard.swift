internal import Compute
internal import Datasets
internal import Tensors

/// A shard of a minibatch, as plans read samples.
final class MinibatchShard: ShardSource {
  let minibatch: Minibatch
  /// Positions within the minibatch.
  let range: Range<Int>
  /// The last sample that was read, where samples are unpacked as they are read.
  private lazy var unpacked = AlignedBuffer<UInt8>(count: minibatch.sampleShape.elementCount)
  /// The weight of each class's samples, ``Minibatch/mainClass(_:)``; empty stands for 1 each.
  private let classWeights: [Double]

  init(minibatch: Minibatch, range: Range<Int>, classWeights: [Double] = []) {
    self.minibatch = minibatch
    self.range = range
    self.classWeights = classWeights
  }

  var sampleCount: Int { range.count }

  var element: InputElement {
    switch minibatch.pixelType {
    case .uint8: .uint8
    case .float32: .float32
    }
  }

  /// The address stays valid until the next call, and where samples are not packed as long as this object lives, since it keeps the
  /// minibatch, which keeps the pixels.
  func pixels(at index: Int) -> UnsafeRawPointer {
    if minibatch.isPacked {
      minibatch.unpack(range.lowerBound + index, into: unpacked.baseAddress)
      return UnsafeRawPointer(unpacked.baseAddress)
    }
    return minibatch.withSample(range.lowerBound + index) { bytes in
      bytes.baseAddress ?? UnsafeRawPointer(bitPattern: MemoryLayout<Float>.alignment).unsafelyUnwrapped
    }
  }

  func target(at index: Int) -> SampleTarget { target(ofPlace: range.lowerBound + index) }
  func weight(at index: Int) -> Double { weight(ofPlace: range.lowerBound + index) }

  /// The target of a sample anywhere in the minibatch; a vector stays valid as long as this object lives.
  private func target(ofPlace place: Int) -> SampleTarget {
    switch minibatch.answer(place) {
    case .label(let label): .label(label)
    case .values(let values): .values(values)
    }
  }

  /// Whether every sample weighs 1.
  var isEvenlyWeighted: Bool { classWeights.isEmpty && minibatch.weights == nil }

  func weight(ofPlace place: Int) -> Double {
    let own = minibatch.weights.map { Double($0[Int(minibatch.sampleIndices[place])]) } ?? 1
    return classWeights.isEmpty ? own : own * classWeights[minibatch.mainClass(place)]
  }
}

/// A shard of a minibatch whose samples are varied as they are read.
///
/// A mixture is judged by its target, in which the two samples have the shares s and 1 − s. Its loss is multiplied by
/// w = s·a + (1 − s)·b where the samples weigh a and b. A cross-entropy is linear in the target: w times its value for a target in
/// which the first sample has the share s·a / w is s·a times the first sample's loss plus (1 − s)·b times the second's.
final class AugmentedShard: ShardSource {
  let shard: MinibatchShard
  /// The worker's own: what it varied last is overwritten by the next sample.
  let augmenter: Augmenter

  init(shard: MinibatchShard, augmenter: Augmenter) {
    self.shard = shard
    self.augmenter = augmenter
  }

  var sampleCount: Int { shard.sampleCount }
  var element: InputElement { shard.element }

  func pixels(at index: Int) -> UnsafeRawPointer {
    augmenter.pixels(shard.range.lowerBound + index, of: shard.minibatch)
  }

  func target(at index: Int) -> SampleTarget {
    let (place, minibatch) = (shard.range.lowerBound + index, shard.minibatch)
    let own = augmenter.answer(place, in: place, of: minibatch)
    guard let mixture = augmenter.mixture(place, of: minibatch) else {
      switch own {
      case .label(let label): return .label(label)
      case .values(let values): return .values(values)
      }
    }
    switch (own, augmenter.answer(mixture.partner, in: place, of: minibatch)) {
    case (.label(let first), .label(let second)): return .mixed(first, second, share: mixture.share)
    case (.values(let first), .values(let second)):
      return .mixedValues(first, second, share: mixture.share)
    case (.label, .values), (.values, .label):
      preconditionFailure("the samples of a minibatch have targets of one kind")
    }
  }

  func weighedShare(at index: Int) -> Float? {
    if shard.isEvenlyWeighted { return nil }
    let place = shard.range.lowerBound + index
    guard let mixture = augmenter.mixture(place, of: shard.minibatch) else { return nil }
    let (own, other) = (shard.weight(ofPlace: place), shard.weight(ofPlace: mixture.partner))
    let whole = Double(mixture.share) * own + (1 - Double(mixture.share)) * other
    return own != other && whole > 0 ? Float(Double(mixture.share) * own / whole) : nil
  }

  func weight(at index: Int) -> Double {
    if shard.isEvenlyWeighted { return 1 }
    let place = shard.range.lowerBound + index
    let own = shard.weight(ofPlace: place)
    guard let mixture = augmenter.mixture(place, of: shard.minibatch) else { return own }
    let share = Double(mixture.share)
    return share * own + (1 - share) * shard.weight(ofPlace: mixture.partner)
  }
}
