/// Where something in a configuration was written.
public enum ConfigurationLocation: Hashable, Sendable, CustomStringConvertible {
  /// A place in a file; line and column count from 1, columns in Unicode scalars.
  case file(path: String, line: Int, column: Int)
  /// A file as a whole, where it is missing, too large or not text.
  case wholeFile(path: String)
  /// An override as it was given, `training.epochs=3`.
  case override(String)
  /// An override of the environment, `training.epochs=3`.
  case environment(String)
  /// An option of a command with its value, `--tile 512`.
  case flag(String)
  /// The schema's own default.
  case builtIn

  /// The environment variable that holds overrides.
  public static let environmentVariable = "CONVOY_SET"

  /// The place as messages begin with it: `run.yaml:3:5`, `--set training.epochs=3`.
  public var description: String {
    switch self {
    case .file(let path, let line, let column): "\(path):\(line):\(column)"
    case .wholeFile(let path): path
    case .override(let text): "--set \(text)"
    case .environment(let text): "\(ConfigurationLocation.environmentVariable) \(text)"
    case .flag(let text): text
    case .builtIn: "default"
    }
  }
}
