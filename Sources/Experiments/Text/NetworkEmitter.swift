internal import Networks
internal import Settings

/// Writes blocks and layers as YAML.
struct NetworkEmitter {
  private let input: [Int]
  private let blocks: [BlockFinder.Block]
  private let items: [NetworkGrouping.Item]
  private let flow = CanonicalYAML(isAnnotated: false)

  init(_ input: [Int], _ blocks: [BlockFinder.Block], _ items: [NetworkGrouping.Item]) {
    (self.input, self.blocks, self.items) = (input, blocks, items)
  }

  var text: String {
    var lines = ["network:", "  input: [\(input.map(String.init).joined(separator: ", "))]"]
    if !blocks.isEmpty { lines.append("  blocks:") }
    for block in blocks {
      lines.append("    \(block.name):")
      if !block.parameters.isEmpty {
        let parameters = block.parameters.map { "\($0): \(LayerSchema.requiredWord)" }
        lines.append("      parameters: {\(parameters.joined(separator: ", "))}")
      }
      lines.append("      layers:")
      write(block.items, indent: "        ", to: &lines)
    }
    lines.append("  layers:")
    write(items, indent: "    ", to: &lines)
    return lines.map { $0 + "\n" }.joined()
  }

  private func write(_ items: [NetworkGrouping.Item], indent: String, to lines: inout [String]) {
    let explicit = explicitNames(items)
    var previous = "input"
    for (index, item) in items.enumerated() {
      var parts: [String] = []
      if explicit.contains(index) { parts.append("name: \(item.name)") }
      let isJoining = LayerForm(item.word).map { $0.inputCount.upperBound > 1 } ?? false
      if item.inputs != [previous] || isJoining {
        let names = item.inputs.joined(separator: ", ")
        parts.append("inputs: \(item.inputs.count == 1 && !isJoining ? names : "[\(names)]")")
      }
      previous = item.name
      if case .repetition(let times, let inner) = item.kind {
        lines.append("\(indent)- \(LayerSchema.repetitionWord):")
        for part in parts + ["times: \(times)"] { lines.append("\(indent)    \(part)") }
        lines.append("\(indent)    layers:")
        write(inner, indent: "\(indent)      ", to: &lines)
        continue
      }
      parts += item.settings.map { "\($0.key): \(text($0.value))" }
      lines.append("\(indent)- \(item.word)" + (parts.isEmpty ? "" : ": {\(parts.joined(separator: ", "))}"))
    }
  }

  /// One number for a square.
  private func text(_ value: ResolvedValue) -> String {
    if let sides = value.list, sides.count == 2, let side = sides[0].integer, sides[1].integer == side {
      return "\(side)"
    }
    return flow.flow(value)
  }

  /// The entries whose names a list would not give by itself.
  private func explicitNames(_ items: [NetworkGrouping.Item]) -> Set<Int> {
    var explicit: Set<Int> = []
    // Names that are given by hand are skipped by those that are not, so that some more may have to be given.
    for _ in 0...items.count {
      var scope = LayerScope(prefix: "", input: "input", parameters: nil, visibleBlocks: 0, use: nil)
      scope.explicit = Set(explicit.map { items[$0].name })
      var found = explicit
      for (index, item) in items.enumerated() {
        let word =
          if case .repetition = item.kind { LayerSchema.repetitionWord } else { item.word }
        if scope.automaticName(word) != item.name { found.insert(index) }
      }
      if found == explicit { return explicit }
      explicit = found
    }
    return Set(items.indices)
  }
}
