/// A training and how it is interrupted.
///
/// A value, so that simpler ones can be made of it.
struct Draw: Hashable, Sendable {
  /// The network's blocks and layers, `training`, `checkpoints`, and of `data` all but the sources.
  ///
  /// What follows from the data, the input shape and the sources, is added in ``yaml``; ``outputsWord`` stands for the number of
  /// outputs.
  var configuration: Node
  var data: DrawnData
  /// Workers of the run that nobody interrupts.
  var workers: Int
  /// Workers of another such run, which must give the same; nil for none.
  var otherWorkers: Int?
  /// The processes of that other run, where there is a launcher.
  var otherCrew: Crew
  /// Numbers of ranks, as threads of one process, which must give the same steps; nil for no such proof.
  var provenRanks: [Int]?
  /// Trainings that are interrupted, each with its starts.
  var interrupted: [[Start]]

  static let outputsWord = "OUTPUTS"

  /// - Parameters:
  ///   - seed: of all draws.
  ///   - number: of this one, from 0.
  ///   - attempt: counts the draws under this number that the program refused.
  init(seed: UInt64, number: Int, attempt: Int, hasBF16: Bool) {
    var dice = Dice(seed, UInt64(number), UInt64(attempt))
    var task = TaskDraw(&dice)
    let network = NetworkDraw(task.data, isBoard: task.isSquare, &dice)
    let training = TrainingDraw(&task, network, hasBF16: hasBF16, &dice)
    data = task.data
    var sections: Node = ["name": "fuzz", "seed": Node(dice.integer(0...99))]
    sections["data"] = .map(training.dataKeys)
    sections["network"] = .map(
      (network.blocks.isEmpty ? [] : [.init(key: "blocks", value: .map(network.blocks))])
        + [.init(key: "layers", value: .list(network.layers))])
    sections["training"] = training.keys
    if let checkpoints = training.checkpoints { sections["checkpoints"] = checkpoints }
    configuration = sections
    workers = dice.pick(Start.workerCounts)
    let own = workers
    otherWorkers = dice.chance(0.5) ? dice.pick(Start.workerCounts.filter { $0 != own }) : nil
    let steps = training.steps
    let epochs = training.isBeginningOfLonger ? training.keys["epochs"]?.integer : nil
    interrupted = (0..<(dice.chance(0.3) ? 2 : 1)).map { _ in
      Start.draw(steps: steps, epochs: epochs, &dice)
    }
    // Of their own dice, so that the rest of a draw is what it was.
    var others = Dice(seed, UInt64(number), UInt64(attempt), 1)
    if others.chance(0.1) { configuration["ranks"] = ["timeout": Node(others.integer(60...600))] }
    otherCrew = Crew(&others, least: 2)
    provenRanks = others.chance(0.3) ? [others.integer(2...3), others.integer(2...6)] : nil
    for run in interrupted.indices {
      for start in interrupted[run].indices { interrupted[run][start].crew = Crew(&others) }
    }
  }

  /// The configuration as a file beside the data.
  var yaml: String { whole.yaml.replacing(Self.outputsWord, with: "\(data.outputs)") }

  /// The configuration with what follows from the data.
  var whole: Node {
    var whole: Node = [:]
    for section in configuration.entries ?? [] {
      switch section.key {
      case "data":
        var sources: [Node.Entry] = [.init(key: "train", value: data.source("train"))]
        if data.testSamples > 0 { sources.append(.init(key: "test", value: data.source("test"))) }
        whole["data"] = .map(sources + (section.value.entries ?? []))
      case "network":
        let input = Node.Entry(key: "input", value: .list(data.shape.map { Node($0) }))
        whole["network"] = .map([input] + (section.value.entries ?? []))
      default: whole[section.key] = section.value
      }
    }
    return whole
  }

  var training: Node { configuration["training"] ?? [:] }
}
