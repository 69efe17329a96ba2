internal import KernelShapes
internal import Networks
internal import OneDNN
internal import Tensors

extension PlanBuilder {
  /// A convolution with its activation: forward, then on the way back activation, weights and bias, input.
  func convolution(_ index: Int, _ operation: Operation, _ conv: Conv2D, _ src: Value) throws -> Value {
    let geometry = try ConvolutionGeometry(operation, conv, samples: samples)
    let type = dataType(of: geometry, operation)
    var shape = try geometry.shape(type, of: operation)
    let forward = try forwardKernel(shape, geometry, operation)
    let dst = buffer(try forward.descriptor(of: .dst, geometry))
    let input = try adapt(src.operand, to: try forward.descriptor(of: .src, geometry))

    shape.weights = try geometry.weights(.f32)
    let backwardWeights =
      isTrained(operation.parameterNames, ofLayer: operation.layer)
      ? try backwardWeightsKernel(shape, geometry, operation, hint: try hint(forward, geometry, type)) : nil
    let layout =
      try backwardWeights?.descriptor(of: .diffWeights, geometry)
      ?? (isTraining && type != .f32
        ? geometry.canonicalWeights() : forward.descriptor(of: .weights, geometry).with(.f32))
    let kernel = try segment(
      operation.kernelName, ofLayer: operation.layer, as: storable(layout, geometry),
      .strided(try geometry.canonicalWeights()))
    let bias = conv.useBias ? try vector("bias", ofLayer: operation.layer, count: conv.filters) : nil

    let weights = ConvolutionWeights(
      geometry: geometry, kernel: kernel, bias: bias, operation: operation, isCut: conv.groups == 1)
    passes(.forward)
    try emitForward(weights, forward, input: input, dst: dst)

    onBackward(index) { [self] gradient in
      let diff = try throughActivation(operation.activation, gradient, output: dst)
      if let backwardWeights {
        passes(.backwardWeights)
        try emitWeightsGradient(weights, backwardWeights, input: input, diffDst: diff.operand, like: dst)
      }
      guard needsGradient(ofInput: 0, of: operation) else { return }
      passes(.backwardData)
      let backward = try backwardDataKernel(
        try geometry.shape(type), geometry, operation, hint: try hint(forward, geometry, type))
      let diffSrc = buffer(try backward.descriptor(of: .diffSrc, geometry))
      let diffDst = try adapt(diff.operand, to: try backward.descriptor(of: .diffDst, geometry))
      try emitBackwardData(weights, backward, diffDst: diffDst, diffSrc: diffSrc)
      propagate(Gradient(operand: diffSrc, isExclusive: true), toInput: 0, of: operation)
    }
    return Value(operand: dst)
  }

  /// The gradient in front of a fused activation, from the one behind it.
  func throughActivation(_ activation: Eltwise?, _ gradient: Gradient, output: Operand) throws -> Gradient {
    guard let activation else { return gradient }
    let diff = try adapt(gradient.operand, to: output.descriptor)
    let isOwn = gradient.isExclusive || diff.descriptor != gradient.descriptor
    let target = isOwn ? diff : buffer(diff.descriptor)
    try inChannelParts(of: [output, diff, target]) { parts, _ in
      let forward = try best(
        Elementwise.forward(activation, on: parts[0].descriptor, training: true), pass: .forward)
      let kernel = try best(
        Elementwise.backward(
          activation, diff: parts[1].descriptor, output: parts[0].descriptor, hint: forward),
        pass: .backwardData)
      try emit(
        kernel, [(activation.outputArgument, parts[0]), (.diffDst, parts[1]), (.diffSrc, parts[2])])
    }
    return Gradient(operand: target, isExclusive: true)
  }

  /// Weight and bias gradients, written straight into the shard's gradient where the layouts agree.
  func emitWeightsGradient(
    _ kernel: PrimitiveDescriptor, _ src: Operand, _ diffDst: Operand, _ weights: Segment, _ bias: Segment?
  ) throws {
    let wanted = kernel.descriptor(of: .diffWeights)
    let target = wanted == weights.descriptor ? gradient(of: weights) : buffer(wanted)
    var arguments: [(Argument, Operand)] = [
      (.src, try adapt(src, to: kernel.descriptor(of: .src))),
      (.diffDst, try adapt(diffDst, to: kernel.descriptor(of: .diffDst))), (.diffWeights, target),
    ]
    if let bias { arguments.append((.diffBias, gradient(of: bias))) }
    try emit(kernel, arguments)
    if wanted != weights.descriptor, weights.isTrained {
      try emit(
        Elementwise.reorder(from: wanted, to: weights.descriptor),
        [(.src, target), (.dst, weights.operand(.gradient))])
    }
  }

  // MARK: - Choosing kernels

  private func dataType(of geometry: ConvolutionGeometry, _ operation: Operation) -> DataType {
    guard options.precision == .bf16 else { return .f32 }
    let usesBF16 = options.kernels.usesBF16(
      layer: operation.choiceName, problem: geometry.problem, own: options.takesOwnKernels)
    choosePrecision(usesBF16 ? .bf16 : .fp32, ofLayer: operation.choiceName)
    return usesBF16 ? .bf16 : .f32
  }

  /// A layout in which parameters can be kept and exported: the library's blocks, not Winograd's private order.
  private func storable(
    _ wanted: MemoryDescriptor, _ geometry: ConvolutionGeometry
  ) throws(OneDNNError) -> MemoryDescriptor {
    wanted.layout.isPrivate ? try geometry.canonicalWeights() : wanted
  }

  /// Settles which algorithm a pass over a layer takes, and takes its kernel.
  private func settledKernel(
    _ geometry: ConvolutionGeometry, _ operation: Operation, _ pass: Pass, _ type: DataType,
    _ make: (ConvolutionAlgorithm) throws -> [PrimitiveDescriptor]
  ) throws -> ConvolutionKernel {
    let problem = geometry.problemOfOneStep(pass, parts: options.parts)
    var wanted = options.kernels.algorithm(
      layer: operation.choiceName, pass: pass, problem: problem, own: options.takesOwnKernels)
    if wanted == .own {
      if type == .f32, options.hasOwnKernels, let shape = geometry.winograd, isServed(operation) {
        choose(.own, ofLayer: operation.choiceName, for: pass)
        return .own(shape)
      }
      wanted = CostModel.algorithm(for: problem, pass: pass, own: false)
    }
    if wanted == .narrow {
      if type == .f32, options.hasOwnKernels, pass == .backwardWeights, let shape = geometry.narrow {
        choose(.narrow, ofLayer: operation.choiceName, for: pass)
        return .narrow(shape)
      }
      wanted = .direct
    }
    let (kernel, taken) = try kernel(wanted, pass, make)
    choose(taken, ofLayer: operation.choiceName, for: pass)
    return .library(kernel)
  }

  /// Whether what follows a kernel of ours keeps the zeros that fill a block of channels.
  private func isServed(_ operation: Operation) -> Bool {
    let channels = operation.outputShape[2]
    return operation.activation?.keepsZero ?? true || channels % OwnKernels.channelBlock == 0
  }

  /// The forward descriptor that the library's backward kernels ask for: that of the layer, or one that nobody runs.
  private func hint(
    _ forward: ConvolutionKernel, _ geometry: ConvolutionGeometry, _ type: DataType
  ) throws -> PrimitiveDescriptor {
    if case .library(let kernel) = forward { return kernel }
    return try best(
      geometry.shape(type).forward(.direct, training: true, activation: nil), pass: .forward)
  }

  /// The kernel for a part of a layer's channels, of the algorithm that was settled for the layer.
  func kernelOfPart(
    _ operation: Operation, _ pass: Pass, _ make: (ConvolutionAlgorithm) throws -> [PrimitiveDescriptor]
  ) throws -> PrimitiveDescriptor {
    guard let settled = choices[operation.choiceName, pass] else {
      preconditionFailure(
        "the \(pass.rawValue) pass of layer '\(operation.layer)' has parts before it has a whole")
    }
    return try kernel(settled, pass, make).kernel
  }

  /// The wanted algorithm's kernel, or a direct one where there is none, which follows from the shapes alone.
  private func kernel(
    _ wanted: ConvolutionAlgorithmName, _ pass: Pass,
    _ make: (ConvolutionAlgorithm) throws -> [PrimitiveDescriptor]
  ) throws -> (kernel: PrimitiveDescriptor, taken: ConvolutionAlgorithmName) {
    if wanted == .winograd, let kernel = try make(.winograd).first(where: { !$0.isReference }) {
      return (kernel, .winograd)
    }
    return (try best(make(.direct), pass: pass), .direct)
  }

  private func forwardKernel(
    _ shape: ConvolutionShape, _ geometry: ConvolutionGeometry, _ operation: Operation
  ) throws -> ConvolutionKernel {
    try settledKernel(geometry, operation, .forward, shape.src.dataType) {
      // For inference alone Winograd wants weights in a private order that stored ones cannot be brought into.
      try shape.forward(
        $0, training: goesBack || $0 == .winograd, activation: operation.activation)
    }
  }

  private func backwardDataKernel(
    _ shape: ConvolutionShape, _ geometry: ConvolutionGeometry, _ operation: Operation,
    hint: @autoclosure () throws -> PrimitiveDescriptor
  ) throws -> ConvolutionKernel {
    try settledKernel(geometry, operation, .backwardData, shape.src.dataType) {
      try shape.backwardData($0, hint: hint())
    }
  }

  /// The kernel that writes gradients in the layout of the parameters if they have one already.
  private func backwardWeightsKernel(
    _ shape: ConvolutionShape, _ geometry: ConvolutionGeometry, _ operation: Operation,
    hint: @autoclosure () throws -> PrimitiveDescriptor
  ) throws -> ConvolutionKernel {
    try settledKernel(geometry, operation, .backwardWeights, shape.src.dataType) {
      try shape.backwardWeights($0, hint: hint())
    }
  }
}

/// What computes one pass over a convolution.
enum ConvolutionKernel {
  case library(PrimitiveDescriptor)
  case own(WinogradShape)
  /// For the gradient of weights alone.
  case narrow(NarrowConvolutionShape)

  /// How a tensor of the convolution lies: as the library's kernel wants it, or as ours do.
  func descriptor(
    of argument: Argument, _ geometry: ConvolutionGeometry
  ) throws(OneDNNError) -> MemoryDescriptor {
    guard case .library(let kernel) = self else {
      return switch argument {
      case .weights, .diffWeights: try geometry.canonicalWeights()
      case .src, .diffSrc: try sourceDescriptor(geometry)
      default: try geometry.blockedDestination()
      }
    }
    return kernel.descriptor(of: argument)
  }

  private func sourceDescriptor(_ geometry: ConvolutionGeometry) throws(OneDNNError) -> MemoryDescriptor {
    if case .narrow = self { return try geometry.plainSource() }
    return try geometry.blockedSource()
  }

  /// What computes the gradient of the weights, where that is ours.
  var ownWeightsGradient: OwnWeightsGradientStep.Kernel? {
    switch self {
    case .library: nil
    case .own(let shape): .winograd(shape)
    case .narrow(let shape): .narrow(shape)
    }
  }
}

/// A convolution's dimensions in the library's logical order.
struct ConvolutionGeometry {
  private(set) var problem: ConvolutionProblem
  private var src: [Int]
  private var dst: [Int]
  private var weights: [Int]
  private var conv: Conv2D
  private let window: WindowGeometry2D

  init(_ operation: Operation, _ conv: Conv2D, samples: Int) throws(ComputeError) {
    let input = operation.inputShapes[0]
    guard let window = WindowGeometry2D(height: input[0], width: input[1], conv: conv) else {
      throw .noKernel(layer: operation.layer, pass: "forward")
    }
    self.conv = conv
    self.window = window
    src = [samples, input[2], input[0], input[1]]
    dst = [samples, conv.filters, window.height.output, window.width.output]
    let perGroup = [
      conv.filters / conv.groups, input[2] / conv.groups, conv.kernel.height, conv.kernel.width,
    ]
    weights = conv.groups == 1 ? perGroup : [conv.groups] + perGroup
    problem = ConvolutionProblem(
      samples: samples, inputChannels: input[2], outputChannels: conv.filters,
      inputHeight: input[0], inputWidth: input[1], outputHeight: window.height.output,
      outputWidth: window.width.output,
      kernelHeight: conv.kernel.height, kernelWidth: conv.kernel.width,
      stride: max(conv.stride.height, conv.stride.width),
      dilation: max(conv.dilation.height, conv.dilation.width), groups: conv.groups,
      verticalTaps: ConvolutionGeometry.taps(
        window.height, input[0], conv.kernel.height, conv.stride.height, conv.dilation.height),
      horizontalTaps: ConvolutionGeometry.taps(
        window.width, input[1], conv.kernel.width, conv.stride.width, conv.dilation.width))
  }

  /// How often the window's taps along one axis meet the image rather than padding.
  private static func taps(
    _ window: WindowGeometry, _ input: Int, _ kernel: Int, _ stride: Int, _ dilation: Int
  ) -> Int {
    (0..<window.output).reduce(0) { sum, position in
      let start = position * stride - window.paddingBefore
      return sum + (0..<kernel).count { (0..<input).contains(start + $0 * dilation) }
    }
  }

  /// The same convolution of fewer input channels or to fewer output channels; without groups.
  func reduced(inputs: Int? = nil, outputs: Int? = nil) -> ConvolutionGeometry {
    var copy = self
    if let inputs {
      copy.src[1] = inputs
      copy.weights[1] = inputs
    }
    if let outputs {
      copy.dst[1] = outputs
      copy.weights[0] = outputs
      copy.conv.filters = outputs
    }
    copy.problem = ConvolutionProblem(
      samples: problem.samples, inputChannels: copy.src[1], outputChannels: copy.dst[1],
      inputHeight: problem.inputHeight, inputWidth: problem.inputWidth, outputHeight: problem.outputHeight,
      outputWidth: problem.outputWidth, kernelHeight: problem.kernelHeight, kernelWidth: problem.kernelWidth,
      stride: problem.stride, dilation: problem.dilation, groups: problem.groups,
      verticalTaps: problem.verticalTaps, horizontalTaps: problem.horizontalTaps)
    return copy
  }

  var weightDimensions: [Int] { weights }

  /// The convolution for our kernels of Winograd; nil where they do not serve.
  var winograd: WinogradShape? {
    guard OwnKernels.areAvailable, problem.isMinimal else { return nil }
    return WinogradShape(
      samples: src[0], inputs: src[1], outputs: dst[1], height: src[2], width: src[3],
      paddingTop: window.height.paddingBefore, paddingLeft: window.width.paddingBefore, outputHeight: dst[2],
      outputWidth: dst[3])
  }

  /// The convolution for our kernel of the weights' gradient where an image has few channels; nil where it does not serve.
  var narrow: NarrowConvolutionShape? {
    guard OwnKernels.areAvailable, problem.isNarrow else { return nil }
    return NarrowConvolutionShape(
      samples: src[0], inputs: src[1], outputs: dst[1],
      windows: WindowShape(
        image: (src[2], src[3]), output: (dst[2], dst[3]), window: (conv.kernel.height, conv.kernel.width),
        stride: (conv.stride.height, conv.stride.width),
        padding: (window.height.paddingBefore, window.width.paddingBefore)))
  }

  /// The image channel by channel.
  func plainSource() throws(OneDNNError) -> MemoryDescriptor {
    try .strided(src, .f32, strides: [src[1] * src[2] * src[3], src[2] * src[3], src[3], 1])
  }

  /// The image as our kernels of Winograd read it.
  func blockedSource() throws(OneDNNError) -> MemoryDescriptor {
    try .channelBlocks(of: OwnKernels.channelBlock, src, .f32)
  }

  /// The output as our kernels write it, and read its gradient.
  func blockedDestination() throws(OneDNNError) -> MemoryDescriptor {
    try .channelBlocks(of: OwnKernels.channelBlock, dst, .f32)
  }

  /// What one step of a pass computes where the layer's channels are cut into up to this many parts: the largest of them.
  ///
  /// All parts of a layer take the algorithm that suits this one.
  func problemOfOneStep(_ pass: Pass, parts: Int) -> ConvolutionProblem {
    let channels = pass == .backwardData ? problem.inputChannels : problem.outputChannels
    let blocks = (channels + Self.channelBlock - 1) / Self.channelBlock
    let count = min(parts, blocks)
    guard count > 1, problem.samples == 1, problem.groups == 1 else { return problem }
    let largest = min(channels, (blocks + count - 1) / count * Self.channelBlock)
    return pass == .backwardData ? reduced(inputs: largest).problem : reduced(outputs: largest).problem
  }

  /// Channels that a kernel takes at once, at the most: whole blocks of them are computed in parts, and the cost model counts them.
  static let channelBlock = 16

  /// All layouts left to the kernel.
  func shape(_ type: DataType) throws(OneDNNError) -> ConvolutionShape {
    ConvolutionShape(
      src: try .any(src, type), weights: try weights(type),
      bias: conv.useBias ? try .dense([conv.filters], .f32) : nil, dst: try .any(dst, type),
      strides: [conv.stride.height, conv.stride.width],
      dilations: [conv.dilation.height, conv.dilation.width],
      paddingBefore: [window.height.paddingBefore, window.width.paddingBefore],
      paddingAfter: [window.height.paddingAfter, window.width.paddingAfter])
  }

  /// The same with the bias that a batch normalisation leaves which is multiplied into the weights.
  func shape(_ type: DataType, of operation: Operation) throws(OneDNNError) -> ConvolutionShape {
    var shape = try shape(type)
    if operation.foldedNorm != nil { shape.bias = try .dense([conv.filters], .f32) }
    return shape
  }

  func weights(_ type: DataType) throws(OneDNNError) -> MemoryDescriptor { try .any(weights, type) }

  /// Keras's [KH, KW, IC / groups, OC] seen in the library's order.
  func canonicalWeights() throws(OneDNNError) -> MemoryDescriptor {
    let channels = weights[weights.count - 3]
    let outputs = conv.filters
    let perGroup = [1, outputs, conv.kernel.width * channels * outputs, channels * outputs]
    return try .strided(
      weights, .f32, strides: conv.groups == 1 ? perGroup : [outputs / conv.groups] + perGroup)
  }
}
