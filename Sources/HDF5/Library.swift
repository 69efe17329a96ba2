internal import CHDF5
internal import Glibc
internal import Synchronization

/// The one door to libhdf5: every call goes through here, under one lock.
///
/// The library has a global lock of its own; ours is wider, so that a call and the reading of its error stack are one
/// action, and re-entrant, because an owner may be released inside another's call.
public enum Library {
  /// Runs `body` while no other thread is inside the library.
  static func withLock<Result>(_ body: () throws -> Result) rethrows -> Result {
    _ = start
    lock.acquire()
    defer { lock.release() }
    return try body()
  }

  /// Makes one C call and turns a negative result into an error that carries the library's error stack.
  ///
  /// - Parameters:
  ///   - function: the C function's name.
  ///   - context: what is being done, with names.
  @discardableResult
  static func call<Result: SignedInteger>(
    _ function: StaticString, _ context: @autoclosure () -> String, _ body: () throws -> Result
  ) throws -> Result {
    _ = start
    lock.acquire()
    defer { lock.release() }
    // Automatic printing is a setting of the thread's error stack, and a thread may be new: set it each time.
    H5Eset_auto2(chdf5_default_error_stack(), nil, nil)
    let watch = StructureWatch(function)
    let result = try body()
    _ = consume watch
    if result >= 0 { return result }
    let frames = errorStack()
    throw HDF5Error(function: "\(function)", context: context(), frames: frames)
  }

  /// Whether this thread is inside the library, where a fault is that of a damaged file and not of this program.
  ///
  /// A handler of signals may ask.
  public static var isInside: Bool { lock.isMine }

  /// Whether any thread is inside the library.
  ///
  /// A handler of signals may ask.
  public static var isBusy: Bool { lock.isTaken }

  /// The signal that a process gets which has turned ``Isolation`` on, when a call that only looks at a file's structure does not end.
  public static let overrunSignal = SIGVTALRM

  /// How many objects of the library are open in this process: files, groups, datasets, attributes, types, spaces.
  ///
  /// For tests that look for leaks.
  public static func openObjectCount() -> Int {
    withLock {
      [H5I_FILE, H5I_GROUP, H5I_DATASET, H5I_ATTR, H5I_DATATYPE, H5I_DATASPACE, H5I_GENPROP_LST]
        .reduce(0) { total, type in
          var count: hsize_t = 0
          return H5Inmembers(type, &count) >= 0 ? total + Int(count) : total
        }
    }
  }

  /// The version of the library that is loaded, `1.10.8`.
  public static var version: String {
    withLock {
      var (major, minor, release): (UInt32, UInt32, UInt32) = (0, 0, 0)
      H5get_libversion(&major, &minor, &release)
      return "\(major).\(minor).\(release)"
    }
  }

  private static let lock = RecursiveLock()

  /// Runs once, before the first call.
  private static let start: Void = {
    // At exit the library would flush files that an error left open, and could hang or write half a file.
    // No file is locked (see `File`). The library opens the sources of a virtual dataset itself, by this variable, and refuses a file that is
    // open with other flags.
    setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1)
    H5dont_atexit()
    H5open()
    H5Eset_auto2(chdf5_default_error_stack(), nil, nil)
    // A file must not make the process load code, unless its user says where that code is, nor open other files.
    H5PLset_loading_state(plugInFolder == nil ? 0 : chdf5_filter_plugins())
    H5Lunregister(H5L_TYPE_EXTERNAL)
    // Pieces of virtual datasets are looked for beside their file, and nowhere else.
    unsetenv("HDF5_VDS_PREFIX")
    LZF.register()
  }()

  /// The environment variable that says where filters are that libhdf5 does not have itself.
  public static let plugInVariable = "HDF5_PLUGIN_PATH"

  /// The folder of those filters; nil where the user named none, and then none are loaded.
  ///
  /// The library reads the variable once, before its first call.
  public static var plugInFolder: String? {
    guard let value = getenv(plugInVariable) else { return nil }
    let folder = String(cString: value)
    // "::" is the library's own word for none.
    return folder.isEmpty || folder == "::" ? nil : folder
  }

  /// Copies the error stack of this thread; must run before any other call, which would clear it.
  private static func errorStack() -> [HDF5Error.Frame] {
    final class Frames {
      var list: [HDF5Error.Frame] = []
    }
    let frames = Frames()
    _ = withExtendedLifetime(frames) {
      H5Ewalk2(
        chdf5_default_error_stack(), H5E_WALK_DOWNWARD,
        { _, entry, data in
          guard let entry, let data else { return 0 }
          let function = entry.pointee.func_name.map { String(cString: $0) } ?? ""
          let message = entry.pointee.desc.map { String(cString: $0) } ?? ""
          // Some messages end in a line break; an error is one line.
          let line = message.split(whereSeparator: \.isNewline).joined(separator: " ")
          Unmanaged<Frames>.fromOpaque(data).takeUnretainedValue().list
            .append(
              HDF5Error.Frame(
                function: function, message: line, isAboutRoom: chdf5_is_about_room(entry.pointee.min_num)))
          return 0
        }, Unmanaged.passUnretained(frames).toOpaque())
    }
    return frames.list
  }
}

/// A lock that its holder may take again.
private final class RecursiveLock: @unchecked Sendable {
  // @unchecked because the mutex is made for sharing; it lives on the heap and never moves.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  /// The thread that holds the lock; 0 for none.
  private let holder = Atomic<UInt>(0)
  /// How often its holder has taken it; touched by the holder alone.
  private var depth = 0

  init() {
    var attributes = pthread_mutexattr_t()
    pthread_mutexattr_init(&attributes)
    pthread_mutexattr_settype(&attributes, CInt(PTHREAD_MUTEX_RECURSIVE))
    pthread_mutex_init(mutex, &attributes)
    pthread_mutexattr_destroy(&attributes)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  func acquire() {
    pthread_mutex_lock(mutex)
    depth += 1
    holder.store(pthread_self(), ordering: .relaxed)
  }

  func release() {
    depth -= 1
    if depth == 0 { holder.store(0, ordering: .relaxed) }
    pthread_mutex_unlock(mutex)
  }

  var isTaken: Bool { holder.load(ordering: .relaxed) != 0 }

  var isMine: Bool { holder.load(ordering: .relaxed) == pthread_self() }
}
