internal import Glibc
internal import HDF5
internal import Training

/// Ends a process that was asked to stop and cannot, because a library does not come back.
///
/// Stop signals set a flag that is looked at between pieces of work, and a damaged file can keep libhdf5 at one piece for ever.
/// Nothing is lost: files are written whole or not at all, and what libhdf5 writes bears no file's name before it is done.
enum StuckLibraryWatch {
  /// No call of the library that does something takes so long after a signal.
  private static let patience = 5.0

  /// Starts a thread that sleeps nearly all the time; where there is no room for one, there is no watch.
  static func start() {
    var thread = pthread_t()
    if pthread_create(&thread, nil, watchForStuckLibrary, nil) == 0 { pthread_detach(thread) }
  }

  /// Ends the process where it is stuck.
  fileprivate static func look() {
    guard StopSignals.request.isRequested, HDF5.Library.secondsInCall > patience else { return }
    TerminalOutput.write("error: stopped by a signal inside of libhdf5, which did not come back\n", to: 2)
    _exit(ExitStatus.stopped.rawValue)
  }
}

/// What the thread does; a function of its own, because C calls it.
private func watchForStuckLibrary(_: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  while true {
    usleep(500_000)
    StuckLibraryWatch.look()
  }
}
