/// Number format of activations and of the weights that kernels read; parameters, gradients and their sums stay fp32.
public enum ComputePrecision: String, Hashable, Sendable, CaseIterable {
  /// Multiplies 32-bit floating-point numbers.
  case fp32
  /// Multiplies 16-bit numbers with the exponent of 32 bits, and adds products in 32 bits.
  case bf16
}

/// How a network is made executable.
public struct CompileOptions: Hashable, Sendable {
  /// Samples of one optimizer step; bounds the shard size.
  public var batch: Int
  /// Samples of one shard; nil lets the cost model choose.
  public var shard: Int?
  /// The number format in which kernels multiply, where it pays.
  public var precision: ComputePrecision
  /// False compiles for inference only: no backward pass, parameters in the layout that forward wants.
  public var training: Bool
  /// Whether backward goes on to the input image.
  public var inputGradient: Bool
  /// The most parts that the channels of a layer are cut into, to be computed side by side: in a trace of one image, and in
  /// training by shards of one sample.
  ///
  /// It is part of the numerics, and must not depend on the number of workers.
  public var parts = 1
  /// Which algorithm each convolution uses.
  public var kernels: KernelSelection
  /// The paths of parameters that a training leaves as they are; of a batch normalisation whose statistics are among them, the
  /// running ones are used and kept.
  public var frozen: Set<String> = []
  /// Whether ``KernelSelection/chosen(_:)`` has all that was decided when a training began: what it does not name was not there then.
  public var hasAllChoices = false
  /// Weights from which on a dense layer's gradient is taken over the whole minibatch.
  var weightsToGather = CostModel.weightsToGather
  /// Whether the cost model may take kernels of our own, which earlier versions had not.
  var mayTakeOwnKernels = true
  /// What the network is trained and judged by; its loss takes over an activation at the network's end.
  public var criterion: Criterion

  /// Takes the options with their usual values.
  public init(
    batch: Int, shard: Int? = nil, precision: ComputePrecision = .fp32, training: Bool = true,
    inputGradient: Bool = false, kernels: KernelSelection = .costModel,
    criterion: Criterion = .classification
  ) {
    self.criterion = criterion
    self.batch = batch
    self.shard = shard
    self.precision = precision
    self.training = training
    self.inputGradient = inputGradient
    self.kernels = kernels
  }
}

extension CompileOptions {
  /// Whether kernels of our own serve.
  ///
  /// Where layers are cut into parts they do not: ours compute a layer as a whole.
  var hasOwnKernels: Bool { parts == 1 && OwnKernels.areAvailable }

  /// Whether a dense layer's gradient is taken over the whole minibatch, and not in each shard.
  func gathersGradient(ofLayer layer: String, weights: Int) -> Bool {
    if case .chosen(let choices) = kernels {
      if let isGathered = choices[gathersGradientOf: layer] { return isGathered }
      if hasAllChoices { return false }
    }
    return mayTakeOwnKernels && weights >= weightsToGather
  }

  /// Whether our kernel adds up the gradients of a layer's maxima over windows that overlap.
  func takesOwnMaxima(ofLayer layer: String) -> Bool {
    if case .chosen(let choices) = kernels {
      if let isOwn = choices[ownMaximaOf: layer] { return isOwn }
      if hasAllChoices { return false }
    }
    return mayTakeOwnKernels
  }

  /// Whether the cost model takes kernels of our own where they are faster.
  var takesOwnKernels: Bool { mayTakeOwnKernels && hasOwnKernels }
}

/// How the algorithm of each convolution and pass is chosen.
public enum KernelSelection: Hashable, Sendable {
  /// Direct convolutions only.
  case direct
  /// The library's kernels of Winograd wherever they exist; for tests and measurements.
  case winograd
  /// Our own kernels of Winograd wherever they serve; for tests and measurements.
  case own
  /// A function of shapes and instruction set, calibrated on measurements: two fresh compilations agree.
  case costModel
  /// Choices made earlier, by measuring or by hand; layers it does not name follow the cost model.
  case chosen(KernelChoices)
}
