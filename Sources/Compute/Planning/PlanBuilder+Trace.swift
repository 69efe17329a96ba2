internal import Networks
internal import OneDNN

extension PlanBuilder {
  /// Where a trace's results lie, and its two passes.
  struct TraceOutputs: Sendable {
    /// The value of each tap, fp32, channels last.
    var values: [LayerTap: Operand] = [:]
    /// Where the gradient of each tap has to stand before the backward pass, fp32, channels last; the pass overwrites it.
    var seeds: [LayerTap: Operand] = [:]
    /// The gradient that arrived at each tap for which it is kept, fp32, channels last.
    var gradients: [LayerTap: Operand] = [:]
    /// The gradient of the unscaled image, channels last.
    var imageGradient: Operand?
    /// Steps before this one are the forward pass.
    var forwardStepCount = 0
  }

  /// Forward to all taps, and back from them to the image.
  func buildTrace() throws(ComputeError) -> TraceOutputs {
    for index in lowering.operations.indices {
      let operation = lowering.operations[index]
      needsGradient[index] = goesBack
      try attributing(to: operation.layer) { try emitForward(index, operation) }
    }
    var outputs = TraceOutputs()
    // In the order of the operations, then of the names: the plan must not depend on hashes.
    let taps = lowering.operationOfTap.sorted {
      ($0.value, $0.key.text) < ($1.value, $1.key.text)
    }
    var backs: [(tap: LayerTap, index: Int, matrix: Value, back: (Gradient) throws -> Gradient)] = []
    var products: [(tap: LayerTap, index: Int, matrix: Operand, back: (Operand) throws -> Gradient)] = []
    for (tap, index) in taps {
      try attributing(to: tap.layer) {
        guard let value = values[index] else { return }
        passes(.forward)
        guard tap.stage != .gram else {
          let (matrix, back) = try gram(of: value, layer: tap.layer)
          pin(matrix)
          outputs.values[tap] = matrix
          products.append((tap, index, matrix, back))
          return
        }
        let (matrix, back) = try canonical(value, madeBy: index)
        let operand = try adapt(matrix.operand, to: plain(matrix.descriptor))
        pin(operand)
        outputs.values[tap] = operand
        backs.append((tap, index, matrix, back))
      }
    }
    outputs.forwardStepCount = steps.count
    guard goesBack else { return outputs }
    for entry in backs {
      try attributing(to: entry.tap.layer) {
        passes(.backwardData)
        let seed = buffer(try plain(entry.matrix.descriptor))
        hold(seed, fromStep: outputs.forwardStepCount)
        outputs.seeds[entry.tap] = seed
        let matched = try adapt(seed, to: entry.matrix.descriptor)
        propagate(try entry.back(Gradient(operand: matched, isExclusive: true)), to: entry.index)
      }
    }
    for entry in products {
      try attributing(to: entry.tap.layer) {
        passes(.backwardData)
        let seed = buffer(entry.matrix.descriptor)
        hold(seed, fromStep: outputs.forwardStepCount)
        outputs.seeds[entry.tap] = seed
        propagate(try entry.back(seed), to: entry.index)
      }
    }
    let kept = taps.filter { keptTaps.contains($0.key) }
    outputs.imageGradient = try attributing(to: Network.inputName) {
      for index in lowering.operations.indices.reversed() {
        for tap in kept where tap.value == index {
          outputs.gradients[tap.key] = try keepGradient(ofOperation: index)
        }
        try emitBackward(index)
      }
      return try emitImageGradient()
    }
    return outputs
  }

  /// Taps at which the gradient stays readable after the backward pass.
  private var keptTaps: [LayerTap] {
    if case .trace(_, let taps) = mode { taps } else { [] }
  }

  /// The sum of the gradients of an operation's result, in canonical order, untouched by what goes further back.
  ///
  /// - Returns: nil where nothing that is looked at depends on the result.
  private func keepGradient(ofOperation index: Int) throws -> Operand? {
    guard let value = values[index], !gradients[index].isEmpty else { return nil }
    layer = lowering.operations[index].layer
    passes(.backwardData)
    let sum = try combine(gradients[index])
    gradients[index] = [Gradient(operand: sum.operand, isExclusive: false)]
    let (ordered, _) = try canonical(Value(operand: sum.operand, columns: value.columns), madeBy: index)
    let operand = try adapt(ordered.operand, to: plain(ordered.descriptor))
    pin(operand)
    return operand
  }

  private func emitImageGradient() throws -> Operand? {
    guard case .input(let affine) = lowering.operations[0].kind, !gradients[0].isEmpty else { return nil }
    layer = Network.inputName
    passes(.backwardData)
    let sum = try combine(gradients[0])
    let result = buffer(try plain(sum.descriptor))
    // The network's first rescaling happens while pixels are read; its factor belongs to the gradient.
    let (data, layout, _) = try channelRows(Value(operand: sum.operand), madeBy: nil)
    emit(
      AffineStep(
        layout: layout, scale: (0..<layout.channels).map { Float(affine.scale[$0 % affine.scale.count]) },
        offset: [Float](repeating: 0, count: layout.channels), src: data, dst: result))
    pin(result)
    return result
  }

  private func plain(_ descriptor: MemoryDescriptor) throws(OneDNNError) -> MemoryDescriptor {
    let floats = descriptor.with(.f32)
    return descriptor.rank == 4 ? try channelsLast(floats) : floats
  }
}
