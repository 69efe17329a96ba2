import Foundation
import Synchronization
import TestSupport

/// Damages small sound files of every format that the program reads, and has it read each in a process of its own.
///
///     FileFuzz PROGRAM PROJECT ROUNDS SEED [--only ROUND] [--jobs N] [--limit SECONDS] [--memory MIB] [--format NAME] [--keep FOLDER]
///
/// Each has to be read or refused with an exit code of the program's own: none may crash it, keep it longer than SECONDS of time, or
/// make it take more memory than the sound file, MIB (64) and four times the file's size, and none that is refused may leave a file behind
/// or have one written outside of its folder. What does is kept in FOLDER; the exit code is then 1. What a round does follows from the
/// seed and its number alone.
@main
struct FileFuzz {
  static func main() {
    guard let options = Options(Array(CommandLine.arguments.dropFirst())) else {
      print(Options.usage)
      exit(64)
    }
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
    let sound = try seeds.map { try measured($0) }
    let begin = ContinuousClock.now
    let rounds = options.only.map { [$0] } ?? Array(0..<options.rounds)
    let next = Atomic(0)
    let tally = Mutex(FuzzTally())
    let failure = Mutex<(any Error)?>(nil)
    DispatchQueue.concurrentPerform(iterations: options.jobs) { job in
      while true {
        let index = next.add(1, ordering: .relaxed).oldValue
        guard index < rounds.count, failure.withLock({ $0 == nil }) else { return }
        do {
          let round = rounds[index]
          var dice = SplitMix64(seed: options.seed &* 0x9E37_79B9 &+ UInt64(round))
          let place = dice.next(below: sound.count)
          let (outcome, lines) = try attempt(sound[place], round, job, &dice)
          tally.withLock { $0.note(outcome, of: sound[place].seed.format) }
          if index > 0, index % 1000 == 0 { say("\(index) files") }
          if !lines.isEmpty {
            say("round \(round), \(sound[place].seed.name): \(outcome.rawValue)\n\(lines)")
          }
        } catch {
          failure.withLock { $0 = error }
        }
      }
    }
    if let error = failure.withLock({ $0 }) { throw error }
    let whole = tally.withLock { $0 }
    say(
      "\(rounds.count) files, seed \(options.seed), \((ContinuousClock.now - begin).components.seconds) s\n\n\(whole.table)"
    )
    return whole.harmCount == 0
  }

  // MARK: - One file

  private struct Sound {
    let seed: SeedFile
    /// What the program takes for the sound file.
    let memoryByteCount: Int
  }

  /// How the program reads the sound file.
  private func measured(_ seed: SeedFile) throws -> Sound {
    let folder = try seed.place(seed.bytes, in: "\(scratch)/sound")
    let result = try FuzzChild.run(
      options.program, seed.arguments(folder), limit: 10 * options.limit, output: "\(folder)/log")
    guard case .exited(let code) = result.ending, [0, 65].contains(code) else {
      throw FuzzError(
        "\(seed.name) is not read as it is: \(result.ending)\n\(FuzzChild.text("\(folder)/log"))")
    }
    return Sound(seed: seed, memoryByteCount: result.peakByteCount)
  }

  private func attempt(
    _ sound: Sound, _ round: Int, _ job: Int, _ dice: inout SplitMix64
  ) throws -> (outcome: FuzzTally.Outcome, lines: String) {
    let bytes = sound.seed.damaged(&dice)
    // Deep enough for names that lead upwards to be found.
    let folder = try sound.seed.place(bytes, in: "\(scratch)/\(job)/a/b/c")
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let arguments = sound.seed.arguments(folder)
    let result = try FuzzChild.run(options.program, arguments, limit: options.limit, output: "\(folder)/log")
    let allowed = sound.memoryByteCount + options.memoryByteCount + 4 * bytes.count
    let outcome: FuzzTally.Outcome =
      switch result.ending {
      case .hung: .hung
      case .killed: .crashed
      // 70 is an error that nobody expected.
      case .exited(let code) where code != 0 && !(64...78).contains(code) || code == 70: .crashed
      case .exited where result.peakByteCount > allowed: .memory
      case .exited where hasEscaped(job): .escaped
      case .exited(let code) where code != 0 && !leftovers(sound.seed, folder).isEmpty: .leftOver
      case .exited(0): .read
      case .exited: .refused
      }
    guard outcome.isHarm else { return (outcome, "") }
    let left = outcome == .leftOver ? ", left \(leftovers(sound.seed, folder).sorted())" : ""
    let log = FuzzChild.text("\(folder)/log")
    if let keep = options.keep {
      let kept = "\(keep)/\(options.seed)-\(round)"
      try? FileManager.default.removeItem(atPath: kept)
      try FileManager.default.createDirectory(atPath: keep, withIntermediateDirectories: true)
      try FileManager.default.copyItem(atPath: folder, toPath: kept)
    }
    return (
      outcome,
      "  \(result.ending), \(result.peakByteCount >> 20) MiB of \(allowed >> 20)\(left), \(arguments.joined(separator: " "))\n\(log.prefix(2000))"
    )
  }
}

extension FileFuzz {
  /// Whether a name of the file has become one of a file elsewhere.
  private func hasEscaped(_ job: Int) -> Bool {
    let places = ["\(scratch)/\(job)/a/b", "\(scratch)/\(job)/a", "\(scratch)/\(job)", scratch, "/tmp", "/"]
    let found = places.map { "\($0)/\(TextMutation.escape)" }.filter {
      FileManager.default.fileExists(atPath: $0)
    }
    for path in found { try? FileManager.default.removeItem(atPath: path) }
    return !found.isEmpty
  }

  /// What a command that wrote no file has left in the folder all the same.
  private func leftovers(_ seed: SeedFile, _ folder: String) -> Set<String> {
    guard seed.leavesOneFile else { return [] }
    let names = Set((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
    return names.subtracting(seed.placedNames).subtracting(["log"])
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
