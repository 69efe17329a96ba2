internal import KernelShapes
internal import Networks
internal import OneDNN
internal import Tensors

// A layer's work in parts: one part, the whole layer, unless a single sample is to be computed by several cores. Then a
// layer's channels are cut, and separate steps compute the parts side by side. In the kernels' layouts a block of channels is an
// image of its own, so that a part is a slice of memory: nothing is copied. Which steps there are depends on the options alone,
// never on how many workers run them.

/// Some of a tensor's channels, or all of them.
struct ChannelPart: Hashable {
  let channels: Range<Int>
  let isWhole: Bool

  /// All channels of a tensor.
  static func whole(_ operand: Operand) -> ChannelPart {
    ChannelPart(channels: 0..<operand.descriptor.dimensions[1], isWhole: true)
  }
}

/// A convolution's parameters, as the steps of its three passes find them.
struct ConvolutionWeights {
  let geometry: ConvolutionGeometry
  let kernel: Segment
  let bias: Segment?
  let operation: Operation
  /// Whether channels may be cut into parts, which those of groups are not.
  let isCut: Bool
}

extension PlanBuilder {
  /// The parts of a tensor's channels; one where it stays whole.
  func channelParts(of descriptor: MemoryDescriptor) -> [ChannelPart] {
    let channels = descriptor.rank > 1 ? descriptor.dimensions[1] : 0
    let whole = [ChannelPart(channels: 0..<channels, isWhole: true)]
    guard samples == 1, descriptor.dataType == .f32, descriptor.channelBlock != nil else { return whole }
    let most: Int =
      switch mode {
      case .inference: 1
      case .sharedInference: SharedWork.parts(ofElements: descriptor.byteCount / 4)
      case .training, .trace: options.parts
      }
    return channelParts(channels, most: most) ?? whole
  }

  /// Whole blocks of channels, as many in each part as in the others or one more; nil for fewer than two parts.
  func channelParts(_ channels: Int, most: Int) -> [ChannelPart]? {
    // The layouts of a convolution's weights may have larger blocks than its image, and are cut at the same channels.
    let block = ConvolutionGeometry.channelBlock
    let blocks = (channels + block - 1) / block
    let count = min(most, blocks)
    guard count > 1 else { return nil }
    return (0..<count).map { part in
      ChannelPart(
        channels: blocks * part / count * block..<min(channels, blocks * (part + 1) / count * block),
        isWhole: false)
    }
  }

  private func channelParts(_ weights: ConvolutionWeights, of operand: Operand) -> [ChannelPart] {
    weights.isCut ? channelParts(of: operand.descriptor) : [.whole(operand)]
  }

  /// Some channels of a tensor, which lies in blocks where they are not all.
  func part(_ operand: Operand, _ part: ChannelPart) throws(OneDNNError) -> Operand {
    guard !part.isWhole else { return operand }
    let d = operand.descriptor.dimensions
    let descriptor = try MemoryDescriptor.channelBlocks(
      of: operand.descriptor.channelBlock ?? 16, [1, part.channels.count, d[2], d[3]],
      operand.descriptor.dataType)
    let offset = part.channels.lowerBound * d[2] * d[3] * operand.descriptor.dataType.byteCount
    return Operand(operand.region, offset: operand.offset + offset, descriptor)
  }

  /// Emits a step for each part of tensors that are cut alike; one for all of them where they are not.
  ///
  /// - Parameter isCut: false keeps them whole.
  func inChannelParts(
    of operands: [Operand], isCut: Bool = true,
    _ emitStep: (_ parts: [Operand], _ isWhole: Bool) throws -> Void
  ) throws {
    let parts = channelParts(of: operands[0].descriptor)
    guard isCut, operands.allSatisfy({ channelParts(of: $0.descriptor) == parts }) else {
      return try emitStep(operands, true)
    }
    try sideBySide(parts.count) { index in
      try emitStep(try operands.map { try part($0, parts[index]) }, parts[index].isWhole)
    }
  }

  // MARK: - Convolutions

  /// A convolution, a part of its filters a step; each reads the whole input.
  ///
  /// - Parameter kernel: the kernel for all filters, which says how the input lies; ours has no parts.
  func emitForward(
    _ weights: ConvolutionWeights, _ kernel: ConvolutionKernel, input: Operand, dst: Operand
  ) throws {
    guard case .library(let whole) = kernel else {
      return try emitOwnForward(weights, kernel, input: input, dst: dst)
    }
    if mode == .sharedInference {
      return try emitSharedForward(weights, whole, input: input, dst: dst)
    }
    // Weights that a batch normalisation is multiplied into are made for all filters at once.
    let parts =
      weights.operation.foldedNorm == nil
      ? channelParts(weights, of: dst)
      : [.whole(dst)]
    try sideBySide(parts.count) { index in
      let target = try part(dst, parts[index])
      let forward =
        parts[index].isWhole ? whole : try forwardKernel(weights, parts[index], input, target)
      let (kernel, bias) = try weightsAndBias(
        weights, parts[index], as: .library(forward.descriptor(of: .weights)))
      var arguments: [(Argument, Operand)] = [(.src, input), (.weights, kernel), (.dst, target)]
      if let bias { arguments.append((.bias, bias)) }
      try emit(forward, arguments)
    }
  }

  private func forwardKernel(
    _ weights: ConvolutionWeights, _ part: ChannelPart, _ input: Operand, _ target: Operand
  ) throws -> PrimitiveDescriptor {
    try kernelOfPart(weights.operation, .forward) {
      var shape = try weights.geometry.reduced(outputs: part.channels.count).shape(
        .f32, of: weights.operation)
      (shape.src, shape.dst) = (input.descriptor, target.descriptor)
      return try shape.forward(
        $0, training: goesBack || $0 == .winograd, activation: weights.operation.activation)
    }
  }

  /// A convolution of one sample that several workers share: parts read slices of the whole layer's weights where they lie.
  private func emitSharedForward(
    _ weights: ConvolutionWeights, _ whole: PrimitiveDescriptor, input: Operand, dst: Operand
  ) throws {
    let all = ChannelPart.whole(dst)
    let (kernel, bias) = try weightsAndBias(weights, all, as: .library(whole.descriptor(of: .weights)))
    let steps = try sharedParts(weights, kernel, input: input, dst: dst) ?? [(all, whole, kernel)]
    try sideBySide(steps.count) { index in
      let (channels, forward, values) = steps[index]
      var arguments: [(Argument, Operand)] = [
        (.src, input), (.weights, values), (.dst, try part(dst, channels)),
      ]
      if let bias { arguments.append((.bias, try slice(of: bias, channels))) }
      try emit(forward, arguments)
    }
  }

  /// The parts of a convolution's filters with their kernels, and their weights within those of all; nil where the layer stays whole.
  private func sharedParts(
    _ weights: ConvolutionWeights, _ values: Operand, input: Operand, dst: Operand
  ) throws -> [(channels: ChannelPart, kernel: PrimitiveDescriptor, weights: Operand)]? {
    let geometry = weights.geometry
    let most = SharedWork.parts(of: geometry.problem)
    guard weights.isCut, dst.descriptor.dataType == .f32, dst.descriptor.channelBlock != nil,
      let parts = channelParts(geometry.problem.outputChannels, most: most)
    else { return nil }
    var result: [(channels: ChannelPart, kernel: PrimitiveDescriptor, weights: Operand)] = []
    for channels in parts {
      let kernel = try forwardKernel(weights, channels, input, part(dst, channels))
      let wanted = kernel.descriptor(of: .weights)
      guard let own = slice(of: values, outputs: channels.channels, geometry, as: wanted) else { return nil }
      result.append((channels, kernel, own))
    }
    return result
  }

  /// The weights of some output channels within those of all.
  ///
  /// - Returns: nil where they are no slice of memory in the layout that is asked for.
  private func slice(
    of kernel: Operand, outputs: Range<Int>, _ geometry: ConvolutionGeometry, as wanted: MemoryDescriptor
  ) -> Operand? {
    var start = [0, 0, 0, 0]
    start[0] = outputs.lowerBound
    guard
      let slice = try? kernel.descriptor.slice(
        from: start, dimensions: geometry.reduced(outputs: outputs.count).weightDimensions),
      slice.fromItsStart == wanted
    else { return nil }
    return Operand(kernel.region, offset: kernel.offset + slice.startByteOffset, wanted)
  }

  /// The gradient of a convolution's weights and bias, that of a part of its filters a step; each reads the whole input.
  ///
  /// - Parameters:
  ///   - kernel: the kernel for all filters; ours has no parts.
  ///   - dst: the convolution's output, whose layout a part of the gradient has.
  func emitWeightsGradient(
    _ weights: ConvolutionWeights, _ kernel: ConvolutionKernel, input: Operand, diffDst: Operand,
    like dst: Operand
  ) throws {
    guard case .library(let whole) = kernel else {
      return try emitOwnWeightsGradient(weights, kernel, input: input, diffDst: diffDst)
    }
    let parts = channelParts(weights, of: dst)
    guard parts.count > 1 else {
      return try emitWeightsGradient(whole, input, diffDst, weights.kernel, weights.bias)
    }
    let diffs = try adapt(diffDst, to: dst.descriptor)
    let kernels = try parts.map { channels in
      var shape = try weights.geometry.reduced(outputs: channels.channels.count).shape(.f32)
      (shape.src, shape.dst) = (input.descriptor, try part(diffs, channels).descriptor)
      let hint = try best(shape.forward(.direct, training: true, activation: nil), pass: .forward)
      return try kernelOfPart(weights.operation, .backwardWeights) {
        try shape.backwardWeights($0, hint: hint)
      }
    }
    // The kernels write layouts of their own; a second group puts them where the parameters are.
    let own = kernels.map { buffer($0.descriptor(of: .diffWeights)) }
    let diffBias = weights.bias.map { self.gradient(of: $0) }
    try sideBySide(parts.count) { index in
      var arguments: [(Argument, Operand)] = [
        (.src, input), (.diffDst, try part(diffs, parts[index])), (.diffWeights, own[index]),
      ]
      if let diffBias { arguments.append((.diffBias, try slice(of: diffBias, parts[index]))) }
      try emit(kernels[index], arguments)
    }
    guard weights.kernel.isTrained else { return }
    let gradient = weights.kernel.operand(.gradient)
    try sideBySide(parts.count) { index in
      let channels = parts[index].channels
      let target = try weights.kernel.descriptor.slice(
        from: [channels.lowerBound, 0, 0, 0],
        dimensions: weights.geometry.reduced(outputs: channels.count).weightDimensions)
      try emit(
        Elementwise.reorder(from: own[index].descriptor, to: target),
        [(.src, own[index]), (.dst, Operand(gradient.region, offset: gradient.offset, target))])
    }
  }

  /// The gradient of a convolution's input, a part of its channels a step; each reads the whole gradient of the output.
  ///
  /// - Parameter kernel: the kernel for all channels, which says how the gradient of the output lies; ours has no parts.
  func emitBackwardData(
    _ weights: ConvolutionWeights, _ kernel: ConvolutionKernel, diffDst: Operand, diffSrc: Operand
  ) throws {
    guard case .library(let whole) = kernel else {
      return try emitOwnBackwardData(weights, kernel, diffDst: diffDst, diffSrc: diffSrc)
    }
    let parts = channelParts(weights, of: diffSrc)
    try sideBySide(parts.count) { index in
      let target = try part(diffSrc, parts[index])
      let backward =
        parts[index].isWhole
        ? whole
        : try kernelOfPart(weights.operation, .backwardData) {
          var shape = try weights.geometry.reduced(inputs: parts[index].channels.count).shape(.f32)
          (shape.src, shape.dst) = (target.descriptor, diffDst.descriptor)
          let hint = try best(shape.forward(.direct, training: true, activation: nil), pass: .forward)
          return try shape.backwardData($0, hint: hint)
        }
      let wanted = backward.descriptor(of: .weights)
      let kernel =
        parts[index].isWhole
        ? try stored(weights.kernel, as: wanted)
        : try slice(
          of: weights.kernel, axis: 1, parts[index].channels,
          weights.geometry.reduced(inputs: parts[index].channels.count).weightDimensions, as: wanted)
      try emit(backward, [(.diffDst, diffDst), (.weights, kernel), (.diffSrc, target)])
    }
  }

  // MARK: - Kernels of our own

  private func emitOwnForward(
    _ weights: ConvolutionWeights, _ kernel: ConvolutionKernel, input: Operand, dst: Operand
  ) throws {
    guard case .own(let shape) = kernel else { return }
    let (values, bias) = try weightsAndBias(
      weights, .whole(dst), as: .winograd(WinogradForm(shape, .forward)))
    let activation = weights.operation.activation
    let parts =
      mode == .sharedInference ? SharedWork.parts(of: shape) : [(0..<shape.tiles, 0..<shape.outputPanels)]
    try sideBySide(parts.count) { index in
      emit(
        WinogradForwardStep(
          shape: shape, tiles: parts[index].tiles, panels: parts[index].panels, src: input, weights: values,
          bias: bias,
          isRectified: activation == .plainReLU, dst: dst,
          scratchpad: try scratchpad(floats: shape.scratchCount)))
    }
    guard let activation, activation != .plainReLU else { return }
    let function = try best(
      Elementwise.forward(activation, on: dst.descriptor, training: goesBack), pass: .forward)
    try emit(function, [(.src, dst), (.dst, dst)])
  }

  private func emitOwnWeightsGradient(
    _ weights: ConvolutionWeights, _ kernel: ConvolutionKernel, input: Operand, diffDst: Operand
  ) throws {
    guard let own = kernel.ownWeightsGradient else { return }
    let wanted = try kernel.descriptor(of: .diffWeights, weights.geometry)
    let isInPlace = wanted == weights.kernel.descriptor
    let target = isInPlace ? gradient(of: weights.kernel) : buffer(wanted)
    emit(
      OwnWeightsGradientStep(
        kernel: own, src: try adapt(input, to: kernel.descriptor(of: .src, weights.geometry)),
        diffDst: try adapt(diffDst, to: kernel.descriptor(of: .diffDst, weights.geometry)),
        diffWeights: target, diffBias: weights.bias.map { gradient(of: $0) },
        scratchpad: try scratchpad(floats: own.scratchCount)))
    guard !isInPlace, weights.kernel.isTrained else { return }
    try emit(
      Elementwise.reorder(from: wanted, to: weights.kernel.descriptor),
      [(.src, target), (.dst, weights.kernel.operand(.gradient))])
  }

  private func emitOwnBackwardData(
    _ weights: ConvolutionWeights, _ kernel: ConvolutionKernel, diffDst: Operand, diffSrc: Operand
  ) throws {
    guard case .own(let shape) = kernel else { return }
    emit(
      WinogradBackwardDataStep(
        shape: shape, diffDst: diffDst,
        weights: try stored(weights, as: .winograd(WinogradForm(shape, .backward))), diffSrc: diffSrc,
        scratchpad: try scratchpad(floats: shape.scratchCount)))
  }

  /// The weights and bias that a forward kernel reads: the parameters, a copy, or a batch normalisation multiplied in.
  private func weightsAndBias(
    _ weights: ConvolutionWeights, _ part: ChannelPart, as form: ConvolutionWeightsForm
  ) throws -> (weights: Operand, bias: Operand?) {
    if let folded = weights.operation.foldedNorm {
      return try self.folded(folded, into: weights, as: form)
    }
    guard case .library(let wanted) = form else {
      return (try stored(weights, as: form), weights.bias?.operand())
    }
    guard !part.isWhole else {
      return (try stored(weights.kernel, as: wanted), weights.bias?.operand())
    }
    return (
      try slice(
        of: weights.kernel, axis: 0, part.channels,
        weights.geometry.reduced(outputs: part.channels.count).weightDimensions, as: wanted),
      try weights.bias.map { try slice(of: $0.operand(), part) }
    )
  }

  /// All of a convolution's weights where and as a kernel reads them.
  private func stored(
    _ weights: ConvolutionWeights, as form: ConvolutionWeightsForm
  ) throws(OneDNNError) -> Operand {
    switch form {
    case .library(let wanted): try stored(weights.kernel, as: wanted)
    case .winograd(let wanted):
      try storage.operand(
        weights.kernel, as: wanted, canonical: weights.geometry.canonicalWeights(),
        isForInference: mode.isInference)
    }
  }

  private func folded(
    _ folded: FoldedNorm, into weights: ConvolutionWeights, as wanted: ConvolutionWeightsForm
  ) throws -> (weights: Operand, bias: Operand?) {
    let norm = folded.norm
    func vector(_ name: String) throws -> Segment {
      try self.vector(name, ofLayer: folded.layer, count: weights.operation.outputShape[2])
    }
    let result = try storage.folded(
      weights.kernel, bias: weights.bias, gamma: norm.scale ? try vector("gamma") : nil,
      beta: norm.center ? try vector("beta") : nil,
      mean: statisticsRange("moving_mean", ofLayer: folded.layer),
      variance: statisticsRange("moving_variance", ofLayer: folded.layer), epsilon: norm.epsilon,
      canonical: weights.geometry.canonicalWeights(), as: wanted, isForInference: mode.isInference)
    return (result.kernel, result.bias)
  }

  /// Some elements of a bias, or of its gradient.
  private func slice(of bias: Operand, _ part: ChannelPart) throws(OneDNNError) -> Operand {
    Operand(
      bias.region, offset: bias.offset + part.channels.lowerBound * 4,
      try .dense([part.channels.count], .f32))
  }

  /// Some output (axis 0) or input channels (axis 1) of a convolution's weights, where and as a kernel reads them.
  private func slice(
    of kernel: Segment, axis: Int, _ channels: Range<Int>, _ dimensions: [Int], as wanted: MemoryDescriptor
  ) throws -> Operand {
    var start = [0, 0, 0, 0]
    start[axis] = channels.lowerBound
    return try storage.operand(
      kernel, slice: try kernel.descriptor.slice(from: start, dimensions: dimensions), as: wanted,
      isForInference: mode.isInference)
  }
}
