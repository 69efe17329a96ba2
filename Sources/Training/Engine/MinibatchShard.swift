internal import Compute
internal import Datasets

/// A shard of a minibatch, as plans read samples.
final class MinibatchShard: ShardSource {
  let minibatch: Minibatch
  /// Positions within the minibatch.
  let range: Range<Int>
  /// The weight of each class's samples; empty stands for 1 each.
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

  /// The address stays valid as long as this object lives, since it keeps the minibatch, which keeps the pixels.
  func pixels(at index: Int) -> UnsafeRawPointer {
    minibatch.withSample(range.lowerBound + index) { bytes in
      bytes.baseAddress ?? UnsafeRawPointer(bitPattern: MemoryLayout<Float>.alignment).unsafelyUnwrapped
    }
  }

  func target(at index: Int) -> SampleTarget { target(ofPlace: range.lowerBound + index) }
  func weight(at index: Int) -> Double { weight(ofPlace: range.lowerBound + index) }

  /// The target of a sample anywhere in the minibatch; a vector stays valid as long as this object lives.
  func target(ofPlace place: Int) -> SampleTarget {
    if let values = minibatch.targetValues(place) { return .values(values) }
    return .label(minibatch.label(place))
  }

  /// Whether every sample weighs 1.
  var isEvenlyWeighted: Bool { classWeights.isEmpty && minibatch.weights == nil }

  func weight(ofPlace place: Int) -> Double {
    let own = minibatch.weights.map { Double($0[Int(minibatch.sampleIndices[place])]) } ?? 1
    return classWeights.isEmpty ? own : own * classWeights[Int(minibatch.label(place))]
  }
}

/// A shard of a minibatch whose samples are varied as they are read.
///
/// The loss of a mixture is meant to be the mixture of the two losses, each with its own sample's weight. So a mixture weighs
/// w = s·a + (1 − s)·b, and its target has the share s·a / w of the first sample.
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
    let place = shard.range.lowerBound + index
    guard let mixture = augmenter.mixture(place, of: shard.minibatch) else { return shard.target(at: index) }
    var share = mixture.share
    let (own, other) = (shard.weight(ofPlace: place), shard.weight(ofPlace: mixture.partner))
    let whole = Double(share) * own + (1 - Double(share)) * other
    if own != other, whole > 0 { share = Float(Double(share) * own / whole) }
    switch (shard.target(ofPlace: place), shard.target(ofPlace: mixture.partner)) {
    case (.label(let first), .label(let second)): return .mixed(first, second, share: share)
    case (.values(let first), .values(let second)): return .mixedValues(first, second, share: share)
    default: preconditionFailure("the samples of a minibatch have targets of one kind")
    }
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
