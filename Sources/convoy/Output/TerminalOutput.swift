internal import Dispatch
internal import Foundation
internal import Glibc
internal import Parallel
internal import Paths
internal import Reporting
internal import Synchronization

/// The process's two output streams.
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
    ProgressLine(standardError, measure: { standardError }) {
      if !isFollower.load(ordering: .relaxed) { write($0, to: 2) }
    }
  }

  /// Whether this process leaves results, progress and warnings to another one, and only errors are its own.
  static let isFollower = Atomic<Bool>(false)

  /// Writes text at once, with readable names of files; what cannot be written is lost, and ``StandardOutput`` keeps the reason.
  static func write(_ text: String, to descriptor: Int32) {
    if isFollower.load(ordering: .relaxed), descriptor == 1 { return }
    write(Array(PathText.readable(text).utf8), to: descriptor)
  }

  private static func write(_ text: [UInt8], to descriptor: Int32) {
    var bytes = text[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        if descriptor == 1 { StandardOutput.failed(errno) }
        return
      }
      bytes = bytes.dropFirst(count)
    }
  }

  /// Prints the path of a file that was written: readable on a terminal, and elsewhere as the bytes that it is, for a program that
  /// takes it from there.
  ///
  /// Where the file went to standard output, nothing else belongs there.
  static func printPath(_ path: String) {
    guard !OutputPlace(path).isStandardOutput else { return }
    guard !standardOutput.isInteractive else { return print(TextWidth.printable(path)) }
    write(PathText.bytes(of: path) + [UInt8(ascii: "\n")], to: 1)
  }

  /// Prints a warning; names in it may come from files, so control characters are replaced.
  static func warn(_ text: String) {
    if !isFollower.load(ordering: .relaxed) { note("warning: \(text)") }
  }

  /// Prints a line on standard error, cleaned like a warning.
  static func note(_ text: String) { write("\(TextWidth.printable(text))\n", to: 2) }
}

/// Whether everything that was printed on standard output arrived there.
enum StandardOutput {
  private static let failure = Guarded<Int32?>(nil)

  /// Notes a failed write.
  ///
  /// - Parameter code: the system's error number.
  static func failed(_ code: Int32) { failure.withLock { $0 = $0 ?? code } }

  /// Checks that no write failed; a reader that has gone, as behind `| head`, wanted no more.
  ///
  /// - Throws: ``CommandError`` where results were lost, as on a full disk.
  static func finish() throws(CommandError) {
    guard let code = failure.withLock({ $0 }), code != EPIPE else { return }
    throw CommandError(
      .inputOutput, "standard output cannot be written: \(String(cString: strerror(code))); results were lost"
    )
  }
}

// Three functions stand in for Swift's of this name, without default arguments: only then does the compiler prefer them.

/// Prints a line or several on standard output; see ``print(_:terminator:)``.
func print(_ text: String) { print(text, terminator: "\n") }

/// Prints an empty line on standard output.
func print() { print("", terminator: "\n") }

/// Prints results on standard output, at once.
///
/// The text may contain names from files, whose control characters do not reach the terminal. JSON contains none, since it
/// escapes them. ``StandardOutput`` notes what cannot be written.
func print(_ text: String, terminator: String) {
  let isPlain = text.unicodeScalars.allSatisfy { !$0.isControl }
  let shown =
    isPlain
    ? text : String(String.UnicodeScalarView(text.unicodeScalars.map { $0.isControl ? "\u{FFFD}" : $0 }))
  TerminalOutput.write(shown + terminator, to: 1)
}

extension Unicode.Scalar {
  /// Whether this could control a terminal, apart from the line breaks and tabs of tables and texts.
  fileprivate var isControl: Bool {
    (value < 0x20 && value != 0x0A && value != 0x09) || (0x7F...0x9F).contains(value)
  }
}
