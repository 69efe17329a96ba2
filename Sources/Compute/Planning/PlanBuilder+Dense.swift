internal import Networks
internal import OneDNN
internal import Tensors

extension PlanBuilder {
  /// A fully connected layer.
  ///
  /// Its input may be a flattened image in kernel order: the weights' rows then lie in that
  /// order too, and no activation is moved.
  func dense(_ index: Int, _ operation: Operation, _ dense: Dense, _ source: Value) throws -> Value {
    let (src, back) = try inStoredOrder(source, operation)
    let inputs = src.columns?.count ?? operation.inputShapes[0][0]
    let type: DataType = options.precision == .bf16 && inputs >= 16 && dense.units >= 16 ? .bf16 : .f32
    let plain = try MemoryDescriptor.dense([samples, inputs], type)
    var shape = InnerProductShape(
      src: plain, weights: try .any([dense.units, inputs], type),
      bias: dense.useBias ? try .dense([dense.units], .f32) : nil,
      dst: try .dense([samples, dense.units], type))
    let forward = try best(
      shape.forward(training: goesBack, activation: operation.activation), pass: .forward)
    let input = try adapt(src.operand, to: plain)
    let dst = buffer(shape.dst)

    shape.weights = try .any([dense.units, inputs], .f32)
    let backwardWeights =
      isTrained(operation.parameterNames, ofLayer: operation.layer)
      ? try best(shape.backwardWeights(hint: forward), pass: .backwardWeights) : nil
    let slicing =
      isTrained(["kernel"], ofLayer: operation.layer)
      ? try slicing(operation.layer, dense, inputs: inputs, type) : nil
    let layout =
      try slicing?.layout ?? backwardWeights?.descriptor(of: .diffWeights)
      ?? (isTraining && type != .f32
        ? canonicalKernel(inputs, dense.units) : forward.descriptor(of: .weights).with(.f32))
    let kernel = try segment(
      "kernel", ofLayer: operation.layer, as: layout, isGathered: slicing != nil,
      try canonicalRows(src.columns, inputs, dense.units))
    let bias =
      dense.useBias
      ? try vector("bias", ofLayer: operation.layer, count: dense.units, isGathered: slicing != nil) : nil
    let gathered = slicing.map {
      gatheredLayer(
        GatheredLayer(
          layer: operation.layer, kernel: kernel, bias: bias.flatMap { $0.isTrained ? $0 : nil },
          inputs: inputs, type: type, slicing: $0))
    }

    passes(.forward)
    var arguments: [(Argument, Operand)] = [
      (.src, input), (.weights, try stored(kernel, as: forward.descriptor(of: .weights))),
      (.dst, dst),
    ]
    if let bias { arguments.append((.bias, bias.operand())) }
    try emit(forward, arguments)

    shape.weights = try .any([dense.units, inputs], type)
    onBackward(index) { [self, shape] gradient in
      let diff = try throughActivation(operation.activation, gradient, output: dst)
      if let gathered {
        passes(.backwardWeights)
        let plainDiff = try MemoryDescriptor.dense([samples, dense.units], type)
        emit(GatherStep(gathered, .inputs, input))
        emit(GatherStep(gathered, .gradients, try adapt(diff.operand, to: plainDiff)))
      } else if let backwardWeights {
        passes(.backwardWeights)
        try emitWeightsGradient(backwardWeights, input, diff.operand, kernel, bias)
      }
      guard needsGradient(ofInput: 0, of: operation) else { return }
      passes(.backwardData)
      let backward = try best(shape.backwardData(hint: forward), pass: .backwardData)
      let diffSrc = buffer(plain)
      try emit(
        backward,
        [
          (.diffDst, try adapt(diff.operand, to: backward.descriptor(of: .diffDst))),
          (.weights, try stored(kernel, as: backward.descriptor(of: .weights))),
          (.diffSrc, diffSrc),
        ])
      propagate(try back(Gradient(operand: diffSrc, isExclusive: true)), toInput: 0, of: operation)
    }
    return Value(operand: dst)
  }

  /// The input with its columns in the order in which an earlier plan stored the kernel's rows.
  private func inStoredOrder(
    _ source: Value, _ operation: Operation
  ) throws -> (Value, (Gradient) throws -> Gradient) {
    guard let stored = try storedKernel(operation) else { return (source, { $0 }) }
    var wanted: [Int32]?
    if case .rows(let columns, _, _) = stored.view { wanted = columns }
    guard wanted != source.columns else { return (source, { $0 }) }
    let (plain, plainBack) = try canonical(source, madeBy: nil)
    guard let wanted else { return (plain, plainBack) }
    let ordered = buffer(try .dense([samples, wanted.count], plain.descriptor.dataType))
    emit(
      ColumnsStep(
        samples: samples, columns: wanted, canonical: plain.operand, ordered: ordered, toCanonical: false))
    return (
      Value(operand: ordered, columns: wanted),
      { [self] gradient in
        let target = buffer(plain.descriptor.with(gradient.descriptor.dataType))
        emit(
          ColumnsStep(
            samples: samples, columns: wanted, canonical: target, ordered: gradient.operand, toCanonical: true
          ))
        return try plainBack(Gradient(operand: target, isExclusive: true))
      }
    )
  }

  private func storedKernel(_ operation: Operation) throws -> Segment? {
    parameters.parameters.first { $0.layer == operation.layer && $0.spec.name == "kernel" }
      .flatMap(storage.segment(for:))
  }

  private func canonicalRows(_ columns: [Int32]?, _ inputs: Int, _ units: Int) throws -> CanonicalView {
    let view = try canonicalKernel(inputs, units)
    guard let columns else { return .strided(view) }
    return .rows(columns: columns, units: units, view)
  }

  /// Keras's [inputs, units] seen in the library's order.
  private func canonicalKernel(_ inputs: Int, _ units: Int) throws(OneDNNError) -> MemoryDescriptor {
    try .strided([units, inputs], .f32, strides: [1, units])
  }

  // MARK: - Flattening

  /// No work: the image's memory seen as a matrix, with a note of where each canonical element lies.
  func flatten(_ index: Int, _ operation: Operation, _ src: Value) throws -> Value {
    guard src.descriptor.rank == 4 else {
      onBackward(index) { [self] in propagate($0, toInput: 0, of: operation) }
      return src
    }
    var image = src.operand
    var columns = FlatOrder(image.descriptor)
    if columns == nil {
      image = try adapt(image, to: try channelsLast(image.descriptor))
      columns = FlatOrder(image.descriptor)
    }
    let order = columns?.columns ?? []
    let matrix = try MemoryDescriptor.dense([samples, order.count], image.descriptor.dataType)
    let isCanonical = order.enumerated().allSatisfy { $0.offset == Int($0.element) }
    onBackward(index) { [self] gradient in
      let diff = try adapt(gradient.operand, to: matrix.with(gradient.descriptor.dataType))
      let seen = diff.seen(as: image.descriptor.with(diff.descriptor.dataType))
      propagate(Gradient(operand: seen, isExclusive: gradient.isExclusive), toInput: 0, of: operation)
    }
    return Value(operand: image.seen(as: matrix), columns: isCanonical ? nil : order)
  }

  func channelsLast(_ descriptor: MemoryDescriptor) throws(OneDNNError) -> MemoryDescriptor {
    let d = descriptor.dimensions
    return try .strided(d, descriptor.dataType, strides: [d[1] * d[2] * d[3], 1, d[3] * d[1], d[1]])
  }

  /// The value with its columns in canonical order, moved if they are not.
  ///
  /// `index` is the operation that made it.
  func canonical(_ value: Value, madeBy index: Int?) throws -> (Value, (Gradient) throws -> Gradient) {
    guard let columns = value.columns else { return (value, { $0 }) }
    let count = columns.lazy.filter { $0 >= 0 }.count
    let dst = buffer(try .dense([samples, count], value.descriptor.dataType))
    emit(
      ColumnsStep(
        samples: samples, columns: columns, canonical: dst, ordered: value.operand, toCanonical: true))
    let back: (Gradient) throws -> Gradient = { [self] gradient in
      let type = gradient.descriptor.dataType
      let target = buffer(value.descriptor.with(type))
      emit(
        ColumnsStep(
          samples: samples, columns: columns, canonical: gradient.operand, ordered: target, toCanonical: false
        ))
      return Gradient(operand: target, isExclusive: true)
    }
    return (Value(operand: dst), back)
  }

  // MARK: - The network's end

  /// The outputs as a plain fp32 matrix [N, outputs]: logits where the loss does the last activation itself.
  func emitLogits() throws -> Value {
    let shape = lowering.operations[lowering.output].outputShape
    guard let value = value(of: lowering.output), shape.rank == 1 else {
      throw ComputeError.output(
        reason: "the network's output is \(shape) and the loss needs a vector; end with dense, flatten or "
          + "global_average_pool2d")
    }
    passes(.forward)
    let (matrix, back) = try canonical(value, madeBy: lowering.output)
    canonicalGradient = back
    let plain = try MemoryDescriptor.dense([samples, shape[0]], .f32)
    let logits = try adapt(matrix.operand, to: plain)
    if !isTraining { pin(logits) }
    return Value(operand: logits)
  }

  func emitLoss(_ logits: Value) throws {
    let layout = FigureLayout(options.criterion, outputs: logits.descriptor.dimensions[1])
    let diff = buffer(logits.descriptor)
    emit(LossStep(samples: samples, layout: layout, predictions: logits.operand, gradient: diff))
    passes(.backwardData)
    guard let value = value(of: lowering.output) else { return }
    let back = try canonicalGradient(Gradient(operand: diff, isExclusive: true))
    let matched = try adapt(back.operand, to: value.descriptor)
    propagate(Gradient(operand: matched, isExclusive: true), to: lowering.output)
  }
}

/// The canonical index of each element of an image as it lies in memory.
struct FlatOrder {
  let columns: [Int32]

  /// - Returns: nil for layouts that cannot be read as one row a sample: only plain dense ones and channel blocks can.
  init?(_ descriptor: MemoryDescriptor) {
    let d = descriptor.dimensions
    let (channels, height, width) = (d[1], d[2], d[3])
    func canonical(_ c: Int, _ h: Int, _ w: Int) -> Int32 {
      c < channels ? Int32((h * width + w) * channels + c) : -1
    }
    var columns: [Int32] = []
    if let strides = descriptor.plainStrides {
      let sample = channels * height * width
      guard strides[0] == sample || d[0] == 1 else { return nil }
      columns = [Int32](repeating: -1, count: sample)
      for c in 0..<channels {
        for h in 0..<height {
          for w in 0..<width {
            let position = c * strides[1] + h * strides[2] + w * strides[3]
            guard position < sample else { return nil }
            columns[position] = canonical(c, h, w)
          }
        }
      }
    } else if let block = descriptor.channelBlock {
      for first in stride(from: 0, to: descriptor.paddedDimensions[1], by: block) {
        for h in 0..<height {
          for w in 0..<width {
            for c in first..<first + block { columns.append(canonical(c, h, w)) }
          }
        }
      }
    } else {
      return nil
    }
    self.columns = columns
  }
}
