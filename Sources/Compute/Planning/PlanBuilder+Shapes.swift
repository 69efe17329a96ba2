internal import Networks
internal import OneDNN
internal import Tensors

extension PlanBuilder {
  /// Zero padding and cropping: the image at another place in one of another size, in the layout it has.
  func moved(_ index: Int, _ operation: Operation, down: Int, right: Int, _ src: Value) throws -> Value {
    var image = src.operand
    if ChannelBlocks(image.descriptor) == nil { image = try adapt(image, to: channelsLast(image.descriptor)) }
    guard let layout = ChannelBlocks(image.descriptor) else {
      throw ComputeError.noKernel(layer: operation.layer, pass: Pass.forward.rawValue)
    }
    let (from, to) = (operation.inputShapes[0], operation.outputShape)
    let dst = buffer(try layout.descriptor([samples, to[2], to[0], to[1]], image.descriptor.dataType))
    emit(
      MoveImageStep(
        images: samples * layout.blocks, from: (from[0], from[1]), to: (to[0], to[1]), down: down,
        right: right,
        pixelByteCount: layout.width * image.descriptor.dataType.byteCount, src: image, dst: dst))
    onBackward(index) { [self] gradient in
      let type = gradient.descriptor.dataType
      let diff = try adapt(gradient.operand, to: dst.descriptor.with(type))
      let diffSrc = buffer(image.descriptor.with(type))
      emit(
        MoveImageStep(
          images: samples * layout.blocks, from: (to[0], to[1]), to: (from[0], from[1]), down: -down,
          right: -right, pixelByteCount: layout.width * type.byteCount, src: diff, dst: diffSrc))
      propagate(Gradient(operand: diffSrc, isExclusive: true), toInput: 0, of: operation)
    }
    return Value(operand: dst)
  }

  func upSampling(
    _ index: Int, _ operation: Operation, _ interpolation: Interpolation, _ src: Value
  ) throws -> Value {
    let to = operation.outputShape
    let src = try inCommonLayout(src)
    let shape = ResamplingShape(
      interpolation == .nearest ? .nearest : .linear, src: src.descriptor,
      dst: try .any([samples, to[2], to[0], to[1]], src.descriptor.dataType))
    let forward = try best(shape.forward(training: goesBack), pass: .forward)
    let dst = buffer(forward.descriptor(of: .dst))
    try emit(forward, [(.src, src), (.dst, dst)])
    onBackward(index) { [self] gradient in
      var backwardShape = shape
      backwardShape.dst = dst.descriptor
      let backward = try best(backwardShape.backward(hint: forward), pass: .backwardData)
      let diffSrc = buffer(shape.src)
      try emit(backward, [(.diffDst, try adapt(gradient.operand, to: dst.descriptor)), (.diffSrc, diffSrc)])
      propagate(Gradient(operand: diffSrc, isExclusive: true), toInput: 0, of: operation)
    }
    return Value(operand: dst)
  }

  /// No work where the elements lie in canonical order: the same memory under another shape.
  func reshape(_ index: Int, _ operation: Operation, _ src: Value) throws -> Value {
    let (source, back) = try canonical(src, madeBy: operation.inputs.first)
    let descriptor = source.descriptor
    let isImage = descriptor.rank == 4
    let image = isImage ? try adapt(source.operand, to: channelsLast(descriptor)) : source.operand
    let to = operation.outputShape
    let type = descriptor.dataType
    let matrix = try MemoryDescriptor.dense([samples, to.elementCount], type)
    let wanted =
      to.rank == 1
      ? matrix : try channelsLast(MemoryDescriptor.dense([samples, to[2], to[0], to[1]], type))
    onBackward(index) { [self] gradient in
      let type = gradient.descriptor.dataType
      let diff = try adapt(gradient.operand, to: wanted.with(type))
      let isOwn = gradient.isExclusive || diff.descriptor != gradient.descriptor
      let seen = diff.seen(as: image.descriptor.with(type))
      propagate(try back(Gradient(operand: seen, isExclusive: isOwn)), toInput: 0, of: operation)
    }
    return Value(operand: image.seen(as: wanted))
  }
}
