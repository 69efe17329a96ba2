internal import CHDF5
internal import Glibc
internal import Paths

/// The process that looks into a file in place of the one that wants to read it; see ``Isolation``.
///
/// It is a copy of this process where that has no other thread, whose locks a copy would find taken for ever. It is this program once
/// more otherwise, which takes ten times as long to begin.
struct LookingProcess {
  /// What it may take.
  struct Limits {
    let memoryByteCount: Int
    let cpuSeconds: Int

    /// How many bytes of strings it tells, which the other process keeps: a file that leads to the same one again and again has more, and
    /// large texts are read where they are used.
    var mostTextBytes: Int { min(memoryByteCount / 4, 64 << 20) }

    init(fileByteCount: Int) {
      memoryByteCount = (64 << 20) + 4 * min(fileByteCount, Int.max >> 3)
      // The slowest filters give some 30 MB a second; objects, of some hundred bytes each, some 5,000 a second.
      cpuSeconds = 5 + fileByteCount >> 24 + min(fileByteCount >> 18, 60)
    }

    fileprivate init(memoryByteCount: Int, cpuSeconds: Int) {
      self.memoryByteCount = memoryByteCount
      self.cpuSeconds = cpuSeconds
    }
  }

  private let pid: pid_t
  /// The end of the pipe on which it says how far it is; its exit status would not do, because a parent may be set to ignore it.
  private let pipe: Int32
  private let limits: Limits

  // MARK: - The process that waits

  /// - Parameter names: the datasets that are to be read; nil for all there is.
  /// - Returns: nil where the system has no room for another process.
  init?(_ path: String, _ names: [String]?, _ limits: Limits) {
    var ends: [Int32] = [-1, -1]
    guard Glibc.pipe(&ends) == 0 else { return nil }
    // No other process that this one starts may hold the end open.
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(ends[1]) }
    guard let pid = Self.copy(path, names, limits, ends) ?? Self.program(path, names, limits, ends) else {
      close(ends[0])
      return nil
    }
    self.pid = pid
    self.limits = limits
    pipe = ends[0]
  }

  /// Waits for its end.
  ///
  /// - Returns: what happened to it, nil where it came to no harm, or not so far that the file could have done it; and the strings that
  ///   it read.
  /// - Throws: ``Isolation/Stopped``.
  func wait(_ isStopped: () -> Bool) throws -> (harm: String?, texts: SurveyedTexts) {
    let received = try receive(isStopped)
    var texts = SurveyedTexts()
    guard let received else { return ("libhdf5 does not finish reading it", texts) }
    let status = status()
    var last: SurveyMessage?
    for message in SurveyMessage.all(in: received) {
      switch message {
      case .reading(let reading, let place): texts.add(reading, at: place)
      case .cutShort: texts.areCutShort = true
      case .hasBegun, .isDone, .outOfMemory: break
      }
      last = message
    }
    return (harm(last, status), texts)
  }

  private func harm(_ last: SurveyMessage?, _ status: Int32) -> String? {
    switch last {
    case nil, .isDone: return nil
    case .outOfMemory:
      return "libhdf5 wants more than \(limits.memoryByteCount >> 20) MiB of memory to read it"
    case .hasBegun, .reading, .cutShort: break
    }
    switch status & 0x7f {
    case 0: return "libhdf5 ends the process that reads it"
    case SIGXCPU: return "libhdf5 does not finish reading it"
    case let signal: return "libhdf5 crashes on it (signal \(signal))"
    }
  }

  /// All that it says until its end.
  ///
  /// - Returns: nil where it had to be ended because it took too long.
  /// - Throws: ``Isolation/Stopped``.
  private func receive(_ isStopped: () -> Bool) throws -> [UInt8]? {
    defer { close(pipe) }
    var received: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    // A process that sleeps takes no CPU time, so waiting has a limit, too.
    var milliseconds = 1000 * (60 + 10 * limits.cpuSeconds)
    var isOpen = true
    while isOpen {
      var entry = pollfd(fd: pipe, events: Int16(POLLIN), revents: 0)
      let count = poll(&entry, 1, 50)
      if count > 0 {
        let length = read(pipe, &piece, piece.count)
        if length > 0 { received += piece[..<length] }
        isOpen = length > 0 || (length < 0 && errno == EINTR)
        continue
      }
      milliseconds -= 50
      if isStopped() {
        _ = end()
        throw Isolation.Stopped(
          description: "stopped by a signal while a file was being opened; the same command resumes")
      }
      if milliseconds <= 0 {
        _ = end()
        return nil
      }
    }
    return received
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

  // MARK: - A copy of this process

  /// The copy of a larger process would take longer than the start of a small one.
  private static let mostCopied = 1 << 30

  /// - Returns: nil where there cannot be a copy.
  private static func copy(_ path: String, _ names: [String]?, _ limits: Limits, _ ends: [Int32]) -> pid_t? {
    guard isAlone, memory(.resident) < mostCopied else { return nil }
    // The library makes itself ready once, in this process, which is going to need it.
    Library.withLock {}
    let pid = chdf5_fork()
    guard pid == 0 else { return pid > 0 ? pid : nil }
    // A group of its own: Ctrl-C is meant for the process that waits, which then ends this one.
    setpgid(0, 0)
    Isolation.disable()
    close(ends[0])
    let nothing = open("/dev/null", O_RDWR)
    if nothing >= 0 { for descriptor in 0...2 as ClosedRange<Int32> { dup2(nothing, descriptor) } }
    onHeapOfItsOwn { look(into: path, names, limits, sign: ends[1], isCopy: true) }
  }

  /// Whether this process has no other thread.
  private static var isAlone: Bool {
    guard let folder = opendir("/proc/self/task") else { return false }
    defer { closedir(folder) }
    var count = 0
    while let entry = readdir(folder) {
      // Besides `.` and `..`, one for each thread.
      if entry.pointee.d_name.0 != UInt8(ascii: ".") { count += 1 }
    }
    return count == 1
  }

  private final class Work {
    let body: () -> Never
    init(_ body: @escaping () -> Never) { self.body = body }
  }

  /// Runs the rest of this process on another thread, whose heap begins empty.
  ///
  /// The heap of the thread that was copied has gaps everywhere. What a number of the file leads to from there would often be something
  /// sound.
  private static func onHeapOfItsOwn(_ body: @escaping () -> Never) -> Never {
    let work = Unmanaged.passRetained(Work(body))
    var thread = pthread_t()
    let status = pthread_create(
      &thread, nil, { $0.map { Unmanaged<Work>.fromOpaque($0).takeRetainedValue().body() } },
      work.toOpaque())
    guard status == 0 else { body() }
    while true { pause() }
  }

  /// How much of the heap is filled, which is what a look at a small file takes.
  private static let filledByteCount = 1 << 20

  /// Leaves no zeros in the part of the heap that is still free.
  ///
  /// New memory is zero, which is what an empty text looks like. A number of the file that leads behind what the library holds finds no
  /// address and no length there that could be sound, once every free byte says 0x5a.
  private static func fillHeap() {
    // Small enough to lie in the heap, and not in memory of their own.
    let size = 1 << 16
    let blocks = (0..<(filledByteCount / size)).map { _ in malloc(size) }
    for block in blocks { free(block) }
  }

  // MARK: - This program once more

  /// The first argument of a program that is started to look.
  private static let word = "look-into-hdf5"

  /// The descriptor on which it says how far it is; not its standard output, to which plug-ins may write.
  private static let signDescriptor: Int32 = 3

  /// - Returns: nil where it cannot be started.
  private static func program(
    _ path: String, _ names: [String]?, _ limits: Limits, _ ends: [Int32]
  ) -> pid_t? {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, ends[1], signDescriptor)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // As in `copy`.
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
    let words =
      ["convoy", word, "\(limits.memoryByteCount)", "\(limits.cpuSeconds)", path] + (names ?? [])
    var arguments = words.map { strdup($0.systemPath) } + [nil]
    defer { arguments.forEach { free($0) } }
    var pid: pid_t = 0
    let status = posix_spawn(
      &pid, "/proc/self/exe", &actions, &attributes, &arguments, chdf5_environment())
    return status == 0 ? pid : nil
  }

  /// Looks into a file and ends the process, where it was started to do so.
  static func lookIfAsked() {
    let arguments = ProgramArguments.all
    guard arguments.count >= 5, arguments[1] == word, let memory = Int(arguments[2]),
      let seconds = Int(arguments[3])
    else { return }
    let names = Array(arguments.dropFirst(5))
    look(
      into: arguments[4], names.isEmpty ? nil : names, Limits(memoryByteCount: memory, cpuSeconds: seconds),
      sign: signDescriptor, isCopy: false)
  }

  // MARK: - The process that looks

  private static func look(
    into path: String, _ names: [String]?, _ limits: Limits, sign: Int32, isCopy: Bool
  ) -> Never {
    // Nobody is there to be told of a crash, and signals that ask to stop are meant for the process that waits.
    for number in 1...31 as ClosedRange<Int32> {
      var current = sigaction()
      sigaction(number, nil, &current)
      let isIgnored =
        unsafeBitCast(current.__sigaction_handler.sa_handler, to: Int.self)
        == unsafeBitCast(SIG_IGN, to: Int.self)
      if !isIgnored || mustEnd.contains(number) { signal(number, SIG_DFL) }
    }
    _ = chdf5_end_with_parent()
    limit(RLIMIT_CORE, 0)
    limit(RLIMIT_FSIZE, 0)
    limit(RLIMIT_CPU, limits.cpuSeconds)
    // A build that watches memory sets terabytes aside, and its allocator dies of limits.
    let held = memory(.data)
    if held < 1 << 36 { limit(RLIMIT_DATA, held + limits.memoryByteCount) }
    chdf5_let_no_memory_look_sound(isCopy ? 0 : 1)
    fillHeap()
    say(.hasBegun, on: sign)
    var survey = FileSurvey(mostTextBytes: limits.mostTextBytes) { reading, place in
      say(.reading(reading, place), on: sign)
    }
    survey.look(into: path, names)
    if survey.wasCutShort { say(.cutShort, on: sign) }
    say(survey.ranOutOfMemory ? .outOfMemory : .isDone, on: sign)
    _exit(0)
  }

  /// Signals that end the process although its parent ignores them.
  private static let mustEnd: [Int32] = [
    SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGQUIT, SIGXCPU, SIGXFSZ,
  ]

  private static func say(_ message: SurveyMessage, on descriptor: Int32) {
    let bytes = message.bytes
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno != EINTR { return }
      sent += max(0, count)
    }
  }

  private static func limit(_ resource: __rlimit_resource, _ value: Int) {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = min(limit.rlim_max, rlim_t(max(0, value)))
    setrlimit(__rlimit_resource_t(resource.rawValue), &limit)
  }

  /// The place of a number in `/proc/self/statm`.
  private enum Memory: Int {
    case resident = 1
    case data = 5
  }

  /// Bytes of memory that this process has already; a gigabyte where the system does not say.
  private static func memory(_ kind: Memory) -> Int {
    let descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return 1 << 30 }
    defer { close(descriptor) }
    var text = [UInt8](repeating: 0, count: 256)
    let length = read(descriptor, &text, text.count)
    guard length > 0 else { return 1 << 30 }
    let fields = String(decoding: text[..<length], as: UTF8.self).split(separator: " ")
    guard fields.count > kind.rawValue, let pages = Int(fields[kind.rawValue]) else { return 1 << 30 }
    return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
  }
}
