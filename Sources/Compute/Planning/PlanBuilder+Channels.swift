internal import Networks
internal import OneDNN
internal import Tensors

extension PlanBuilder {
  /// The value in fp32, in a layout that steps can go through themselves, and the way back for its gradient.
  func blocked(
    _ src: Value, madeBy index: Int?
  ) throws -> (data: Operand, layout: ChannelBlocks, back: (Gradient) throws -> Gradient) {
    let (source, back) = try canonical(src, madeBy: index)
    let descriptor = source.descriptor.with(.f32)
    if let layout = ChannelBlocks(descriptor) {
      return (try adapt(source.operand, to: descriptor), layout, back)
    }
    return try rows(Value(operand: source.operand), back)
  }

  /// The value in fp32 with the channels of each position side by side.
  func channelRows(
    _ src: Value, madeBy index: Int?
  ) throws -> (data: Operand, layout: ChannelBlocks, back: (Gradient) throws -> Gradient) {
    let (source, back) = try canonical(src, madeBy: index)
    return try rows(source, back)
  }

  private func rows(
    _ source: Value, _ back: @escaping (Gradient) throws -> Gradient
  ) throws -> (data: Operand, layout: ChannelBlocks, back: (Gradient) throws -> Gradient) {
    let d = source.descriptor.dimensions
    let plain =
      d.count == 4 ? try channelsLast(source.descriptor.with(.f32)) : try MemoryDescriptor.dense(d, .f32)
    let positions = d.count == 4 ? d[2] * d[3] : 1
    let layout = ChannelBlocks(samples: d[0], channels: d[1], blocks: 1, positions: positions, width: d[1])
    return (try adapt(source.operand, to: plain), layout, back)
  }

  /// A gradient that may be overwritten.
  func exclusive(_ gradient: Gradient, as wanted: MemoryDescriptor) throws -> (diff: Operand, target: Operand)
  {
    let diff = try adapt(gradient.operand, to: wanted)
    let isOwn = gradient.isExclusive || gradient.descriptor != wanted
    return (diff, isOwn ? diff : buffer(wanted))
  }

  func affine(_ index: Int, _ operation: Operation, _ affine: ChannelAffine, _ src: Value) throws -> Value {
    let (data, layout, back) = try blocked(src, madeBy: operation.inputs.first)
    let scale = (0..<layout.channels).map { Float(affine.scale[$0 % affine.scale.count]) }
    let offset = (0..<layout.channels).map { Float(affine.offset[$0 % affine.offset.count]) }
    let dst = buffer(data.descriptor)
    emit(AffineStep(layout: layout, scale: scale, offset: offset, src: data, dst: dst))
    onBackward(index) { [self] gradient in
      let (diff, target) = try exclusive(gradient, as: dst.descriptor)
      let zeros = [Float](repeating: 0, count: layout.channels)
      emit(AffineStep(layout: layout, scale: scale, offset: zeros, src: diff, dst: target))
      propagate(try back(Gradient(operand: target, isExclusive: true)), toInput: 0, of: operation)
    }
    return Value(operand: dst)
  }

  func prelu(_ index: Int, _ operation: Operation, _ function: PReLU, _ src: Value) throws -> Value {
    let data: Operand
    var layout: ChannelBlocks
    let back: (Gradient) throws -> Gradient
    if function.sharesPositions {
      (data, layout, back) = try blocked(src, madeBy: operation.inputs.first)
    } else {
      // One alpha for each position and channel: an image of one position with that many channels.
      (data, layout, back) = try channelRows(src, madeBy: operation.inputs.first)
      let count = layout.positions * layout.channels
      layout = ChannelBlocks(samples: samples, channels: count, blocks: 1, positions: 1, width: count)
    }
    let alpha = try vector("alpha", ofLayer: operation.layer, count: layout.channels)
    let dst = buffer(data.descriptor)
    emit(PReLUStep(layout: layout, src: data, alpha: alpha.operand(), dst: dst))
    onBackward(index) { [self] incoming in
      let (diff, target) = try exclusive(incoming, as: dst.descriptor)
      emit(
        PReLUGradientStep(
          layout: layout, src: data, alpha: alpha.operand(), diffDst: diff, diffSrc: target,
          diffAlpha: gradient(of: alpha)))
      guard needsGradient(ofInput: 0, of: operation) else { return }
      propagate(try back(Gradient(operand: target, isExclusive: true)), toInput: 0, of: operation)
    }
    return Value(operand: dst)
  }

  // MARK: - Products

  func multiply(_ index: Int, _ operation: Operation, _ inputs: [Value]) throws -> Value {
    let full = operation.inputShapes.firstIndex(of: operation.outputShape) ?? 0
    return operation.inputShapes[1 - full] == operation.outputShape
      ? try equalProduct(index, operation, inputs)
      : try channelProduct(index, operation, inputs, full: full)
  }

  private func equalProduct(_ index: Int, _ operation: Operation, _ inputs: [Value]) throws -> Value {
    let (sources, backs) = try canonicalAll(inputs, operation)
    let left = sources[0].operand
    let right = try adapt(sources[1].operand, to: left.descriptor)
    let kernel = try best(Elementwise.multiply(left.descriptor, left.descriptor), pass: .forward)
    let dst = buffer(left.descriptor)
    try emit(kernel, [(.src, left), (.src1, right), (.dst, dst)])
    onBackward(index) { [self] gradient in
      let diff = try adapt(gradient.operand, to: dst.descriptor)
      for (position, other) in [right, left].enumerated()
      where needsGradient(ofInput: position, of: operation) {
        let product = buffer(dst.descriptor)
        try emit(kernel, [(.src, diff), (.src1, other), (.dst, product)])
        let matched = try adapt(product, to: sources[position].descriptor)
        propagate(
          try backs[position](Gradient(operand: matched, isExclusive: true)), toInput: position, of: operation
        )
      }
    }
    return Value(operand: dst)
  }

  /// An image times a factor for each channel of each sample.
  private func channelProduct(
    _ index: Int, _ operation: Operation, _ inputs: [Value], full: Int
  ) throws -> Value {
    let (data, layout, back) = try blocked(inputs[full], madeBy: operation.inputs[full])
    let (factors, _, factorBack) = try channelRows(inputs[1 - full], madeBy: operation.inputs[1 - full])
    let matrix = try MemoryDescriptor.dense([samples, layout.channels], .f32)
    let factor = factors.seen(as: matrix)
    let dst = buffer(data.descriptor)
    emit(ChannelProductStep(layout: layout, src: data, factor: factor, dst: dst))
    onBackward(index) { [self] gradient in
      let (diff, target) = try exclusive(gradient, as: dst.descriptor)
      if needsGradient(ofInput: 1 - full, of: operation) {
        let diffFactor = buffer(matrix)
        emit(
          ChannelProductGradientStep(layout: layout, src: data, diffDst: diff, diffFactor: diffFactor))
        let seen = diffFactor.seen(as: factors.descriptor)
        propagate(
          try factorBack(Gradient(operand: seen, isExclusive: true)), toInput: 1 - full, of: operation)
      }
      guard needsGradient(ofInput: full, of: operation) else { return }
      emit(ChannelProductStep(layout: layout, src: diff, factor: factor, dst: target))
      propagate(try back(Gradient(operand: target, isExclusive: true)), toInput: full, of: operation)
    }
    return Value(operand: dst)
  }
}
