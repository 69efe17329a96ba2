internal import Settings

/// A `key.path=value` that is put over a configuration's file.
public struct Override: Hashable, Sendable, ExpressibleByStringLiteral {
  /// Where an override was given.
  public enum Source: Hashable, Sendable {
    /// `--set` on the command line.
    case option
    /// The environment variable ``variable``.
    case environment
  }

  public let text: String
  public let source: Source

  public init(_ text: String, from source: Source = .option) {
    self.text = text
    self.source = source
  }

  public init(stringLiteral text: String) { self.init(text) }

  /// Holds overrides of all trainings in a shell or a batch job, one a line or between semicolons.
  public static let variable = ConfigurationLocation.environmentVariable

  /// Those of the environment, then those of `--set`, which thereby have the last word.
  public static func all(options: [String], environment: [String: String]) -> [Override] {
    let words = (environment[variable] ?? "").split { $0 == ";" || $0.isNewline }
      .map { String($0.drop(while: \.isWhitespace)) }.filter { !$0.isEmpty }
    return words.map { Override($0, from: .environment) } + options.map { Override($0) }
  }

  /// Where errors and `config show` say that its value comes from.
  var location: ConfigurationLocation {
    switch source {
    case .option: .override(text.shortened)
    case .environment: .environment(text.shortened)
    }
  }
}
