import Foundation
import OneDNN
import Synchronization

/// Draws trainings, interrupts each, and compares what it comes to with the same training that nobody interrupts.
///
///     ExactnessFuzz PROGRAM DRAWS SEED [--only DRAW] [--jobs N] [--limit SECONDS] [--tries N] [--keep FOLDER] [--preload FILE]
///       [--launcher 'PLUG-IN COMMAND…']…
///
/// With launchers of MPI, trainings are several processes, too, in numbers that change from one start to the next.
///
/// What differs is made as small as it can be, printed, and kept in FOLDER with the commands that show it; the exit code is then 1.
@main
struct ExactnessFuzz {
  static func main() throws {
    guard let options = Options(Array(CommandLine.arguments.dropFirst())) else {
      print(Options.usage)
      exit(64)
    }
    let fuzz = ExactnessFuzz(options: options)
    exit(try fuzz.run() ? 0 : 1)
  }

  private let options: Options
  private let scratch = FileManager.default.temporaryDirectory
    .appendingPathComponent("exactness-fuzz-\(getpid())").path

  /// - Returns: whether all trainings were exact.
  private func run() throws -> Bool {
    defer { try? FileManager.default.removeItem(atPath: scratch) }
    say(try heading())
    let begin = ContinuousClock.now
    let numbers = options.only.map { [$0] } ?? Array(0..<options.draws)
    let next = Atomic(0)
    let tally = Mutex(Tally())
    let failure = Mutex<(any Error)?>(nil)
    DispatchQueue.concurrentPerform(iterations: options.jobs) { _ in
      while true {
        let index = next.add(1, ordering: .relaxed).oldValue
        guard index < numbers.count, failure.withLock({ $0 == nil }) else { return }
        do {
          let own = try run(numbers[index])
          let line = tally.withLock { tally -> String? in
            tally += own
            let done = tally[.totals, "draws"]
            return done % 20 == 0 ? Self.progress(tally, since: begin) : nil
          }
          if let line { say(line) }
        } catch {
          failure.withLock { $0 = error }
        }
      }
    }
    if let error = failure.withLock({ $0 }) { throw error }
    let whole = tally.withLock { $0 }
    say("\n\(Self.progress(whole, since: begin)); seed \(options.seed)\n\(whole.table)")
    return whole[.totals, Self.failed] == 0
  }

  /// What the table at the end is of.
  private func heading() throws -> String {
    let output = "\(scratch)-version"
    defer { try? FileManager.default.removeItem(atPath: output) }
    _ = try options.program.start(["--version"], output: output, cache: scratch).wait()
    let version = String(decoding: FileManager.default.contents(atPath: output) ?? Data(), as: UTF8.self)
      .trimmingCharacters(in: .whitespacesAndNewlines)
    let processors = FileManager.default.contents(atPath: "/proc/cpuinfo") ?? Data()
    let model = String(decoding: processors, as: UTF8.self).split(separator: "\n")
      .first { $0.hasPrefix("model name") }?.split(separator: ":").last.map { $0.drop { $0 == " " } }
    return
      "\(version), \(Date.now.formatted(.iso8601.year().month().day())), \(model ?? "a CPU of unknown name"), "
      + "\(OneDNN.Library.instructionSet), \(OneDNN.Library.hasBF16 ? "with" : "without") bf16"
      + (options.program.preload.map { ", with \($0.split(separator: "/").last ?? "")" } ?? "")
  }

  private static let failed = "differences"

  private static func progress(_ tally: Tally, since begin: ContinuousClock.Instant) -> String {
    "\(tally[.totals, "draws"]) draws, \(tally[.totals, "starts of the program"]) starts, "
      + "\(tally[.totals, failed]) differences, \((ContinuousClock.now - begin).components.seconds) s"
  }

  // MARK: - One draw

  /// Runs the draw of a number, or those that follow it while the program refuses them.
  private func run(_ number: Int) throws -> Tally {
    var tally = Tally()
    tally.count(.totals, Self.failed, 0)
    for attempt in 0... {
      let draw = Draw(
        seed: options.seed, number: number, attempt: attempt, hasBF16: OneDNN.Library.hasBF16)
      let trial = Trial(
        draw, program: options.program, folder: "\(scratch)/\(number)")
      let outcome = try trial.run()
      switch outcome {
      case .refused(let reason):
        tally.count(.totals, "refused and drawn again")
        say("draw \(number) is refused: \(reason)")
        continue
      case .notFinite:
        tally.count(.totals, "not finite and drawn again")
        continue
      case .exact: break
      case .failed(let finding):
        tally.count(.totals, Self.failed)
        try report(draw, number, finding, trial)
      }
      tally.note(draw)
      tally += trial.tally
      if options.only != nil { say("\(draw.yaml)\n\(trial.commands.joined(separator: "\n"))") }
      try FileManager.default.removeItem(atPath: trial.folder)
      break
    }
    return tally
  }

  // MARK: - What differs

  private func report(_ draw: Draw, _ number: Int, _ finding: Finding, _ trial: Trial) throws {
    say(
      """
      draw \(number) of seed \(options.seed): \(finding.lines.joined(separator: "\n  "))
      \(draw.yaml)
      \(trial.commands.joined(separator: "\n"))
      """)
    try keep(draw, number, finding, trial.commands, drawn: draw)
    let folder = "\(scratch)/\(number)-smaller"
    var smallest = (draw, finding, trial.commands)
    let shrinker = Shrinker(
      fails: { candidate in
        // What depends on the moment of a signal need not fail each time.
        for _ in 0..<(candidate.dependsOnTime ? 3 : 1) {
          let trial = Trial(candidate, program: options.program, folder: folder)
          guard case .failed(let found) = try trial.run() else { continue }
          if found.kind == finding.kind {
            smallest = (candidate, found, trial.commands)
            // Kept at once: the search may take long, and may be ended.
            try keep(candidate, number, found, trial.commands, drawn: draw)
            return true
          }
        }
        return false
      }, tries: options.tries)
    _ = try shrinker.shrink(draw)
    try? FileManager.default.removeItem(atPath: folder)
    let (small, found, commands) = smallest
    say(
      """
      draw \(number), made smaller: \(found.lines.joined(separator: "\n  "))
      \(small.yaml)
      \(commands.joined(separator: "\n"))

      """)
  }

  /// Leaves a draw that differs in the folder for them.
  private func keep(
    _ small: Draw, _ number: Int, _ finding: Finding, _ commands: [String], drawn: Draw
  ) throws {
    guard let folder = options.keep else { return }
    let kept = "\(folder)/\(options.seed)-\(number)"
    try FileManager.default.createDirectory(atPath: kept, withIntermediateDirectories: true)
    try small.data.write(to: "\(kept)/\(DrawnData.fileName)")
    for (name, text) in [
      (Trial.configName, small.yaml), ("finding.txt", finding.lines.joined(separator: "\n") + "\n"),
      ("commands", commands.joined(separator: "\n") + "\n"), ("as-drawn.yaml", drawn.yaml),
    ] {
      try text.write(toFile: "\(kept)/\(name)", atomically: false, encoding: .utf8)
    }
  }
}

extension Draw {
  /// Whether a signal is sent at some moment.
  fileprivate var dependsOnTime: Bool {
    interrupted.joined().contains { if case .signal = $0.end { true } else { false } }
  }
}

/// Prints a line that is seen at once, in a log, too.
private func say(_ line: String) {
  print(line)
  fflush(nil)
}
