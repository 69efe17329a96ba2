import Foundation

/// The program, reading one kind of file in a folder of its own.
struct Reading {
  private let seed: SeedFile
  private let options: Options
  /// A folder around that of the file, in which nothing may be written.
  private let outside: String
  private let server: ForkServer?
  /// What the program takes for the sound file, started for it and as a copy.
  private let soundByteCount: Int
  private let soundByteCountOfCopy: Int

  /// Has it read the sound file.
  init(_ seed: SeedFile, _ options: Options, scratch: String) throws {
    (self.seed, self.options, outside) = (seed, options, scratch)
    let folder = Self.folder(in: scratch)
    try? FileManager.default.removeItem(atPath: folder)
    // It waits where it first touches the folder.
    server = try options.shim.flatMap {
      try ForkServer(
        options.program, seed.arguments(folder), shim: $0, folder: folder, output: "\(folder)/log",
        limit: 10 * options.limit)
    }
    func sound(_ run: () throws -> FuzzChild.Result) throws -> FuzzChild.Result {
      _ = try seed.place(seed.bytes, in: folder)
      let result = try run()
      guard case .exited(let code) = result.ending, [0, 65].contains(code) else {
        throw FuzzError(
          "\(seed.name) is not read as it is: \(result.ending)\n\(FuzzChild.text("\(folder)/log"))")
      }
      return result
    }
    let started = try sound {
      try FuzzChild.run(
        options.program, seed.arguments(folder), limit: 10 * options.limit, output: "\(folder)/log")
    }
    soundByteCount = started.peakByteCount
    let copied = try server.map { server in try sound { try server.run(limit: 10 * options.limit) } }
    soundByteCountOfCopy = copied?.peakByteCount ?? 0
    guard copied == nil || copied?.ending == started.ending else {
      throw FuzzError("\(seed.name): a copy of the program reads it otherwise than the program")
    }
  }

  /// Deep enough for names that lead upwards to be found.
  private static func folder(in scratch: String) -> String { "\(scratch)/a/b/c" }

  /// Whether there is a program to be copied.
  var hasCopies: Bool { server != nil }

  struct Trial {
    let outcome: FuzzTally.Outcome
    /// What happened, in lines.
    let text: String
  }

  /// Has the program read the file with these bytes in its place.
  ///
  /// - Parameter isAlone: whether it is started for it, and not copied.
  func attempt(_ bytes: [UInt8], isAlone: Bool) throws -> Trial {
    let trial = try attempt(bytes, by: isAlone ? nil : server)
    // A started process counts the peak of this one as its own; copies do not.
    guard isAlone, trial.outcome == .memory, let server else { return trial }
    return try attempt(bytes, by: server)
  }

  private func attempt(_ bytes: [UInt8], by server: ForkServer?) throws -> Trial {
    let folder = try seed.place(bytes, in: Self.folder(in: outside))
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let arguments = seed.arguments(folder)
    let result =
      try server?.run(limit: options.limit)
      ?? FuzzChild.run(options.program, arguments, limit: options.limit, output: "\(folder)/log")
    let sound = server == nil ? soundByteCount : soundByteCountOfCopy
    let allowed = sound + options.memoryByteCount + 4 * bytes.count
    let outcome: FuzzTally.Outcome =
      switch result.ending {
      case .hung: .hung
      case .killed: .crashed
      // 70 is an error that nobody expected.
      case .exited(let code) where code != 0 && !(64...78).contains(code) || code == 70: .crashed
      case .exited where result.peakByteCount > allowed: .memory
      case .exited where hasEscaped: .escaped
      case .exited(let code) where code != 0 && !leftovers(folder).isEmpty: .leftOver
      case .exited(0): .read
      case .exited: .refused
      }
    guard outcome.isHarm else { return Trial(outcome: outcome, text: "\(result.ending)") }
    let left = outcome == .leftOver ? ", left \(leftovers(folder).sorted())" : ""
    let log = FuzzChild.text("\(folder)/log")
    return Trial(
      outcome: outcome,
      text:
        "\(outcome.rawValue)\n  \(result.ending), \(result.peakByteCount >> 20) MiB of \(allowed >> 20)\(left), \(arguments.joined(separator: " "))\n\(log.prefix(2000))"
    )
  }

  /// Whether a name of the file has become one of a file elsewhere.
  private var hasEscaped: Bool {
    let above = URL(fileURLWithPath: outside).deletingLastPathComponent().path
    let found = ["\(outside)/a/b", "\(outside)/a", outside, above, "/tmp", "/"]
      .map { "\($0)/\(TextMutation.escape)" }.filter { FileManager.default.fileExists(atPath: $0) }
    for path in found { try? FileManager.default.removeItem(atPath: path) }
    return !found.isEmpty
  }

  /// What a command that wrote no file has left in the folder all the same.
  private func leftovers(_ folder: String) -> Set<String> {
    guard seed.leavesOneFile else { return [] }
    let names = Set((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
    return names.subtracting(seed.placedNames).subtracting(["log"])
  }
}
