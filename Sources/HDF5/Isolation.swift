internal import CHDF5
internal import Glibc
internal import Paths
internal import Synchronization

/// Has another process read a file first, which may die of it in this one's place.
///
/// libhdf5 trusts what it reads: a few wrong bytes in a file's structure can make it crash, go round in circles for ever or ask for
/// any amount of memory. No file is exempt: that this program wrote a file is something that any file can claim. The other
/// process is a copy of this one, or this program once more (``LookingProcess``), with limits on time and memory. It reads what this one
/// is about to read: structure, attributes, tables of chunks, and elements whose type or filters the library has to interpret. What is
/// left to this process is plain numbers.
///
/// A process that cannot be started, or not brought to its beginning, says nothing about the file, which is then opened as if
/// isolation were off.
public enum Isolation {
  private struct State {
    /// Asks whether this process should stop; nil where isolation is off.
    var isStopped: (@Sendable () -> Bool)?
    /// What of each file has been looked at; nil for all.
    var seen: [Identity: Set<String>?] = [:]
  }

  private static let state = Mutex(State())

  /// Turns it on, for programs that begin with ``lookIfAsked()`` and handle ``Library/overrunSignal``.
  ///
  /// - Parameter isStopped: whether a signal has asked this process to stop, which ends the wait for the other one.
  public static func enable(isStopped: @escaping @Sendable () -> Bool) {
    state.withLock { $0.isStopped = isStopped }
  }

  static var isEnabled: Bool { state.withLock { $0.isStopped != nil } }

  /// Thrown where a signal ended the wait.
  public struct Stopped: Error, CustomStringConvertible, Sendable {
    /// The message, one line without `error:`.
    public let description: String
  }

  /// What tells one state of a file from another.
  private struct Identity: Hashable {
    let device: UInt
    let inode: UInt
    let byteCount: Int
    let seconds: Int
    let nanoseconds: Int

    init(_ status: stat) {
      device = UInt(status.st_dev)
      inode = UInt(status.st_ino)
      byteCount = Int(status.st_size)
      seconds = status.st_mtim.tv_sec
      nanoseconds = status.st_mtim.tv_nsec
    }
  }

  // MARK: - The process that waits

  /// - Parameter names: the datasets that are to be read; nil for all there is.
  static func check(_ path: String, _ names: [String]?, _ context: String) throws {
    guard let isStopped = state.withLock({ $0.isStopped }) else { return }
    var status = stat()
    // Whoever opens the file says what is wrong with its path.
    guard stat(path.systemPath, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return }
    let identity = Identity(status)
    let wanted = names.map { Set($0) }
    if state.withLock({ covers($0.seen[identity], wanted) }) { return }
    let limits = LookingProcess.Limits(fileByteCount: identity.byteCount)
    if let process = LookingProcess(path, names, limits), let reason = try process.wait(isStopped) {
      throw HDF5Error(
        .harmful, context,
        "\(reason): the file is damaged or made to do harm; get it again from its source")
    }
    state.withLock { state in
      if let wanted, let earlier = state.seen[identity] {
        state.seen[identity] = earlier.map { $0.union(wanted) }
      } else {
        state.seen[identity] = wanted
      }
    }
  }

  private static func covers(_ seen: Set<String>??, _ wanted: Set<String>?) -> Bool {
    guard let seen else { return false }
    guard let seen else { return true }
    return wanted.map { $0.isSubset(of: seen) } ?? false
  }

  // MARK: - The process that looks

  /// Looks into a file and ends the process, where it was started to do so; must be the first thing that a program does.
  public static func lookIfAsked() { LookingProcess.lookIfAsked() }

  /// Turns it off: a process that looks starts no other one.
  static func disable() { state.withLock { $0.isStopped = nil } }
}
