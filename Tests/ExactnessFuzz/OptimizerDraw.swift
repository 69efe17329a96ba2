/// Kinds of `training.optimizer`.
enum OptimizerDraw {
  static let words = [
    "sgd", "adam", "adamw", "nadam", "rmsprop", "adagrad", "adadelta", "lion", "lars", "lamb",
  ]

  static func optimizer(_ dice: inout Dice) -> Node {
    let word = dice.pick(words + ["sgd", "sgd", "adam"])
    var entries = [Node.Entry(key: "learning_rate", value: dice.decimal(rates(word)))]
    func some(_ key: String, _ value: Node) {
      if dice.chance(0.4) { entries.append(.init(key: key, value: value)) }
    }
    let epsilon: Node = "1e-5"
    switch word {
    case "sgd":
      some("momentum", dice.decimal(0...0.95))
      some("nesterov", .scalar("\(dice.chance(0.7))"))
    case "adam", "adamw", "nadam", "lamb":
      some("beta1", dice.decimal(0...0.95))
      some("beta2", dice.decimal(0.5...0.999))
      some("epsilon", epsilon)
    case "rmsprop":
      some("rho", dice.decimal(0.5...0.99))
      some("momentum", dice.decimal(0...0.9))
      some("epsilon", epsilon)
      some("centered", .scalar("\(dice.chance(0.7))"))
    case "adagrad":
      some("initial_accumulator", dice.decimal(0...1))
      some("epsilon", epsilon)
    case "adadelta":
      some("rho", dice.decimal(0.5...0.99))
      some("epsilon", epsilon)
    case "lion":
      some("beta1", dice.decimal(0.5...0.95))
      some("beta2", dice.decimal(0.5...0.99))
    default:
      some("momentum", dice.decimal(0...0.95))
      some("trust", dice.decimal(0.001...0.02))
      some("epsilon", epsilon)
    }
    some("weight_decay", dice.decimal(0...0.05))
    return .kind(word, entries)
  }

  /// Rates at which most networks do not run away.
  private static func rates(_ word: String) -> ClosedRange<Double> {
    switch word {
    case "sgd": 0.001...0.03
    case "adadelta", "lars": 0.05...1
    default: 0.001...0.01
    }
  }
}
