/// Kinds of `training.schedule`.
enum ScheduleDraw {
  private static let words = [
    "constant", "step", "cosine", "exponential", "polynomial", "cosine_restarts", "one_cycle", "plateau",
  ]

  static func schedule(epochs: Int, steps: Int, _ dice: inout Dice) -> Node {
    // A plateau takes two epochs at least.
    let word = dice.pick(epochs < 2 ? words.filter { $0 != "plateau" } : words)
    var entries: [Node.Entry] = []
    func write(_ key: String, _ value: Node, _ probability: Double = 1) {
      if dice.chance(probability) { entries.append(.init(key: key, value: value)) }
    }
    switch word {
    case "step":
      let first = dice.integer(1...max(1, steps / 3))
      let times: [Node] = [["steps": Node(first)], ["steps": Node(first + dice.integer(1...8))]]
      let epoch: Node = ["epochs": .scalar("\(Double(epochs) / 2)")]
      write("at", .list(dice.chance(0.3) ? [epoch] : dice.chance(0.5) ? times : [times[0]]))
      write("factor", dice.decimal(0...1), 0.6)
    case "cosine":
      write("over", over(epochs, steps, &dice), 0.4)
      write("floor", dice.decimal(0...0.5), 0.4)
    case "exponential":
      write("every", span(epochs, steps, &dice))
      write("factor", dice.decimal(0.3...1))
      write("staircase", .scalar("\(dice.chance(0.7))"), 0.5)
    case "polynomial":
      write("power", dice.decimal(0.5...3), 0.5)
      write("over", over(epochs, steps, &dice), 0.4)
      write("floor", dice.decimal(0...0.5), 0.4)
    case "cosine_restarts":
      write("first", span(epochs, steps, &dice))
      write("stretch", dice.decimal(1...3), 0.5)
      write("shrink", dice.decimal(0.3...1), 0.5)
      write("floor", dice.decimal(0...0.5), 0.4)
    case "one_cycle":
      write("rise", dice.decimal(0...0.8), 0.5)
      write("start", dice.decimal(0...0.5), 0.5)
      write("end", dice.decimal(0...0.1), 0.5)
    case "plateau":
      write("factor", dice.decimal(0.1...0.9), 0.7)
      write("patience", Node(dice.integer(1...max(1, min(2, epochs - 1)))))
      write("min_gain", dice.decimal(0...0.1), 0.5)
      write("cooldown", Node(dice.integer(0...2)), 0.5)
      write("floor", dice.decimal(0...0.5), 0.5)
    default: break
    }
    // A fall of so many epochs must get to its end after the warm-up.
    let fallsByEpochs = entries.contains { $0.key == "over" && $0.value["epochs"] != nil }
    if word != "one_cycle" { write("warmup", warmup(takesEpochs: !fallsByEpochs, &dice), 0.35) }
    return .kind(word, entries)
  }

  private static func warmup(takesEpochs: Bool, _ dice: inout Dice) -> Node {
    switch dice.integer(0...9) {
    case 0: "none"
    case 1...4 where takesEpochs: ["epochs": dice.decimal(0.1...0.9)]
    default: ["steps": Node(dice.integer(1...9))]
    }
  }

  private static func over(_ epochs: Int, _ steps: Int, _ dice: inout Dice) -> Node {
    dice.chance(0.2) ? "run" : span(epochs, steps, &dice)
  }

  private static func span(_ epochs: Int, _ steps: Int, _ dice: inout Dice) -> Node {
    dice.chance(0.4) ? ["epochs": dice.decimal(0.3...1)] : ["steps": Node(dice.integer(1...max(2, steps)))]
  }
}
