internal import Networks
internal import OneDNN
internal import Tensors

extension PlanBuilder {
  /// Normalises the channels of each position: the rows of a matrix [N · positions, C].
  func layerNorm(_ index: Int, _ operation: Operation, _ norm: LayerNorm, _ src: Value) throws -> Value {
    let (data, layout, back) = try channelRows(src, madeBy: operation.inputs.first)
    let rows = samples * layout.positions
    let matrix = try MemoryDescriptor.dense([rows, layout.channels], .f32)
    let shape = LayerNormalizationShape(
      data: matrix, epsilon: norm.epsilon, scale: norm.scale, shift: norm.center)
    let forward = try best(shape.forward(training: goesBack), pass: .forward)
    let dst = buffer(data.descriptor)
    var arguments: [(Argument, Operand)] = [
      (.src, data.seen(as: matrix)), (.dst, dst.seen(as: matrix)),
    ]
    var statistics: [(Argument, Operand)] = []
    if goesBack {
      let vector = try MemoryDescriptor.dense([rows], .f32)
      statistics = [(.mean, buffer(vector)), (.variance, buffer(vector))]
    }
    let gamma = norm.scale ? try vector("gamma", ofLayer: operation.layer, count: layout.channels) : nil
    let beta = norm.center ? try vector("beta", ofLayer: operation.layer, count: layout.channels) : nil
    if let gamma { arguments.append((.scale, gamma.operand())) }
    if let beta { arguments.append((.shift, beta.operand())) }
    try emit(forward, arguments + statistics)
    onBackward(index) { [self] incoming in
      let (diff, target) = try exclusive(incoming, as: data.descriptor)
      let backward = try best(shape.backward(hint: forward), pass: .backwardData)
      var arguments: [(Argument, Operand)] = [
        (.src, data.seen(as: matrix)), (.diffDst, diff.seen(as: matrix)), (.diffSrc, target.seen(as: matrix)),
      ]
      if let gamma { arguments += [(.scale, gamma.operand()), (.diffScale, gradient(of: gamma))] }
      if let beta { arguments += [(.shift, beta.operand()), (.diffShift, gradient(of: beta))] }
      try emit(backward, arguments + statistics)
      guard needsGradient(ofInput: 0, of: operation) else { return }
      propagate(try back(Gradient(operand: target, isExclusive: true)), toInput: 0, of: operation)
    }
    return Value(operand: dst)
  }

  /// Normalises groups of the channels of each sample over all its positions.
  func groupNorm(_ index: Int, _ operation: Operation, _ norm: GroupNorm, _ src: Value) throws -> Value {
    let (data, layout, back) = try channelRows(src, madeBy: operation.inputs.first)
    let shape = GroupShape(
      samples: samples, positions: layout.positions, channels: layout.channels,
      groups: norm.groupCount(channels: layout.channels))
    let gamma = norm.scale ? try vector("gamma", ofLayer: operation.layer, count: layout.channels) : nil
    let beta = norm.center ? try vector("beta", ofLayer: operation.layer, count: layout.channels) : nil
    let dst = buffer(data.descriptor)
    let statistics = buffer(try .dense([samples, 2 * shape.groups], .f32))
    emit(
      GroupNormStep(
        shape: shape, epsilon: norm.epsilon, src: data, gamma: gamma?.operand(), beta: beta?.operand(),
        dst: dst, statistics: statistics))
    onBackward(index) { [self] incoming in
      let (diff, target) = try exclusive(incoming, as: data.descriptor)
      emit(
        GroupNormGradientStep(
          shape: shape, src: data, gamma: gamma?.operand(), statistics: statistics, diffDst: diff,
          diffSrc: target, diffGamma: gamma.map(gradient), diffBeta: beta.map(gradient)))
      guard needsGradient(ofInput: 0, of: operation) else { return }
      propagate(try back(Gradient(operand: target, isExclusive: true)), toInput: 0, of: operation)
    }
    return Value(operand: dst)
  }

  func localResponseNorm(
    _ index: Int, _ operation: Operation, _ norm: LocalResponseNorm, _ src: Value
  ) throws -> Value {
    let (data, layout, back) = try channelRows(src, madeBy: operation.inputs.first)
    let rows = samples * layout.positions
    let numbers = ResponseNorm(
      radius: norm.radius, bias: norm.bias, alpha: norm.alpha, beta: norm.beta)
    let dst = buffer(data.descriptor)
    emit(ResponseNormStep(rows: rows, channels: layout.channels, norm: numbers, src: data, dst: dst))
    onBackward(index) { [self] gradient in
      let (diff, target) = try exclusive(gradient, as: data.descriptor)
      emit(
        ResponseNormGradientStep(
          rows: rows, channels: layout.channels, norm: numbers, src: data, diffDst: diff, diffSrc: target))
      propagate(try back(Gradient(operand: target, isExclusive: true)), toInput: 0, of: operation)
    }
    return Value(operand: dst)
  }
}
