public import Settings

/// A single error in a configuration.
public struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Where the error is.
  public let location: ConfigurationLocation
  /// What was found, what is allowed, and the nearest known name.
  public let message: String

  /// An error at a place.
  public init(_ location: ConfigurationLocation, _ message: String) {
    self.location = location
    self.message = message
  }

  /// One line: `file:line:column: message`.
  public var description: String { "\(location): \(message)" }
}

/// All errors in a configuration, in the order in which they are written.
public struct ConfigurationErrors: Error, Hashable, Sendable, CustomStringConvertible {
  /// The errors; at least one.
  public let errors: [ConfigurationError]
  /// Whether the file could not be opened because it does not exist.
  public let isMissingFile: Bool

  /// Errors that were found together.
  public init(_ errors: [ConfigurationError], isMissingFile: Bool = false) {
    self.errors = errors
    self.isMissingFile = isMissingFile
  }

  init(_ location: ConfigurationLocation, _ message: String) {
    self.init([ConfigurationError(location, message)])
  }

  /// Whether all of the errors lie in options of a command.
  public var isUsage: Bool { errors.allSatisfy { if case .flag = $0.location { true } else { false } } }

  /// One line for each error.
  public var description: String { errors.map(\.description).joined(separator: "\n") }
}

/// Collects errors, each once, and keeps them in the order of their places.
struct ErrorCollector {
  /// A person reads no more errors than this; the rest is counted.
  static let limit = 100
  /// Of a file that is nothing but errors their texts would take a hundred times its size; beyond so many they are counted alone.
  static let keptCount = 2000

  /// Errors beyond those that are kept.
  private var furtherCount = 0
  private var known: Set<ConfigurationError> = []
  private(set) var errors: [ConfigurationError] = []

  var isEmpty: Bool { errors.isEmpty }

  /// Whether nobody will read further errors, so that hints for them need not be searched for.
  var isFull: Bool { errors.count > 2 * ErrorCollector.limit }

  mutating func add(_ location: ConfigurationLocation, _ message: String) {
    guard errors.count < ErrorCollector.keptCount else {
      furtherCount += 1
      return
    }
    let error = ConfigurationError(location, message)
    if known.insert(error).inserted { errors.append(error) }
  }

  /// Adds an error at a key; the message begins with the key, unless the location is an option that already names it.
  mutating func add(_ location: ConfigurationLocation, at path: String, _ message: String) {
    if case .flag = location { return add(location, message) }
    add(location, "\(path.isEmpty ? "the configuration" : path): \(message)")
  }

  mutating func add(_ other: ConfigurationErrors) {
    for error in other.errors { add(error.location, error.message) }
  }

  /// The errors in the order of the files; errors of overrides come last.
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
