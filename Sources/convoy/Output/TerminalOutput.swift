internal import Dispatch
internal import Foundation
internal import Glibc
internal import Paths
internal import Reporting

/// The process's two output streams as reports see them.
enum TerminalOutput {
  static var standardOutput: Terminal {
    Terminal(descriptor: 1, environment: ProcessInfo.processInfo.environment)
  }

  static var standardError: Terminal {
    Terminal(descriptor: 2, environment: ProcessInfo.processInfo.environment)
  }

  /// Seconds on a clock that only goes forward.
  static var seconds: Double { Double(DispatchTime.now().uptimeNanoseconds) / 1e9 }

  /// Progress of work whose result goes to standard output: a line on standard error, and only on a terminal.
  static func progressLine() -> ProgressLine {
    ProgressLine(standardError, measure: { standardError }) { write($0, to: 2) }
  }

  /// Writes at once, names of files readable; what cannot be written is lost, for there is no better place to say so.
  static func write(_ text: String, to descriptor: Int32) {
    var bytes = Array(PathText.readable(text).utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      bytes = bytes.dropFirst(count)
    }
  }

  static func warn(_ text: String) { write("warning: \(text)\n", to: 2) }
}
