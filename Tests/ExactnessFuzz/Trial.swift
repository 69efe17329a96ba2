import Foundation

/// What a draw came to.
enum Outcome {
  case exact
  /// The program does not take the configuration: another is drawn in its place.
  case refused(String)
  /// The loss or a parameter is not finite: another is drawn in its place.
  case notFinite
  case failed(Finding)
}

/// What must not happen.
struct Finding {
  enum Kind: Hashable {
    /// Two runs that must be the same are not.
    case difference
    /// The program ended with another code than it should, by a trap for instance.
    case ending(Child.Ending)
    case hang
  }

  let kind: Kind
  /// What was seen, one line each.
  let lines: [String]
}

/// Runs a draw in a folder: without an interruption, on other numbers of workers and ranks, and interrupted.
final class Trial {
  private let program: Program
  private let draw: Draw
  let folder: String
  private(set) var tally = Tally()
  /// What was started, as commands of a shell.
  private(set) var commands: [String] = []
  /// Seconds of the uninterrupted run.
  private var duration = 1.0
  /// What `convoy inspect` says of the uninterrupted run, once it was asked.
  private var wholeDigest: String?

  static let configName = "fuzz.yaml"
  private var config: String { "\(folder)/\(Self.configName)" }

  init(_ draw: Draw, program: Program, folder: String) {
    self.draw = draw
    self.program = program
    self.folder = folder
  }

  /// A finding as an error, for the way out of a trial.
  private struct Stop: Error {
    let outcome: Outcome
  }

  func run() throws -> Outcome {
    try? FileManager.default.removeItem(atPath: folder)
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try draw.data.write(to: "\(folder)/\(DrawnData.fileName)")
    try draw.yaml.write(toFile: config, atomically: false, encoding: .utf8)
    do {
      try tune()
      try trainBase()
      let whole = try trainWhole()
      try trainOtherwise(whole)
      try prove()
      for (index, starts) in draw.interrupted.enumerated() {
        let parts = try trainInterrupted(starts, as: index == 0 ? "parts" : "parts\(index + 1)")
        try compare(parts, with: whole, "interrupted")
      }
      noteSkips(whole)
      return .exact
    } catch let stop as Stop {
      return stop.outcome
    }
  }

  private var epochs: Int { draw.training["epochs"]?.integer ?? 0 }

  // MARK: - Trainings

  /// Measures kernels where the configuration names a file of them.
  private func tune() throws {
    guard draw.training["tuning"]?.kind == "file" else { return }
    let arguments = ["tune", config, "--save", "\(folder)/\(TrainingDraw.kernelsFile)", "--overwrite"]
    note(arguments, .none)
    let ending = try start(arguments, cache: "cache").wait()
    try expectSuccess(ending)
    // Drawn layers are too small to have their gradients taken over the whole minibatch, unless they are told to.
    let kernels = "\(folder)/\(TrainingDraw.kernelsFile)"
    let layers = ["dense"] + (1...20).map { "dense_\($0)" }
    let text = layers.map { "\($0)/gradient minibatch\n" }.joined()
    try (String(contentsOfFile: kernels, encoding: .utf8) + text).write(
      toFile: kernels, atomically: true, encoding: .utf8)
  }

  /// Trains a little what the draw starts from, with other initial values.
  private func trainBase() throws {
    guard draw.training["start"]?["checkpoint"] != nil else { return }
    let arguments = [
      "train", config, "--run-dir", "\(folder)/\(TransferDraw.baseName)", "--workers", "1", "--steps", "2",
      "--set", "training.start=none", "--set", "seed=1234",
    ]
    note(arguments, .none)
    try expectSuccess(judged(try start(arguments, cache: "cache").wait()))
    tally.count(.draws, "a start")
  }

  private func trainWhole() throws -> RunContents {
    let begin = ContinuousClock.now
    let whole = try trainWithout(
      interruption: Start(workers: draw.workers, memory: nil, end: .none), as: "whole")
    let time = (ContinuousClock.now - begin).components
    duration = Double(time.seconds) + Double(time.attoseconds) * 1e-18
    return whole
  }

  /// Trains on another number of workers, and with a launcher on several ranks.
  private func trainOtherwise(_ whole: RunContents) throws {
    let hasRanks = program.launcher(of: draw.otherCrew) != nil
    guard let workers = draw.otherWorkers ?? (hasRanks ? draw.workers : nil) else { return }
    let start = Start(workers: workers, crew: draw.otherCrew, memory: nil, end: .none)
    let other = try trainWithout(interruption: start, as: "other")
    let ranks = hasRanks ? "\(draw.otherCrew.ranks) ranks × " : ""
    try compare(other, with: whole, "on \(ranks)\(workers) workers instead of \(draw.workers)")
  }

  /// Takes the first steps on several ranks that are threads of one process.
  private func prove() throws {
    guard let ranks = draw.provenRanks else { return }
    let arguments = [
      "prove", config, "--ranks", ([1] + ranks).map { "\($0)" }.joined(separator: ","), "--workers",
      "\(draw.otherWorkers ?? draw.workers)", "--steps", "6",
    ]
    note(arguments, .none)
    try expectSuccess(try start(arguments, cache: "cache").wait())
    tally.count(.draws, "ranks as threads")
  }

  private func trainWithout(interruption start: Start, as name: String) throws -> RunContents {
    let run = RunContents(directory: "\(folder)/\(name)")
    try expectSuccess(
      judged(try self.start(arguments(start, name), start.crew, cache: "cache").wait()))
    guard run.isFinished(epochs: epochs) else {
      throw failure(.difference, ["\(name) ended with 0, and its state.json does not say finished"])
    }
    return run
  }

  private func trainInterrupted(_ starts: [Start], as name: String) throws -> RunContents {
    let run = RunContents(directory: "\(folder)/\(name)")
    for start in starts where !run.isFinished(epochs: epochs) {
      if case .epochs(let fewer) = start.end, fewer >= epochs {
        // Of a draw that was made smaller.
        throw Stop(outcome: .refused("no longer than its beginning"))
      }
      // Measured kernels are the checkpoint's from then on: a cache that is lost must not matter.
      let cache = run.checkpoints.isEmpty ? "cache" : "other-cache"
      let child = try self.start(arguments(start, name), start.crew, cache: cache)
      switch start.end {
      case .none, .steps:
        let ending = judged(child.wait())
        try expectSuccess(ending)
        if case .steps = start.end, !run.isFinished(epochs: epochs) {
          tally.count(.interruptions, "`--steps`")
        }
      case .epochs:
        try expectSuccess(judged(child.wait()))
        tally.count(.interruptions, "fewer epochs first")
      case .signal(let signal, let moment):
        // A launcher hands this signal on to all; what others do to it and to ranks, Scripts/kill-test tries.
        try interrupt(child, run, program.launcher(of: start.crew) == nil ? signal : .user, moment)
      }
    }
    guard run.isFinished(epochs: epochs) else {
      throw failure(.difference, ["\(name) is not finished after a start that nobody interrupted"])
    }
    return run
  }

  private func interrupt(
    _ child: Child, _ run: RunContents, _ signal: StopSignal, _ moment: Start.Moment
  ) throws {
    var ending: Child.Ending?
    switch moment {
    case .share(let share):
      let end = ContinuousClock.now + .seconds(share * duration)
      ending = child.wait { ContinuousClock.now > end }
    case .checkpoint(let skipped, let microseconds):
      var (seen, wasWriting) = (0, false)
      ending = child.wait(rest: 50) {
        let isWriting = run.isWritingCheckpoint
        if isWriting, !wasWriting { seen += 1 }
        wasWriting = isWriting
        return seen > skipped
      }
      if ending == nil { usleep(UInt32(microseconds)) }
    }
    if let ending {
      tally.count(.interruptions, "too late: the training was complete")
      return try expectSuccess(ending)
    }
    let aimed = run.isWritingCheckpoint
    child.send(signal.number)
    let end = judged(child.wait())
    switch end {
    case .exited(75) where signal != .kill: tally.count(.interruptions, signal.rawValue)
    case .killed(signal.number) where signal == .kill:
      tally.count(.interruptions, signal.rawValue)
      if run.isWritingCheckpoint { tally.count(.interruptions, "SIGKILL while a checkpoint was written") }
    case .killed(signal.number), .exited(128 + signal.number), .exited(signal.number):
      // Before the program listens to signals they do what they always do.
      tally.count(.interruptions, "other signals before the program listened")
    case .exited(0): tally.count(.interruptions, "too late: the training was complete")
    default: try expectSuccess(end)
    }
    if aimed, signal != .kill, end == .exited(75) {
      tally.count(.interruptions, "other signals while a checkpoint was written")
    }
  }

  // MARK: - Starting the program

  private func arguments(_ start: Start, _ name: String) -> [String] {
    var arguments = [
      "train", config, "--run-dir", "\(folder)/\(name)", "--workers", "\(start.workers)", "--json",
    ]
    if let share = start.memory {
      let limit = max(1, Int(Double(draw.data.byteCount) * share))
      arguments += ["--set", "data.memory_limit=\(TrainingDraw.bytes(limit))"]
    }
    switch start.end {
    case .steps(let count): arguments += ["--steps", "\(count)"]
    case .epochs(let count): arguments += ["--set", "training.epochs=\(count)"]
    case .none, .signal: break
    }
    if program.launcher(of: start.crew) != nil { arguments += ["--set", "ranks.timeout=60"] }
    note(arguments, start.end, start.crew)
    return arguments
  }

  private func note(_ arguments: [String], _ end: Start.End, _ crew: Crew = Crew()) {
    // Written for somebody who stands in the folder.
    let words = arguments.map { $0.replacing("\(folder)/", with: "") }
      .map { $0.contains(" ") ? "'\($0)'" : $0 }.joined(separator: " ")
    let prefix: String
    switch end {
    case .signal(let signal, .share(let share)):
      let seconds = (share * duration * 1000).rounded() / 1000
      prefix = "timeout --preserve-status --signal=\(signal.rawValue.dropFirst(3)) \(seconds) "
    case .signal(let signal, .checkpoint(let after, let microseconds)):
      prefix = "# \(signal.rawValue) \(microseconds) µs into the writing of checkpoint \(after + 1):\n"
    case .none, .steps, .epochs: prefix = ""
    }
    let launcher = program.launcher(of: crew).map {
      "env CONVOY_MPI=\($0.plugIn) \($0.words.joined(separator: " ")) -n \(crew.ranks) "
    }
    commands.append("\(prefix)\(launcher ?? "")\"$CONVOY\" \(words)")
  }

  private func start(_ arguments: [String], _ crew: Crew = Crew(), cache: String) throws -> Child {
    tally.count(.totals, "starts of the program")
    if program.launcher(of: crew) != nil { tally.count(.totals, "starts of \(crew.ranks) ranks") }
    return try program.start(
      arguments, crew: crew, output: "\(folder)/output", cache: "\(folder)/\(cache)")
  }

  // MARK: - Judging

  /// Whether nothing but the first run, and what it starts from, has been started: a configuration that is refused is refused there.
  private var isFirst: Bool {
    !commands.contains { command in
      command.contains("--run-dir") && !command.contains("--run-dir whole")
        && !command.contains("--run-dir \(TransferDraw.baseName)")
    }
  }

  /// A training that was to learn a few minibatches by heart ends with 1 where it did not, and is complete.
  private func judged(_ ending: Child.Ending) -> Child.Ending {
    guard case .exited(1) = ending, draw.training["overfit_batches"]?.integer != nil else { return ending }
    return .exited(0)
  }

  private func expectSuccess(_ ending: Child.Ending) throws {
    let lines =
      (FileManager.default.contents(atPath: "\(folder)/output")
      .map { String(decoding: $0, as: UTF8.self) } ?? "")
      .split(separator: "\n").map(String.init).filter { !$0.hasPrefix("{") }.suffix(6)
    let command = commands.last ?? ""
    switch judged(ending) {
    case .exited(0): return
    case .exited(78) where isFirst:
      throw Stop(outcome: .refused(lines.first ?? ""))
    case .exited(76) where isFirst: throw Stop(outcome: .notFinite)
    case .hung: throw failure(.hang, ["did not end within \(program.limit) s: \(command)"] + lines)
    case .exited(let code):
      throw failure(.ending(ending), ["ended with \(code): \(command)"] + lines)
    case .killed(let signal):
      throw failure(.ending(ending), ["was killed by signal \(signal): \(command)"] + lines)
    }
  }

  private func compare(_ run: RunContents, with whole: RunContents, _ what: String) throws {
    var lines = run.differences(from: whole)
    if wholeDigest == nil || !lines.isEmpty {
      // That the program reads the file, and reads the same, too.
      let wanted = try wholeDigest ?? digest(whole)
      wholeDigest = wanted
      let found = try digest(run)
      if found != wanted { lines.insert("contents SHA-256 \(found), not \(wanted)", at: 0) }
    }
    if !lines.isEmpty { throw failure(.difference, ["\(what):"] + lines.prefix(12)) }
  }

  /// Of the last checkpoint's contents, as the program itself reads them.
  private func digest(_ run: RunContents) throws -> String {
    guard let path = run.lastCheckpoint else { return "none" }
    try expectSuccess(try start(["inspect", path], cache: "cache").wait())
    let output = FileManager.default.contents(atPath: "\(folder)/output") ?? Data()
    let mark = "contents SHA-256 "
    let line = String(decoding: output, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix(mark) }
    return line.map { String($0.dropFirst(mark.count)) } ?? "none"
  }

  private func failure(_ kind: Finding.Kind, _ lines: [String]) -> Stop {
    Stop(outcome: .failed(Finding(kind: kind, lines: lines)))
  }

  /// Counts a training that left steps out.
  private func noteSkips(_ run: RunContents) {
    let rows = run.text("metrics.csv").split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false)
    }
    guard let column = rows.first?.firstIndex(of: "skipped_steps"), let last = rows.last, rows.count > 1,
      last[column] != "0"
    else { return }
    tally.count(.draws, "steps left out")
  }
}
