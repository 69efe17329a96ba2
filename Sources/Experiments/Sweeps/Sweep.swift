internal import Settings

/// A family of runs that a configuration's `sweep` section describes, each checked as a configuration of its own.
public struct Sweep: Sendable {
  /// One run.
  public struct Member: Sendable {
    /// From 0.
    public let index: Int
    /// What its configuration says of each of the sweep's keys; nil where it has no such key, as another optimizer's.
    public let values: [String?]
    /// What the sweep puts into it, a line `key = value` each, sorted.
    public let assignments: [String]
    public let configuration: LoadedConfiguration
  }

  /// The configuration without its sweep.
  public let base: LoadedConfiguration
  /// What is varied, in the order in which it is written.
  public let keys: [String]
  /// At least one, at most 10,000; the same for the same file, and no two alike.
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
    return try SweepReader(
      base: base, definition: definition, overrides: overrides, merged: try merged(text: text, path: path)
    ).read()
  }
}

/// Makes the members of a sweep, and checks that each is what the sweep says and no other.
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
    /// By what it trains.
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

  /// What a member's configuration says of the keys: as it is written there, or the default.
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

  /// An override of all members that the sweep puts something else in place of would never have an effect.
  private func checkOverrides(
    _ swept: [[String]], _ root: ConfigurationNode
  ) throws(ConfigurationErrors) {
    guard !overrides.isEmpty else { return }
    for (override, path) in Overrides.paths(of: overrides, in: root) {
      guard let key = swept.first(where: { path.starts(with: $0) }) else { continue }
      throw ConfigurationErrors(
        override.location,
        "the sweep varies \(key.joined(separator: ".")): this value would never be used; leave one of them out"
      )
    }
  }

  private func sameAs(_ twin: Int, _ index: Int) -> String {
    let text = "sweep: members \(twin) and \(index) are the same training"
    return switch definition.kind {
    case .random(let runs, _, _):
      "\(text): there are fewer than \(runs) different ones in these ranges; ask for fewer runs"
    case .grid, .list: "\(text); write each value once"
    }
  }

  /// Where a person finds what an error is about: a swept value is an override only to the reader of the schema.
  private func place(
    of error: ConfigurationError, in assignments: [SweepDefinition.Assignment]
  ) -> ConfigurationLocation {
    guard case .override(let text) = error.location else { return error.location }
    return assignments.last { $0.override.shortened == text }?.location ?? error.location
  }
}

extension ConfigurationNode {
  /// What stands at a path of keys and places in lists; nil where nothing is written.
  fileprivate func node(at path: ArraySlice<String>) -> ConfigurationNode? {
    guard let segment = path.first else { return self }
    if case .list(let items) = content {
      guard let index = Int(segment), items.indices.contains(index) else { return nil }
      return items[index].node(at: path.dropFirst())
    }
    return self[segment]?.node(at: path.dropFirst())
  }
}
