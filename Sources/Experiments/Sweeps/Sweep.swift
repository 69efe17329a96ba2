internal import Settings

/// A family of runs that a configuration's `sweep` section describes, each checked as a configuration of its own.
public struct Sweep: Sendable {
  /// One run.
  public struct Member: Sendable {
    /// The member's number, from 0.
    public let index: Int
    /// The values of the sweep's keys in the member's configuration; nil for a key that it lacks, such as another optimizer's.
    public let values: [String?]
    /// What the sweep puts into the configuration, as sorted lines `key = value`.
    public let assignments: [String]
    /// The member's configuration.
    public let configuration: LoadedConfiguration
  }

  /// The configuration without its sweep.
  public let base: LoadedConfiguration
  /// The keys that are varied, in the order in which they are written.
  public let keys: [String]
  /// The members: at least one, at most 10,000; the same for the same file, and no two alike.
  public let members: [Member]
}

extension ConfigurationFile {
  /// Reads a configuration with a `sweep` section, and every run that it makes.
  ///
  /// - Parameter overrides: texts `key.path=value`, applied to all members before the sweep's own values.
  /// - Throws: all errors of all members at once; an error of a swept value has the place where it is written.
  public static func loadSweep(
    path: String, overrides: [Override] = []
  ) throws(ConfigurationErrors) -> Sweep {
    try loadSweep(text: try SourceText.read(path), path: path, overrides: overrides)
  }

  /// Reads a configuration with a `sweep` section from text, as ``loadSweep(path:overrides:)`` does from a file.
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
    return try SweepReader(
      base: base, definition: definition, overrides: overrides, merged: try merged(text: text, path: path)
    ).read()
  }
}

/// Makes the members of a sweep, and checks that each is what the sweep asks for, and no other.
private struct SweepReader {
  let base: LoadedConfiguration
  let definition: SweepDefinition
  let overrides: [Override]
  /// The configuration before overrides.
  let merged: ConfigurationNode

  func read() throws(ConfigurationErrors) -> Sweep {
    var errors = ErrorCollector()
    let root = Overrides.apply(overrides, to: merged, &errors)
    var members: [Sweep.Member] = []
    // By what each trains.
    var known: [ResolvedValue: Int] = [:]
    for (index, assignments) in definition.members().enumerated() {
      do throws(ConfigurationErrors) {
        let made = try member(index, assignments, root)
        if let twin = known[made.configuration.values] {
          throw ConfigurationErrors(assignments.last?.location ?? definition.location, sameAs(twin, index))
        }
        known[made.configuration.values] = index
        members.append(made)
      } catch {
        for error in error.errors { errors.add(place(of: error, in: assignments), error.message) }
        if errors.isFull { break }
      }
    }
    guard errors.isEmpty else { throw errors.sorted() }
    return Sweep(base: base, keys: definition.keys, members: members)
  }

  private func member(
    _ index: Int, _ assignments: [SweepDefinition.Assignment], _ root: ConfigurationNode
  ) throws(ConfigurationErrors) -> Sweep.Member {
    let (tree, paths) = try Overrides.applyTogether(assignments.map { Override($0.override) }, to: root)
    try checkOverrides(paths, root)
    let loaded = try ConfigurationFile.load(tree, path: base.path, ErrorCollector())
    let lines = paths.map { path in
      "\(path.joined(separator: ".")) = \(tree.node(at: path[...])?.flowText ?? "")"
    }
    return Sweep.Member(
      index: index, values: values(tree, loaded), assignments: lines.sorted(), configuration: loaded)
  }

  /// The values of the keys in a member's configuration: as written there, or the defaults.
  private func values(_ tree: ConfigurationNode, _ loaded: LoadedConfiguration) -> [String?] {
    let questions = definition.keys.map { Override("\($0)=") }
    let paths = Dictionary(
      Overrides.paths(of: questions, in: tree).map { ($0.override, $0.path) },
      uniquingKeysWith: { first, _ in first })
    return questions.map { question in
      guard let path = paths[question] else { return nil }
      return tree.node(at: path[...])?.flowText
        ?? loaded.values.value(at: path.joined(separator: "."))?.flowText
    }
  }

  /// Refuses an override of all members that the sweep replaces, since it would never have an effect.
  private func checkOverrides(
    _ swept: [[String]], _ root: ConfigurationNode
  ) throws(ConfigurationErrors) {
    guard !overrides.isEmpty else { return }
    for (override, path) in Overrides.paths(of: overrides, in: root) {
      guard let key = swept.first(where: { path.starts(with: $0) }) else { continue }
      throw ConfigurationErrors(
        override.location,
        "the sweep varies \(key.joined(separator: ".")), so this value would never be used; leave one of them out"
      )
    }
  }

  private func sameAs(_ twin: Int, _ index: Int) -> String {
    let text = "sweep: members \(twin) and \(index) are the same training"
    return switch definition.kind {
    case .random(let runs, _, _):
      "\(text); these ranges hold fewer than \(runs) different ones; ask for fewer runs"
    case .grid, .list: "\(text); write each value once"
    }
  }

  /// The place where a person finds the cause of an error: to the reader of the schema, a swept value is an override.
  private func place(
    of error: ConfigurationError, in assignments: [SweepDefinition.Assignment]
  ) -> ConfigurationLocation {
    guard case .override(let text) = error.location else { return error.location }
    return assignments.last { $0.override.shortened == text }?.location ?? error.location
  }
}

extension ConfigurationNode {
  /// The node at a path of keys and places in lists; nil where nothing is written.
  fileprivate func node(at path: ArraySlice<String>) -> ConfigurationNode? {
    guard let segment = path.first else { return self }
    if case .list(let items) = content {
      guard let index = Int(segment), items.indices.contains(index) else { return nil }
      return items[index].node(at: path.dropFirst())
    }
    return self[segment]?.node(at: path.dropFirst())
  }
}
