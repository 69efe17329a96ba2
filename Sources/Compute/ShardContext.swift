/// How pixels and other inputs are stored in a sample.
public enum InputElement: Hashable, Sendable {
  /// Bytes from 0 to 255.
  case uint8
  /// 32-bit floating-point numbers.
  case float32
}

/// The samples of one shard, as a plan reads them.
public protocol ShardSource {
  /// How many samples the shard has.
  var sampleCount: Int { get }
  /// How each sample's pixels are stored.
  var element: InputElement { get }
  /// The pixels of sample `index`, channels last, as many as the network's input has.
  func pixels(at index: Int) -> UnsafeRawPointer
  /// What the outputs of sample `index` are compared with; a vector is valid until the next call.
  func target(at index: Int) -> SampleTarget
  /// The share of the first sample of a mixture when each counts as it weighs; nil where that is the target's own.
  ///
  /// A loss that follows targets in proportion takes it; figures do not.
  func weighedShare(at index: Int) -> Float?
  /// What the loss of sample `index` is multiplied by, at least 0; 1 by default.
  func weight(at index: Int) -> Double
}

extension ShardSource {
  /// Leaves it to the target.
  public func weighedShare(at index: Int) -> Float? { nil }
  /// Counts each sample once.
  public func weight(at index: Int) -> Double { 1 }
}

/// What a training pass over one shard depends on besides samples and parameters.
public struct ShardOptions: Sendable {
  /// Factor of the loss's gradient: 1 / samples of the minibatch, so that shard gradients add up to the mean's.
  public var scale: Float
  /// The weight of each label in the mean over labels, for a loss that treats each label by itself; empty stands for 1 each.
  public var outputWeights: [Double]
  /// The run's seed, for dropout.
  public var seed: UInt64
  /// A number that no other shard of the run shares per sample: the running number of its first sample.
  public var firstSample: UInt64
  /// Where the rows of layers go whose gradients are taken over the whole minibatch; nil for networks without such layers.
  public var gathered: GatheredRows?

  /// Takes the options of a shard; those left out stand for no weights, no dropout of its own and no rows to keep.
  public init(
    scale: Float, outputWeights: [Double] = [], seed: UInt64 = 0, firstSample: UInt64 = 0,
    gathered: GatheredRows? = nil
  ) {
    self.gathered = gathered
    self.scale = scale
    self.outputWeights = outputWeights
    self.seed = seed
    self.firstSample = firstSample
  }
}

/// What one shard adds to the minibatch's figures.
public struct ShardResult: Hashable, Sendable {
  /// The sums in the order of the plan's ``FigureLayout``; empty before the loss is known.
  public var sums: [Double]

  /// Takes sums in the order of the plan's ``FigureLayout``.
  public init(sums: [Double] = []) { self.sums = sums }

  /// Sum of the samples' losses, each times its weight.
  public var lossSum: Double { sums.first ?? 0 }
}

/// The state of a plan's execution that custom steps read and write.
struct ShardContext {
  let source: any ShardSource
  var options: ShardOptions
  var result = ShardResult()
}
