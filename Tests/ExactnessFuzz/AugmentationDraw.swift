/// Lists of `training.augmentation`.
enum AugmentationDraw {
  static func steps(_ task: TaskDraw, _ dice: inout Dice) -> Node {
    if dice.chance(0.03) { return "none" }
    let words = words(task)
    guard !words.isEmpty else { return "none" }
    return .list((0..<dice.integer(1...3)).map { _ in step(dice.pick(words), task, &dice) })
  }

  private static let ofImages = [
    "flip_horizontal", "flip_vertical", "pad_and_crop", "rotate", "affine", "brightness", "contrast",
    "random_erasing", "cutout", "mask", "noise", "gain",
  ]

  /// The steps that fit the samples.
  private static func words(_ task: TaskDraw) -> [String] {
    // A mixture of word numbers is no word.
    let mixing = task.data.vocabulary == nil ? ["mixup"] : []
    guard task.data.shape.count == 3 else { return mixing }
    return ofImages + mixing + ["cutmix"] + (task.isSquare ? ["board_symmetry"] : [])
      + (task.data.shape[2] == 3 ? ["saturation", "saturation"] : [])
  }

  private static func step(_ word: String, _ task: TaskDraw, _ dice: inout Dice) -> Node {
    let (height, width) = (task.data.shape[0], task.data.shape.count > 1 ? task.data.shape[1] : 1)
    switch word {
    case "pad_and_crop":
      let most = max(0, min(3, height - 1, width - 1))
      let (rows, columns) = (dice.integer(0...most), dice.integer(0...most))
      let padding: Node = dice.chance(0.5) ? Node(rows) : [Node(rows), Node(columns)]
      return .kind(
        word,
        [.init(key: "padding", value: padding)] + border(&dice) + answer(task, movesAnywhere: true, &dice))
    case "rotate":
      let degrees = Node.Entry(key: "degrees", value: dice.decimal(0...90))
      return .kind(
        word,
        [degrees] + border(&dice) + probability(&dice) + answer(task, movesAnywhere: true, &dice))
    case "affine":
      return .kind(
        word,
        affine(&dice) + border(&dice) + probability(&dice) + answer(task, movesAnywhere: true, &dice))
    case "brightness", "contrast", "saturation":
      return .kind(word, [.init(key: "strength", value: dice.decimal(0...1))])
    case "random_erasing": return .kind(word, probability(&dice) + erasing(&dice))
    case "cutout":
      let (rows, columns) = (dice.integer(1...4), dice.integer(1...4))
      let size: Node = dice.chance(0.5) ? Node(rows) : [Node(rows), Node(columns)]
      let fill = dice.chance(0.4) ? [Node.Entry(key: "fill", value: dice.decimal(0...1))] : []
      return .kind(word, [.init(key: "size", value: size)] + fill + probability(&dice))
    case "mask":
      let rows = Node.Entry(key: "rows", value: Node(dice.integer(0...3)))
      let columns = Node.Entry(key: "columns", value: Node(dice.integer(0...3)))
      let count = dice.chance(0.5) ? [Node.Entry(key: "count", value: Node(dice.integer(1...3)))] : []
      let fill = dice.chance(0.4) ? [Node.Entry(key: "fill", value: dice.decimal(0...1))] : []
      return .kind(word, [rows, columns] + count + fill)
    case "noise": return .kind(word, [.init(key: "deviation", value: dice.decimal(0...0.5))])
    case "gain": return .kind(word, [.init(key: "strength", value: dice.decimal(0...1))])
    case "mixup", "cutmix":
      let alpha = dice.chance(0.5) ? [Node.Entry(key: "alpha", value: dice.decimal(0.1...2))] : []
      return .kind(word, alpha + probability(&dice))
    case "flip_horizontal", "flip_vertical":
      return .kind(word, probability(&dice) + answer(task, movesAnywhere: false, &dice))
    case "board_symmetry": return .kind(word, answer(task, isBoard: true, movesAnywhere: false, &dice))
    default: return .scalar(word)
    }
  }

  /// What the step does to answers, where that must be said, and at times where it need not be.
  private static func answer(
    _ task: TaskDraw, isBoard: Bool = false, movesAnywhere: Bool, _ dice: inout Dice
  ) -> [Node.Entry] {
    let points = task.data.shape[0] * task.data.shape[1]
    let outputs = task.data.outputs
    let isOfClasses = [.classes, .yesNo, .shares].contains(task.data.target)
    let fits = outputs == points || outputs == points + 1 || (!isOfClasses && outputs.isMultiple(of: points))
    let isKnown = isBoard ? outputs == points || outputs == points + 1 : task.data.target != .numbers && !fits
    if isKnown, dice.chance(0.7) { return [] }
    let canMove = fits && !(movesAnywhere && isOfClasses)
    return [.init(key: "answer", value: canMove && dice.chance(0.6) ? "board" : "none")]
  }

  private static func affine(_ dice: inout Dice) -> [Node.Entry] {
    var entries: [Node.Entry] = []
    if dice.chance(0.5) { entries.append(.init(key: "degrees", value: dice.decimal(0...40))) }
    if dice.chance(0.5) { entries.append(.init(key: "translate", value: dice.decimal(0...0.3))) }
    if dice.chance(0.5) {
      let scale: Node = dice.chance(0.2) ? "none" : [dice.decimal(0.5...0.9), dice.decimal(0.9...1.5)]
      entries.append(.init(key: "scale", value: scale))
    }
    if dice.chance(0.5) { entries.append(.init(key: "shear", value: dice.decimal(0...20))) }
    return entries
  }

  private static func erasing(_ dice: inout Dice) -> [Node.Entry] {
    func range(_ low: ClosedRange<Double>, _ high: ClosedRange<Double>) -> Node {
      dice.chance(0.2) ? "default" : [dice.decimal(low), dice.decimal(high)]
    }
    var entries: [Node.Entry] = []
    if dice.chance(0.4) { entries.append(.init(key: "area", value: range(0.01...0.1, 0.1...0.5))) }
    if dice.chance(0.4) { entries.append(.init(key: "aspect", value: range(0.3...0.9, 0.9...3))) }
    if dice.chance(0.4) {
      entries.append(
        .init(key: "fill", value: dice.chance(0.3) ? "random" : ["value": dice.decimal(0...1)]))
    }
    return entries
  }

  private static func border(_ dice: inout Dice) -> [Node.Entry] {
    dice.chance(0.6) ? [.init(key: "border", value: dice.word(["zero", "edge", "reflect"]))] : []
  }

  private static func probability(_ dice: inout Dice) -> [Node.Entry] {
    dice.chance(0.4) ? [.init(key: "probability", value: dice.decimal(0.2...1))] : []
  }
}
