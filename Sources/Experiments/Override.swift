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

  /// The override as it was given, `key.path=value`.
  public let text: String
  /// Where it was given.
  public let source: Source

  /// An override, by default one from the command line.
  public init(_ text: String, from source: Source = .option) {
    self.text = text
    self.source = source
  }

  /// An override from the command line.
  public init(stringLiteral text: String) { self.init(text) }

  /// The environment variable with overrides for all trainings in a shell or a batch job: one on each line, or between semicolons.
  public static let variable = ConfigurationLocation.environmentVariable

  /// The overrides of the environment, then those of `--set`, which therefore have the last word.
  public static func all(options: [String], environment: [String: String]) -> [Override] {
    let words = (environment[variable] ?? "").split { $0 == ";" || $0.isNewline }
      .map { String($0.drop(while: \.isWhitespace)) }.filter { !$0.isEmpty }
    return words.map { Override($0, from: .environment) } + options.map { Override($0) }
  }

  /// The place that errors and `config show` give for its value.
  var location: ConfigurationLocation {
    switch source {
    case .option: .override(text.shortened)
    case .environment: .environment(text.shortened)
    }
  }
}
