internal import Settings

// The section `sweep`: grid, random, or list.

extension SchemaDecoder {
  static let sweepForms = "{grid: …}, {random: …} or {list: […]}"

  /// Reads the section into ``sweep``; its values are checked when the members are loaded.
  mutating func defineSweep(_ node: ConfigurationNode, at path: String) {
    guard let entries = node.entries, entries.count == 1 else {
      errors.add(node.location, "\(path): found \(node.found), expected one of \(Self.sweepForms)")
      return
    }
    let (word, payload) = (entries[0].key, entries[0].value)
    let kind: SweepDefinition.Kind?
    switch word {
    case "grid": kind = axes(payload, at: "\(path).grid", allowsRanges: false).map { .grid($0) }
    case "random": kind = random(payload, at: "\(path).random")
    case "list": kind = list(payload, at: "\(path).list")
    default:
      errors.add(
        entries[0].keyLocation,
        "\(path): unknown kind of sweep '\(word.shortened)', expected \(Self.sweepForms)"
          + NearestName.hint(word, among: ["grid", "random", "list"]))
      return
    }
    guard let kind else { return }
    let definition = SweepDefinition(kind: kind, location: node.location)
    guard definition.count <= SweepDefinition.limit else {
      let count = definition.count == Int.max ? "far too many" : "\(definition.count)"
      errors.add(node.location, "\(path): makes \(count) runs, at most \(SweepDefinition.limit) are allowed")
      return
    }
    sweep = definition
  }

  private mutating func random(_ node: ConfigurationNode, at path: String) -> SweepDefinition.Kind? {
    let known = ["runs", "seed", "keys"]
    guard let entries = node.entries else {
      errors.add(node.location, "\(path): found \(node.found), expected a map with runs, seed, keys")
      return nil
    }
    for entry in entries where !known.contains(entry.key) {
      errors.add(
        entry.keyLocation,
        "unknown key '\(entry.key.shortened)' in \(path); known are runs, seed, keys"
          + NearestName.hint(entry.key, among: known))
    }
    guard let runs = node["runs"], let keys = node["keys"] else {
      let missing =
        node["runs"] == nil
        ? "runs is missing; it is the number of runs" : "keys is missing; it is a map of keys"
      errors.add(node.location, "\(path).\(missing)")
      return nil
    }
    let count = decode(runs, .integer(1...SweepDefinition.limit), at: "\(path).runs")?.integer
    let seed = node["seed"].map { decode($0, .integer(0...Int.max), at: "\(path).seed")?.integer } ?? 0
    guard let axes = axes(keys, at: "\(path).keys", allowsRanges: true), let count, let seed else {
      return nil
    }
    return .random(runs: count, seed: UInt64(seed), axes)
  }

  private mutating func list(_ node: ConfigurationNode, at path: String) -> SweepDefinition.Kind? {
    guard case .list(let items) = node.content, !items.isEmpty else {
      errors.add(node.location, "\(path): found \(node.found), expected a list of maps of keys with values")
      return nil
    }
    var members: [[SweepDefinition.Assignment]] = []
    for (index, item) in items.enumerated() {
      guard let entries = item.entries, !entries.isEmpty else {
        errors.add(item.location, "\(path).\(index): found \(item.found), expected a map of keys with values")
        continue
      }
      members.append(
        entries.map {
          SweepDefinition.Assignment(key: $0.key, value: $0.value.flowText, location: $0.value.location)
        })
    }
    return members.count == items.count ? .list(members) : nil
  }

  private mutating func axes(
    _ node: ConfigurationNode, at path: String, allowsRanges: Bool
  ) -> [SweepDefinition.Axis]? {
    guard let entries = node.entries, !entries.isEmpty else {
      errors.add(node.location, "\(path): found \(node.found), expected a map of keys with lists of values")
      return nil
    }
    let axes = entries.compactMap { axis($0, at: "\(path).\($0.key.shortened)", allowsRanges: allowsRanges) }
    return axes.count == entries.count ? axes : nil
  }

  private mutating func axis(
    _ entry: ConfigurationNode.Entry, at path: String, allowsRanges: Bool
  ) -> SweepDefinition.Axis? {
    func make(_ values: SweepDefinition.Axis.Values) -> SweepDefinition.Axis {
      SweepDefinition.Axis(key: entry.key, values: values, location: entry.value.location)
    }
    switch entry.value.content {
    case .list(let items) where !items.isEmpty:
      return make(
        .choice(
          items.map {
            SweepDefinition.Assignment(key: entry.key, value: $0.flowText, location: $0.location)
          }))
    case .map(let ranges) where allowsRanges && ranges.count == 1:
      return bounds(ranges[0], at: path).map(make)
    case .scalar, .list, .map:
      let ranges = allowsRanges ? ", or {uniform: [low, high]}, {log_uniform: …}, {integer: …}" : ""
      errors.add(
        entry.value.location, "\(path): found \(entry.value.found), expected a list of values\(ranges)")
      return nil
    }
  }

  /// The kinds of ranges that a key can be drawn from.
  private enum RangeWord: String, CaseIterable {
    case uniform
    case logUniform = "log_uniform"
    case integer

    /// The form of both bounds.
    var bound: Schema {
      switch self {
      case .uniform: .number(.any)
      case .logUniform: .number(.positive)
      case .integer: .integer(-(1 << 40)...(1 << 40))
      }
    }
  }

  private mutating func bounds(
    _ entry: ConfigurationNode.Entry, at path: String
  ) -> SweepDefinition.Axis.Values? {
    guard let word = RangeWord(rawValue: entry.key) else {
      let words = RangeWord.allCases.map(\.rawValue)
      errors.add(
        entry.keyLocation,
        "\(path): unknown range '\(entry.key.shortened)', expected \(words.joined(separator: ", "))"
          + NearestName.hint(entry.key, among: words))
      return nil
    }
    let path = "\(path).\(entry.key)"
    guard let values = decode(entry.value, .list(word.bound, count: 2...2), at: path)?.list else {
      return nil
    }
    let numbers = values.compactMap { value in value.number ?? value.integer.map(Double.init) }
    guard numbers.count == 2, numbers[0] < numbers[1] else {
      errors.add(entry.value.location, "\(path): the first bound must be below the second")
      return nil
    }
    switch word {
    case .uniform: return .uniform(numbers[0]...numbers[1])
    case .logUniform: return .logUniform(numbers[0]...numbers[1])
    case .integer: return .integer(Int(numbers[0])...Int(numbers[1]))
    }
  }
}

extension ConfigurationNode {
  /// The node on one line, as an override would write it.
  var flowText: String {
    switch content {
    case .scalar(let text, isPlain: true): text
    case .scalar(let text, isPlain: false):
      "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    case .list(let items): "[" + items.map(\.flowText).joined(separator: ", ") + "]"
    case .map(let entries):
      "{" + entries.map { "\($0.key): \($0.value.flowText)" }.joined(separator: ", ") + "}"
    }
  }
}
