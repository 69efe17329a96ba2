internal import Networks
internal import OneDNN

// One sample on several cores. A layer's channels are cut into parts that separate steps compute side by side. In the
// kernels' layouts a block of channels is an image of its own, so that a part is a slice of memory: nothing is copied.
// Which steps there are depends on the options alone, never on how many workers run them.
extension PlanBuilder {
  /// The parts of a tensor's channels; nil where it stays whole.
  func channelParts(of descriptor: MemoryDescriptor) -> [Range<Int>]? {
    guard options.parts > 1, samples == 1, mode != .inference, descriptor.dataType == .f32,
      let block = descriptor.channelBlock
    else { return nil }
    let channels = descriptor.dimensions[1]
    let blocks = descriptor.paddedDimensions[1] / block
    let count = min(options.parts, blocks)
    guard count > 1 else { return nil }
    return (0..<count).map { part in
      blocks * part / count * block..<min(channels, blocks * (part + 1) / count * block)
    }
  }

  /// Some channels of a tensor in blocks.
  func part(_ operand: Operand, _ channels: Range<Int>) throws(OneDNNError) -> Operand {
    let d = operand.descriptor.dimensions
    let descriptor = try MemoryDescriptor.channelBlocks(
      of: operand.descriptor.channelBlock ?? 16, [1, channels.count, d[2], d[3]],
      operand.descriptor.dataType)
    let offset = channels.lowerBound * d[2] * d[3] * operand.descriptor.dataType.byteCount
    return Operand(operand.region, offset: operand.offset + offset, descriptor)
  }

  /// Emits one step for each part of tensors of one shape and layout, or a single one for all of them.
  func inChannelParts(of operands: [Operand], _ emitStep: ([Operand]) throws -> Void) throws {
    guard let parts = channelParts(of: operands[0].descriptor),
      operands.allSatisfy({ $0.descriptor.layoutName == operands[0].descriptor.layoutName })
    else { return try emitStep(operands) }
    try sideBySide(parts.count) { index in
      try emitStep(try operands.map { try part($0, parts[index]) })
    }
  }

  // MARK: - Convolutions

  /// A convolution, one part of its filters a step; each reads the whole input.
  func emitForward(
    _ parts: [Range<Int>], _ geometry: ConvolutionGeometry, _ operation: Operation, input: Operand,
    kernel: Segment, bias: Segment?, dst: Operand
  ) throws {
    try sideBySide(parts.count) { index in
      let channels = parts[index]
      let reduced = geometry.reduced(outputs: channels.count)
      let target = try part(dst, channels)
      var shape = try reduced.shape(.f32)
      shape.src = input.descriptor
      shape.dst = target.descriptor
      let forward = try kernelOfPart(operation, .forward) {
        try shape.forward($0, training: goesBack || $0 == .winograd, activation: operation.activation)
      }
      var arguments: [(Argument, Operand)] = [
        (.src, input), (.dst, target),
        (
          .weights,
          try slice(
            of: kernel, axis: 0, channels, reduced.weightDimensions, as: forward.descriptor(of: .weights))
        ),
      ]
      if let bias {
        let offset = (bias.range.lowerBound + channels.lowerBound) * 4
        arguments.append(
          (.bias, Operand(.parameters, offset: offset, try .dense([channels.count], .f32))))
      }
      try emit(forward, arguments)
    }
  }

  /// The gradient of a convolution's weights and bias, that of one part of its filters a step; each reads the whole input.
  func emitWeightsGradient(
    _ parts: [Range<Int>], _ geometry: ConvolutionGeometry, _ operation: Operation, input: Operand,
    diffDst: Operand, kernel: Segment, bias: Segment?
  ) throws {
    var kernels: [PrimitiveDescriptor] = []
    for channels in parts {
      let reduced = geometry.reduced(outputs: channels.count)
      var shape = try reduced.shape(.f32)
      shape.src = input.descriptor
      shape.dst = try part(diffDst, channels).descriptor
      let hint = try best(shape.forward(.direct, training: true, activation: nil), pass: .forward)
      kernels.append(
        try kernelOfPart(operation, .backwardWeights) { try shape.backwardWeights($0, hint: hint) })
    }
    // The kernels write layouts of their own; a second group puts them where the parameters are.
    let own = kernels.map { buffer($0.descriptor(of: .diffWeights)) }
    try sideBySide(parts.count) { index in
      var arguments: [(Argument, Operand)] = [
        (.src, input), (.diffDst, try part(diffDst, parts[index])), (.diffWeights, own[index]),
      ]
      if let bias {
        let offset = (bias.range.lowerBound + parts[index].lowerBound) * 4
        arguments.append(
          (.diffBias, Operand(.gradient, offset: offset, try .dense([parts[index].count], .f32))))
      }
      try emit(kernels[index], arguments)
    }
    let whole = kernel.operand(.gradient)
    try sideBySide(parts.count) { index in
      let dimensions = geometry.reduced(outputs: parts[index].count).weightDimensions
      let slice = try kernel.descriptor.slice(
        from: [parts[index].lowerBound, 0, 0, 0], dimensions: dimensions)
      try emit(
        Elementwise.reorder(from: own[index].descriptor, to: slice),
        [(.src, own[index]), (.dst, Operand(whole.region, offset: whole.offset, slice))])
    }
  }

  /// The gradient of a convolution's input, one part of its channels a step; each reads the whole gradient of the output.
  func emitBackwardData(
    _ parts: [Range<Int>], _ geometry: ConvolutionGeometry, _ operation: Operation, diffDst: Operand,
    kernel: Segment, diffSrc: Operand
  ) throws {
    try sideBySide(parts.count) { index in
      let channels = parts[index]
      let reduced = geometry.reduced(inputs: channels.count)
      let target = try part(diffSrc, channels)
      var shape = try reduced.shape(.f32)
      shape.src = target.descriptor
      shape.dst = diffDst.descriptor
      let hint = try best(shape.forward(.direct, training: true, activation: nil), pass: .forward)
      let backward = try kernelOfPart(operation, .backwardData) {
        try shape.backwardData($0, hint: hint)
      }
      try emit(
        backward,
        [
          (.diffDst, diffDst), (.diffSrc, target),
          (
            .weights,
            try slice(
              of: kernel, axis: 1, channels, reduced.weightDimensions, as: backward.descriptor(of: .weights))
          ),
        ])
    }
  }

  /// Some output (axis 0) or input channels (axis 1) of a convolution's weights, where and as a kernel reads them.
  private func slice(
    of kernel: Segment, axis: Int, _ channels: Range<Int>, _ dimensions: [Int], as wanted: MemoryDescriptor
  ) throws -> Operand {
    var start = [0, 0, 0, 0]
    start[axis] = channels.lowerBound
    return try storage.operand(
      kernel, slice: try kernel.descriptor.slice(from: start, dimensions: dimensions), as: wanted,
      isForInference: mode == .inference)
  }

  // MARK: - Pooling

  /// A pooling in parts, forward and backward.
  func pooledInParts(
    _ index: Int, _ operation: Operation, _ shape: PoolingShape, _ src: Value, dst: Operand,
    record: MemoryDescriptor
  ) throws -> Operand {
    let maxima = record.isEmpty ? nil : buffer(record)
    func forward(_ src: Operand, _ dst: Operand) throws -> PrimitiveDescriptor {
      var partShape = shape
      (partShape.src, partShape.dst) = (src.descriptor, dst.descriptor)
      return try best(
        partShape.forward(training: goesBack, activation: operation.activation), pass: .forward)
    }
    let together = [src.operand, dst] + (maxima.map { [$0] } ?? [])
    try inChannelParts(of: together) { parts in
      var arguments: [(Argument, Operand)] = [(.src, parts[0]), (.dst, parts[1])]
      if maxima != nil { arguments.append((.workspace, parts[2])) }
      try emit(try forward(parts[0], parts[1]), arguments)
    }
    onBackward(index) { [self] gradient in
      let matched = try adapt(asImage(gradient, like: dst), to: dst.descriptor)
      let diff = try throughActivation(
        operation.activation,
        Gradient(
          operand: matched, isExclusive: gradient.isExclusive || matched.descriptor != gradient.descriptor),
        output: dst)
      let diffSrc = buffer(shape.src)
      let together = [diffSrc, diff.operand] + (maxima.map { [$0] } ?? [])
      try inChannelParts(of: together) { parts in
        var partShape = shape
        (partShape.src, partShape.dst) = (parts[0].descriptor, parts[1].descriptor)
        let backward = try best(
          partShape.backward(hint: try forward(parts[0], parts[1])), pass: .backwardData)
        var arguments: [(Argument, Operand)] = [(.diffDst, parts[1]), (.diffSrc, parts[0])]
        if maxima != nil { arguments.append((.workspace, parts[2])) }
        try emit(backward, arguments)
      }
      propagate(Gradient(operand: diffSrc, isExclusive: true), toInput: 0, of: operation)
    }
    return dst
  }
}
