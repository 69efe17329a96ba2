public import Foundation

#if canImport(Glibc)
  import Glibc
#endif

extension Process {
  /// Starts the program and ends it by force if it still runs after a time in which every program of a test is over.
  ///
  /// A program that hangs then fails its test, and the other tests go on.
  public func runBounded(seconds: Double = 600) throws {
    try run()
    let number = processIdentifier
    DispatchQueue.global().asyncAfter(deadline: .now() + seconds) { [weak self] in
      guard let self, isRunning else { return }
      print(
        "\(executableURL?.lastPathComponent ?? "?") \(arguments ?? []) still runs after \(seconds) seconds")
      kill(number, SIGKILL)
    }
  }
}
