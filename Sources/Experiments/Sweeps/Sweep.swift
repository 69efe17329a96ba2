internal import Settings

/// A family of runs that a configuration's `sweep` section describes, each checked as a configuration of its own.
public struct Sweep: Sendable {
  /// One run.
  public struct Member: Sendable {
    /// From 0.
    public let index: Int
    /// What it has for each of the sweep's keys; nil where the configuration's own value stands.
    public let values: [String?]
    public let configuration: LoadedConfiguration
  }

  /// The configuration without its sweep.
  public let base: LoadedConfiguration
  /// What is varied, in the order in which it is written.
  public let keys: [String]
  /// At least one, at most 10,000; the same for the same file.
  public let members: [Member]
}

extension ConfigurationFile {
  /// Reads a configuration with a `sweep` section, and every run that it makes.
  ///
  /// - Parameter overrides: apply to all members, before what the sweep says.
  /// - Throws: All errors of all members at once, those of a swept value at the place where it is written.
  public static func loadSweep(
    path: String, overrides: [Override] = []
  ) throws(ConfigurationErrors) -> Sweep {
    try loadSweep(text: try SourceText.read(path), path: path, overrides: overrides)
  }

  /// As ``loadSweep(path:overrides:)``, from text.
  public static func loadSweep(
    text: String, path: String, overrides: [Override] = []
  ) throws(ConfigurationErrors) -> Sweep {
    let base = try load(text: text, path: path, overrides: overrides)
    guard let definition = base.sweep else {
      throw ConfigurationErrors(
        .wholeFile(path: path),
        "there is no section 'sweep' that says what to vary, such as sweep: {grid: {training.batch: [64, 128]}}"
      )
    }
    var errors = ErrorCollector()
    var members: [Sweep.Member] = []
    let keys = definition.keys
    for (index, assignments) in definition.members().enumerated() {
      do throws(ConfigurationErrors) {
        let loaded = try load(
          text: text, path: path, overrides: overrides + assignments.map { Override($0.override) })
        let values = keys.map { key in assignments.last { $0.key == key }?.value }
        members.append(Sweep.Member(index: index, values: values, configuration: loaded))
      } catch {
        for error in error.errors { errors.add(place(of: error, in: assignments), error.message) }
        if errors.isFull { break }
      }
    }
    guard errors.isEmpty else { throw errors.sorted() }
    return Sweep(base: base, keys: keys, members: members)
  }

  /// Where a person finds what an error is about: a swept value is an override only to the reader of the schema.
  private static func place(
    of error: ConfigurationError, in assignments: [SweepDefinition.Assignment]
  ) -> ConfigurationLocation {
    guard case .override(let text) = error.location else { return error.location }
    return assignments.last { $0.override.shortened == text }?.location ?? error.location
  }
}
