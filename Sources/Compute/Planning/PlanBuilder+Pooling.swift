internal import KernelShapes
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
    let src = try inCommonLayout(src)
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
    let src = try inCommonLayout(src)
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
    _ index: Int, _ operation: Operation, _ shape: PoolingShape, _ src: Operand
  ) throws -> Operand {
    passes(.forward)
    if takesOwnMaxima(shape, operation) { return try ownPooled(index, operation, shape, src) }
    var forward = try best(
      shape.forward(training: goesBack, activation: operation.activation), pass: .forward)
    // Where no kernel takes the function along, it follows as a step of its own.
    let isSeparate = operation.activation != nil && forward.isReference
    if isSeparate { forward = try best(shape.forward(training: goesBack, activation: nil), pass: .forward) }
    let dst = buffer(forward.descriptor(of: .dst))
    let record = forward.descriptor(of: .workspace)
    let maxima = record.isEmpty ? nil : buffer(record)
    func kernel(_ src: Operand, _ dst: Operand, isWhole: Bool) throws -> PrimitiveDescriptor {
      guard !isWhole else { return forward }
      var part = shape
      (part.src, part.dst) = (src.descriptor, dst.descriptor)
      return try best(part.forward(training: goesBack, activation: operation.activation), pass: .forward)
    }
    try inChannelParts(of: [src, dst] + (maxima.map { [$0] } ?? []), isCut: !isSeparate) {
      parts, isWhole in
      var arguments: [(Argument, Operand)] = [(.src, parts[0]), (.dst, parts[1])]
      if maxima != nil { arguments.append((.workspace, parts[2])) }
      try emit(try kernel(parts[0], parts[1], isWhole: isWhole), arguments)
    }
    if isSeparate, let activation = operation.activation {
      let kernel = try best(
        Elementwise.forward(activation, on: dst.descriptor, training: goesBack), pass: .forward)
      try emit(kernel, [(.src, dst), (.dst, dst)])
    }
    onBackward(index) { [self] gradient in
      let matched = Gradient(operand: asImage(gradient, like: dst), isExclusive: gradient.isExclusive)
      let diff = try throughActivation(operation.activation, matched, output: dst)
      let diffDst = try adapt(diff.operand, to: dst.descriptor)
      let diffSrc = buffer(shape.src)
      try inChannelParts(of: [diffSrc, diffDst] + (maxima.map { [$0] } ?? []), isCut: !isSeparate) {
        parts, isWhole in
        var part = shape
        (part.src, part.dst) = (parts[0].descriptor, parts[1].descriptor)
        let backward = try best(
          part.backward(hint: try kernel(parts[0], parts[1], isWhole: isWhole)), pass: .backwardData)
        var arguments: [(Argument, Operand)] = [(.diffDst, parts[1]), (.diffSrc, parts[0])]
        if maxima != nil { arguments.append((.workspace, parts[2])) }
        try emit(backward, arguments)
      }
      propagate(Gradient(operand: diffSrc, isExclusive: true), toInput: 0, of: operation)
    }
    return dst
  }

  // MARK: - Kernels of our own

  /// Whether our kernels serve, and are not other than those that a training began with.
  private func takesOwnMaxima(_ shape: PoolingShape, _ operation: Operation) -> Bool {
    guard OwnKernels.canPool(shape, operation.activation) else { return false }
    guard shape.windows.overlap, goesBack else { return true }
    let isOwn = options.takesOwnMaxima(ofLayer: operation.layer)
    chooseMaxima(own: isOwn, ofLayer: operation.layer)
    return isOwn
  }

  /// The largest elements, by kernels that give the library's bits: the first of equal ones counts in both, and no sum is taken unless
  /// windows overlap.
  private func ownPooled(
    _ index: Int, _ operation: Operation, _ shape: PoolingShape, _ src: Operand
  ) throws -> Operand {
    let block = OwnKernels.channelBlock
    let dst = buffer(try .channelBlocks(of: block, shape.dst.dimensions, .f32))
    let places = goesBack ? buffer(try .channelBlocks(of: block, shape.dst.dimensions, .u8)) : nil
    let ceiling = operation.activation.flatMap(\.reluCeiling)
    let own = shape.own(block)
    emit(MaxPoolForwardStep(shape: own, src: src, ceiling: ceiling, dst: dst, places: places))
    onBackward(index) { [self] gradient in
      guard let places else { preconditionFailure("'\(operation.layer)' goes back and has kept no places") }
      let diffDst = try adapt(asImage(gradient, like: dst), to: dst.descriptor)
      let diffSrc = buffer(shape.src)
      emit(
        MaxPoolBackwardStep(
          shape: own, diffDst: diffDst, places: places, output: ceiling == nil ? nil : dst,
          ceiling: ceiling ?? .infinity, diffSrc: diffSrc))
      propagate(Gradient(operand: diffSrc, isExclusive: true), toInput: 0, of: operation)
    }
    return dst
  }
}

extension OwnKernels {
  /// Whether a pooling takes our kernels.
  fileprivate static func canPool(_ shape: PoolingShape, _ activation: Eltwise?) -> Bool {
    areAvailable && shape.algorithm == .max && shape.src.dataType == .f32
      && shape.src.channelBlock == channelBlock
      && shape.windows.placeCount <= MaxPoolShape.mostPlaces
      && (activation.map { $0.reluCeiling != nil } ?? true)
  }
}

extension Eltwise {
  /// What a ReLU lets through at the most, infinity for everything above zero; nil for other functions.
  fileprivate var reluCeiling: Float? {
    if case .clip(low: 0, let high) = self { return high }
    return self == .plainReLU ? .infinity : nil
  }
}

extension PoolingShape {
  fileprivate var windows: WindowShape {
    func pair(_ sizes: ArraySlice<Int>) -> (Int, Int) {
      (sizes[sizes.startIndex], sizes[sizes.startIndex + 1])
    }
    return WindowShape(
      image: pair(src.dimensions[2...]), output: pair(dst.dimensions[2...]), window: pair(kernel[...]),
      stride: pair(strides[...]), padding: pair(paddingBefore[...]))
  }

  /// The windows over images in blocks of so many channels.
  fileprivate func own(_ block: Int) -> MaxPoolShape {
    let src = src.dimensions
    return MaxPoolShape(planes: src[0] * ((src[1] + block - 1) / block), windows: windows)
  }
}
