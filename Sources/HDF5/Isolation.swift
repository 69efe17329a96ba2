internal import CHDF5
internal import Glibc
internal import Paths
internal import Synchronization

/// Has another process read a file first, which may die of it in this one's place.
///
/// libhdf5 trusts what it reads: a few wrong bytes in a file's structure can make it crash, go round in circles for ever or ask for
/// any amount of memory. No file is exempt: that this program wrote a file is something that any file can claim. The other
/// process is a copy of this one, or this program once more (``LookingProcess``), with limits on time and memory. It reads what this one
/// is about to read: structure, attributes, tables of chunks, and elements whose type or filters the library has to interpret. It also tells
/// the strings of any length that it read (``SurveyedTexts``), up to some megabytes. What is left to this process is plain numbers and bytes.
///
/// A process that cannot be started, or not brought to its beginning, says nothing about the file, which is then opened as if
/// isolation were off.
public enum Isolation {
  private struct State {
    /// Asks whether this process should stop; nil where isolation is off.
    var isStopped: (@Sendable () -> Bool)?
    var seen: [Identity: Seen] = [:]
  }

  /// What of a file has been looked at.
  private struct Seen {
    /// The datasets; nil for all.
    var names: Set<String>?
    var texts: SurveyedTexts

    func covers(_ wanted: Set<String>?) -> Bool {
      guard let names else { return true }
      return wanted.map { $0.isSubset(of: names) } ?? false
    }

    mutating func add(_ more: Seen) {
      names = names.flatMap { names in more.names.map { names.union($0) } }
      texts.merge(more.texts)
    }
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
  struct Identity: Hashable {
    let device: UInt
    let inode: UInt
    let byteCount: Int
    let seconds: Int
    let nanoseconds: Int

    fileprivate init(_ status: stat) {
      device = UInt(status.st_dev)
      inode = UInt(status.st_ino)
      byteCount = Int(status.st_size)
      seconds = status.st_mtim.tv_sec
      nanoseconds = status.st_mtim.tv_nsec
    }

    /// That of an open file; nil where the system does not tell.
    init?(descriptor: Int32) {
      var status = stat()
      guard fstat(descriptor, &status) == 0 else { return nil }
      self.init(status)
    }
  }

  // MARK: - The process that waits

  /// - Parameter names: the datasets that are to be read; nil for all there is.
  /// - Returns: the strings that the other process has read, and the state of the file in which it read them; nil where there was none.
  @discardableResult
  static func check(
    _ path: String, _ names: [String]?, _ context: String
  ) throws -> (texts: SurveyedTexts, identity: Identity)? {
    guard let isStopped = state.withLock({ $0.isStopped }) else { return nil }
    var status = stat()
    // Whoever opens the file says what is wrong with its path.
    guard stat(path.systemPath, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    let identity = Identity(status)
    let wanted = names.map { Set($0) }
    if let seen = state.withLock({ $0.seen[identity] }), seen.covers(wanted) { return (seen.texts, identity) }
    let limits = LookingProcess.Limits(fileByteCount: identity.byteCount)
    var seen = Seen(names: wanted, texts: SurveyedTexts())
    if let process = LookingProcess(path, names, limits) {
      let (harm, texts) = try process.wait(isStopped)
      if let harm {
        throw HDF5Error(
          .harmful, context, "\(harm): the file is damaged or made to do harm; get it again from its source")
      }
      seen.texts = texts
    }
    return state.withLock { state in
      if let earlier = state.seen[identity] { seen.add(earlier) }
      state.seen[identity] = seen
      return (seen.texts, identity)
    }
  }

  // MARK: - The process that looks

  /// Looks into a file and ends the process, where it was started to do so; must be the first thing that a program does.
  public static func lookIfAsked() { LookingProcess.lookIfAsked() }

  /// Turns it off: a process that looks starts no other one.
  static func disable() { state.withLock { $0.isStopped = nil } }
}
