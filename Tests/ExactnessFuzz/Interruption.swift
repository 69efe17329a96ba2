import Foundation

/// One start of a training that is interrupted and taken up again: on how many workers, with how much memory, and what ends it.
struct Start: Hashable, Sendable {
  /// When a signal is sent.
  enum Moment: Hashable, Sendable {
    /// After this share of the time that the uninterrupted run took.
    case share(Double)
    /// So many microseconds into the writing of a checkpoint, after so many others of this start.
    case checkpoint(after: Int, microseconds: Int)
  }

  enum End: Hashable, Sendable {
    /// Goes on to the end of the training.
    case none
    /// `--steps`.
    case steps(Int)
    /// It is trained for so many epochs, and for more of them afterwards.
    case epochs(Int)
    case signal(StopSignal, Moment)
  }

  var workers: Int
  /// The processes that train together; one where the fuzzer was given no launcher.
  var crew = Crew()
  /// Share of the training images that fit into memory, nil for the configuration's own limit.
  var memory: Double?
  var end: End
}

/// The processes of one start.
struct Crew: Hashable, Sendable {
  /// How many, from 1.
  var ranks = 1
  /// Which of the launchers starts them, counted round and round.
  var launcher = 0
}

extension Crew {
  /// - Parameter least: ranks at least.
  init(_ dice: inout Dice, least: Int = 1) {
    ranks = dice.chance(0.3) ? least : dice.integer(2...4)
    launcher = dice.integer(0...1)
  }
}

/// The signals that end a training: all but the last with a checkpoint.
enum StopSignal: String, CaseIterable, Sendable {
  case term = "SIGTERM"
  case interrupt = "SIGINT"
  case user = "SIGUSR1"
  case hangUp = "SIGHUP"
  case kill = "SIGKILL"

  var number: Int32 {
    switch self {
    case .term: SIGTERM
    case .interrupt: SIGINT
    case .user: SIGUSR1
    case .hangUp: SIGHUP
    case .kill: SIGKILL
    }
  }
}

extension Start {
  static let workerCounts = [1, 2, 3, 4, 8]

  /// The starts of one interrupted training; the last one goes on to the end.
  ///
  /// - Parameters:
  ///   - steps: of the whole training, about.
  ///   - epochs: of the whole training, where fewer of them are the beginning of it.
  static func draw(steps: Int, epochs: Int?, _ dice: inout Dice) -> [Start] {
    let stepsAlone = dice.chance(0.35)
    var starts: [Start] = []
    if let epochs, epochs > 1, dice.chance(0.3) {
      let end = End.epochs(dice.integer(1...epochs - 1))
      starts.append(Start(workers: dice.pick(workerCounts), memory: memory(&dice), end: end))
    }
    for _ in 0..<dice.integer(stepsAlone ? 2...5 : 2...4) {
      let end: End =
        stepsAlone || dice.chance(0.3)
        ? .steps(dice.integer(1...max(1, steps / 3))) : .signal(signal(&dice), moment(&dice))
      starts.append(Start(workers: dice.pick(workerCounts), memory: memory(&dice), end: end))
    }
    return starts + [Start(workers: dice.pick(workerCounts), memory: memory(&dice), end: .none)]
  }

  private static func signal(_ dice: inout Dice) -> StopSignal {
    dice.chance(0.4) ? .kill : dice.pick([.term, .interrupt, .user, .hangUp])
  }

  private static func moment(_ dice: inout Dice) -> Moment {
    if dice.chance(0.4) {
      return .checkpoint(after: dice.integer(0...3), microseconds: dice.integer(0...2000))
    }
    return .share(dice.number(0.05...0.95))
  }

  private static func memory(_ dice: inout Dice) -> Double? {
    dice.chance(0.5) ? nil : dice.chance(0.3) ? 2 : dice.number(0.1...0.9)
  }
}
