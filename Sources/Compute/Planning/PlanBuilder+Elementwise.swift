internal import Networks
internal import OneDNN
internal import Tensors

extension PlanBuilder {
  func input(_ operation: Operation, _ affine: ChannelAffine) throws -> Value {
    let shape = operation.outputShape
    let dst: Operand
    switch shape.rank {
    case 1: dst = buffer(try .dense([samples, shape[0]], .f32))
    default:
      let (height, width) = shape.rank == 3 ? (shape[0], shape[1]) : (1, shape[0])
      let dimensions = [samples, shape[shape.rank - 1], height, width]
      let planar = try MemoryDescriptor.dense(dimensions, .f32)
      // Kernels for an image's first layer want planes; those for many channels want blocks, made from channels last.
      dst = buffer(dimensions[1] <= 4 ? planar : try channelsLast(planar))
    }
    emit(InputStep(shape: shape, affine, dst: dst))
    return Value(operand: dst)
  }

  func eltwise(_ index: Int, _ function: Eltwise, _ src: Value) throws -> Value {
    let operation = lowering.operations[index]
    var source = src
    var back: (Gradient) throws -> Gradient = { $0 }
    if !function.keepsZero {
      (source, back) = try canonical(src, madeBy: operation.inputs.first)
      // Kernels leave the zeros of a padded layout alone only where the function does.
      if source.descriptor.paddedDimensions != source.descriptor.dimensions {
        source = Value(operand: try adapt(source.operand, to: channelsLast(source.descriptor)))
      }
    }
    let forward = try best(
      Elementwise.forward(function, on: source.descriptor, training: goesBack), pass: .forward)
    let dst = buffer(source.descriptor)
    try emit(forward, [(.src, source.operand), (.dst, dst)])
    onBackward(index) { [self] gradient in
      let diff = try throughActivation(
        function, gradient, output: function.needsInput ? source.operand : dst)
      propagate(try back(diff), toInput: 0, of: operation)
    }
    return Value(operand: dst, columns: source.columns)
  }

  func softmax(_ index: Int, _ operation: Operation, _ src: Value) throws -> Value {
    let (matrix, back) = try canonical(src, madeBy: operation.inputs.first)
    let isImage = matrix.descriptor.rank == 4
    let plain = (isImage ? try channelsLast(matrix.descriptor) : matrix.descriptor).with(.f32)
    let columns = plain.dimensions[1]
    let rows = plain.dimensions.reduce(1, *) / columns
    let source = try adapt(matrix.operand, to: plain)
    let dst = buffer(plain)
    emit(SoftmaxStep(rows: rows, columns: columns, src: source, dst: dst))
    onBackward(index) { [self] gradient in
      let diff = try adapt(gradient.operand, to: plain)
      let diffSrc = buffer(plain)
      emit(
        SoftmaxGradientStep(rows: rows, columns: columns, output: dst, diffDst: diff, diffSrc: diffSrc))
      let matched = try adapt(diffSrc, to: matrix.descriptor)
      propagate(try back(Gradient(operand: matched, isExclusive: true)), toInput: 0, of: operation)
    }
    return Value(operand: dst)
  }

  func dropout(_ index: Int, _ operation: Operation, _ dropout: Dropout, _ src: Value) throws -> Value {
    guard isTraining, dropout.rate > 0 else {
      onBackward(index) { [self] in propagate($0, toInput: 0, of: operation) }
      return src
    }
    let dst = buffer(src.descriptor)
    let number = UInt64(operation.number ?? index)
    let step = DropoutStep(
      rate: dropout.rate, index: number, samples: samples, src: src.operand, dst: dst)
    emit(step)
    onBackward(index) { [self] gradient in
      let diff = try adapt(gradient.operand, to: src.descriptor)
      let target =
        gradient.isExclusive || diff.descriptor != gradient.descriptor ? diff : buffer(src.descriptor)
      // The mask is a pure function of run, layer and sample: made again rather than kept.
      emit(
        DropoutStep(rate: dropout.rate, index: number, samples: samples, src: diff, dst: target))
      propagate(Gradient(operand: target, isExclusive: true), toInput: 0, of: operation)
    }
    return Value(operand: dst, columns: src.columns)
  }

  func add(_ index: Int, _ operation: Operation, _ inputs: [Value]) throws -> Value {
    let (sources, backs) = try canonicalAll(inputs, operation)
    var sum = try adapt(
      sources[0].operand, to: layoutOfSum(sources[0].descriptor, activation: operation.activation))
    for (position, source) in sources.enumerated().dropFirst() {
      let isLast = position == sources.count - 1
      let addend = try adapt(source.operand, to: sum.descriptor)
      let dst = buffer(sum.descriptor)
      let kernel = try best(
        Elementwise.add(sum.descriptor, sum.descriptor, activation: isLast ? operation.activation : nil),
        pass: .forward)
      try emit(kernel, [(.src, sum), (.src1, addend), (.dst, dst)])
      sum = dst
    }
    let output = sum
    onBackward(index) { [self] gradient in
      let diff = try throughActivation(operation.activation, gradient, output: output)
      for position in inputs.indices where needsGradient(ofInput: position, of: operation) {
        let matched = try adapt(diff.operand, to: sources[position].descriptor)
        let shared = Gradient(operand: matched, isExclusive: matched.descriptor != diff.descriptor)
        propagate(try backs[position](shared), toInput: position, of: operation)
      }
    }
    return Value(operand: output)
  }

  /// The layout in which images are added and a function is applied to the sum: theirs, or channels last where no kernel does that.
  private func layoutOfSum(
    _ image: MemoryDescriptor, activation: Eltwise?
  ) throws(OneDNNError) -> MemoryDescriptor {
    let isPossible = try !Elementwise.add(image, image, activation: activation).isEmpty
    return isPossible ? image : try channelsLast(image)
  }

  func concat(_ index: Int, _ operation: Operation, _ inputs: [Value]) throws -> Value {
    let (sources, backs) = try canonicalAll(inputs, operation)
    // Joined in a plain layout: blocks of 16 channels would have to be cut where an input's channels end.
    let plain = try sources.map { try $0.descriptor.rank == 4 ? channelsLast($0.descriptor) : $0.descriptor }
    let parts = try zip(sources, plain).map {
      try adapt($0.operand, to: $1.with(sources[0].descriptor.dataType))
    }
    var dimensions = plain[0].dimensions
    dimensions[1] = plain.reduce(0) { $0 + $1.dimensions[1] }
    let dense = try MemoryDescriptor.dense(dimensions, parts[0].descriptor.dataType)
    let dst = buffer(dimensions.count == 4 ? try channelsLast(dense) : dense)
    try emit(
      Elementwise.concat(parts.map(\.descriptor), into: dst.descriptor),
      parts.enumerated().map { (.multipleSrc($0.offset), $0.element) } + [(.dst, dst)])
    onBackward(index) { [self] gradient in
      let diff = try adapt(gradient.operand, to: dst.descriptor)
      var channel = 0
      for (position, source) in sources.enumerated() {
        let count = plain[position].dimensions[1]
        if needsGradient(ofInput: position, of: operation) {
          let part = buffer(plain[position].with(diff.descriptor.dataType))
          emit(ChannelSliceStep(src: diff, dst: part, firstChannel: channel))
          let matched = try adapt(part, to: source.descriptor)
          propagate(
            try backs[position](Gradient(operand: matched, isExclusive: true)), toInput: position,
            of: operation)
        }
        channel += count
      }
    }
    return Value(operand: dst)
  }

  func canonicalAll(
    _ inputs: [Value], _ operation: Operation
  ) throws -> ([Value], [(Gradient) throws -> Gradient]) {
    var values: [Value] = []
    var backs: [(Gradient) throws -> Gradient] = []
    for (value, source) in zip(inputs, operation.inputs) {
      let (canonicalValue, back) = try canonical(value, madeBy: source)
      values.append(canonicalValue)
      backs.append(back)
    }
    return (values, backs)
  }

  func positionBias(_ index: Int, _ operation: Operation, _ src: Value) throws -> Value {
    var source = src
    var back: (Gradient) throws -> Gradient = { $0 }
    var matrix = try canonical(src, madeBy: operation.inputs.first)
    if src.descriptor.rank == 4 {
      let image = try adapt(src.operand, to: channelsLast(src.descriptor.with(.f32)))
      matrix = (Value(operand: image), { $0 })
    }
    (source, back) = matrix
    let data = try adapt(source.operand, to: source.descriptor.with(.f32))
    let count = operation.outputShape.elementCount
    let bias = try vector("bias", ofLayer: operation.layer, count: count)
    let dst = buffer(data.descriptor)
    emit(PositionBiasStep(samples: samples, count: count, src: data, bias: bias.operand(), dst: dst))
    onBackward(index) { [self] gradient in
      let diff = try adapt(gradient.operand, to: dst.descriptor)
      if isTraining, bias.isTrained {
        passes(.backwardWeights)
        emit(
          PositionBiasGradientStep(
            samples: samples, count: count, diffDst: diff, diffBias: bias.operand(.gradient)))
      }
      guard needsGradient(ofInput: 0, of: operation) else { return }
      passes(.backwardData)
      let isOwn = gradient.isExclusive || diff.descriptor != gradient.descriptor
      let matched = try adapt(diff, to: source.descriptor)
      propagate(try back(Gradient(operand: matched, isExclusive: isOwn)), toInput: 0, of: operation)
    }
    return Value(operand: dst)
  }

  func batchNorm(_ index: Int, _ operation: Operation, _ norm: BatchNorm, _ src: Value) throws -> Value {
    let (given, back) = try canonical(src, madeBy: operation.inputs.first)
    let channels = operation.outputShape[operation.outputShape.rank - 1]
    // One that is frozen goes by its running statistics in training, too, and keeps them.
    let measures = isTraining && !part.keepsStatistics(ofLayer: operation.layer)
    let shape = try withGeneratedKernel(
      BatchNormalizationShape(
        data: given.descriptor, epsilon: norm.epsilon, scale: norm.scale, shift: norm.center,
        relu: operation.activation == .plainReLU), measures: measures)
    let source = Value(operand: try adapt(given.operand, to: shape.data))
    let forward = try normalization(shape, measures: measures)
    let vector = try MemoryDescriptor.dense([channels], .f32)
    let mean = buffer(vector)
    let variance = buffer(vector)
    let statistics = [
      (mean, try statisticsRange("moving_mean", ofLayer: operation.layer).lowerBound * 4),
      (variance, try statisticsRange("moving_variance", ofLayer: operation.layer).lowerBound * 4),
    ]
    if !measures {
      for (target, offset) in statistics {
        emit(CopyVectorStep(src: Operand(.statistics, offset: offset, vector), dst: target))
      }
    }
    let dst = buffer(source.descriptor)
    var arguments: [(Argument, Operand)] = [
      (.src, source.operand), (.mean, mean), (.variance, variance), (.dst, dst),
    ]
    let gamma = norm.scale ? try self.vector("gamma", ofLayer: operation.layer, count: channels) : nil
    let beta = norm.center ? try self.vector("beta", ofLayer: operation.layer, count: channels) : nil
    if let gamma { arguments.append((.scale, gamma.operand())) }
    if let beta { arguments.append((.shift, beta.operand())) }
    let record = forward.descriptor(of: .workspace)
    let mask = record.isEmpty ? nil : buffer(record)
    if let mask { arguments.append((.workspace, mask)) }
    try emit(forward, arguments)
    if measures {
      for (from, offset) in statistics {
        emit(CopyVectorStep(src: from, dst: Operand(.shardStatistics, offset: offset, vector)))
      }
    }
    onBackward(index) { [self] gradient in
      let diff = try adapt(gradient.operand, to: source.descriptor)
      let backward = try best(
        shape.backward(hint: forward, givenStatistics: !measures), pass: .backwardData)
      let isOwn = gradient.isExclusive || diff.descriptor != gradient.descriptor
      let diffSrc = isOwn ? diff : buffer(source.descriptor)
      var arguments: [(Argument, Operand)] = [
        (.src, source.operand), (.mean, mean), (.variance, variance), (.diffDst, diff), (.diffSrc, diffSrc),
      ]
      if let gamma {
        arguments.append((.scale, gamma.operand()))
        // No kernel leaves these gradients out.
        arguments.append((.diffScale, self.gradient(of: gamma)))
      }
      if let beta {
        arguments.append((.shift, beta.operand()))
        arguments.append((.diffShift, self.gradient(of: beta)))
      }
      if let mask { arguments.append((.workspace, mask)) }
      try emit(backward, arguments)
      guard needsGradient(ofInput: 0, of: operation) else { return }
      propagate(try back(Gradient(operand: diffSrc, isExclusive: true)), toInput: 0, of: operation)
    }
    return Value(operand: dst)
  }

  /// - Parameter measures: whether mean and variance are those of the shard, which only a kernel of training gives.
  private func normalization(
    _ shape: BatchNormalizationShape, measures: Bool
  ) throws -> PrimitiveDescriptor {
    try best(shape.forward(training: goesBack || measures, givenStatistics: !measures), pass: .forward)
  }

  /// The shape in a layout for which there is a generated kernel: the given one, or an image in blocks of channels.
  ///
  /// There is none for images with channels last where their number is not a multiple of 8, as after a concatenation; the loop
  /// for these is thirty times slower, and changing their layout costs as much as the kernel.
  private func withGeneratedKernel(
    _ shape: BatchNormalizationShape, measures: Bool
  ) throws -> BatchNormalizationShape {
    guard shape.data.rank == 4, try !normalization(shape, measures: measures).isGenerated else {
      return shape
    }
    for block in [16, 8] {
      var blocked = shape
      blocked.data = try .channelBlocks(of: block, shape.data.dimensions, shape.data.dataType)
      if try normalization(blocked, measures: measures).isGenerated { return blocked }
    }
    return shape
  }
}
