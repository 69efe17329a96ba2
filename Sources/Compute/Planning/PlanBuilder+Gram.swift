internal import OneDNN

// Products of a layer's filters (Gram matrices), whole or in parts.
extension PlanBuilder {
  /// `G[i, j] = Σ over positions of F[i]·F[j]` for the filters' outputs F: the gradient of a 1×1 convolution's weights with F
  /// on both sides, which reads the layout that F has.
  ///
  /// - Returns: G as [C, C], and the function that turns G's gradient D into F's, `(D + Dᵀ)·F`: a 1×1 convolution.
  func gram(of value: Value, layer: String) throws -> (Operand, (Operand) throws -> Gradient) {
    guard value.descriptor.rank == 4, samples == 1 else {
      throw ComputeError.trace(reason: "layer '\(layer)' gives no maps to take products of")
    }
    let d = value.descriptor.dimensions
    let channels = d[1]
    let matrix = try MemoryDescriptor.dense([channels, channels, 1, 1], .f32)
    let result = buffer(matrix)
    let whole = GramShape(channels: channels, outputs: channels, height: d[2], width: d[3])
    let parts = channelParts(of: value.descriptor)
    // Cut into parts, the maps stay as they are; whole, they lie as the kernel likes.
    let wanted = parts.count > 1 ? value.descriptor : try MemoryDescriptor.any(d, .f32)
    func kernel(_ part: ChannelPart, _ diffDst: MemoryDescriptor) throws -> PrimitiveDescriptor {
      try gramKernel(whole.reduced(to: part.channels.count), src: wanted, diffDst: diffDst)
    }
    let kernels = try parts.map {
      try kernel($0, $0.isWhole ? wanted : try part(value.operand, $0).descriptor)
    }
    let source = try adapt(value.operand, to: kernels[0].descriptor(of: .src))
    let targets = try zip(parts, kernels).map { part, kernel in
      try adapt(try self.part(value.operand, part), to: kernel.descriptor(of: .diffDst))
    }
    // The kernels write blocks; a second group puts them into rows.
    let blocks = kernels.map { buffer($0.descriptor(of: .diffWeights)) }
    try sideBySide(parts.count) { index in
      try emit(
        kernels[index], [(.src, source), (.diffDst, targets[index]), (.diffWeights, blocks[index])])
    }
    try sideBySide(parts.count) { index in
      let rows = try rowsOperand(result, parts[index].channels, channels)
      try emit(
        Elementwise.reorder(from: blocks[index].descriptor, to: rows.descriptor),
        [(.src, blocks[index]), (.dst, rows)])
    }
    let back: (Operand) throws -> Gradient = { [self] seed in
      let both = buffer(matrix)
      emit(SymmetricSumStep(count: channels, src: seed, dst: both))
      let parts = channelParts(of: source.descriptor)
      let diff = buffer(source.descriptor)
      let targets = try parts.map { try part(diff, $0) }
      let kernels = try zip(parts, targets).map { part, target in
        var shape = try whole.reduced(to: part.channels.count).convolution
        (shape.src, shape.dst) = (source.descriptor, target.descriptor)
        return try best(shape.forward(.direct, training: false, activation: nil), pass: .backwardData)
      }
      let weights = try zip(parts, kernels).map { part, kernel in
        try adapt(try rowsOperand(both, part.channels, d[1]), to: kernel.descriptor(of: .weights))
      }
      try sideBySide(parts.count) { index in
        try emit(kernels[index], [(.src, source), (.weights, weights[index]), (.dst, targets[index])])
      }
      return Gradient(operand: try adapt(diff, to: value.descriptor), isExclusive: true)
    }
    return (result.seen(as: try .dense([channels, channels], .f32)), back)
  }

  private func rowsOperand(_ matrix: Operand, _ rows: Range<Int>, _ columns: Int) throws -> Operand {
    Operand(
      matrix.region, offset: matrix.offset + rows.lowerBound * columns * 4,
      try .dense([rows.count, columns, 1, 1], .f32))
  }

  private func gramKernel(
    _ shape: GramShape, src: MemoryDescriptor, diffDst: MemoryDescriptor
  ) throws -> PrimitiveDescriptor {
    var convolution = try shape.convolution
    convolution.src = src
    convolution.dst = diffDst
    let hint = try best(convolution.forward(.direct, training: true, activation: nil), pass: .forward)
    return try best(convolution.backwardWeights(.direct, hint: hint), pass: .backwardWeights)
  }
}

/// A 1×1 convolution over the maps of a layer, by which products of its filters' outputs are computed.
private struct GramShape {
  var channels: Int
  var outputs: Int
  let height: Int
  let width: Int

  func reduced(to outputs: Int) -> GramShape {
    var copy = self
    copy.outputs = outputs
    return copy
  }

  var convolution: ConvolutionShape {
    get throws(OneDNNError) {
      ConvolutionShape(
        src: try .any([1, channels, height, width], .f32),
        weights: try .any([outputs, channels, 1, 1], .f32),
        bias: nil, dst: try .any([1, outputs, height, width], .f32), strides: [1, 1], dilations: [1, 1],
        paddingBefore: [0, 0], paddingAfter: [0, 0])
    }
  }
}

/// `dst = src + srcᵀ` of a square matrix.
struct SymmetricSumStep: CustomStep {
  let count: Int
  let src: Operand
  let dst: Operand

  var name: String { "symmetric sum" }
  var operands: [Operand] { [src, dst] }
  var results: [Operand] { [dst] }

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) {
    let (source, target) = (memory.floats(src), memory.floats(dst))
    for row in 0..<count {
      for column in 0..<count {
        target[row * count + column] = source[row * count + column] + source[column * count + row]
      }
    }
  }
}
