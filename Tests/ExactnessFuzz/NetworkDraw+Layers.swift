// Single layers.

extension NetworkDraw {
  static let activations = [
    "linear", "relu", "relu6", "leaky_relu", "elu", "gelu", "silu", "softplus", "sigmoid", "hard_sigmoid",
    "tanh",
    "softmax",
  ]
  static let initializers = [
    "zeros", "ones", "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_normal",
    "lecun_uniform", "uniform", "truncated_normal",
  ]

  /// Numbers of filters: at some of them the cost model goes from direct kernels to Winograd's, and back for small shards.
  func filters(_ dice: inout Dice) -> Int {
    dice.pick(weighted: [(2, 24), (2, 40), (1, 16), (1, 8), (3, dice.integer(1...40))])
  }

  /// What every layer with a kernel can be told.
  func weights(_ dice: inout Dice) -> [Node.Entry] {
    var entries: [Node.Entry] = []
    if dice.chance(0.2) { entries.append(.init(key: "use_bias", value: .scalar("\(dice.chance(0.2))"))) }
    if dice.chance(0.5) {
      entries.append(
        .init(key: "activation", value: dice.chance(0.5) ? "relu" : dice.word(Self.activations)))
    }
    if dice.chance(0.2) {
      entries.append(.init(key: "kernel_initializer", value: dice.word(Self.initializers)))
    }
    if dice.chance(0.1) {
      entries.append(.init(key: "bias_initializer", value: dice.word(Self.initializers)))
    }
    return entries
  }

  mutating func addDense(units: Int, _ dice: inout Dice) {
    add(
      "dense", [.init(key: "units", value: Node(units))] + weights(&dice), gives: [units], work: elements)
  }

  /// A layer that gives the shape it takes.
  mutating func addFunction(_ dice: inout Dice) {
    let words =
      [
        "capped_relu", "leaky_relu", "elu", "prelu", "dropout", "dropout", "batch_norm", "batch_norm",
        "layer_norm", "group_norm",
      ]
      + ["local_response_norm", "position_bias", "rescale", "activation", "activation", "activation"]
    let word = dice.pick(words)
    switch word {
    case "activation": add(dice.pick(Self.activations), work: 4)
    case "capped_relu":
      add("relu", [.init(key: "max_value", value: dice.chance(0.2) ? "none" : dice.decimal(0.3...6))])
    case "leaky_relu": add(word, some("negative_slope", dice.decimal(0...0.5), &dice))
    case "elu": add(word, some("alpha", dice.decimal(0.1...2), &dice), work: 4)
    case "prelu": add(word, some("shared", .scalar("\(dice.chance(0.8))"), &dice))
    case "dropout": add(word, [.init(key: "rate", value: dice.decimal(0.1...0.6))])
    case "batch_norm": add(word, some("momentum", dice.decimal(0.5...0.99), &dice) + norm(&dice), work: 2)
    case "layer_norm": add(word, norm(&dice), work: 4)
    case "group_norm":
      let divisors = (1...channels).filter { channels % $0 == 0 }
      let groups = dice.chance(0.2) ? Node.scalar("channels") : Node(dice.pick(divisors))
      add(word, [.init(key: "groups", value: groups)] + norm(&dice), work: 4)
    case "local_response_norm":
      add(
        word,
        some("radius", Node(dice.integer(0...4)), &dice) + some("bias", dice.decimal(0.5...2), &dice)
          + some("alpha", dice.decimal(0.01...1), &dice) + some("beta", dice.decimal(0.3...0.9), &dice),
        work: 12)
    case "rescale": add(word, [.init(key: "scale", value: dice.decimal(0.3...1.5))])
    default: add(word)
    }
  }

  private func norm(_ dice: inout Dice) -> [Node.Entry] {
    some("epsilon", "0.01", &dice) + some("scale", .scalar("\(dice.chance(0.4))"), &dice)
      + some("center", .scalar("\(dice.chance(0.4))"), &dice)
  }

  /// A key that is written now and then.
  func some(_ key: String, _ value: Node, _ dice: inout Dice) -> [Node.Entry] {
    dice.chance(0.3) ? [.init(key: key, value: value)] : []
  }

  // MARK: - Windows

  mutating func addWindow(_ dice: inout Dice) {
    let isImage = shape.count == 3
    switch dice.pick(weighted: [(7, 0), (isImage ? 2 : 0, 1), (isImage ? 1.5 : 0, 2), (2, 3), (2, 4), (3, 5)])
    {
    case 0: addConvolution(&dice)
    case 1: addDepthwise(&dice)
    case 2: addTransposed(&dice)
    case 3: addPool("max_pool\(suffix)", &dice)
    case 4: addPool("average_pool\(suffix)", &dice)
    default: addMoving(&dice)
    }
  }

  private mutating func addConvolution(_ dice: inout Dice) {
    let filters = filters(&dice)
    var window = Window(sides, isImage: shape.count == 3, &dice)
    if shape.count == 2, window.stride == 1, dice.chance(0.3) { window.padding = "causal" }
    let groups = [2, 3, 4].filter { filters % $0 == 0 && channels % $0 == 0 }
    var entries = [.init(key: "filters", value: Node(filters))] + window.entries + weights(&dice)
    var inputs = channels
    if !groups.isEmpty, dice.chance(0.25) {
      let count = dice.pick(groups)
      entries.append(.init(key: "groups", value: Node(count)))
      inputs /= count
    }
    addFitting("conv\(suffix)", entries, gives: window.output(sides) + [filters], work: window.area * inputs)
  }

  private mutating func addDepthwise(_ dice: inout Dice) {
    let window = Window(sides, isImage: true, &dice)
    let multiplier = dice.chance(0.3) ? dice.integer(1...3) : 1
    let entries = some("multiplier", Node(multiplier), &dice)
    guard !dice.chance(0.4) else {
      let filters = filters(&dice)
      return addFitting(
        "separable_conv2d",
        [.init(key: "filters", value: Node(filters))] + window.entries + entries + weights(&dice),
        gives: window.output(sides) + [filters], work: window.area + channels)
    }
    let filters = channels * (entries.isEmpty ? 1 : multiplier)
    addFitting(
      "depthwise_conv2d", window.entries + entries + weights(&dice), gives: window.output(sides) + [filters],
      work: window.area)
  }

  private mutating func addTransposed(_ dice: inout Dice) {
    let filters = dice.integer(1...24)
    let (kernel, stride) = (dice.integer(1...4), dice.integer(1...2))
    let isSame = dice.chance(0.6)
    let output = sides.map { isSame ? $0 * stride : $0 * stride + max(kernel - stride, 0) }
    var entries: [Node.Entry] = [
      .init(key: "filters", value: Node(filters)), .init(key: "kernel", value: Node(kernel)),
    ]
    if stride > 1 { entries.append(.init(key: "stride", value: Node(stride))) }
    if isSame || dice.chance(0.2) {
      entries.append(.init(key: "padding", value: .scalar(isSame ? "same" : "valid")))
    }
    addFitting(
      "conv2d_transpose", entries + weights(&dice), gives: output + [filters],
      work: kernel * kernel * channels)
  }

  private mutating func addPool(_ word: String, _ dice: inout Dice) {
    let size = dice.integer(1...3)
    let stride = dice.chance(0.4) ? dice.integer(1...3) : nil
    let isSame = dice.chance(0.5) || sides.contains { $0 < size }
    let entries: [Node.Entry] =
      [.init(key: "size", value: Node(size))]
      + (stride.map { [.init(key: "stride", value: Node($0))] } ?? some("stride", "size", &dice))
      + (isSame ? [.init(key: "padding", value: "same")] : some("padding", "valid", &dice))
    let step = stride ?? size
    let output = sides.map { isSame ? ($0 + step - 1) / step : ($0 - size) / step + 1 }
    addFitting(word, entries, gives: output + [channels], work: size * size)
  }

  /// Layers that move elements: margins, and repeated pixels.
  private mutating func addMoving(_ dice: inout Dice) {
    switch dice.integer(0...2) {
    case 0: addMargins("zero_padding\(suffix)", sign: 1, &dice)
    case 1: addMargins("cropping\(suffix)", sign: -1, &dice)
    default:
      var entries: [Node.Entry] = [.init(key: "size", value: 2)]
      if shape.count == 3 { entries += some("interpolation", dice.word(["nearest", "bilinear"]), &dice) }
      addFitting("up_sampling\(suffix)", entries, gives: sides.map { $0 * 2 } + [channels], work: 4)
    }
  }

  private mutating func addMargins(_ word: String, sign: Int, _ dice: inout Dice) {
    let names =
      shape.count == 3
      ? [("top", 0), ("bottom", 0), ("left", 1), ("right", 1)] : [("before", 0), ("after", 0)]
    let all = dice.chance(0.3) ? 1 : 0
    var output = sides.map { $0 + sign * 2 * all }
    var entries: [Node.Entry] = all == 0 ? [] : [.init(key: "all", value: Node(all))]
    for (name, side) in names where dice.chance(0.4) {
      let amount = dice.chance(0.1) ? nil : dice.integer(0...2)
      entries.append(.init(key: name, value: amount.map { Node($0) } ?? "all"))
      output[side] += sign * ((amount ?? all) - all)
    }
    addFitting(word, entries, gives: output + [channels])
  }

  /// Rows and columns, or the length.
  var sides: [Int] { Array(shape.dropLast()) }

  /// Adds a layer unless it leaves nothing, or too much.
  mutating func addFitting(_ word: String, _ entries: [Node.Entry], gives shape: [Int], work: Int = 1) {
    let count = shape.reduce(1, *)
    guard shape.allSatisfy({ $0 > 0 }), count <= Self.mostElements else { return }
    add(word, entries, gives: shape, work: work)
  }
}

/// The window of a convolution.
private struct Window {
  let kernel: [Int]
  let stride: Int
  let dilation: Int
  var padding: String

  init(_ sides: [Int], isImage: Bool, _ dice: inout Dice) {
    let side = dice.pick(weighted: [(6, 3), (2, 1), (1, 2), (1, 5)])
    kernel = isImage ? dice.pick(weighted: [(8, [side, side]), (1, [3, 1]), (1, [1, 3])]) : [side]
    stride = dice.chance(0.2) ? 2 : 1
    dilation = stride == 1 && dice.chance(0.15) ? 2 : 1
    let reach = kernel.map { [dilation] in ($0 - 1) * dilation + 1 }
    padding = dice.chance(0.6) || zip(sides, reach).contains { $0 < $1 } ? "same" : "valid"
  }

  var area: Int { kernel.reduce(1, *) }

  var entries: [Node.Entry] {
    let isSquare = Set(kernel).count == 1
    var entries: [Node.Entry] = [
      .init(key: "kernel", value: isSquare ? Node(kernel[0]) : .list(kernel.map { Node($0) }))
    ]
    if stride > 1 { entries.append(.init(key: "stride", value: Node(stride))) }
    if dilation > 1 { entries.append(.init(key: "dilation", value: Node(dilation))) }
    entries.append(.init(key: "padding", value: .scalar(padding)))
    return entries
  }

  func output(_ sides: [Int]) -> [Int] {
    zip(sides, kernel).map { side, width in
      padding == "valid" ? (side - ((width - 1) * dilation + 1)) / stride + 1 : (side + stride - 1) / stride
    }
  }
}
