import HDF5

/// What is to be learnt: the samples, their targets, and the loss with what belongs to it.
struct TaskDraw {
  var data: DrawnData
  let loss: Node
  /// Nil where the usual ones are taken.
  let metrics: Node?
  /// The figures that `monitor` can name.
  let figures: [String]

  /// Whether samples are images with as many rows as columns.
  var isSquare: Bool { data.shape.count == 3 && data.shape[0] == data.shape[1] }

  init(_ dice: inout Dice) {
    let target = dice.pick(weighted: [
      (5, DrawnData.Target.classes), (1, .yesNo), (1, .shares), (1.5, .severalLabels), (2, .numbers),
    ])
    let shape = Self.shape(&dice)
    let outputs = Self.outputs(target, shape, &dice)
    let words = shape.count == 1 && dice.chance(0.6)
    data = DrawnData(
      samples: 0, testSamples: 0, shape: shape, outputs: outputs, target: target,
      type: dice.pick(weighted: [
        (4, NumberType.uint8), (4, .float32), (0.4, .float64), (0.4, .int16), (0.4, .uint16),
      ]),
      vocabulary: words ? dice.integer(2...60) : nil, storage: .contiguous, hasWeights: dice.chance(0.2),
      spikes: 0, seed: dice.next())
    (loss, figures) = Self.loss(target, outputs, &dice)
    metrics = dice.chance(0.4) ? Self.metrics(figures, outputs, &dice) : nil
  }

  private static func outputs(_ target: DrawnData.Target, _ shape: [Int], _ dice: inout Dice) -> Int {
    // Small images are boards at times, on which answers lie.
    let points = shape.count == 3 ? shape[0] * shape[1] : 0
    let isBoard = (2...80).contains(points) && dice.chance(0.4)
    let hasPass = dice.chance(0.4)
    switch target {
    case .yesNo: return 1
    case .classes, .shares: return isBoard ? points + (hasPass ? 1 : 0) : dice.integer(2...12)
    case .severalLabels, .numbers:
      return isBoard ? hasPass ? points + 1 : points * dice.integer(1...2) : dice.integer(1...6)
    }
  }

  private static func shape(_ dice: inout Dice) -> [Int] {
    let side = { (dice: inout Dice) in
      dice.chance(0.5) ? dice.pick([7, 8, 10, 12, 14, 16]) : dice.integer(1...17)
    }
    switch dice.pick(weighted: [(7, 3), (1.5, 2), (1.5, 1)]) {
    case 3:
      let height = side(&dice)
      let channels = dice.pick(weighted: [(4, 1), (3, 3), (1, 24), (1, 40), (2, dice.integer(1...40))])
      return [height, dice.chance(0.5) ? height : side(&dice), channels]
    case 2: return [dice.integer(2...40), dice.integer(1...24)]
    default: return [dice.integer(1...40)]
    }
  }

  // MARK: - The loss

  private static func loss(
    _ target: DrawnData.Target, _ outputs: Int, _ dice: inout Dice
  ) -> (Node, figures: [String]) {
    let decisions = ["precision", "recall", "f1"]
    let regression = { (dice: inout Dice) -> Node in
      switch dice.integer(0...2) {
      case 0: "mean_squared_error"
      case 1: "mean_absolute_error"
      default: .kind("huber", dice.chance(0.7) ? [.init(key: "delta", value: dice.decimal(0.1...2))] : [])
      }
    }
    let classes =
      ["accuracy"] + decisions + [2, 3, 5, 10].filter { $0 < outputs }.map { "top_\($0)_accuracy" }
    switch target {
    case .classes where dice.chance(0.15): return (regression(&dice), classes)
    case .classes, .shares:
      return (crossEntropy("softmax_cross_entropy", target, outputs, &dice), classes)
    case .yesNo, .severalLabels:
      let word = dice.chance(0.3) ? "sigmoid_focal_cross_entropy" : "sigmoid_cross_entropy"
      let loss = crossEntropy(word, target, outputs, &dice)
      return (loss, ["accuracy", "exact_match"] + decisions)
    case .numbers:
      return (
        regression(&dice),
        ["mean_absolute_error", "mean_squared_error", "root_mean_squared_error", "r2"]
          + (outputs > 1 ? ["cosine_similarity"] : [])
      )
    }
  }

  private static func crossEntropy(
    _ word: String, _ target: DrawnData.Target, _ outputs: Int, _ dice: inout Dice
  ) -> Node {
    var entries: [Node.Entry] = []
    if word == "sigmoid_focal_cross_entropy" {
      if dice.chance(0.5) { entries.append(.init(key: "gamma", value: dice.decimal(0...4))) }
      if dice.chance(0.5) {
        entries.append(.init(key: "alpha", value: dice.chance(0.1) ? "none" : dice.decimal(0...1)))
      }
    }
    if dice.chance(0.3) { entries.append(.init(key: "label_smoothing", value: dice.decimal(0...0.4))) }
    if dice.chance(0.3) {
      let weights: Node =
        if dice.chance(0.1) { "none" } else if target.isLabels || target == .shares, dice.chance(0.4) {
          "balanced"
        } else {
          .list((0..<(target == .yesNo ? 2 : outputs)).map { _ in dice.decimal(0.1...3) })
        }
      entries.append(.init(key: "class_weights", value: weights))
    }
    return .kind(word, entries)
  }

  private static func metrics(_ figures: [String], _ outputs: Int, _ dice: inout Dice) -> Node {
    let chosen = figures.filter { _ in dice.chance(0.5) }
    return .list((chosen.isEmpty ? [figures[0]] : chosen).map { .scalar($0) })
  }
}
