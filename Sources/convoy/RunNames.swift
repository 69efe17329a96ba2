internal import Digests
internal import Experiments
internal import Foundation
internal import Synchronization
internal import Training

/// Where a config's run lies: `Results/NAME/RUN`, one place per config, so that the same command finds its run again, and so
/// does one that only asks for more epochs.
///
/// RUN is ten digits of a digest of what the config means. Before, it was eight digits of another one, which counted every
/// default and so changed with every key that a version added; such a folder is recognised by the config that it keeps.
enum RunNames {
  /// Digits of a name; those of the earlier rule had eight.
  private static let digits = 10
  private static let earlierDigits = 8

  static func directory(of loaded: LoadedConfiguration) -> String {
    let folder = "Results/\(loaded.run.name)"
    let meaning = meaning(of: loaded)
    let path = "\(folder)/\(digest(meaning).prefix(digits))"
    if FileManager.default.fileExists(atPath: path) { return path }
    return earlier(in: folder)[meaning] ?? path
  }

  /// Hexadecimal digits of a SHA-256.
  static func digest(_ text: String) -> String {
    SHA256.digest(of: text).hexadecimal
  }

  /// Where the data lies does not make another run of it, what it is called does.
  private static func meaning(of loaded: LoadedConfiguration) -> String {
    let data = loaded.run.data
    let files = [data.train.file, data.test?.file].compactMap(\.self).map {
      URL(fileURLWithPath: $0).lastPathComponent
    }
    return (loaded.meaning + files).joined(separator: "\n")
  }

  /// By folder: the runs in it that are named by the earlier rule, by what they mean.
  private static let known = Mutex<[String: [String: String]]>([:])

  /// Reads each config once per process: a sweep asks for many runs in one folder.
  private static func earlier(in folder: String) -> [String: String] {
    if let found = known.withLock({ $0[folder] }) { return found }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    var runs: [String: String] = [:]
    for name in names.sorted() where name.count == earlierDigits && name.allSatisfy(\.isHexDigit) {
      let path = "\(folder)/\(name)"
      guard let stored = try? ConfigurationFile.load(path: "\(path)/config.yaml") else { continue }
      runs[meaning(of: stored)] = path
    }
    known.withLock { $0[folder] = runs }
    return runs
  }
}
