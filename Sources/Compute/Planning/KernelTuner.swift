internal import Glibc
internal import KernelShapes
internal import Kernels
public import Networks
internal import OneDNN
internal import Tensors

/// How long one kernel took for one pass over one shard of a convolution.
public struct KernelTiming: Hashable, Sendable {
  /// The layer that the kernel would serve.
  public let layer: String
  /// The pass that the kernel would serve.
  public let pass: Pass
  /// How it computes the convolution.
  public let algorithm: ConvolutionAlgorithmName
  /// The number format in which it multiplies.
  public let precision: ComputePrecision
  /// The library's name of the kernel.
  public let kernel: String
  /// Seconds of the fastest of several runs.
  public let seconds: Double
  /// Multiply-adds of the pass, times two, without padding.
  public let flops: Double
}

/// The convolution whose kernels are timed next.
public struct TuningTurn: Hashable, Sendable {
  /// The layer.
  public let layer: String
  /// The convolution: channels in and out, and the rows and columns of its output.
  public let shape: String
  /// How many convolutions were timed before it, of ``count``; those of an equal shape count once.
  public let done: Int
  /// The number of convolutions that are timed.
  public let count: Int
}

/// Times the kernels of each convolution of a network, one worker's way: one thread, memory of its own.
///
/// The fastest of several runs counts, in the time that the thread had of a CPU: what else the machine does only makes a run slower.
/// Long runs are repeated less often: they average over disturbances themselves.
public struct KernelTuner {
  /// Samples of the shard that is timed.
  public var samples: Int
  /// The number formats that are tried.
  public var precisions: [ComputePrecision]
  /// Runs of each kernel; at least 1.
  public var repeats: Int

  /// Takes the size of the shard, 1 or more, and what to try.
  public init(samples: Int, precisions: [ComputePrecision] = [.fp32], repeats: Int = 3) {
    self.samples = samples
    self.precisions = precisions
    self.repeats = repeats
  }

  /// Times every distinct convolution once; layers of equal shape share their timings.
  ///
  /// The gradient of the image, which training has no use for, is not timed.
  /// - Parameters:
  ///   - mayContinue: asked before each run of a kernel; once it says no, the rest is left out.
  ///   - report: told of each convolution before its kernels are timed.
  public func timings(
    of network: ResolvedNetwork, while mayContinue: () -> Bool = { true },
    report: (TuningTurn) -> Void = { _ in }
  ) throws(ComputeError) -> [KernelTiming] {
    var known: [ConvolutionProblem: [KernelTiming]] = [:]
    var result: [KernelTiming] = []
    let convolutions = try convolutions(of: network)
    let count = Self.turns(of: convolutions)
    var done = 0
    for (operation, geometry, readsImage) in convolutions {
      guard mayContinue() else { break }
      let timings: [KernelTiming]
      do {
        if let former = known[geometry.problem] {
          timings = former
        } else {
          report(
            TuningTurn(
              layer: operation.layer, shape: geometry.problem.summary, done: done, count: count))
          timings = try measure(geometry, operation, readsImage: readsImage, while: mayContinue)
          done += 1
        }
      } catch let error as OneDNNError {
        throw .library(layer: operation.layer, error)
      } catch { throw .output(reason: "\(error)") }
      if !readsImage { known[geometry.problem] = timings }
      result += timings.map {
        KernelTiming(
          layer: operation.choiceName, pass: $0.pass, algorithm: $0.algorithm, precision: $0.precision,
          kernel: $0.kernel, seconds: $0.seconds, flops: $0.flops)
      }
    }
    return result
  }

  private typealias Timed = (operation: Operation, geometry: ConvolutionGeometry, readsImage: Bool)

  private func convolutions(of network: ResolvedNetwork) throws(ComputeError) -> [Timed] {
    let operations = Lowering(network).operations
    var convolutions: [Timed] = []
    for operation in operations {
      guard case .convolution(let conv) = operation.kind else { continue }
      let readsImage = operation.inputs.allSatisfy { operations[$0].inputs.isEmpty }
      convolutions.append((operation, try ConvolutionGeometry(operation, conv, samples: samples), readsImage))
    }
    return convolutions
  }

  /// How many of the convolutions are timed: those of an equal shape once, and those of the image by themselves, which have a pass less.
  private static func turns(of convolutions: [Timed]) -> Int {
    var known: Set<ConvolutionProblem> = []
    return convolutions.filter { timed in
      if timed.readsImage { return !known.contains(timed.geometry.problem) }
      return known.insert(timed.geometry.problem).inserted
    }.count
  }

  /// The fastest measured kernel for every convolution and pass, and the faster number format of each.
  ///
  /// - Parameter precision: bf16 lets each layer take the format in which its three passes together are faster.
  public static func fastest(_ timings: [KernelTiming], precision: ComputePrecision) -> KernelChoices {
    var choices = KernelChoices()
    for (layer, all) in Dictionary(grouping: timings, by: \.layer) {
      func best(_ pass: Pass, _ format: ComputePrecision) -> KernelTiming? {
        all.filter { $0.pass == pass && $0.precision == format }.min { $0.seconds < $1.seconds }
      }
      func total(_ format: ComputePrecision) -> Double {
        Pass.allCases.filter { pass in all.contains { $0.pass == pass } }
          .reduce(0) { $0 + (best($1, format)?.seconds ?? .infinity) }
      }
      let format: ComputePrecision = precision == .bf16 && total(.bf16) < total(.fp32) ? .bf16 : .fp32
      if precision == .bf16 { choices[precisionOf: layer] = format }
      for pass in Pass.allCases { choices[layer, pass] = best(pass, format)?.algorithm }
    }
    return choices
  }

  private func measure(
    _ geometry: ConvolutionGeometry, _ operation: Operation, readsImage: Bool, while mayContinue: () -> Bool
  ) throws(OneDNNError) -> [KernelTiming] {
    var result: [KernelTiming] = []
    for precision in precisions {
      // The cost model says why.
      if precision == .bf16, !CostModel.allowsBF16(geometry.problem) { continue }
      let type: DataType = precision == .bf16 ? .bf16 : .f32
      let shape = try geometry.shape(type)
      var weightsShape = shape
      weightsShape.weights = try geometry.weights(.f32)
      guard let hint = try shape.forward(.direct, training: true, activation: nil).first else { continue }
      // Winograd first: where it wins clearly, one run of the slower direct kernel is enough to know.
      var fastest: [Pass: Double] = [:]
      if precision == .fp32, let own = geometry.winograd {
        for pass in [Pass.forward, .backwardWeights] + (readsImage ? [] : [.backwardData]) {
          guard mayContinue() else { return result }
          let seconds = seconds(of: own, pass, while: mayContinue)
          fastest[pass] = seconds
          result.append(
            KernelTiming(
              layer: operation.layer, pass: pass, algorithm: .own, precision: precision,
              kernel: KernelSet.winogradName, seconds: seconds, flops: geometry.problem.flops))
        }
      }
      if precision == .fp32, let narrow = geometry.narrow {
        guard mayContinue() else { return result }
        let seconds = seconds(of: narrow, while: mayContinue)
        fastest[.backwardWeights] = min(fastest[.backwardWeights] ?? .infinity, seconds)
        result.append(
          KernelTiming(
            layer: operation.layer, pass: .backwardWeights, algorithm: .narrow, precision: precision,
            kernel: KernelSet.narrowName, seconds: seconds, flops: geometry.problem.flops))
      }
      for name in [ConvolutionAlgorithmName.winograd, .direct] {
        guard let algorithm = name.algorithm else { continue }
        var passes = [
          (Pass.forward, try shape.forward(algorithm, training: true, activation: nil)),
          (Pass.backwardWeights, try weightsShape.backwardWeights(algorithm, hint: hint)),
        ]
        if !readsImage {
          passes.append((Pass.backwardData, try shape.backwardData(algorithm, hint: hint)))
        }
        for (pass, candidates) in passes {
          guard let kernel = candidates.first(where: { !$0.isReference }) else { continue }
          guard mayContinue() else { return result }
          let seconds = try seconds(
            of: kernel, pass, hopelessAbove: (fastest[pass] ?? .infinity) * 1.5, while: mayContinue)
          fastest[pass] = min(fastest[pass] ?? .infinity, seconds)
          result.append(
            KernelTiming(
              layer: operation.layer, pass: pass, algorithm: name, precision: precision,
              kernel: kernel.implementation, seconds: seconds,
              flops: geometry.problem.flops))
        }
      }
    }
    return result
  }

  /// Floating-point operations per second on one core: what kernels are held against.
  ///
  /// The better of a large matrix product and a convolution of 64 channels by windows of 3×3, both by the library's direct kernels: on CPUs
  /// without AVX-512 its product is at two thirds of what its convolution reaches.
  public static func measuredPeak(_ precision: ComputePrecision) throws(ComputeError) -> Double {
    let type: DataType = precision == .bf16 ? .bf16 : .f32
    do {
      return max(try productRate(type), try convolutionRate(type))
    } catch {
      throw .library(layer: "peak", error)
    }
  }

  private static func productRate(_ type: DataType) throws(OneDNNError) -> Double {
    let (rows, inner, columns) = (384, 1024, 512)
    let shape = InnerProductShape(
      src: try .dense([rows, inner], type), weights: try .any([columns, inner], type), bias: nil,
      dst: try .dense([rows, columns], type))
    return try rate(
      of: try shape.forward(training: false, activation: nil), flops: 2 * Double(rows * inner * columns))
  }

  private static func convolutionRate(_ type: DataType) throws(OneDNNError) -> Double {
    let (samples, channels, side) = (4, 64, 28)
    let image = try MemoryDescriptor.any([samples, channels, side, side], type)
    let shape = ConvolutionShape(
      src: image, weights: try .any([channels, channels, 3, 3], type), bias: nil, dst: image,
      strides: [1, 1], dilations: [1, 1], paddingBefore: [1, 1], paddingAfter: [1, 1])
    // As a convolution's cost is counted everywhere: with the products at the border.
    let flops = 2 * Double(samples * channels * channels * 9 * side * side)
    return try rate(of: try shape.forward(.direct, training: false, activation: nil), flops: flops)
  }

  /// - Returns: 0 where there are only reference kernels.
  private static func rate(of kernels: [PrimitiveDescriptor], flops: Double) throws(OneDNNError) -> Double {
    guard let kernel = kernels.first(where: { !$0.isReference }) else { return 0 }
    return flops / (try KernelTuner(samples: 1, repeats: 12).seconds(of: kernel, .forward))
  }

  /// What the calling thread has had of a CPU.
  private static var cpuNanoseconds: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// Nanoseconds after which two runs are enough.
  private static let longEnough = 20_000_000

  /// - Parameter hopelessAbove: a kernel whose first run takes longer is not run again.
  private func seconds(
    of kernel: PrimitiveDescriptor, _ pass: Pass, hopelessAbove limit: Double = .infinity,
    while mayContinue: () -> Bool = { true }
  ) throws(OneDNNError) -> Double {
    ThreadConfinement.confine()
    let roles: [Argument] =
      switch pass {
      case .forward: [.src, .weights, .bias, .dst, .scratchpad]
      case .backwardData: [.diffSrc, .weights, .diffDst, .scratchpad]
      case .backwardWeights: [.src, .diffWeights, .diffBias, .diffDst, .scratchpad]
      }
    var buffers: [AlignedBuffer<UInt8>] = []
    var tensors: [(Argument, Memory)] = []
    for role in roles {
      let descriptor = kernel.descriptor(of: role)
      guard !descriptor.isEmpty else { continue }
      let buffer = AlignedBuffer<UInt8>(count: descriptor.byteCount + 64)
      buffers.append(buffer)
      tensors.append((role, try Memory(descriptor, at: buffer.baseAddress)))
    }
    let execution = Execution(try Primitive(kernel), on: try Stream(), tensors)
    return try withExtendedLifetime(buffers) { () throws(OneDNNError) in
      try time(hopelessAbove: limit, while: mayContinue) { () throws(OneDNNError) in try execution.run() }
    }
  }

  /// A kernel of our own, with the share of a shard in what transforms the weights, which is done once for the shards of a step:
  /// four, or more.
  private func seconds(of shape: WinogradShape, _ pass: Pass, while mayContinue: () -> Bool) -> Double {
    func floats(_ count: Int) -> AlignedBuffer<Float> { AlignedBuffer(count: count + 16) }
    let kernels = OwnKernels.set
    // Room for whole sixteens of channels is enough for blocks of any width.
    let src = floats(shape.samples * shape.inputBlocks * 16 * shape.height * shape.width)
    let dst = floats(shape.samples * shape.outputBlocks * 16 * shape.outputHeight * shape.outputWidth)
    let weights = floats(9 * shape.inputs * shape.outputs)
    let bias = floats(shape.outputs)
    let form = WinogradForm(shape, pass == .forward ? .forward : .backward)
    let transformed = floats(pass == .forward ? shape.forwardWeightsCount : shape.backwardWeightsCount)
    let scratch = floats(
      max(shape.scratchCount, shape.weightsGradientScratchCount, WinogradShape.weightsScratchCount))
    return withExtendedLifetime((src, dst, weights, bias, transformed, scratch)) {
      switch pass {
      case .forward:
        time(while: mayContinue) {
          kernels.winogradForward(
            shape, src.baseAddress, weights: transformed.baseAddress, bias: bias.baseAddress,
            isRectified: true, into: dst.baseAddress, scratch: scratch.baseAddress)
        } + time(while: mayContinue) {
          kernels.transformWeightsForward(
            inputs: shape.inputs, outputs: shape.outputs, panels: 0..<form.panels, weights.baseAddress,
            into: transformed.baseAddress)
        } / Self.shardsOfStep
      case .backwardData:
        time(while: mayContinue) {
          kernels.winogradBackwardData(
            shape, dst.baseAddress, weights: transformed.baseAddress, into: src.baseAddress,
            scratch: scratch.baseAddress)
        } + time(while: mayContinue) {
          kernels.transformWeightsBackward(
            inputs: shape.inputs, outputs: shape.outputs, panels: 0..<form.panels, weights.baseAddress,
            into: transformed.baseAddress, scratch: scratch.baseAddress)
        } / Self.shardsOfStep
      case .backwardWeights:
        time(while: mayContinue) {
          kernels.winogradBackwardWeights(
            shape, src.baseAddress, dst.baseAddress, into: weights.baseAddress,
            diffBias: bias.baseAddress, scratch: scratch.baseAddress)
        }
      }
    }
  }

  /// Our kernel for the weights' gradient where the image has few channels.
  private func seconds(of shape: NarrowConvolutionShape, while mayContinue: () -> Bool) -> Double {
    func floats(_ count: Int) -> AlignedBuffer<Float> { AlignedBuffer(count: count + 16) }
    let src = floats(shape.samples * shape.inputs * shape.windows.height * shape.windows.width)
    let blocks = (shape.outputs + OwnKernels.channelBlock - 1) / OwnKernels.channelBlock
    let diffDst = floats(
      shape.samples * blocks * OwnKernels.channelBlock * shape.windows.outputHeight
        * shape.windows.outputWidth)
    let diffWeights = floats(shape.weightCount)
    let (diffBias, scratch) = (floats(shape.outputs), floats(shape.scratchCount))
    return withExtendedLifetime((src, diffDst, diffWeights, diffBias, scratch)) {
      time(while: mayContinue) {
        OwnKernels.set.narrowBackwardWeights(
          shape, src.baseAddress, diffDst.baseAddress, into: diffWeights.baseAddress,
          diffBias: diffBias.baseAddress, scratch: scratch.baseAddress)
      }
    }
  }

  private static let shardsOfStep = 4.0

  /// Seconds of the fastest of several runs.
  private func time<Failure>(
    hopelessAbove limit: Double = .infinity, while mayContinue: () -> Bool,
    _ run: () throws(Failure) -> Void
  ) throws(Failure) -> Double {
    var best = UInt64.max
    let begin = Self.cpuNanoseconds
    for number in 0...max(repeats, 1) {
      let start = Self.cpuNanoseconds
      try run()
      let end = Self.cpuNanoseconds
      best = min(best, end - start)
      if Double(best) * 1e-9 > limit { break }
      if number > 0, end - begin > Self.longEnough { break }
      // A run on large images takes seconds. The measurement is thrown away.
      guard mayContinue() else { break }
    }
    return Double(best) * 1e-9
  }
}

extension ConvolutionProblem {
  /// Such as `16→32 channels, 28×28`, of the output.
  var summary: String { "\(inputChannels)→\(outputChannels) channels, \(outputHeight)×\(outputWidth)" }

  /// Floating-point operations of one pass.
  var flops: Double {
    2 * Double(samples) * Double(outputChannels) * Double(outputHeight * outputWidth)
      * Double(kernelHeight * kernelWidth) * Double(inputChannels / groups)
  }
}
