internal import Networks
internal import OneDNN
internal import Tensors

/// One operation of a plan: a layer, or several layers that one kernel computes.
struct Operation {
  enum Kind {
    /// The samples' pixels, rescaled.
    case input(ChannelAffine)
    case convolution(Conv2D)
    case transposedConvolution(Conv2DTranspose)
    case dense(Dense)
    case embedding(Embedding)
    case pooling(PoolingAlgorithm, Pool2D)
    case globalPooling(PoolingAlgorithm)
    case eltwise(Eltwise)
    case softmax
    case prelu(PReLU)
    case batchNorm(BatchNorm)
    case layerNorm(LayerNorm)
    case groupNorm(GroupNorm)
    case localResponseNorm(LocalResponseNorm)
    case affine(ChannelAffine)
    case add
    /// The product of two inputs.
    case multiply
    case concat
    case dropout(Dropout)
    case padding(Margins2D)
    case cropping(Margins2D)
    case upSampling(Interpolation)
    case flatten
    case reshape
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
  /// The name of the parameter that the kernel is: a layer of several convolutions has a kernel for each.
  var kernelName = "kernel"
  let inputShapes: [Shape]
  let outputShape: Shape
  /// The number that the operation has where nothing is frozen, which keys its random numbers; nil for the one that it has.
  var number: Int?
}

extension Operation {
  /// The name of the operation in choices of kernels: its layer, and the kernel where the layer has several.
  var choiceName: String { kernelName == "kernel" ? layer : "\(layer)/\(kernelName)" }
}

/// `dst = src · scale + offset`, a pair of values for each channel, or one pair for all.
struct ChannelAffine: Hashable, Sendable {
  var scale: [Double] = [1]
  var offset: [Double] = [0]

  /// This one, then the other.
  func followed(by other: ChannelAffine) -> ChannelAffine {
    let count = max(scale.count, other.scale.count)
    func pick(_ values: [Double], _ index: Int) -> Double { values[index % values.count] }
    return ChannelAffine(
      scale: (0..<count).map { pick(scale, $0) * pick(other.scale, $0) },
      offset: (0..<count).map {
        pick(offset, $0) * pick(other.scale, $0) + pick(other.offset, $0)
      })
  }
}

/// A batch normalisation with running statistics, as a factor and an offset per channel.
struct FoldedNorm: Sendable {
  let layer: String
  let norm: BatchNorm
}

/// A network as a list of operations, of which those that one kernel can compute are fused.
struct Lowering {
  private(set) var operations: [Operation] = []
  /// The operation that gives the network's logits.
  private(set) var output = 0
  /// An activation that is left out at the network's end; the loss computes it, or whoever wants probabilities.
  private let leftOut: Loss.FinalActivation
  private let isForInference: Bool
  /// Whether several layers take the input: then none of them may have its factors in the reading of pixels.
  private let sharesInput: Bool
  /// What a training moves; all that is trainable for anything else.
  private let part: TrainedPart
  /// The operation that computes each layer's output.
  private var operationOfLayer: [String: Int] = [:]
  /// The operation whose result a layer's activation takes.
  private var operationBeforeActivation: [String: Int] = [:]
  /// For a trace: the operation that gives each value that stays visible.
  private(set) var operationOfTap: [LayerTap: Int] = [:]

  /// - Parameters:
  ///   - foldsNorms: whether batch normalisations disappear into convolutions, which only inference allows.
  ///   - final: an activation that is left out where the network ends in it.
  ///   - part: what a training moves; what lies before it is fused as in inference.
  init(
    _ network: ResolvedNetwork, foldsNorms: Bool = false, leavingOut final: Loss.FinalActivation = .softmax,
    training part: TrainedPart = .whole
  ) {
    isForInference = foldsNorms
    sharesInput = network.inputIsShared
    self.part = part
    leftOut = final
    emit(
      .input(ChannelAffine()), inputs: [], layer: Network.inputName, shapes: [],
      output: network.inputShape)
    operationOfLayer[Network.inputName] = 0
    for layer in network.layers { lower(layer, isOutput: layer.name == network.network.output.name) }
    output = operationOfLayer[network.network.output.name] ?? operations.count - 1
    fuse(foldsNorms: foldsNorms)
    if part.hasFrozen { number(like: Lowering(network, foldsNorms: foldsNorms, leavingOut: final)) }
  }

  /// Gives operations with random numbers the numbers that they have in another lowering of the network.
  private mutating func number(like other: Lowering) {
    var numbers: [String: Int] = [:]
    for (index, operation) in other.operations.enumerated() {
      if case .dropout = operation.kind { numbers[operation.layer] = index }
    }
    for index in operations.indices { operations[index].number = numbers[operations[index].layer] }
  }

  /// For a trace: the values of `taps` stay visible, only what they need is kept, and a softmax at the end is an operation
  /// like others.
  init(_ network: ResolvedNetwork, keeping taps: [LayerTap]) {
    isForInference = false
    sharesInput = network.inputIsShared
    part = .whole
    leftOut = .none
    emit(
      .input(ChannelAffine()), inputs: [], layer: Network.inputName, shapes: [],
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
      emit(
        kind, inputs: inputs, layer: layer.name, shapes: layer.inputShapes.map(\.asImage),
        output: layer.outputShape.asImage)
      append(activation, after: layer, isOutput: isOutput)
    }
    switch layer.spec {
    case .conv1D(let conv): add(.convolution(conv.asImage), conv.activation)
    case .conv2D(let conv): add(.convolution(conv), conv.activation)
    case .depthwiseConv2D(let conv):
      add(.convolution(conv.grouped(channels: layer.inputShapes[0][2])), conv.activation)
    case .separableConv2D(let conv): separate(layer, conv, inputs, isOutput: isOutput)
    case .conv2DTranspose(let conv): add(.transposedConvolution(conv), conv.activation)
    case .dense(let dense): add(.dense(dense), dense.activation)
    case .embedding(let embedding): add(.embedding(embedding))
    case .maxPool1D(let pool): add(.pooling(.max, pool.asImage))
    case .averagePool1D(let pool): add(.pooling(.average, pool.asImage))
    case .maxPool2D(let pool): add(.pooling(.max, pool))
    case .averagePool2D(let pool): add(.pooling(.average, pool))
    case .globalAveragePool1D, .globalAveragePool2D: add(.globalPooling(.average))
    case .globalMaxPool1D, .globalMaxPool2D: add(.globalPooling(.max))
    case .zeroPadding1D(let margins): add(.padding(margins.asImage))
    case .zeroPadding2D(let margins): add(.padding(margins))
    case .cropping1D(let margins): add(.cropping(margins.asImage))
    case .cropping2D(let margins): add(.cropping(margins))
    case .upSampling1D: add(.upSampling(.nearest))
    case .upSampling2D(let sampling): add(.upSampling(sampling.interpolation))
    case .flatten: add(.flatten)
    case .reshape: add(.reshape)
    case .dropout(let dropout): add(.dropout(dropout))
    case .prelu(let function): add(.prelu(function))
    case .batchNorm(let norm): add(.batchNorm(norm))
    case .layerNorm(let norm): add(.layerNorm(norm))
    case .groupNorm(let norm): add(.groupNorm(norm))
    case .localResponseNorm(let norm): add(.localResponseNorm(norm))
    case .add: add(.add)
    case .multiply: multiply(layer, inputs)
    case .concat: add(.concat)
    case .positionBias: add(.positionBias)
    case .rescale(let rescale):
      let affine = ChannelAffine(scale: [rescale.scale], offset: [rescale.offset])
      guard !readsPixels(layer, inputs, through: affine) else { return }
      add(.eltwise(.linear(alpha: Float(rescale.scale), beta: Float(rescale.offset))))
    case .normalization(let norm):
      let (scale, offset) = norm.affine
      let affine = ChannelAffine(scale: scale, offset: offset)
      if !readsPixels(layer, inputs, through: affine) { add(.affine(affine)) }
    case .relu(let function):
      operationOfLayer[layer.name] = inputs[0]
      let clipped = function.maxValue.map { Eltwise.clip(low: 0, high: $0) }
      append([.eltwise(clipped ?? .plainReLU)], after: layer)
    case .leakyReLU(let function):
      operationOfLayer[layer.name] = inputs[0]
      append([.eltwise(.relu(negativeSlope: function.negativeSlope))], after: layer)
    case .elu(let function):
      operationOfLayer[layer.name] = inputs[0]
      append([.eltwise(.elu(alpha: function.alpha))], after: layer)
    case .activation(let activation):
      operationOfLayer[layer.name] = inputs[0]
      append(activation, after: layer, isOutput: isOutput)
    }
  }

  /// Whether the layer is the only one that takes the input, and its factors therefore belong to the reading of pixels.
  private mutating func readsPixels(
    _ layer: ResolvedLayer, _ inputs: [Int], through affine: ChannelAffine
  ) -> Bool {
    guard inputs == [0], !sharesInput, operations.count == 1, case .input(let before) = operations[0].kind
    else {
      return false
    }
    operations[0].kind = .input(before.followed(by: affine))
    operationOfLayer[layer.name] = 0
    return true
  }

  /// A convolution of each channel, then one of the channels of each position.
  private mutating func separate(
    _ layer: ResolvedLayer, _ conv: SeparableConv2D, _ inputs: [Int], isOutput: Bool
  ) {
    let depthwise = conv.depthwise.grouped(channels: layer.inputShapes[0][2])
    let output = layer.outputShape
    let middle: Shape = [output[0], output[1], depthwise.filters]
    emit(
      .convolution(depthwise), inputs: inputs, layer: layer.name, kernel: "depthwise_kernel",
      shapes: layer.inputShapes, output: middle)
    emit(
      .convolution(conv.pointwise), inputs: [operations.count - 1], layer: layer.name,
      kernel: "pointwise_kernel", shapes: [middle], output: output)
    append(conv.activation, after: layer, isOutput: isOutput)
  }

  /// Makes a product of many inputs from products of two.
  private mutating func multiply(_ layer: ResolvedLayer, _ inputs: [Int]) {
    var (product, shape) = (inputs[0], layer.inputShapes[0].asImage)
    for (factor, other) in zip(inputs, layer.inputShapes).dropFirst() {
      let other = other.asImage
      // Where both have as many elements, the image gives the shape, not the vector.
      let isLarger = (other.elementCount, other.rank) > (shape.elementCount, shape.rank)
      let result = isLarger ? other : shape
      emit(.multiply, inputs: [product, factor], layer: layer.name, shapes: [shape, other], output: result)
      (product, shape) = (operations.count - 1, result)
    }
  }

  private mutating func emit(
    _ kind: Operation.Kind, inputs: [Int], layer: String, kernel: String = "kernel", shapes: [Shape],
    output: Shape
  ) {
    operations.append(
      Operation(
        kind: kind, inputs: inputs, layer: layer, kernelName: kernel, inputShapes: shapes, outputShape: output
      ))
    operationOfLayer[layer] = operations.count - 1
  }

  private mutating func append(_ activation: Activation, after layer: ResolvedLayer, isOutput: Bool) {
    let kinds: [Operation.Kind]
    switch activation {
    case .linear: kinds = []
    case .softmax where isOutput && leftOut == .softmax: kinds = []
    case .sigmoid where isOutput && leftOut == .sigmoid: kinds = []
    case .softmax: kinds = [.softmax]
    case .relu: kinds = [.eltwise(.plainReLU)]
    case .relu6: kinds = [.eltwise(.clip(low: 0, high: 6))]
    case .leakyReLU: kinds = [.eltwise(.relu(negativeSlope: 0.2))]
    case .elu: kinds = [.eltwise(.elu(alpha: 1))]
    case .gelu: kinds = [.eltwise(.gelu)]
    case .silu: kinds = [.eltwise(.swish)]
    case .softplus: kinds = [.eltwise(.softplus)]
    case .sigmoid: kinds = [.eltwise(.sigmoid)]
    case .hardSigmoid:
      kinds = [.eltwise(.linear(alpha: 1 / 6, beta: 0.5)), .eltwise(.clip(low: 0, high: 1))]
    case .tanh: kinds = [.eltwise(.tanh)]
    }
    append(kinds, after: layer)
  }

  private mutating func append(_ kinds: [Operation.Kind], after layer: ResolvedLayer) {
    operationBeforeActivation[layer.name] = operationOfLayer[layer.name]
    let shape = layer.outputShape.asImage
    for kind in kinds {
      guard let previous = operationOfLayer[layer.name] else { return }
      emit(kind, inputs: [previous], layer: layer.name, shapes: [shape], output: shape)
    }
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
        guard let input = follows(index),
          operations[input].accepts(
            function, isForInference: isForInference || part.isForwardOnly(operations[input].layer))
        else { continue }
        operations[input].activation = function
        isVisible[input] = isVisible[index]
        replacement[index] = input
        consumers[input] = consumers[index]
        if output == index { output = input }
      case .batchNorm(let norm):
        guard foldsNorms || part.folds(operations[index].layer), let input = follows(index),
          operations[input].activation == nil,
          operations[input].foldedNorm == nil, case .convolution = operations[input].kind
        else { continue }
        operations[input].foldedNorm = FoldedNorm(layer: operations[index].layer, norm: norm)
        replacement[index] = input
        consumers[input] = consumers[index]
        if output == index { output = input }
      case .pooling(.max, _):
        // ReLU commutes with the maximum; behind the pool it has a quarter of the work, in both directions.
        guard let input = follows(index), let function = operations[input].activation, function.isReLU,
          case .convolution = operations[input].kind
        else { continue }
        operations[input].activation = nil
        operations[index].activation = function
      case .input, .convolution, .transposedConvolution, .dense, .embedding, .pooling, .globalPooling,
        .softmax,
        .prelu, .layerNorm, .groupNorm, .localResponseNorm, .affine, .add, .multiply, .concat, .dropout,
        .padding,
        .cropping,
        .upSampling, .flatten, .reshape, .positionBias:
        continue
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

  /// Drops operations that another one has swallowed, and renumbers the rest.
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

extension ResolvedNetwork {
  /// Whether more than one layer takes the network's input.
  fileprivate var inputIsShared: Bool {
    layers.count { $0.layer.inputs.contains(Network.inputName) } > 1
  }
}

extension Eltwise {
  /// Whether the function is ReLU, with or without a largest value.
  fileprivate var isReLU: Bool {
    if case .clip(low: 0, high: _) = self { true } else { self == .plainReLU }
  }
}

extension Operation {
  /// Whether the operation's kernel can apply the function to its result.
  fileprivate func accepts(_ function: Eltwise, isForInference: Bool) -> Bool {
    guard activation == nil else { return false }
    if case .linear = function { return false }
    // On the way back such a function asks for its input, which fusion does not keep.
    guard isForInference || !function.needsInput else { return false }
    switch kind {
    case .convolution, .dense: return true
    case .add: return function.keepsZero
    case .batchNorm: return function == .plainReLU
    case .input, .transposedConvolution, .embedding, .pooling, .globalPooling, .eltwise, .softmax, .prelu,
      .layerNorm, .groupNorm, .localResponseNorm, .affine, .multiply, .concat, .dropout, .padding, .cropping,
      .upSampling,
      .flatten, .reshape, .positionBias:
      return false
    }
  }
}

extension Shape {
  /// A sequence [T, C] as plans keep it: an image [1, T, C] of one row.
  var asImage: Shape { rank == 2 ? [1, self[0], self[1]] : self }
}
