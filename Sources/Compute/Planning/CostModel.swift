internal import OneDNN

/// Seconds that kernels take, as a function of shapes alone, so that two fresh compilations of a network agree.
///
/// The coefficients were fitted to one-thread timings of every convolution of the benchmark's networks at shards of 4 to 32
/// samples (oneDNN 2.6.3, AMD EPYC with AVX-512 and BF16, November 2026): Winograd's times to ±20% in nine cases of ten. On other CPUs the ratios carry over better than the
/// seconds; `tuning: measured` times the kernels themselves.
enum CostModel {
  /// - Parameter own: whether kernels of our own may be taken.
  static func algorithm(for problem: ConvolutionProblem, pass: Pass, own: Bool) -> ConvolutionAlgorithmName {
    // Several times as fast as any other: the library's takes 7 channels of zeros or more along.
    if own, pass == .backwardWeights, problem.isNarrow { return .narrow }
    let direct = directSeconds(problem, pass, .fp32)
    let winograd = winogradSeconds(problem, pass) ?? .infinity
    if own, let seconds = ownSeconds(problem, pass), seconds * 1.05 < min(direct, winograd) { return .own }
    return winograd * 1.05 < direct ? .winograd : .direct
  }

  /// Seconds of the fastest kernel in fp32.
  private static func fastestSeconds(_ problem: ConvolutionProblem, _ pass: Pass, own: Bool) -> Double {
    let library = min(directSeconds(problem, pass, .fp32), winogradSeconds(problem, pass) ?? .infinity)
    return own ? min(library, ownSeconds(problem, pass) ?? .infinity) : library
  }

  /// Whether a convolution in bf16 beats the better of the fp32 kernels, the conversion of its activations included.
  static func prefersBF16(_ problem: ConvolutionProblem, own: Bool) -> Bool {
    guard allowsBF16(problem) else { return false }
    var bf16 = 0.0
    var fp32 = 0.0
    for pass in Pass.allCases {
      fp32 += fastestSeconds(problem, pass, own: own)
      bf16 += directSeconds(problem, pass, .bf16)
    }
    let elements =
      Double(problem.samples * problem.outputHeight * problem.outputWidth)
      * Double(problem.inputChannels + problem.outputChannels)
    return bf16 < fp32 + elements * secondsPerConvertedElement
  }

  /// An image's few channels leave most of a bf16 dot product empty, and its gradient has no kernel at all.
  static func allowsBF16(_ problem: ConvolutionProblem) -> Bool {
    problem.inputChannels / problem.groups >= 8
  }

  // MARK: - Convolutions

  /// A direct kernel multiplies whole blocks of 16 channels, except where an image has up to three.
  static func directSeconds(
    _ problem: ConvolutionProblem, _ pass: Pass, _ precision: ComputePrecision
  ) -> Double {
    if precision == .bf16, Library.hasTiles { return tileSeconds(problem, pass) }
    let isImage = problem.inputChannels <= 3 && pass != .backwardData
    let inputs = isImage ? problem.inputChannels : padded(problem.inputChannels, groups: problem.groups)
    let outputs = padded(problem.outputChannels, groups: problem.groups)
    // Kernels skip the taps that fall into padding: on a 4×4 image under a 3×3 window those are three of ten.
    let flops =
      2 * Double(problem.samples * problem.verticalTaps * problem.horizontalTaps) * Double(inputs)
      / Double(problem.groups) * Double(outputs)
    let rate: Double =
      switch (precision, pass) {
      case (.fp32, .backwardWeights): 103e9
      case (.fp32, _): 116e9
      case (.bf16, .backwardWeights): 207e9
      case (.bf16, _): 238e9
      }
    let weights =
      Double(inputs * outputs / problem.groups) * Double(problem.kernelHeight * problem.kernelWidth)
    return flops / rate + (pass == .backwardWeights ? weights * secondsPerWrittenWeight : 0)
  }

  /// A direct kernel that multiplies tiles of bf16 (AMX): of 32 channels by 16 pixels, of which narrow images fill a part.
  ///
  /// Fitted to the same shapes on an Intel Xeon with AMX, whose times are taken for 1.3 of those of the CPU of the other coefficients:
  /// that is how its fp32 kernels compare.
  private static func tileSeconds(_ problem: ConvolutionProblem, _ pass: Pass) -> Double {
    let (inputs, outputs) = (
      problem.groups == 1 ? (problem.inputChannels + 31) & ~31 : problem.inputChannels,
      padded(problem.outputChannels, groups: problem.groups)
    )
    let flops =
      2 * Double(problem.samples * problem.verticalTaps * problem.horizontalTaps) * Double(inputs)
      / Double(problem.groups) * Double(outputs)
    let width = pass == .backwardData ? problem.inputWidth : problem.outputWidth
    let narrowness = max(1, (pass == .forward ? 12 : 15) / Double(max(width, 1)))
    let weights =
      Double(inputs * outputs / problem.groups) * Double(problem.kernelHeight * problem.kernelWidth)
    return switch pass {
    case .forward: flops / 560e9 * narrowness
    case .backwardData: flops / 480e9 * narrowness
    case .backwardWeights: flops / 325e9 * narrowness + weights * secondsPerTiledWeight
    }
  }

  private static let secondsPerTiledWeight = 4e-9

  /// A shard's gradient of weights goes through caches that it does not fit into.
  private static let secondsPerWrittenWeight = 0.7e-9

  /// F(4×4, 3×3): multiplications over tiles, transforms of the activations, transforms of the weights.
  ///
  /// - Returns: nil where the algorithm does not exist.
  static func winogradSeconds(_ problem: ConvolutionProblem, _ pass: Pass) -> Double? {
    guard Library.hasWinograd, problem.isMinimal else { return nil }
    let (height, width) =
      pass == .backwardData
      ? (problem.inputHeight, problem.inputWidth) : (problem.outputHeight, problem.outputWidth)
    let tiles = Double(problem.samples * ((height + 3) / 4) * ((width + 3) / 4))
    let (inputs, outputs) = (Double(padded(problem.inputChannels)), Double(padded(problem.outputChannels)))
    let (multiply, activations, weights) =
      pass == .backwardWeights ? (11.3e-12, 0.243e-9, 0.344e-9) : (9.7e-12, 0.35e-9, 0.49e-9)
    return 36
      * (2 * tiles * inputs * outputs * multiply + tiles * (inputs + outputs) * activations
        + inputs * outputs * weights)
  }

  /// Our own F(4×4, 3×3): multiplications over real channels in the depth, transforms of the activations, and the weights,
  /// which are transformed once a step (taken as four shards) and whose gradient is transformed in each shard.
  ///
  /// - Returns: nil where it does not serve.
  static func ownSeconds(_ problem: ConvolutionProblem, _ pass: Pass) -> Double? {
    guard OwnKernels.areAvailable, problem.isMinimal else { return nil }
    let tiles = Double(
      problem.samples * ((problem.outputHeight + 3) / 4) * ((problem.outputWidth + 3) / 4))
    let (inputs, outputs) = (Double(problem.inputChannels), Double(problem.outputChannels))
    let (paddedInputs, paddedOutputs) =
      (Double(padded(problem.inputChannels)), Double(padded(problem.outputChannels)))
    let (products, weights) =
      switch pass {
      case .forward: (inputs * paddedOutputs, 0.15e-9)
      case .backwardData: (outputs * paddedInputs, 0.25e-9)
      case .backwardWeights: (inputs * paddedOutputs, 0.2e-9)
      }
    return 36
      * (2 * tiles * products * 9.4e-12 + tiles * (paddedInputs + paddedOutputs) * 0.25e-9
        + inputs * outputs * weights)
  }

  private static let secondsPerConvertedElement = 0.4e-9

  private static func padded(_ channels: Int, groups: Int = 1) -> Int {
    groups == 1 ? (channels + 15) & ~15 : channels
  }

  // MARK: - Dense layers

  /// Weights whose gradient, written for each shard and read again, costs more than keeping a minibatch's rows: 4 MiB.
  static let weightsToGather = 1 << 20

  /// The same for an embedding, of which a shard needs few rows: from here on its whole table costs more than its words.
  static let tableWeightsToGather = 1 << 16

  // MARK: - Shards

  /// Samples of one shard: where the modelled time per sample is least, among sizes that cut a minibatch into 2, 4, 8, … shards.
  ///
  /// Such numbers of shards keep 2, 4, 8, … workers busy to the end: three shards would leave one of two workers idle for a quarter
  /// of the time. Fewer than four shards would leave cores of most machines idle, so that has to pay: wide layers on small
  /// images do, whose weights every shard transforms and whose gradients every shard writes.
  ///
  /// - Parameter own: whether kernels of our own may be taken.
  static func shardSize(
    of lowering: Lowering, batch: Int, precision: ComputePrecision, storedFloats: Int, own: Bool
  ) -> Int {
    let candidates = shardSizes(batch: batch)
    let costs = candidates.map { samples in
      let seconds = lowering.operations.reduce(0.0) { sum, operation in
        sum + secondsPerStep * 3 + convolutionSeconds(operation, samples, precision, own)
      }
      return (seconds + Double(storedFloats) * secondsPerReducedFloat) / Double(samples)
    }
    // A smaller shard keeps its activations in cache and leaves work for more cores.
    let best = costs.indices.min { costs[$0] < costs[$1] } ?? 0
    let balanced = costs.indices.last { (candidates[$0] - 1) * balancedShards < batch } ?? 0
    let limit = costs[balanced] > costs[best] * gainOfFewShards ? best : min(best, balanced)
    let least = costs[...limit].min() ?? 0
    let chosen = costs[...limit].indices.first { costs[$0] <= least * 1.03 } ?? limit
    return candidates[chosen]
  }

  /// Sizes of shards to choose from, in rising order: a minibatch over a power of two, rounded up.
  static func shardSizes(batch: Int) -> [Int] {
    var sizes: [Int] = []
    var count = minimumShards
    while count < 2 * batch {
      let size = (batch + count - 1) / count
      if size <= largestShard { sizes.append(size) }
      count *= 2
    }
    return sizes.isEmpty ? [1] : Set(sizes).sorted()
  }

  /// More samples gain nothing: their activations leave the caches.
  private static let largestShard = 64
  private static let minimumShards = 2
  private static let balancedShards = 4
  private static let gainOfFewShards = 1.08
  /// The cost of one kernel call.
  private static let secondsPerStep = 1.5e-6
  /// Writing a shard's gradient and adding it to the others.
  private static let secondsPerReducedFloat = 1.0e-9

  private static func convolutionSeconds(
    _ operation: Operation, _ samples: Int, _ precision: ComputePrecision, _ own: Bool
  ) -> Double {
    guard case .convolution(let conv) = operation.kind,
      let problem = try? ConvolutionGeometry(operation, conv, samples: samples).problem
    else { return 0 }
    if precision == .bf16, prefersBF16(problem, own: own) {
      return Pass.allCases.reduce(0) { $0 + directSeconds(problem, $1, .bf16) }
    }
    return Pass.allCases.reduce(0) { $0 + fastestSeconds(problem, $1, own: own) }
  }
}
