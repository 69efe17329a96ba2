/// What a training takes from another one, and which layers it treats otherwise than the rest.
enum TransferDraw {
  /// The run that a drawn training starts from, beside its configuration.
  static let baseName = "base"

  private static let withParameters = [
    "conv1d", "conv2d", "depthwise_conv2d", "separable_conv2d", "conv2d_transpose", "dense", "embedding",
    "batch_norm", "layer_norm", "group_norm", "prelu", "position_bias",
  ]

  /// Patterns of layers before the last one, which is always trained.
  private static func patterns(_ network: NetworkDraw) -> [String] {
    network.layers.dropLast().compactMap { layer in
      guard let word = layer.kind, withParameters.contains(word) else { return nil }
      if let name = layer.payload?["name"]?.word { return name }
      // The last layer is one of these.
      return word == "dense" ? nil : "\(word)*"
    }
  }

  /// `training.layers`; nil for most draws.
  static func rules(_ network: NetworkDraw, epochs: Int, _ dice: inout Dice) -> Node? {
    guard dice.chance(0.3) else { return nil }
    if dice.chance(0.03) { return "none" }
    var rules: [Node] = []
    if dice.chance(0.3) {
      rules.append(["match": "*/kernel", "learning_rate_scale": dice.decimal(0.1...4)])
    }
    if dice.chance(0.3) { rules.append(["match": "dense*", "weight_decay": dice.decimal(0...0.05)]) }
    let patterns = patterns(network)
    if patterns.contains("batch_norm*"), dice.chance(0.2) {
      rules.append(["match": "batch_norm*/moving_*", "frozen": "true"])
    }
    for _ in 0..<dice.integer(1...3) {
      let pattern = patterns.isEmpty || dice.chance(0.2) ? "*/bias" : dice.pick(patterns)
      rules.append(["match": .scalar(pattern), "frozen": freezing(epochs: epochs, &dice)])
    }
    return .list(rules)
  }

  private static func freezing(epochs: Int, _ dice: inout Dice) -> Node {
    if dice.chance(0.1) { return "false" }
    guard epochs > 1, dice.chance(0.6) else { return "true" }
    return ["until": ["epochs": Node(dice.integer(1...epochs - 1))]]
  }

  /// `training.start`; nil for most draws.
  static func start(_ dice: inout Dice) -> Node? {
    guard dice.chance(0.15) else { return nil }
    if dice.chance(0.1) { return "none" }
    var start: Node = ["checkpoint": .scalar(baseName)]
    if dice.chance(0.4) { start["layers"] = [dice.word(["*", "*/kernel", "d*"])] }
    // Every network has a layer of that letter, its last one.
    if dice.chance(0.3) { start["rename"] = ["d*": "d*"] }
    if dice.chance(0.4) { start["statistics"] = dice.word(["true", "false"]) }
    if dice.chance(0.3) { start["on_mismatch"] = dice.word(["error", "skip"]) }
    return start
  }
}
