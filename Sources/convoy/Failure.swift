internal import ArgumentParser
internal import Compute
internal import Datasets
internal import Experiments
internal import Foundation
internal import HDF5
internal import ImageFiles
internal import Insight
internal import Interchange
internal import Networks
internal import OneDNN
internal import Training

/// Turns an error into one line on standard error and the right exit code.
enum Failure {
  static func exit(with error: any Error) -> Never {
    guard let code = exitCode(of: error) else { Convoy.exit(withError: error) }
    let lines = "\(error)".split(separator: "\n")
    let text = lines.map { "error: \($0)\n" }.joined()
    TerminalOutput.write(text, to: 2)
    Foundation.exit(code)
  }

  /// - Returns: nil for the argument parser's own errors, help and completions, which it prints itself.
  private static func exitCode(of error: any Error) -> Int32? {
    switch error {
    case let error as DatasetError: error.exitCode
    case let error as TrainingError: error.exitCode
    case let error as ConfigurationErrors: error.isMissingFile ? 66 : 78
    case is NetworkError: 78
    case let error as ComputeError: error.exitCode
    case is OneDNNError: 70
    case is HDF5Error: 65
    case let error as ImageError: error.exitCode
    case let error as InsightError: error.exitCode
    case let error as InterchangeError: error.exitCode
    case let error as CommandError: error.exitCode
    // Nothing is lost: the same command begins again.
    case is StoppedEarly: 75
    default: nil
    }
  }
}

/// What is wrong with how a command was used, beyond what the argument parser sees.
struct CommandError: Error, CustomStringConvertible {
  let exitCode: Int32
  let description: String

  static func usage(_ text: String) -> CommandError { CommandError(exitCode: 64, description: text) }
  static func badData(_ text: String) -> CommandError { CommandError(exitCode: 65, description: text) }
  static func missing(_ text: String) -> CommandError { CommandError(exitCode: 66, description: text) }
}

extension ComputeError {
  fileprivate var exitCode: Int32 {
    switch self {
    case .library, .noKernel: 70
    case .output, .precision: 78
    case .sample: 65
    case .trace: 64
    }
  }
}
