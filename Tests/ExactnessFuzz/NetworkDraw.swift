import HDF5

/// A network for some samples, drawn layer by layer with the shape that each leaves.
struct NetworkDraw {
  private(set) var layers: [Node] = []
  /// Definitions of blocks, `network.blocks`.
  private(set) var blocks: [Node.Entry] = []
  /// Multiplications for one sample, about.
  private(set) var work = 0
  /// What the last layer gives.
  var shape: [Int]
  private var names = 0

  /// Most numbers that a layer gives, so that trainings stay small.
  static let mostElements = 6000

  init(_ data: DrawnData, isBoard: Bool, _ dice: inout Dice) {
    shape = data.shape
    if let vocabulary = data.vocabulary {
      embed(vocabulary, &dice)
    } else if data.type == .uint8 || dice.chance(0.3) {
      scaleInput(data, &dice)
    }
    for _ in 0..<dice.integer(1...7) { addPart(&dice) }
    addHead(data, &dice)
  }

  var channels: Int { shape[shape.count - 1] }
  var elements: Int { shape.reduce(1, *) }
  /// `2d`, `1d`, or nothing for a vector: how the words of layers end.
  var suffix: String { shape.count == 3 ? "2d" : shape.count == 2 ? "1d" : "" }

  // MARK: - Adding layers

  /// - Parameters:
  ///   - shape: what the layer gives, as its input where it is nil.
  ///   - work: multiplications for each number that it gives.
  mutating func add(_ word: String, _ entries: [Node.Entry] = [], gives shape: [Int]? = nil, work: Int = 1) {
    layers.append(.kind(word, entries))
    if let shape { self.shape = shape }
    self.work += elements * work
  }

  /// The name of the last layer, given to it where it has none.
  mutating func nameLast() -> Node {
    guard let last = layers.last, let word = last.kind else { return "input" }
    var payload = last.payload ?? .map([])
    if let name = payload["name"] { return name }
    names += 1
    payload["name"] = .scalar("layer\(names)")
    layers[layers.count - 1] = .kind(word, payload.entries ?? [])
    return .scalar("layer\(names)")
  }

  private mutating func embed(_ vocabulary: Int, _ dice: inout Dice) {
    let dimension = dice.integer(1...24)
    var entries: [Node.Entry] = [
      .init(key: "vocabulary", value: Node(vocabulary)), .init(key: "dimension", value: Node(dimension)),
    ]
    if dice.chance(0.4) {
      let word: Node = dice.chance(0.2) ? "none" : Node(dice.integer(0...vocabulary - 1))
      entries.append(.init(key: "padding_word", value: word))
    }
    if dice.chance(0.2) { entries.append(.init(key: "frozen", value: .scalar("\(dice.chance(0.7))"))) }
    if dice.chance(0.3) { entries.append(.init(key: "initializer", value: dice.word(Self.initializers))) }
    // No drawn data has vectors.
    if dice.chance(0.1) { entries.append(.init(key: "pretrained", value: "false")) }
    add("embedding", entries, gives: [shape[0], dimension])
  }

  /// Most networks have their input at a size that they can learn from.
  private mutating func scaleInput(_ data: DrawnData, _ dice: inout Dice) {
    let isWide = data.type != .float32 && data.type != .float64
    if dice.chance(0.5) {
      var entries: [Node.Entry] = [.init(key: "scale", value: isWide ? "1/255" : "0.5")]
      if dice.chance(0.3) { entries.append(.init(key: "offset", value: "-0.5")) }
      add("rescale", entries)
    } else {
      let count = dice.chance(0.5) ? 1 : channels
      add(
        "normalization",
        [
          .init(key: "mean", value: .list((0..<count).map { _ in isWide ? "70" : dice.decimal(-0.3...0.3) })),
          .init(key: "variance", value: .list((0..<count).map { _ in isWide ? "5000" : "0.2" })),
        ])
    }
  }

  /// From whatever shape to the outputs.
  private mutating func addHead(_ data: DrawnData, _ dice: inout Dice) {
    if shape.count > 1 { addEnd(&dice) }
    if dice.chance(0.25) {
      addDense(units: dice.integer(1...40), &dice)
      if dice.chance(0.5) { addFunction(&dice) }
    }
    let final = data.target == .classes || data.target == .shares ? "softmax" : "sigmoid"
    var entries: [Node.Entry] = [.init(key: "units", value: .scalar(Draw.outputsWord))]
    let ending = data.target == .numbers ? 1 : dice.share()
    if ending < 0.15 { entries.append(.init(key: "activation", value: .scalar(final))) }
    add("dense", entries, gives: [data.outputs], work: elements)
    if (0.15..<0.3).contains(ending) { add(final) }
  }

  /// A vector out of an image or a sequence.
  private mutating func addEnd(_ dice: inout Dice) {
    let end = dice.pick(weighted: [
      (3, "flatten"), (1, "global_average_pool\(suffix)"), (1, "global_max_pool\(suffix)"),
    ])
    let count = end == "flatten" ? elements : channels
    add(end, gives: [count])
  }

  /// A block that can be used from now on.
  mutating func define(_ name: String, _ block: Node) {
    if !blocks.contains(where: { $0.key == name }) { blocks.append(.init(key: name, value: block)) }
  }
}
