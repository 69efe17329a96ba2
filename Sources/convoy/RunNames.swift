internal import Digests
internal import Experiments
internal import Paths
internal import Synchronization
internal import Training

/// Where the run of a config lies: `Results/NAME/RUN`, one place for each config.
///
/// The same command therefore finds its run again, and so does one that only asks for more epochs. RUN is ten digits of a digest of
/// the config's meaning, and of the contents of the checkpoint that it starts from. A run of fewer epochs than one that has gone further, and members of a sweep that differ only in keys that
/// name no run, include what tells them apart.
///
/// Folders that earlier versions named are found, too: those of ten digits whose config writes defaults out, which then had a name
/// of their own, and those of eight digits, by the config that they contain.
enum RunNames {
  /// The number of digits in a name; the earliest rule had eight.
  private static let digits = 10
  private static let earlierDigits = 8

  static func directory(of loaded: LoadedConfiguration) -> String {
    if let run = runWithoutStart(of: loaded) { return run }
    let plain = plainPath(of: loaded)
    let epochs = loaded.run.training.epochs
    let short = path(in: folder(of: loaded), meaning(of: loaded), ["training.epochs = \(epochs)"])
    if exists(short) { return short }
    guard let found = existing(plain, loaded) else { return plain }
    // A training cannot go back to an earlier epoch.
    guard let state = RunState.read(directory: found), state.epochs > epochs, state.epoch >= epochs else {
      return found
    }
    return short
  }

  /// The run directories of a sweep's members, each of its own.
  static func directories(of sweep: Sweep) -> [String] {
    let isShared = sharingNames(in: sweep)
    return zip(sweep.members, isShared).map { member, isShared in
      let loaded = member.configuration
      return isShared
        ? path(in: folder(of: loaded), meaning(of: loaded), member.assignments) : directory(of: loaded)
    }
  }

  /// For each member of a sweep, whether it differs from another in nothing that names a run.
  static func sharingNames(in sweep: Sweep) -> [Bool] {
    let plain = sweep.members.map { plainPath(of: $0.configuration) }
    let counts = plain.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
    return plain.map { counts[$0, default: 0] > 1 }
  }

  /// A SHA-256 digest in hexadecimal.
  static func digest(_ text: String) -> String {
    SHA256.digest(of: text).hexadecimal
  }

  private static func folder(of loaded: LoadedConfiguration) -> String { "Results/\(loaded.run.name)" }

  private static func plainPath(of loaded: LoadedConfiguration) -> String {
    path(in: folder(of: loaded), meaning(of: loaded), [])
  }

  private static func path(in folder: String, _ meaning: [String], _ more: [String]) -> String {
    "\(folder)/\(digest((meaning + more).joined(separator: "\n")).prefix(digits))"
  }

  /// The lines that name a config's run: its meaning, the names of its data files, but not their folders, and the digest of what it
  /// starts from.
  private static func meaning(of loaded: LoadedConfiguration) -> [String] {
    let start = loaded.run.training.start.flatMap(StartOrigin.digest(of:))
    return loaded.meaning + files(loaded) + (start.map { ["start = \($0)"] } ?? [])
  }

  /// The only run of a config whose start is no longer there, by the config that its folder contains; nil where the start is there, or
  /// where no run or several would do.
  private static func runWithoutStart(of loaded: LoadedConfiguration) -> String? {
    guard let start = loaded.run.training.start, StartOrigin.digest(of: start) == nil else { return nil }
    let folder = Self.folder(of: loaded)
    let runs = (Folder.names(in: folder) ?? []).map { "\(folder)/\($0)" }.filter { path in
      guard RunPath.isRun(path), let stored = try? ConfigurationFile.load(path: "\(path)/config.yaml") else {
        return false
      }
      return stored.meaning == loaded.meaning && files(stored) == files(loaded)
    }
    return runs.count == 1 ? runs[0] : nil
  }

  private static func files(_ loaded: LoadedConfiguration) -> [String] {
    let data = loaded.run.data
    return [data.train.file, data.test?.file].compactMap(\.self).map(Folder.name(of:))
  }

  // MARK: - Existing folders

  private static func exists(_ path: String) -> Bool { FileStatus.exists(path) }

  /// The folder of a config's run, by the present rule or an earlier one.
  private static func existing(_ plain: String, _ loaded: LoadedConfiguration) -> String? {
    if exists(plain) { return plain }
    let folder = Self.folder(of: loaded)
    let former = path(in: folder, loaded.formerMeaning + files(loaded), [])
    if exists(former) { return former }
    return earliest(in: folder)[meaning(of: loaded).joined(separator: "\n")]
  }

  /// By folder, its runs that the earliest rule named, by their meaning.
  private static let known = Mutex<[String: [String: String]]>([:])

  /// Reads each config once in a process, since a sweep asks for many runs in one folder.
  private static func earliest(in folder: String) -> [String: String] {
    if let found = known.withLock({ $0[folder] }) { return found }
    let names = Folder.names(in: folder) ?? []
    var runs: [String: String] = [:]
    for name in names where name.count == earlierDigits && name.allSatisfy(\.isHexDigit) {
      let path = "\(folder)/\(name)"
      guard let stored = try? ConfigurationFile.load(path: "\(path)/config.yaml") else { continue }
      runs[meaning(of: stored).joined(separator: "\n")] = path
    }
    known.withLock { $0[folder] = runs }
    return runs
  }
}
