public import Settings

/// One thing that is wrong in a configuration.
public struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
  public let location: ConfigurationLocation
  /// What was found, what is allowed, and the nearest known name.
  public let message: String

  public init(_ location: ConfigurationLocation, _ message: String) {
    self.location = location
    self.message = message
  }

  /// One line: `file:line:column: message`.
  public var description: String { "\(location): \(message)" }
}

/// Everything that is wrong in a configuration, in the order in which it is written.
public struct ConfigurationErrors: Error, Hashable, Sendable, CustomStringConvertible {
  public let errors: [ConfigurationError]
  /// True when the file could not be opened because it does not exist.
  public let isMissingFile: Bool

  public init(_ errors: [ConfigurationError], isMissingFile: Bool = false) {
    self.errors = errors
    self.isMissingFile = isMissingFile
  }

  init(_ location: ConfigurationLocation, _ message: String) {
    self.init([ConfigurationError(location, message)])
  }

  /// True when all of it lies in the options of a command.
  public var isUsage: Bool { errors.allSatisfy { if case .flag = $0.location { true } else { false } } }

  /// One line per error.
  public var description: String { errors.map(\.description).joined(separator: "\n") }
}

/// Collects errors, each once, and keeps them in the order of their places.
struct ErrorCollector {
  /// More errors than a person reads; the rest is counted.
  static let limit = 100
  /// Of a file that is nothing but errors their texts would take a hundred times its size; beyond so many they are counted alone.
  static let keptCount = 2000

  /// Errors beyond those that are kept.
  private var furtherCount = 0
  private var known: Set<ConfigurationError> = []
  private(set) var errors: [ConfigurationError] = []

  var isEmpty: Bool { errors.isEmpty }

  /// True when nobody will read further ones, so that hints for them need not be looked for.
  var isFull: Bool { errors.count > 2 * ErrorCollector.limit }

  mutating func add(_ location: ConfigurationLocation, _ message: String) {
    guard errors.count < ErrorCollector.keptCount else {
      furtherCount += 1
      return
    }
    let error = ConfigurationError(location, message)
    if known.insert(error).inserted { errors.append(error) }
  }

  /// An error at a key, which the message begins with unless an option of a command says already what it is about.
  mutating func add(_ location: ConfigurationLocation, at path: String, _ message: String) {
    if case .flag = location { return add(location, message) }
    add(location, "\(path.isEmpty ? "the configuration" : path): \(message)")
  }

  mutating func add(_ other: ConfigurationErrors) {
    for error in other.errors { add(error.location, error.message) }
  }

  /// The errors in file order; errors of overrides stand last.
  func sorted() -> ConfigurationErrors {
    var files: [String] = []
    for case .file(let path, _, _) in errors.map(\.location) where !files.contains(path) {
      files.append(path)
    }
    func rank(_ location: ConfigurationLocation) -> (Int, Int, Int) {
      switch location {
      case .wholeFile, .builtIn: (-1, 0, 0)
      case .file(let path, let line, let column): (files.firstIndex(of: path) ?? 0, line, column)
      case .override, .environment, .flag: (Int.max, 0, 0)
      }
    }
    var ordered = errors.enumerated().sorted { left, right in
      let (leftRank, rightRank) = (rank(left.element.location), rank(right.element.location))
      return leftRank == rightRank ? left.offset < right.offset : leftRank < rightRank
    }.map(\.element)
    if ordered.count > ErrorCollector.limit {
      let rest = ordered.count - ErrorCollector.limit
      ordered.removeLast(rest)
      ordered.append(ConfigurationError(ordered[0].location, "… and \(rest + furtherCount) more errors"))
    }
    return ConfigurationErrors(ordered)
  }
}
