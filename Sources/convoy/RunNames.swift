internal import Digests
internal import Experiments
internal import Paths
internal import Synchronization
internal import Training

/// Where a config's run lies: `Results/NAME/RUN`, one place per config, so that the same command finds its run again, and so
/// does one that only asks for more epochs.
///
/// RUN is ten digits of a digest of what the config means. A run of fewer epochs than one that is further already, and members of
/// a sweep that mean the same but for what names no run, take in what tells them apart.
///
/// Folders that earlier versions named are found: those of ten digits whose config writes defaults out, which had a name of their
/// own, and those of eight digits, by the config that they keep.
enum RunNames {
  /// Digits of a name; those of the earliest rule had eight.
  private static let digits = 10
  private static let earlierDigits = 8

  static func directory(of loaded: LoadedConfiguration) -> String {
    let plain = plainPath(of: loaded)
    let epochs = loaded.run.training.epochs
    let short = path(in: folder(of: loaded), meaning(of: loaded), ["training.epochs = \(epochs)"])
    if exists(short) { return short }
    guard let found = existing(plain, loaded) else { return plain }
    // A training cannot go back to where it has been.
    guard let state = RunState.read(directory: found), state.epochs > epochs, state.epoch >= epochs else {
      return found
    }
    return short
  }

  /// Where the members of a sweep are kept, each in a folder of its own.
  static func directories(of sweep: Sweep) -> [String] {
    let isShared = sharingNames(in: sweep)
    return zip(sweep.members, isShared).map { member, isShared in
      let loaded = member.configuration
      return isShared
        ? path(in: folder(of: loaded), meaning(of: loaded), member.assignments) : directory(of: loaded)
    }
  }

  /// Which members of a sweep differ from another in nothing that names a run.
  static func sharingNames(in sweep: Sweep) -> [Bool] {
    let plain = sweep.members.map { plainPath(of: $0.configuration) }
    let counts = plain.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
    return plain.map { counts[$0, default: 0] > 1 }
  }

  /// Hexadecimal digits of a SHA-256.
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

  /// What a config means, a line each; where the data lies does not make another run of it, what it is called does.
  private static func meaning(of loaded: LoadedConfiguration) -> [String] { loaded.meaning + files(loaded) }

  private static func files(_ loaded: LoadedConfiguration) -> [String] {
    let data = loaded.run.data
    return [data.train.file, data.test?.file].compactMap(\.self).map(Folder.name(of:))
  }

  // MARK: - Folders that are there

  private static func exists(_ path: String) -> Bool { FileStatus.exists(path) }

  /// The folder of a config's run, by the present rule or by one of the earlier ones.
  private static func existing(_ plain: String, _ loaded: LoadedConfiguration) -> String? {
    if exists(plain) { return plain }
    let folder = Self.folder(of: loaded)
    let former = path(in: folder, loaded.formerMeaning + files(loaded), [])
    if exists(former) { return former }
    return earliest(in: folder)[meaning(of: loaded).joined(separator: "\n")]
  }

  /// By folder: the runs in it that are named by the earliest rule, by what they mean.
  private static let known = Mutex<[String: [String: String]]>([:])

  /// Reads each config once per process: a sweep asks for many runs in one folder.
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
