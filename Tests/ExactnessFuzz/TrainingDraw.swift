import HDF5

/// How a drawn network is trained, for how long, and which checkpoints are kept.
struct TrainingDraw {
  /// `training`.
  private(set) var keys: Node
  /// Keys of `data` besides the sources.
  private(set) var dataKeys: [Node.Entry] = []
  private(set) var checkpoints: Node?
  /// Steps of the whole training, about.
  let steps: Int

  /// Multiplications of a whole training, at most, which keep it within a second.
  private static let mostWork = 400_000_000

  /// - Parameters:
  ///   - task: its numbers of samples are drawn here.
  ///   - network: what is trained.
  init(_ task: inout TaskDraw, _ network: NetworkDraw, hasBF16: Bool, _ dice: inout Dice) {
    let epochs = dice.integer(1...4)
    let batch = dice.pick(weighted: [(1, 1), (3, 50), (3, dice.integer(2...12)), (6, dice.integer(13...60))])
    var perEpoch = max(2, dice.integer(10...40) / epochs)
    while perEpoch > 2, perEpoch * batch * epochs * network.work > Self.mostWork { perEpoch -= 1 }
    // The last minibatch of an epoch is mostly a short one.
    let rest = batch > 1 && dice.chance(0.75) ? dice.integer(1...batch - 1) : 0
    task.data.samples = max(2, perEpoch * batch + rest)
    task.data.testSamples = dice.chance(0.6) ? dice.integer(1...40) : 0
    let accumulate = dice.chance(0.15) ? dice.integer(1...min(3, perEpoch)) : nil
    steps = max(1, (perEpoch + 1) / (accumulate ?? 1)) * epochs

    keys = ["epochs": Node(epochs), "batch": Node(batch)]
    drawShards(batch, hasBF16: hasBF16, &dice)
    let overfits = dice.chance(0.03)
    if !overfits, dice.chance(0.45) {
      keys["augmentation"] = AugmentationDraw.steps(task, &dice)
    }
    keys["loss"] = task.loss
    if let metrics = task.metrics { keys["metrics"] = metrics }
    keys["optimizer"] = OptimizerDraw.optimizer(&dice)
    if dice.chance(0.1) { keys["base_batch"] = dice.chance(0.1) ? "none" : Node(dice.integer(8...64)) }
    if dice.chance(0.6) { keys["schedule"] = ScheduleDraw.schedule(epochs: epochs, steps: steps, &dice) }
    drawPrecision(hasBF16, &dice)
    drawEpochEnd(task, epochs, &dice)
    drawUpdates(&dice)
    keys["layers"] = TransferDraw.rules(network, epochs: epochs, &dice)
    keys["start"] = TransferDraw.start(&dice)
    if let accumulate { keys["accumulate"] = Node(accumulate) }
    if overfits {
      keys["overfit_batches"] = Node(dice.integer(1...2))
    } else if dice.chance(0.02) {
      keys["overfit_batches"] = "none"
    }
    drawLimits(accumulate ?? 1, perEpoch, overfits: overfits, &dice)
    if dice.chance(0.06) {
      keys["on_nonfinite"] = ["skip": Node(dice.integer(20...1000))]
      if task.data.type == .float32, task.data.vocabulary == nil, dice.chance(0.7) {
        task.data.spikes = dice.integer(1...3)
      }
    } else if dice.chance(0.05) {
      keys["on_nonfinite"] = "stop"
    }
    drawReading(&task, batch, &dice)
    drawCheckpoints(&dice)
  }

  /// Whether the same training of fewer epochs is the beginning of this one: no schedule looks at their number, and nothing is
  /// kept for the last one.
  var isBeginningOfLonger: Bool {
    guard !dataKeys.contains(where: { $0.key == "validation" }) else { return false }
    // What is unfrozen must be unfrozen before the end.
    if keys["layers"]?.items?.contains(where: { $0["frozen"]?.kind == "until" }) ?? false { return false }
    return switch keys["schedule"]?.kind {
    case nil, "constant", "exponential", "cosine_restarts": true
    default: false
    }
  }

  // MARK: - Numerics

  private mutating func drawShards(_ batch: Int, hasBF16: Bool, _ dice: inout Dice) {
    if dice.chance(0.12) {
      keys["parallelism"] = "intra"
      if dice.chance(0.3) { keys["shard"] = 1 }
      return
    }
    if dice.chance(0.05) { keys["parallelism"] = "shards" }
    guard dice.chance(0.75) else { return }
    if dice.chance(0.05) {
      keys["shard"] = "auto"
      return
    }
    let sizes = (1...batch).filter { batch % $0 != 0 }
    keys["shard"] = Node(!sizes.isEmpty && dice.chance(0.7) ? dice.pick(sizes) : dice.integer(1...batch))
  }

  private mutating func drawPrecision(_ hasBF16: Bool, _ dice: inout Dice) {
    let isIntra = keys["parallelism"]?.word == "intra"
    // Drawn on every machine, so that the rest of a draw does not depend on it.
    let wantsBF16 = dice.chance(0.25)
    if wantsBF16 { keys["precision"] = hasBF16 && !isIntra ? "bf16" : "fp32" }
    switch dice.share() {
    case ..<0.04: keys["tuning"] = "measured"
    case ..<0.12: keys["tuning"] = ["file": .scalar(Self.kernelsFile)]
    case ..<0.16: keys["tuning"] = "direct"
    case ..<0.22: keys["tuning"] = "model"
    default: break
    }
  }

  /// What `convoy tune --save` writes for a draw.
  static let kernelsFile = "kernels.txt"

  private mutating func drawUpdates(_ dice: inout Dice) {
    if dice.chance(0.3) {
      keys["clipping"] =
        dice.chance(0.1)
        ? "none" : dice.chance(0.6) ? ["norm": dice.decimal(0.05...2)] : ["value": dice.decimal(0.005...0.1)]
    }
    if dice.chance(0.2) { keys["weight_decay_on"] = dice.chance(0.8) ? "kernels" : "all" }
    if dice.chance(0.2) {
      var average: Node = ["decay": dice.decimal(0.5...0.999)]
      if dice.chance(0.4) { average["rise"] = .scalar("\(dice.chance(0.8))") }
      keys["ema"] = dice.chance(0.05) ? "none" : average
    }
    if dice.chance(0.15) {
      var bound: Node = ["limit": dice.decimal(0.2...2)]
      if dice.chance(0.5) { bound["layers"] = dice.chance(0.5) ? ["dense*"] : ["*"] }
      keys["max_norm"] = dice.chance(0.05) ? "none" : bound
    }
    if dice.chance(0.12) {
      let rules: [Node] = [
        ["match": "*/bias", "scale": 0], ["match": "dense*", "scale": dice.decimal(0.1...3)],
        ["match": "*", "scale": 2],
      ]
      let chosen = rules.filter { _ in dice.chance(0.6) }
      keys["weight_decay_rules"] = chosen.isEmpty ? "none" : .list(chosen)
    }
  }

  // MARK: - Epochs

  private mutating func drawEpochEnd(_ task: TaskDraw, _ epochs: Int, _ dice: inout Dice) {
    if dice.chance(0.3) {
      let figures = task.metrics?.items?.compactMap(\.word) ?? Self.usual(task)
      keys["monitor"] = dice.chance(0.4) ? "loss" : dice.word(figures)
    }
    let plateau = keys["schedule"]?["plateau"] != nil || keys["schedule"]?.kind == "plateau"
    if dice.chance(0.15), !plateau {
      keys["patience"] = dice.chance(0.1) ? "none" : Node(dice.integer(1...2))
    }
  }

  /// The figures that a run has where none are named.
  private static func usual(_ task: TaskDraw) -> [String] {
    switch task.data.target {
    case .classes, .shares: ["accuracy"]
    case .yesNo, .severalLabels: ["accuracy", "precision", "recall", "f1"]
    case .numbers: ["mean_absolute_error", "root_mean_squared_error", "r2"]
    }
  }

  private mutating func drawLimits(_ least: Int, _ perEpoch: Int, overfits: Bool, _ dice: inout Dice) {
    var limits: [Node.Entry] = []
    if dice.chance(0.1) {
      let training = dice.integer(max(least, 2)...max(least, 2, perEpoch))
      limits.append(.init(key: "training", value: dice.chance(0.1) ? "none" : Node(training)))
    }
    if dice.chance(0.1) {
      limits.append(.init(key: "evaluation", value: dice.chance(0.1) ? "none" : Node(dice.integer(1...3))))
    }
    if !limits.isEmpty { keys["limits"] = .map(limits) }
  }

  // MARK: - Reading and saving

  private mutating func drawReading(_ task: inout TaskDraw, _ batch: Int, _ dice: inout Dice) {
    switch dice.integer(0...3) {
    case 0...1: break
    case 2: task.data.storage = .chunked(dice.integer(1...2 * batch))
    default: task.data.storage = .deflated(dice.integer(1...2 * batch), shuffled: dice.chance(0.5))
    }
    if task.data.testSamples == 0, dice.chance(0.1) {
      dataKeys.append(.init(key: "test", value: "none"))
    }
    if dice.chance(0.35) {
      let limit = max(1, Int(Double(task.data.byteCount) * dice.number(0.1...0.9)))
      dataKeys.append(.init(key: "memory_limit", value: .scalar(Self.bytes(limit))))
    }
    if dice.chance(0.15) { dataKeys.append(.init(key: "stage", value: dice.chance(0.1) ? "none" : "stage")) }
    if dice.chance(0.4) {
      dataKeys.append(.init(key: "shuffle", value: dice.word(["true", "false", "once"])))
    }
    if dice.chance(0.2) {
      let isShare = dice.chance(0.5)
      var entries: [Node.Entry] = [
        isShare
          ? .init(key: "fraction", value: dice.decimal(0.1...0.4))
          : .init(key: "count", value: Node(dice.integer(1...max(1, task.data.samples / 3))))
      ]
      // Samples without one class each cannot be held out class by class.
      let choices = ["random", "first", "last"] + (task.data.target.isLabels ? ["stratified"] : [])
      if dice.chance(0.7) || !task.data.target.isLabels {
        entries.append(.init(key: "take", value: dice.word(choices)))
      }
      if dice.chance(0.3) { entries.append(.init(key: "seed", value: Node(dice.integer(0...9)))) }
      dataKeys.append(.init(key: "validation", value: dice.chance(0.05) ? "none" : .map(entries)))
    }
  }

  /// A size as configurations have it.
  static func bytes(_ count: Int) -> String { "\(count) B" }

  private mutating func drawCheckpoints(_ dice: inout Dice) {
    var entries: [Node.Entry] = []
    if dice.chance(0.8) {
      let every: Node =
        switch dice.share() {
        case ..<0.7: ["steps": Node(dice.integer(1...9))]
        case ..<0.9: ["epochs": Node(dice.integer(1...2))]
        default: ["minutes": "0.001"]
        }
      entries.append(.init(key: "every", value: every))
    }
    if dice.chance(0.4) {
      entries.append(
        .init(
          key: "keep", value: ["last": Node(dice.integer(2...4)), "best": Node(dice.integer(0...2))]))
    }
    checkpoints = entries.isEmpty ? nil : .map(entries)
  }
}
