internal import Glibc
internal import Training

/// Signals for a program that is the first process of a container.
///
/// The kernel withholds from it every signal that it does not handle, so that `docker stop` would wait for ten seconds and then kill.
enum FirstProcess {
  /// Ends the process by the signals that end others; commands that have something to save install their own handlers later.
  static func listen() {
    guard getpid() == 1 else { return }
    for number in StopSignals.handled {
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { number in _exit(128 + number) }
      action.sa_flags = SA_ONSTACK
      sigemptyset(&action.sa_mask)
      sigaction(number, &action, nil)
    }
  }
}
