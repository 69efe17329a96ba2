internal import ArgumentParser
internal import Foundation
internal import Paths
internal import Reporting

/// Turns an error into lines on standard error and the exit code of ``ExitStatus``.
enum Failure {
  /// Ends the process with the error's code, after a line for each line of its text, or help on standard output.
  static func exit(with error: any Error) -> Never {
    if let status = ExitStatus(error) {
      let lines = error is SilentEnd ? [] : SystemReason.text(error).split(separator: "\n")
      for line in lines {
        TerminalOutput.write("error: \(TextWidth.printable(PathText.readable(String(line))))\n", to: 2)
      }
      Foundation.exit(status.rawValue)
    }
    let code = Convoy.exitCode(for: error)
    if code.isSuccess {
      // Help, the version and completions are no failures.
      print(help(error))
      do throws(CommandError) { try StandardOutput.finish() } catch { exit(with: error) }
      Foundation.exit(0)
    }
    let lines = Convoy.fullMessage(for: error).split(separator: "\n", omittingEmptySubsequences: false)
    TerminalOutput.write(
      lines.map { TextWidth.printable(PathText.readable(String($0))) + "\n" }.joined(), to: 2)
    // An error that does not come from the argument parser comes from a library, and nobody expected it.
    let status: ExitStatus = code == .validationFailure ? .usage : .internalError
    Foundation.exit(status.rawValue)
  }

  /// The argument parser's answer to `--help` and the like.
  private static func help(_ request: any Error) -> String {
    let text = Convoy.fullMessage(for: request, columns: 100_000)
    guard text.hasPrefix("OVERVIEW:") else { return text }
    return HelpText(unbroken: text).text(columns: TerminalOutput.standardOutput.columns)
  }
}

extension Convoy {
  /// Makes the argument parser's errors begin like all others.
  static var _errorLabel: String { "error" }
}

/// An error in a command's usage, or in the files that it reads or writes, beyond what the targets below detect.
struct CommandError: Error, CustomStringConvertible {
  let status: ExitStatus
  let description: String

  init(_ status: ExitStatus, _ description: String) {
    self.status = status
    self.description = description
  }

  static func usage(_ text: String) -> CommandError { CommandError(.usage, text) }
  static func badData(_ text: String) -> CommandError { CommandError(.badData, text) }
  static func missing(_ text: String) -> CommandError { CommandError(.missingInput, text) }
}

/// Ends the process when everything has been said.
struct SilentEnd: Error {
  let status: ExitStatus

  init(_ status: ExitStatus) { self.status = status }
}
