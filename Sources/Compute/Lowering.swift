internal import Networks
internal import OneDNN
internal import Tensors

/// One operation of a plan: a layer, or several layers that one kernel computes.
struct Operation {
  enum Kind {
    /// The samples' pixels, rescaled.
    case input(scale: Double, offset: Double)
    case convolution(Conv2D)
    case dense(Dense)
    case pooling(PoolingAlgorithm, Pool2D)
    case globalPooling(PoolingAlgorithm)
    case eltwise(Eltwise)
    case softmax
    case batchNorm(BatchNorm)
    case add
    case concat
    case dropout(Dropout)
    case flatten
    case positionBias
  }

  var kind: Kind
  /// Indices of the operations whose results this one takes.
  var inputs: [Int]
  /// For inference: the batch normalisation that follows a convolution and is multiplied into its weights.
  var foldedNorm: FoldedNorm?
  /// A function that the kernel applies to its result before storing it.
  var activation: Eltwise?
  /// The layer whose parameters the operation has and by whose name tables and errors call it.
  let layer: String
  let inputShapes: [Shape]
  let outputShape: Shape
}

/// A batch normalisation with running statistics, as a factor and an offset per channel.
struct FoldedNorm: Sendable {
  let layer: String
  let norm: BatchNorm
}

/// A network as a list of operations, with what can be fused fused.
struct Lowering {
  private(set) var operations: [Operation] = []
  /// The operation that gives the network's logits.
  private(set) var output = 0
  /// Whether the network ends in a softmax, which plans leave to the loss and to whoever wants probabilities.
  private(set) var endsInSoftmax = false
  /// The operation that computes each layer's output.
  private var operationOfLayer: [String: Int] = [:]
  /// The operation whose result a layer's activation takes.
  private var operationBeforeActivation: [String: Int] = [:]
  /// For a trace: the operation that gives each value that stays visible.
  private(set) var operationOfTap: [LayerTap: Int] = [:]

  /// - Parameter foldsNorms: whether batch normalisations disappear into convolutions, which only inference allows.
  init(_ network: ResolvedNetwork, foldsNorms: Bool = false) {
    emit(
      .input(scale: 1, offset: 0), inputs: [], layer: Network.inputName, shapes: [],
      output: network.inputShape)
    operationOfLayer[Network.inputName] = 0
    for layer in network.layers { lower(layer, isOutput: layer.name == network.network.output.name) }
    output = operationOfLayer[network.network.output.name] ?? operations.count - 1
    fuse(foldsNorms: foldsNorms)
  }

  /// For a trace: the values of `taps` stay visible, only what they need is kept, and a softmax at the end is an operation
  /// like others.
  init(_ network: ResolvedNetwork, keeping taps: [LayerTap]) {
    emit(
      .input(scale: 1, offset: 0), inputs: [], layer: Network.inputName, shapes: [],
      output: network.inputShape)
    operationOfLayer[Network.inputName] = 0
    for layer in network.layers { lower(layer, isOutput: false) }
    output = operations.count - 1
    for tap in taps {
      let before = tap.stage == .beforeActivation ? operationBeforeActivation[tap.layer] : nil
      operationOfTap[tap] = before ?? operationOfLayer[tap.layer]
    }
    fuse(foldsNorms: false)
    removeUnneeded()
  }

  // MARK: - Layers to operations

  private mutating func lower(_ layer: ResolvedLayer, isOutput: Bool) {
    let inputs = layer.layer.inputs.compactMap { operationOfLayer[$0] }
    func add(_ kind: Operation.Kind, _ activation: Activation = .linear) {
      emit(kind, inputs: inputs, layer: layer.name, shapes: layer.inputShapes, output: layer.outputShape)
      append(activation, after: layer, isOutput: isOutput)
    }
    switch layer.spec {
    case .conv2D(let conv): add(.convolution(conv), conv.activation)
    case .dense(let dense): add(.dense(dense), dense.activation)
    case .maxPool2D(let pool): add(.pooling(.max, pool))
    case .averagePool2D(let pool): add(.pooling(.average, pool))
    case .globalAveragePool2D: add(.globalPooling(.average))
    case .globalMaxPool2D: add(.globalPooling(.max))
    case .flatten: add(.flatten)
    case .dropout(let dropout): add(.dropout(dropout))
    case .batchNorm(let norm): add(.batchNorm(norm))
    case .add: add(.add)
    case .concat: add(.concat)
    case .positionBias: add(.positionBias)
    case .rescale(let rescale):
      if inputs == [0], operations.count == 1, case .input(let scale, let offset) = operations[0].kind {
        operations[0].kind = .input(
          scale: scale * rescale.scale, offset: offset * rescale.scale + rescale.offset)
        operationOfLayer[layer.name] = 0
      } else {
        add(.eltwise(.linear(alpha: Float(rescale.scale), beta: Float(rescale.offset))))
      }
    case .activation(let activation):
      operationOfLayer[layer.name] = inputs[0]
      append(activation, after: layer, isOutput: isOutput)
    }
  }

  private mutating func emit(
    _ kind: Operation.Kind, inputs: [Int], layer: String, shapes: [Shape], output: Shape
  ) {
    operations.append(
      Operation(kind: kind, inputs: inputs, layer: layer, inputShapes: shapes, outputShape: output))
    operationOfLayer[layer] = operations.count - 1
  }

  private mutating func append(_ activation: Activation, after layer: ResolvedLayer, isOutput: Bool) {
    operationBeforeActivation[layer.name] = operationOfLayer[layer.name]
    let kind: Operation.Kind
    switch activation {
    case .linear: return
    case .softmax where isOutput:
      endsInSoftmax = true
      return
    case .softmax: kind = .softmax
    case .relu: kind = .eltwise(.plainReLU)
    case .sigmoid: kind = .eltwise(.sigmoid)
    case .tanh: kind = .eltwise(.tanh)
    }
    guard let previous = operationOfLayer[layer.name] else { return }
    emit(
      kind, inputs: [previous], layer: layer.name, shapes: [layer.outputShape], output: layer.outputShape)
  }

  // MARK: - Fusion

  private mutating func fuse(foldsNorms: Bool) {
    var consumers = consumerCounts()
    var replacement = Array(operations.indices)
    var isVisible = [Bool](repeating: false, count: operations.count)
    for index in operationOfTap.values { isVisible[index] = true }
    func follows(_ index: Int) -> Int? {
      let input = replacement[operations[index].inputs[0]]
      return consumers[input] == 1 && input != output && !isVisible[input] ? input : nil
    }
    for index in operations.indices where !operations[index].inputs.isEmpty {
      operations[index].inputs = operations[index].inputs.map { replacement[$0] }
      switch operations[index].kind {
      case .eltwise(let function):
        guard let input = follows(index), operations[input].accepts(function) else { continue }
        operations[input].activation = function
        isVisible[input] = isVisible[index]
        replacement[index] = input
        consumers[input] = consumers[index]
        if output == index { output = input }
      case .batchNorm(let norm):
        guard foldsNorms, let input = follows(index), operations[input].activation == nil,
          operations[input].foldedNorm == nil, case .convolution = operations[input].kind
        else { continue }
        operations[input].foldedNorm = FoldedNorm(layer: operations[index].layer, norm: norm)
        replacement[index] = input
        consumers[input] = consumers[index]
        if output == index { output = input }
      case .pooling(.max, _):
        // ReLU commutes with the maximum; behind the pool it has a quarter of the work, in both directions.
        guard let input = follows(index), operations[input].activation == .plainReLU,
          case .convolution = operations[input].kind
        else { continue }
        operations[input].activation = nil
        operations[index].activation = .plainReLU
      default: continue
      }
    }
    removeReplaced(replacement)
  }

  private func consumerCounts() -> [Int] {
    var counts = [Int](repeating: 0, count: operations.count)
    for operation in operations {
      for input in operation.inputs { counts[input] += 1 }
    }
    return counts
  }

  /// Drops operations that another one has swallowed and numbers the rest anew.
  private mutating func removeReplaced(_ replacement: [Int]) {
    var newIndex = [Int](repeating: 0, count: operations.count)
    var kept: [Operation] = []
    for index in operations.indices where replacement[index] == index {
      newIndex[index] = kept.count
      kept.append(operations[index])
    }
    for index in kept.indices { kept[index].inputs = kept[index].inputs.map { newIndex[replacement[$0]] } }
    output = newIndex[replacement[output]]
    operationOfTap = operationOfTap.mapValues { newIndex[replacement[$0]] }
    operations = kept
  }

  /// Drops operations that no visible value comes from.
  private mutating func removeUnneeded() {
    var isNeeded = [Bool](repeating: false, count: operations.count)
    isNeeded[0] = true
    for index in operationOfTap.values { isNeeded[index] = true }
    for index in operations.indices.reversed() where isNeeded[index] {
      for input in operations[index].inputs { isNeeded[input] = true }
    }
    var newIndex = [Int](repeating: 0, count: operations.count)
    var kept: [Operation] = []
    for index in operations.indices where isNeeded[index] {
      newIndex[index] = kept.count
      kept.append(operations[index])
    }
    for index in kept.indices { kept[index].inputs = kept[index].inputs.map { newIndex[$0] } }
    operationOfTap = operationOfTap.mapValues { newIndex[$0] }
    operations = kept
    output = kept.count - 1
  }
}

extension Operation {
  /// Whether the operation's kernel can apply the function to its result.
  fileprivate func accepts(_ function: Eltwise) -> Bool {
    guard activation == nil else { return false }
    if case .linear = function { return false }
    switch kind {
    case .convolution, .dense, .add: return true
    case .batchNorm: return function == .plainReLU
    default: return false
    }
  }
}
