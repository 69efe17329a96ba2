internal import Networks
internal import Settings

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
    let open: Set<OpenPlace>
    let inner: [Shapeless]
    let times: Int

    init(_ item: Item) {
      (name, inputs, word) = (item.name, item.inputs, item.word)
      fixed = item.settings.filter(\.openPlaces.isEmpty)
      open = Set((item.settings + item.defaults).flatMap(\.openPlaces))
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
    let open: OpenPlace

    func value(in items: [Item]) -> ResolvedValue? {
      var items = items
      for (level, index) in path.enumerated() {
        guard items.indices.contains(index) else { return nil }
        if level == path.count - 1 {
          let all = items[index].settings + items[index].defaults
          return all.first { $0.key == open.key }.flatMap { open.value(in: $0.value) }
        }
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
      let own = (item.settings + item.defaults).flatMap(\.openPlaces).map {
        Place(path: path + [index], open: $0)
      }
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
      let key = place.open.key
      let column = uses.map { place.value(in: $0) }
      guard Set(column).count > 1 else { continue }
      // A number in a shape may be a number of filters.
      let fits = order.first {
        parameters[$0] == column && ($0.hasPrefix(key) || place.open.element != nil)
      }
      if let fits {
        values[index] = fits
        continue
      }
      var (parameter, count) = (key, 2)
      while parameters[parameter] != nil || ["name", "inputs"].contains(parameter) {
        parameter = "\(key)_\(count)"
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
      items[index].set(place.open, to: value)
      return
    }
    let rest = Place(path: Array(place.path.dropFirst()), open: place.open)
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
    let base = Self.unnumbered(first)
    func isFree(_ name: String) -> Bool {
      name.isConfigurationName && LayerSchema.union.kind(name) == nil
        && ![LayerSchema.repetitionWord, "input"].contains(name) && !blocks.contains { $0.name == name }
    }
    guard base.hasSuffix("block") else {
      return [base, "\(base)_block"].first(where: isFree)
        ?? (2...99).lazy.map { "\(base)_block_\($0)" }.first(where: isFree)
    }
    // Letters, because numbers tell uses apart: block_2 is the second use of a block.
    let letters = "bcdefghijklmnopqrstuvwxyz".map { "\(base)_\($0)" }
    return ([base] + letters).first(where: isFree)
  }

  /// A name without what tells its uses apart: `conv_block` of `conv2_block1`, `block` of `block2b`.
  private static func unnumbered(_ name: String) -> String {
    let parts = name.split(separator: "_").map { part in
      guard let number = part.firstIndex(where: \.isNumber) else { return String(part) }
      let rest = part[number...].drop(while: \.isNumber)
      return rest.count <= 1 ? String(part[..<number]) : String(part)
    }
    let base = parts.filter { !$0.isEmpty }.joined(separator: "_")
    return base.isEmpty ? name : base
  }
}
