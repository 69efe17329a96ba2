// Parts of a network: single layers, branches that meet again, repetitions and blocks.

extension NetworkDraw {
  mutating func addPart(_ dice: inout Dice) {
    guard shape.count > 1 else { return addVectorPart(&dice) }
    switch dice.pick(weighted: [
      (5, 0), (4, 1), (1, 2), (0.8, 3), (1, 4), (0.7, 5), (0.7, 6), (0.4, 7), (shape.count == 3 ? 3 : 0, 8),
    ]) {
    case 0: addWindow(&dice)
    case 1: addFunction(&dice)
    case 2: addResidual(&dice)
    case 3: addGate(&dice)
    case 4: addConcatenation(&dice)
    case 5: addRepetition(&dice)
    case 6: addBlock(&dice)
    case 8: addPair(&dice)
    default: addReshaping(&dice)
    }
  }

  private mutating func addVectorPart(_ dice: inout Dice) {
    switch dice.integer(0...5) {
    case 0...1: addDense(units: dice.integer(1...48), &dice)
    case 2...3: addFunction(&dice)
    case 4: addJoin(dice.pick(["add", "multiply", "concat"]), &dice)
    default:
      // A vector as an image of one pixel, or as a sequence.
      let image = dice.chance(0.5)
      reshape(image ? [1, 1, elements] : [elements, 1])
    }
  }

  /// A convolution that keeps the shape.
  private func keepingConvolution(_ dice: inout Dice) -> [Node.Entry] {
    [
      .init(key: "filters", value: Node(channels)), .init(key: "kernel", value: Node(dice.pick([1, 3, 3]))),
      .init(key: "padding", value: "same"),
    ]
  }

  private var convolutionWork: Int { 9 * channels }

  private mutating func addKeepingConvolution(inputs: Node? = nil, _ dice: inout Dice) {
    var entries = keepingConvolution(&dice)
    if let inputs { entries.append(.init(key: "inputs", value: inputs)) }
    add("conv\(suffix)", entries + weights(&dice), work: convolutionWork)
  }

  /// Two 3×3 convolutions of many channels, between which kernels the size of a shard decides.
  private mutating func addPair(_ dice: inout Dice) {
    for _ in 0..<2 {
      let filters = dice.pick([24, 24, 40, 40, 32, dice.integer(17...40)])
      let entries: [Node.Entry] = [
        .init(key: "filters", value: Node(filters)), .init(key: "kernel", value: 3),
        .init(key: "padding", value: "same"),
      ]
      addFitting(
        "conv2d", entries + weights(&dice), gives: sides + [filters], work: 9 * channels)
    }
  }

  // MARK: - Branches

  private mutating func addResidual(_ dice: inout Dice) {
    let begin = nameLast()
    addKeepingConvolution(&dice)
    if dice.chance(0.5) { addFunction(&dice) }
    let body = nameLast()
    add(dice.chance(0.8) ? "add" : "multiply", [.init(key: "inputs", value: [body, begin])])
  }

  /// Squeeze-and-excite.
  private mutating func addGate(_ dice: inout Dice) {
    let begin = nameLast()
    let (whole, width) = (shape, channels)
    add("global_average_pool\(suffix)", gives: [width])
    if dice.chance(0.5) { addDense(units: dice.integer(1...8), &dice) }
    add(
      "dense", [.init(key: "units", value: Node(width)), .init(key: "activation", value: "sigmoid")],
      gives: [width], work: elements)
    let gate = nameLast()
    add("multiply", [.init(key: "inputs", value: [begin, gate])], gives: whole)
  }

  private mutating func addConcatenation(_ dice: inout Dice) {
    guard elements * 3 <= Self.mostElements, channels <= 40 else { return }
    let begin = nameLast()
    let width = channels
    addKeepingConvolution(&dice)
    let first = nameLast()
    addKeepingConvolution(inputs: begin, &dice)
    let second = nameLast()
    let inputs = dice.chance(0.5) ? [first, second] : [begin, first, second]
    add("concat", [.init(key: "inputs", value: .list(inputs))], gives: sides + [width * inputs.count])
  }

  /// Two dense layers beside each other.
  private mutating func addJoin(_ word: String, _ dice: inout Dice) {
    let begin = nameLast()
    let (width, units) = (elements, dice.integer(1...24))
    addDense(units: units, &dice)
    let first = nameLast()
    add(
      "dense", [.init(key: "units", value: Node(units)), .init(key: "inputs", value: begin)], gives: [units],
      work: width)
    let second = nameLast()
    add(
      word, [.init(key: "inputs", value: [first, second])], gives: [word == "concat" ? 2 * units : units])
  }

  // MARK: - Repetitions and blocks

  private mutating func addRepetition(_ dice: inout Dice) {
    let times = dice.integer(1...3)
    let convolution = Node.kind("conv\(suffix)", keepingConvolution(&dice))
    let rest = Node.scalar(dice.pick(["relu", "batch_norm", "tanh"]))
    add(
      "repeat", [.init(key: "times", value: Node(times)), .init(key: "layers", value: [convolution, rest])],
      work: times * convolutionWork)
  }

  private mutating func addBlock(_ dice: inout Dice) {
    let name = "residual\(suffix)"
    define(
      name,
      [
        "parameters": ["filters": "required", "kernel": 3],
        "layers": [
          .kind(
            "conv\(suffix)",
            [
              .init(key: "filters", value: "$filters"), .init(key: "kernel", value: "$kernel"),
              .init(key: "padding", value: "same"),
            ]),
          ["relu": ["name": "body"]], ["add": ["inputs": ["body", "input"]]],
        ],
      ])
    let entries = some("kernel", 1, &dice)
    add(name, [.init(key: "filters", value: Node(channels))] + entries, work: convolutionWork)
  }

  // MARK: - Other shapes

  /// An image as a sequence of its pixels, or a sequence as a row of pixels.
  private mutating func addReshaping(_ dice: inout Dice) {
    if shape.count == 3 {
      reshape([shape[0] * shape[1], shape[2]])
    } else {
      reshape([1, shape[0], shape[1]])
    }
  }

  private mutating func reshape(_ shape: [Int]) {
    add("reshape", [.init(key: "shape", value: .list(shape.map { Node($0) }))], gives: shape)
  }
}
