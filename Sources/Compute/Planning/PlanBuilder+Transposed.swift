internal import Networks
internal import OneDNN
internal import Tensors

extension PlanBuilder {
  /// A transposed convolution; the library computes it as the gradient of a convolution to its input.
  func transposedConvolution(
    _ index: Int, _ operation: Operation, _ conv: Conv2DTranspose, _ src: Value
  ) throws -> Value {
    let (from, to) = (operation.inputShapes[0], operation.outputShape)
    let rows = TransposedGeometry(
      input: from[0], window: conv.kernel.height, stride: conv.stride.height, padding: conv.padding)
    let columns = TransposedGeometry(
      input: from[1], window: conv.kernel.width, stride: conv.stride.width, padding: conv.padding)
    let kernelDimensions = [to[2], from[2], conv.kernel.height, conv.kernel.width]
    let shape = DeconvolutionShape(
      src: try .any([samples, from[2], from[0], from[1]], .f32), weights: try .any(kernelDimensions, .f32),
      bias: conv.useBias ? try .dense([conv.filters], .f32) : nil,
      dst: try .any([samples, to[2], to[0], to[1]], .f32),
      strides: [conv.stride.height, conv.stride.width],
      paddingBefore: [rows.paddingBefore, columns.paddingBefore],
      paddingAfter: [rows.paddingAfter, columns.paddingAfter])
    let forward = try best(shape.forward(training: goesBack), pass: .forward)
    let input = try adapt(src.operand, to: forward.descriptor(of: .src))
    let dst = buffer(forward.descriptor(of: .dst))
    let backwardWeights =
      isTrained(operation.parameterNames, ofLayer: operation.layer)
      ? try best(shape.backwardWeights(hint: forward), pass: .backwardWeights) : nil
    // Keras's [KH, KW, OC, IC] seen in the library's order.
    let canonicalKernel = try MemoryDescriptor.strided(
      kernelDimensions, .f32, strides: [from[2], 1, conv.kernel.width * to[2] * from[2], to[2] * from[2]])
    let kernel = try segment(
      "kernel", ofLayer: operation.layer,
      as: backwardWeights?.descriptor(of: .diffWeights) ?? forward.descriptor(of: .weights),
      .strided(canonicalKernel))
    let bias = conv.useBias ? try vector("bias", ofLayer: operation.layer, count: conv.filters) : nil
    passes(.forward)
    var arguments: [(Argument, Operand)] = [
      (.src, input), (.weights, try stored(kernel, as: forward.descriptor(of: .weights))), (.dst, dst),
    ]
    if let bias { arguments.append((.bias, bias.operand())) }
    try emit(forward, arguments)
    onBackward(index) { [self] gradient in
      if let backwardWeights {
        passes(.backwardWeights)
        try emitWeightsGradient(backwardWeights, input, gradient.operand, kernel, bias)
      }
      guard needsGradient(ofInput: 0, of: operation) else { return }
      passes(.backwardData)
      let backward = try best(shape.backwardData(hint: forward), pass: .backwardData)
      let diffSrc = buffer(backward.descriptor(of: .diffSrc))
      try emit(
        backward,
        [
          (.diffDst, try adapt(gradient.operand, to: backward.descriptor(of: .diffDst))),
          (.weights, try stored(kernel, as: backward.descriptor(of: .weights))), (.diffSrc, diffSrc),
        ])
      propagate(Gradient(operand: diffSrc, isExclusive: true), toInput: 0, of: operation)
    }
    return Value(operand: dst)
  }
}
