internal import CHDF5
internal import Glibc
internal import Paths
internal import Synchronization

/// Has another process read a file first, which may die of it in this one's place.
///
/// libhdf5 trusts what it reads: a few wrong bytes in a file's structure can make it crash, go round in circles for ever or ask for
/// any amount of memory. No file is exempt: that this program wrote a file is something that any file can claim. The other
/// process is this program once more, with limits on time and memory. It reads what this one is about to read: structure, attributes,
/// tables of chunks, and elements whose type or filters the library has to interpret. What is left to this process is plain
/// numbers.
///
/// A process that cannot be started, or not brought to its beginning, says nothing about the file, which is then opened as if
/// isolation were off.
public enum Isolation {
  /// The first argument of the process that looks into a file.
  private static let word = "look-into-hdf5"

  /// What the process says of itself, in one byte each; its exit status would not do, because a parent may be set to ignore it.
  private enum Sign: UInt8 {
    case hasBegun
    case isDone
    case outOfMemory
  }

  /// The descriptor that it says so on; not its standard output, to which plug-ins may write.
  private static let signDescriptor: Int32 = 3

  private struct State {
    /// Asks whether this process should stop; nil where isolation is off.
    var isStopped: (@Sendable () -> Bool)?
    /// What of each file has been looked at; nil for all.
    var seen: [Identity: Set<String>?] = [:]
  }

  private static let state = Mutex(State())

  /// Turns it on, for programs that begin with ``lookIfAsked()``.
  ///
  /// - Parameter isStopped: whether a signal has asked this process to stop, which ends the wait for the other one.
  public static func enable(isStopped: @escaping @Sendable () -> Bool) {
    state.withLock { $0.isStopped = isStopped }
  }

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
    let limits = Limits(fileByteCount: identity.byteCount)
    if let child = Child(path, names, limits), let reason = try child.wait(isStopped, limits) {
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

  /// What the process that looks may take.
  private struct Limits {
    let memoryByteCount: Int
    let cpuSeconds: Int

    init(fileByteCount: Int) {
      memoryByteCount = (64 << 20) + 4 * min(fileByteCount, Int.max >> 3)
      // The slowest filters give some 30 MB a second.
      cpuSeconds = 5 + fileByteCount >> 24
    }
  }

  /// This program once more.
  private struct Child {
    private let pid: pid_t
    /// The end of the pipe on which it says how far it is.
    private let pipe: Int32

    /// - Returns: nil where the system has no room for another process.
    init?(_ path: String, _ names: [String]?, _ limits: Limits) {
      var ends: [Int32] = [-1, -1]
      guard Glibc.pipe(&ends) == 0 else { return nil }
      // No other process that this one starts may hold the end open.
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      defer { close(ends[1]) }
      var actions = posix_spawn_file_actions_t()
      posix_spawn_file_actions_init(&actions)
      defer { posix_spawn_file_actions_destroy(&actions) }
      posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
      posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
      posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
      posix_spawn_file_actions_adddup2(&actions, ends[1], Isolation.signDescriptor)
      var attributes = posix_spawnattr_t()
      posix_spawnattr_init(&attributes)
      defer { posix_spawnattr_destroy(&attributes) }
      // A group of its own: Ctrl-C is meant for this process, which then ends the other one.
      posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
      let words =
        ["convoy", Isolation.word, "\(limits.memoryByteCount)", "\(limits.cpuSeconds)", path] + (names ?? [])
      var arguments = words.map { strdup($0.systemPath) } + [nil]
      defer { arguments.forEach { free($0) } }
      var pid: pid_t = 0
      guard
        posix_spawn(&pid, "/proc/self/exe", &actions, &attributes, &arguments, chdf5_environment()) == 0
      else {
        close(ends[0])
        return nil
      }
      self.pid = pid
      pipe = ends[0]
    }

    /// Waits for its end.
    ///
    /// - Returns: what happened to it; nil where it came to no harm, or not so far that the file could have done it.
    /// - Throws: ``Stopped``.
    func wait(_ isStopped: () -> Bool, _ limits: Limits) throws -> String? {
      defer { close(pipe) }
      var last: Sign?
      // A process that sleeps takes no CPU time, so waiting has a limit, too.
      var milliseconds = 1000 * (60 + 10 * limits.cpuSeconds)
      var isOpen = true
      while isOpen {
        var entry = pollfd(fd: pipe, events: Int16(POLLIN), revents: 0)
        let count = poll(&entry, 1, 50)
        if count > 0 {
          var byte: UInt8 = 0
          let length = read(pipe, &byte, 1)
          if length > 0 { last = Sign(rawValue: byte) }
          isOpen = length > 0 || (length < 0 && errno == EINTR)
          continue
        }
        milliseconds -= 50
        if isStopped() {
          _ = end()
          throw Stopped(
            description: "stopped by a signal while a file was being opened; the same command resumes")
        }
        if milliseconds <= 0 {
          _ = end()
          return "libhdf5 does not finish reading it"
        }
      }
      let status = status()
      switch last {
      case nil, .isDone: return nil
      case .outOfMemory:
        return "libhdf5 wants more than \(limits.memoryByteCount >> 20) MiB of memory to read it"
      case .hasBegun: break
      }
      switch status & 0x7f {
      case 0: return "libhdf5 ends the process that reads it"
      case SIGXCPU: return "libhdf5 does not finish reading it"
      case let signal: return "libhdf5 crashes on it (signal \(signal))"
      }
    }

    private func end() -> Int32 {
      kill(pid, SIGKILL)
      return status()
    }

    private func status() -> Int32 {
      var status: Int32 = 0
      while waitpid(pid, &status, 0) < 0, errno == EINTR {}
      return status
    }
  }

  // MARK: - The process that looks

  /// Looks into a file and ends the process, where it was started to do so; must be the first thing that a program does.
  public static func lookIfAsked() {
    let arguments = ProgramArguments.all
    guard arguments.count >= 5, arguments[1] == word, let memory = Int(arguments[2]),
      let seconds = Int(arguments[3])
    else { return }
    // Nobody is there to be told of a crash.
    for number in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGQUIT, SIGXCPU, SIGXFSZ] {
      signal(number, SIG_DFL)
    }
    _ = chdf5_end_with_parent()
    limit(RLIMIT_CORE, 0)
    limit(RLIMIT_FSIZE, 0)
    limit(RLIMIT_CPU, seconds)
    // A build that watches memory sets terabytes aside, and its allocator dies of limits.
    let held = dataByteCount
    if held < 1 << 36 { limit(RLIMIT_DATA, held + memory) }
    chdf5_let_no_memory_look_sound()
    say(.hasBegun)
    let names = Array(arguments.dropFirst(5))
    var survey = FileSurvey()
    survey.look(into: arguments[4], names.isEmpty ? nil : names)
    say(survey.ranOutOfMemory ? .outOfMemory : .isDone)
    _exit(0)
  }

  private static func say(_ sign: Sign) {
    var byte = sign.rawValue
    _ = write(signDescriptor, &byte, 1)
  }

  private static func limit(_ resource: __rlimit_resource, _ value: Int) {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = min(limit.rlim_max, rlim_t(max(0, value)))
    setrlimit(__rlimit_resource_t(resource.rawValue), &limit)
  }

  /// Memory of its own that this process has already.
  private static var dataByteCount: Int {
    let descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return 1 << 30 }
    defer { close(descriptor) }
    var text = [UInt8](repeating: 0, count: 256)
    let length = read(descriptor, &text, text.count)
    guard length > 0 else { return 1 << 30 }
    // The sixth number: pages of data and stack.
    let fields = String(decoding: text[..<length], as: UTF8.self).split(separator: " ")
    return fields.count > 5 ? (Int(fields[5]) ?? 1 << 18) * Int(sysconf(Int32(_SC_PAGESIZE))) : 1 << 30
  }
}
