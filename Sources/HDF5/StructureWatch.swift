internal import Glibc

/// Watches a call that only looks at a file's structure, which takes a thousandth of a second in a sound file.
///
/// The process that looks first comes to the same places of a file, but where a number leads out of the library's own memory, what lies
/// there differs between processes: the one may get by where the other goes round in circles.
struct StructureWatch: ~Copyable {
  /// The processor's seconds that one call may take.
  private static let seconds = 10

  /// The calls that read what a file says of itself; not those that read data, which may be long.
  private static let functions: Set<String> = [
    "H5Fopen", "H5Gopen2", "H5Dopen2", "H5Aopen", "H5Aread", "H5Dget_type", "H5Aget_type",
    "H5Dget_create_plist", "H5Oget_info_by_name2", "H5Lget_info", "H5Lget_val", "H5Pget_virtual_count",
    "H5Pget_virtual_vspace",
  ]

  private let timer: timer_t

  /// - Returns: nil for a call that is not watched, and where ``Isolation`` is off.
  init?(_ function: StaticString) {
    guard Self.functions.contains("\(function)"), Isolation.isEnabled else { return nil }
    var event = sigevent()
    event.sigev_notify = Int32(SIGEV_SIGNAL)
    event.sigev_signo = Library.overrunSignal
    var timer: timer_t?
    guard timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer) == 0, let timer else { return nil }
    self.timer = timer
    var time = itimerspec()
    time.it_value.tv_sec = Self.seconds
    timer_settime(timer, 0, &time, nil)
  }

  deinit { timer_delete(timer) }
}
