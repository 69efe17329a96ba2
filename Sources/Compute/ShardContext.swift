/// How pixels and other inputs are stored in a sample.
public enum InputElement: Hashable, Sendable {
  case uint8
  case float32
}

/// The samples of one shard, as a plan reads them.
public protocol ShardSource {
  var sampleCount: Int { get }
  var element: InputElement { get }
  /// The pixels of sample `index`, channels last, as many as the network's input has.
  func pixels(at index: Int) -> UnsafeRawPointer
  /// The class of sample `index`.
  func label(at index: Int) -> Int32
  /// What the loss compares the outputs of sample `index` with; by default its class.
  func target(at index: Int) -> SampleTarget
}

extension ShardSource {
  public func target(at index: Int) -> SampleTarget { .label(label(at: index)) }
}

/// What a sample's outputs are compared with.
public enum SampleTarget: Hashable, Sendable {
  /// One class.
  case label(Int32)
  /// A mixture of two samples: the first one's class with this share, the second one's with the rest.
  case mixed(Int32, Int32, share: Float)
}

/// What a training pass over one shard depends on besides samples and parameters.
public struct ShardOptions: Sendable {
  /// Factor of the loss's gradient: 1 / samples of the minibatch, so that shard gradients add up to the mean's.
  public var scale: Float
  /// Share of the target spread over all classes, in [0, 1).
  public var labelSmoothing: Float
  /// The run's seed, for dropout.
  public var seed: UInt64
  /// A number that no other shard of the run shares per sample: the running number of its first sample.
  public var firstSample: UInt64

  public init(scale: Float, labelSmoothing: Float = 0, seed: UInt64 = 0, firstSample: UInt64 = 0) {
    self.scale = scale
    self.labelSmoothing = labelSmoothing
    self.seed = seed
    self.firstSample = firstSample
  }
}

/// What one shard adds to the minibatch's figures.
public struct ShardResult: Hashable, Sendable {
  /// Sum of the samples' losses.
  public var lossSum: Double
  /// Samples whose largest logit is their label's; of equal logits the first counts, of a mixture the label of the
  /// larger share.
  public var correct: Int

  public init(lossSum: Double = 0, correct: Int = 0) {
    self.lossSum = lossSum
    self.correct = correct
  }
}

/// The state of a plan's execution that custom steps read and write.
struct ShardContext {
  let source: any ShardSource
  var options: ShardOptions
  var result = ShardResult()
}
