internal import ArgumentParser
internal import Experiments
internal import Foundation
internal import Reporting

/// Turns an error into lines on standard error and the exit code of ``ExitStatus``.
enum Failure {
  /// Ends the process with the error's code, after a line for each error, or help on standard output.
  ///
  /// Here, and nowhere else, names in errors lose what could control a terminal, line breaks among them.
  static func exit(with error: any Error) -> Never {
    if let status = ExitStatus(error) {
      let lines = lines(of: error)
      if !lines.isEmpty, RankProcess.isToSpeak(status) {
        let signature = RankProcess.signature()
        for line in lines { TerminalOutput.note("error: \(signature)\(line)") }
      }
      // Who has said all that there is to say agrees with the others on it.
      if lines.isEmpty { RankProcess.leave(status) } else { RankProcess.giveUp(status) }
      Foundation.exit(status.rawValue)
    }
    let code = Convoy.exitCode(for: error)
    if code.isSuccess {
      // Help, the version and completions are no failures.
      print(help(error))
      do throws(CommandError) { try StandardOutput.finish() } catch { exit(with: error) }
      Foundation.exit(0)
    }
    // The parser's message may contain words of the command line; the lines of usage after it are our own.
    let (all, message) = (Convoy.fullMessage(for: error), Convoy.message(for: error))
    let start = all.range(of: message)?.upperBound ?? all.startIndex
    let usage = all[start...].split(separator: "\n", omittingEmptySubsequences: true)
    let lines = (start > all.startIndex ? ["error: \(message)"] : []) + usage.map(String.init)
    for line in lines { TerminalOutput.note(line) }
    // An error that does not come from the argument parser comes from a library, and nobody expected it.
    let status: ExitStatus = code == .validationFailure ? .usage : .internalError
    Foundation.exit(status.rawValue)
  }

  private static func lines(of error: any Error) -> [String] {
    switch error {
    case is SilentEnd: []
    case let errors as ConfigurationErrors: errors.errors.map(\.description)
    case let errors as SeveralErrors: errors.lines
    default: [SystemReason.text(error)]
    }
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

/// Errors that were found together, each with a line of its own.
struct SeveralErrors: Error, CustomStringConvertible {
  let status: ExitStatus
  let lines: [String]

  var description: String { lines.joined(separator: "\n") }
}

/// Ends the process when everything has been said.
struct SilentEnd: Error {
  let status: ExitStatus

  init(_ status: ExitStatus) { self.status = status }
}
