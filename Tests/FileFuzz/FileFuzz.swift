import Foundation
import Synchronization
import TestSupport

/// Damages small sound files of every format that the program reads, and has it read each in a process of its own.
///
///     FileFuzz PROGRAM PROJECT ROUNDS SEED [--only ROUND] [--jobs N] [--limit SECONDS] [--memory MIB] [--format NAME] [--keep FOLDER]
///       [--copies SHIM] [--alone N]
///
/// Each has to be read or refused with an exit code of the program's own: none may crash it, keep it longer than SECONDS of time, or
/// make it take more memory than the sound file, MIB (64) and four times the file's size, and none that is refused may leave a file behind
/// or have one written outside of its folder. What does is kept in FOLDER; the exit code is then 1. What a round does follows from the
/// seed and its number alone. With SHIM, the compiled `Tests/ForkShim`, the processes are copies of one that is about to read the file, besides one
/// of N (25), which is started from its beginning; a file that did harm is read once more in that way.
@main
struct FileFuzz {
  static func main() {
    guard let options = Options(Array(CommandLine.arguments.dropFirst())) else {
      print(Options.usage)
      exit(64)
    }
    // A program that ends before its time is told by its answer.
    signal(SIGPIPE, SIG_IGN)
    do { exit(try FileFuzz(options: options).run() ? 0 : 1) } catch {
      print("error: \(error)")
      exit(1)
    }
  }

  private let options: Options
  private let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("file-fuzz-\(getpid())")
    .path

  /// - Returns: whether nothing came to harm.
  private func run() throws -> Bool {
    try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: scratch) }
    let seeds = try SeedFiles(options, scratch: scratch).all()
    let begin = ContinuousClock.now
    let rounds = options.only.map { [$0] } ?? Array(0..<options.rounds)
    let units = units(rounds, of: seeds)
    let next = Atomic(0)
    let tally = Mutex(FuzzTally())
    let failure = Mutex<(any Error)?>(nil)
    DispatchQueue.concurrentPerform(iterations: options.jobs) { job in
      while true {
        let index = next.add(1, ordering: .relaxed).oldValue
        guard index < units.count, failure.withLock({ $0 == nil }) else { return }
        do { try attempt(units[index], job, tally) } catch { failure.withLock { $0 = error } }
      }
    }
    if let error = failure.withLock({ $0 }) { throw error }
    let whole = tally.withLock { $0 }
    say(
      "\(rounds.count) files, seed \(options.seed), \((ContinuousClock.now - begin).components.seconds) s; \(whole.aloneCount) of them "
        + "read by a program started for them\n\n\(whole.table)"
    )
    return whole.harmCount == 0
  }

  // MARK: - Rounds of one sound file

  /// Rounds that damage the same sound file, for which one program can be copied.
  private struct Unit {
    let seed: SeedFile
    let rounds: [Int]
  }

  private static let mostRounds = 400

  private func units(_ rounds: [Int], of seeds: [SeedFile]) -> [Unit] {
    var places = [[Int]](repeating: [], count: seeds.count)
    for round in rounds {
      var dice = dice(round)
      places[dice.next(below: seeds.count)].append(round)
    }
    return zip(seeds, places).flatMap { seed, rounds in
      stride(from: 0, to: rounds.count, by: Self.mostRounds).map {
        Unit(seed: seed, rounds: Array(rounds[$0..<min(rounds.count, $0 + Self.mostRounds)]))
      }
    }
  }

  private func dice(_ round: Int) -> SplitMix64 {
    SplitMix64(seed: options.seed &* 0x9E37_79B9 &+ UInt64(round))
  }

  private func attempt(_ unit: Unit, _ job: Int, _ tally: borrowing Mutex<FuzzTally>) throws {
    let reading = try Reading(unit.seed, options, scratch: "\(scratch)/\(job)")
    for round in unit.rounds {
      var dice = dice(round)
      // Which sound file it is.
      _ = dice.next(below: 1)
      let bytes = unit.seed.damaged(&dice)
      let isAlone = !reading.hasCopies || round % options.alone == 0
      let trial = try reading.attempt(bytes, isAlone: isAlone)
      let count = tally.withLock {
        $0.note(trial.outcome, of: unit.seed.format, isAlone: isAlone)
        return $0.count
      }
      if count % 1000 == 0 { say("\(count) files") }
      guard trial.outcome.isHarm else { continue }
      say("round \(round), \(unit.seed.name): \(trial.text)")
      if !isAlone { say("  started for it alone: \(try reading.attempt(bytes, isAlone: true).text)") }
      if let keep = options.keep {
        _ = try unit.seed.place(bytes, in: "\(keep)/\(options.seed)-\(round)")
      }
    }
  }
}

struct FuzzError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// Prints a line that is seen at once, in a log, too.
private func say(_ line: String) {
  print(line)
  fflush(nil)
}
