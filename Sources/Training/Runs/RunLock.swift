internal import Foundation
internal import Networks
internal import Paths

#if canImport(Glibc)
  internal import Glibc
#endif

/// Holds a run directory for one process.
///
/// The lock is the kernel's (`flock`), so it ends with the process, however that ends; the file only says who holds it.
final class RunLock: Sendable {
  /// The name of the file in the folder.
  static let fileName = "lock"

  private let file: FileDescriptor

  private struct Holder: Codable {
    var host: String
    var pid: Int32
    var since: String
    var job: String?
  }

  /// - Throws: ``TrainingError`` of kind `inUse` naming the holder, or `cannotCreate`.
  init(folder: String) throws(TrainingError) {
    let path = "\(folder)/\(Self.fileName)"
    file = try FileDescriptor(path, O_RDWR | O_CREAT | O_NOFOLLOW, or: .cannotCreate)
    guard retrying({ flock(file.value, LOCK_EX | LOCK_NB) }) == 0 else {
      guard errno == EWOULDBLOCK else { throw .system(.cannotCreate, "cannot lock \(path)") }
      throw TrainingError(
        .inUse,
        "\(folder) is in use by \(Self.describeHolder(file)); wait for it, stop it, or use another directory")
    }
    let holder = Holder(
      host: ProcessInfo.processInfo.hostName, pid: getpid(), since: Date().formatted(.iso8601),
      job: ProcessInfo.processInfo.environment["SLURM_JOB_ID"])
    guard let json = try? JSONWriter().text(holder) else { return }
    guard ftruncate(file.value, 0) == 0 else { throw .system(.inputOutput, "cannot write \(path)") }
    try file.write(json + "\n")
  }

  deinit {
    // Closing would leave the lock to a child process that is between its fork and its exec at this moment.
    _ = flock(file.value, LOCK_UN)
  }

  /// Whether a process holds the folder at this moment; a folder without a lock is free.
  static func isHeld(folder: String) -> Bool {
    guard let file = try? FileDescriptor("\(folder)/\(fileName)", O_RDONLY | O_NOFOLLOW, or: .inputOutput)
    else {
      return false
    }
    return retrying({ flock(file.value, LOCK_SH | LOCK_NB) }) != 0 && errno == EWOULDBLOCK
  }

  /// Whether a folder has such a file, held or not; a file of that name may be somebody else's.
  static func isIn(_ folder: String) -> Bool {
    guard let text = WholeFile.text("\(folder)/\(fileName)") else { return false }
    // A process that has just made it has not written itself into it yet.
    return text.isEmpty || (try? JSONDecoder().decode(Holder.self, from: Data(text.utf8))) != nil
  }

  private static func describeHolder(_ file: FileDescriptor) -> String {
    guard let bytes = try? file.readAll(),
      let holder = try? JSONDecoder().decode(Holder.self, from: Data(bytes))
    else { return "another process" }
    let job = holder.job.map { ", Slurm job \($0)" } ?? ""
    return "process \(holder.pid) on \(holder.host) since \(holder.since)\(job)"
  }
}
