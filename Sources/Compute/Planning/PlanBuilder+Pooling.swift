internal import Networks
internal import OneDNN
internal import Tensors

extension PlanBuilder {
  func pooling(
    _ index: Int, _ operation: Operation, _ algorithm: PoolingAlgorithm, _ pool: Pool2D, _ src: Value
  ) throws -> Value {
    let input = operation.inputShapes[0]
    guard let window = WindowGeometry2D(height: input[0], width: input[1], pool: pool) else {
      throw ComputeError.noKernel(layer: operation.layer, pass: Pass.forward.rawValue)
    }
    let dst = [samples, input[2], window.height.output, window.width.output]
    let shape = PoolingShape(
      algorithm, src: src.descriptor, dst: try .any(dst, src.descriptor.dataType),
      kernel: [pool.size.height, pool.size.width], strides: [pool.stride.height, pool.stride.width],
      paddingBefore: [window.height.paddingBefore, window.width.paddingBefore],
      paddingAfter: [window.height.paddingAfter, window.width.paddingAfter])
    return Value(operand: try pooled(index, operation, shape, src))
  }

  /// One window as large as the image; the result is a vector.
  func globalPooling(
    _ index: Int, _ operation: Operation, _ algorithm: PoolingAlgorithm, _ src: Value
  ) throws -> Value {
    let input = operation.inputShapes[0]
    let shape = PoolingShape(
      algorithm, src: src.descriptor,
      dst: try .any([samples, input[2], 1, 1], src.descriptor.dataType),
      kernel: [input[0], input[1]], strides: [1, 1], paddingBefore: [0, 0], paddingAfter: [0, 0])
    let dst = try pooled(index, operation, shape, src)
    guard let order = FlatOrder(dst.descriptor) else {
      throw ComputeError.noKernel(layer: operation.layer, pass: Pass.forward.rawValue)
    }
    let isCanonical = order.columns.enumerated().allSatisfy { $0.offset == Int($0.element) }
    let matrix = try MemoryDescriptor.dense([samples, order.columns.count], dst.descriptor.dataType)
    return Value(operand: dst.seen(as: matrix), columns: isCanonical ? nil : order.columns)
  }

  /// A gradient as that of images, which behind a global pooling is one of vectors.
  func asImage(_ gradient: Gradient, like output: Operand) -> Operand {
    gradient.descriptor.rank == 4
      ? gradient.operand : gradient.operand.seen(as: output.descriptor.with(gradient.descriptor.dataType))
  }

  private func pooled(
    _ index: Int, _ operation: Operation, _ shape: PoolingShape, _ src: Value
  ) throws -> Operand {
    passes(.forward)
    var forward = try best(
      shape.forward(training: goesBack, activation: operation.activation), pass: .forward)
    // Where no kernel takes the function along, it follows as a step of its own.
    let isSeparate = operation.activation != nil && forward.isReference
    if isSeparate { forward = try best(shape.forward(training: goesBack, activation: nil), pass: .forward) }
    let dst = buffer(forward.descriptor(of: .dst))
    var arguments: [(Argument, Operand)] = [(.src, src.operand), (.dst, dst)]
    let record = forward.descriptor(of: .workspace)
    if !isSeparate, let parts = channelParts(of: dst.descriptor),
      channelParts(of: src.descriptor) == parts, record.isEmpty || channelParts(of: record) == parts
    {
      return try pooledInParts(index, operation, shape, src, dst: dst, record: record)
    }
    let maxima = record.isEmpty ? nil : buffer(record)
    if let maxima { arguments.append((.workspace, maxima)) }
    try emit(forward, arguments)
    if isSeparate, let activation = operation.activation {
      let kernel = try best(
        Elementwise.forward(activation, on: dst.descriptor, training: goesBack), pass: .forward)
      try emit(kernel, [(.src, dst), (.dst, dst)])
    }
    onBackward(index) { [self, forward] gradient in
      let matched = Gradient(operand: asImage(gradient, like: dst), isExclusive: gradient.isExclusive)
      let diff = try throughActivation(operation.activation, matched, output: dst)
      var backwardShape = shape
      backwardShape.dst = dst.descriptor
      let backward = try best(backwardShape.backward(hint: forward), pass: .backwardData)
      let diffSrc = buffer(shape.src)
      var arguments: [(Argument, Operand)] = [
        (.diffDst, try adapt(diff.operand, to: dst.descriptor)), (.diffSrc, diffSrc),
      ]
      if let maxima { arguments.append((.workspace, maxima)) }
      try emit(backward, arguments)
      propagate(Gradient(operand: diffSrc, isExclusive: true), toInput: 0, of: operation)
    }
    return dst
  }
}
