internal import Networks
internal import Settings
internal import Tensors

/// The layers of a network in groups, as their names have it: `stage_1.2.conv` is in the second repetition of `stage_1`.
struct NetworkGrouping {
  /// An entry of a list of layers; names and inputs are those of the list.
  struct Item: Hashable {
    enum Kind: Hashable {
      case layer
      /// The same entries several times in a row.
      case repetition(times: Int, [Item])
      /// A group that may become the use of a block.
      case group([Item])
    }

    var name: String
    /// Names of entries of the list, or `input`.
    var inputs: [String]
    /// A layer's word, or the name of a block.
    var word: String
    var settings: [ResolvedValue.Member]
    var kind: Kind
  }

  private struct Unclear: Error {}

  private let network: Network
  private let layers: [NetworkText.WrittenLayer]
  /// The positions of the layers that take a layer's output.
  private var consumers: [String: [Int]] = [:]
  private let positions: [String: Int]
  private let isGrouped: Bool

  init(_ written: NetworkText.WrittenNetwork, isGrouped: Bool) {
    network = written.network
    layers = written.layers
    self.isGrouped = isGrouped
    positions = Dictionary(
      uniqueKeysWithValues: written.layers.enumerated().map { ($0.element.layer.name, $0.offset) })
    for (index, layer) in written.layers.enumerated() {
      for input in layer.layer.inputs { consumers[input, default: []].append(index) }
    }
  }

  /// The section `network`.
  var yaml: String {
    get throws {
      var items = try list(layers.indices, prefix: "", input: Network.inputName)
      var blocks = BlockFinder()
      items = blocks.resolve(items)
      return NetworkEmitter(network.inputShape.dimensions, blocks.blocks, items).text
    }
  }

  // MARK: - Groups

  /// The entries of a list of layers.
  ///
  /// - Parameters:
  ///   - prefix: what the names of all of them begin with.
  ///   - input: the layer before the list.
  private func list(_ range: Range<Int>, prefix: String, input: String) throws -> [Item] {
    var items: [Item] = []
    // What a layer is called in this list.
    var names = [input: "input"]
    func local(_ inputs: [String]) throws -> [String] {
      try inputs.map { input in
        guard let name = names[input] else { throw Unclear() }
        return name
      }
    }
    var index = range.lowerBound
    while index < range.upperBound {
      let own = String(layers[index].layer.name.dropFirst(prefix.count))
      if isGrouped, let dot = own.firstIndex(of: "."), String(own[..<dot]).isConfigurationName {
        let head = String(own[..<dot])
        let end =
          (index..<range.upperBound).first {
            !layers[$0].layer.name.dropFirst(prefix.count).hasPrefix("\(head).")
          } ?? range.upperBound
        if let (item, outer) = try? group(index..<end, name: head, prefix: prefix), let first = names[outer],
          !names.values.contains(head)
        {
          items.append(item.with(inputs: [first]))
          names[layers[end - 1].layer.name] = head
          index = end
          continue
        }
      }
      guard own.isConfigurationName else { throw Unclear() }
      let layer = layers[index]
      items.append(
        Item(
          name: own, inputs: try local(layer.layer.inputs), word: layer.word, settings: layer.settings,
          kind: .layer))
      names[layer.layer.name] = own
      index += 1
    }
    return items
  }

  /// Layers with one input from outside, of which others see only the last one.
  ///
  /// - Returns: the entry without its input, and the layer outside.
  private func group(_ range: Range<Int>, name: String, prefix: String) throws -> (Item, outer: String) {
    let full = "\(prefix)\(name)."
    let outer = try onlyInput(of: range)
    let numbers = range.map { index -> Int? in
      let rest = layers[index].layer.name.dropFirst(full.count)
      return rest.firstIndex(of: ".").flatMap { Int(rest[..<$0]) }
    }
    let kind: Item.Kind
    if numbers.allSatisfy({ $0 != nil }) {
      kind = try repetition(range, numbers.compactMap(\.self), full, outer)
    } else {
      kind = .group(try list(range, prefix: full, input: outer))
    }
    return (Item(name: name, inputs: [], word: name, settings: [], kind: kind), outer)
  }

  private func onlyInput(of range: Range<Int>) throws -> String {
    var outer: Set<String> = []
    for index in range {
      for input in layers[index].layer.inputs where !range.contains(positions[input] ?? -1) {
        outer.insert(input)
      }
      let isLast = index == range.upperBound - 1
      let isSeen = (consumers[layers[index].layer.name] ?? []).contains { !range.contains($0) }
      if isSeen, !isLast { throw Unclear() }
    }
    guard let input = outer.first, outer.count == 1 else { throw Unclear() }
    return input
  }

  private func repetition(
    _ range: Range<Int>, _ numbers: [Int], _ full: String, _ outer: String
  ) throws -> Item.Kind {
    let times = numbers.last ?? 0
    guard numbers == numbers.sorted(), Set(numbers) == Set(1...max(times, 1)) else { throw Unclear() }
    var bodies: [[Item]] = []
    var input = outer
    var start = range.lowerBound
    for time in 1...times {
      let end = start + numbers.count { $0 == time }
      guard try onlyInput(of: start..<end) == input else { throw Unclear() }
      bodies.append(try list(start..<end, prefix: "\(full)\(time).", input: input))
      input = layers[end - 1].layer.name
      start = end
    }
    guard Set(bodies).count == 1 else { throw Unclear() }
    return .repetition(times: times, bodies[0])
  }
}

extension NetworkGrouping.Item {
  func with(inputs: [String]) -> Self {
    var copy = self
    copy.inputs = inputs
    return copy
  }
}

/// Makes blocks of groups that occur several times, and puts the layers of the others into the list around them.
struct BlockFinder {
  typealias Item = NetworkGrouping.Item

  /// A block with its parameters, in the order in which they are needed.
  struct Block {
    let name: String
    let parameters: [String]
    let items: [Item]
  }

  private(set) var blocks: [Block] = []

  /// Replaces the groups in a list, innermost ones first.
  mutating func resolve(_ items: [Item]) -> [Item] {
    var items = items
    // A block may use those before it: deep groups become blocks first.
    for depth in (0..<Self.depth(items)).reversed() {
      var groups: [[Item]] = []
      Self.visit(items, depth: depth) { groups.append($0) }
      var shapes: [[Shapeless]: [[Item]]] = [:]
      var order: [[Shapeless]] = []
      for group in groups {
        let shape = group.map(Shapeless.init)
        if shapes[shape] == nil { order.append(shape) }
        shapes[shape, default: []].append(group)
      }
      var made: [[Shapeless]: (name: String, places: [Place], values: [Int: String])] = [:]
      for shape in order {
        guard let uses = shapes[shape], uses.count > 1,
          let name = freeName(groupNames(of: uses[0], in: items))
        else {
          continue
        }
        made[shape] = define(name, uses)
      }
      items = Self.replace(items, depth: depth) { item, body in
        guard let block = made[body.map(Shapeless.init)] else { return nil }
        var use = item
        use.word = block.name
        use.kind = .layer
        use.settings = []
        var given: Set<String> = []
        for (index, place) in block.places.enumerated() {
          guard let parameter = block.values[index], given.insert(parameter).inserted,
            let value = place.value(in: body)
          else { continue }
          use.settings.append(ResolvedValue.Member(key: parameter, value: value))
        }
        return use
      }
    }
    return items
  }

  // MARK: - What groups have in common

  /// An entry without the values that a parameter may give.
  private struct Shapeless: Hashable {
    let name: String
    let inputs: [String]
    let word: String
    let fixed: [ResolvedValue.Member]
    let open: [String]
    let inner: [Shapeless]
    let times: Int

    init(_ item: Item) {
      (name, inputs, word) = (item.name, item.inputs, item.word)
      fixed = item.settings.filter { !$0.value.canBeParameter }
      open = item.settings.filter(\.value.canBeParameter).map(\.key)
      switch item.kind {
      case .layer: (inner, times) = ([], 0)
      case .repetition(let count, let items): (inner, times) = (items.map(Shapeless.init), count)
      case .group(let items): (inner, times) = (items.map(Shapeless.init), -1)
      }
    }
  }

  /// Where in a group a value stands.
  private struct Place: Hashable {
    var path: [Int]
    let key: String

    func value(in items: [Item]) -> ResolvedValue? {
      var items = items
      for (level, index) in path.enumerated() {
        guard items.indices.contains(index) else { return nil }
        if level == path.count - 1 { return items[index].settings.first { $0.key == key }?.value }
        switch items[index].kind {
        case .repetition(_, let inner), .group(let inner): items = inner
        case .layer: return nil
        }
      }
      return nil
    }
  }

  private static func places(_ items: [Item], _ path: [Int] = []) -> [Place] {
    items.enumerated().flatMap { index, item -> [Place] in
      let own = item.settings.filter(\.value.canBeParameter).map { Place(path: path + [index], key: $0.key) }
      switch item.kind {
      case .layer: return own
      case .repetition(_, let inner), .group(let inner): return own + places(inner, path + [index])
      }
    }
  }

  /// Makes a block of groups of one shape; what differs between them becomes a parameter, one for all places that always agree.
  private mutating func define(
    _ name: String, _ uses: [[Item]]
  ) -> (name: String, places: [Place], values: [Int: String]) {
    let places = Self.places(uses[0])
    var parameters: [String: [ResolvedValue?]] = [:]
    var order: [String] = []
    var values: [Int: String] = [:]
    for (index, place) in places.enumerated() {
      let column = uses.map { place.value(in: $0) }
      guard Set(column).count > 1 else { continue }
      if let same = order.first(where: { parameters[$0] == column && $0.hasPrefix(place.key) }) {
        values[index] = same
        continue
      }
      var (parameter, count) = (place.key, 2)
      while parameters[parameter] != nil || ["name", "inputs"].contains(parameter) {
        parameter = "\(place.key)_\(count)"
        count += 1
      }
      parameters[parameter] = column
      order.append(parameter)
      values[index] = parameter
    }
    var items = uses[0]
    for (index, place) in places.enumerated() {
      guard let parameter = values[index] else { continue }
      Self.set(&items, place, ResolvedValue(.kind("$\(parameter)", nil), .builtIn))
    }
    blocks.append(Block(name: name, parameters: order, items: items))
    return (name, places, values)
  }

  private static func set(_ items: inout [Item], _ place: Place, _ value: ResolvedValue) {
    guard let index = place.path.first else { return }
    if place.path.count == 1 {
      items[index].settings = items[index].settings.map {
        $0.key == place.key ? ResolvedValue.Member(key: $0.key, value: value) : $0
      }
      return
    }
    let rest = Place(path: Array(place.path.dropFirst()), key: place.key)
    switch items[index].kind {
    case .layer: return
    case .repetition(let times, var inner):
      set(&inner, rest, value)
      items[index].kind = .repetition(times: times, inner)
    case .group(var inner):
      set(&inner, rest, value)
      items[index].kind = .group(inner)
    }
  }

  // MARK: - Going through groups

  /// The most groups that lie in one another.
  private static func depth(_ items: [Item]) -> Int {
    items.map { item in
      switch item.kind {
      case .layer: 0
      case .repetition(_, let inner): depth(inner)
      case .group(let inner): 1 + depth(inner)
      }
    }.max() ?? 0
  }

  private static func visit(_ items: [Item], depth: Int, _ body: ([Item]) -> Void) {
    for item in items {
      switch item.kind {
      case .layer: continue
      case .repetition(_, let inner): visit(inner, depth: depth, body)
      case .group(let inner):
        if depth == 0 { body(inner) } else { visit(inner, depth: depth - 1, body) }
      }
    }
  }

  /// - Parameter use: the entry in place of a group; nil puts its layers into the list.
  private static func replace(
    _ items: [Item], depth: Int, _ use: (Item, [Item]) -> Item?
  ) -> [Item] {
    var result: [Item] = []
    // What the last layer of a group that is no more is called.
    var renamed: [String: String] = [:]
    for item in items {
      var item = item
      item.inputs = item.inputs.map { renamed[$0] ?? $0 }
      switch item.kind {
      case .layer: result.append(item)
      case .repetition(let times, let inner):
        item.kind = .repetition(times: times, replace(inner, depth: depth, use))
        result.append(item)
      case .group(let inner) where depth > 0:
        item.kind = .group(replace(inner, depth: depth - 1, use))
        result.append(item)
      case .group(let inner):
        if let use = use(item, inner) {
          result.append(use)
          continue
        }
        let outer = item.inputs.first ?? "input"
        for var layer in inner {
          layer.name = "\(item.name).\(layer.name)"
          layer.inputs = layer.inputs.map { $0 == "input" ? outer : "\(item.name).\($0)" }
          result.append(layer)
        }
        if let last = result.last { renamed[item.name] = last.name }
      }
    }
    return result
  }

  // MARK: - Names

  /// The names that groups with these entries have.
  private func groupNames(of body: [Item], in items: [Item]) -> [String] {
    items.flatMap { item -> [String] in
      switch item.kind {
      case .layer: []
      case .repetition(_, let inner): groupNames(of: body, in: inner)
      case .group(let inner):
        (inner.map(Shapeless.init) == body.map(Shapeless.init) ? [item.name] : [])
          + groupNames(of: body, in: inner)
      }
    }
  }

  /// A block's name: that of its first use, without a number, unless the word has another meaning.
  private func freeName(_ names: [String]) -> String? {
    guard let first = names.first else { return nil }
    let parts = first.split(separator: "_")
    let base =
      parts.count > 1 && parts.last.map { $0.allSatisfy(\.isNumber) } == true
      ? parts.dropLast().joined(separator: "_") : first
    func isFree(_ name: String) -> Bool {
      name.isConfigurationName && LayerSchema.union.kind(name) == nil
        && ![LayerSchema.repetitionWord, "input"].contains(name) && !blocks.contains { $0.name == name }
    }
    return [base, "\(base)_block"].first(where: isFree)
      ?? (2...99).lazy.map { "\(base)_block_\($0)" }.first(where: isFree)
  }
}

extension ResolvedValue {
  /// Whether a block's parameter may stand in its place.
  fileprivate var canBeParameter: Bool {
    switch content {
    case .integer, .number, .boolean: true
    // A size.
    case .list(let items): items.count == 2 && items.allSatisfy { $0.integer != nil }
    case .kind(let name, nil): name.hasPrefix("$")
    case .text, .byteSize, .path, .map, .kind: false
    }
  }
}

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
