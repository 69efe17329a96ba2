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
    // A block may use those before it: a group becomes one after all that are in it.
    while Self.hasGroups(items) {
      var groups: [[Item]] = []
      Self.visit(items) { groups.append($0) }
      var shapes: [[Shapeless]: [[Item]]] = [:]
      var order: [[Shapeless]] = []
      for group in groups {
        let shape = group.map(Shapeless.init)
        if shapes[shape] == nil { order.append(shape) }
        shapes[shape, default: []].append(group)
      }
      var made: [[Shapeless]: (name: String, places: [Place], values: [Int: String])] = [:]
      let repeated = order.filter { (shapes[$0]?.count ?? 0) > 1 }
      let bases = repeated.map { shape in groupNames(of: shape, in: items).first.map { Self.base(of: $0) } }
      for (shape, base) in zip(repeated, bases) {
        guard let uses = shapes[shape], let base else { continue }
        // Kinds of groups that have one name otherwise are told apart by what they do.
        let isShared = bases.count { $0 == base } > 1 || base == Self.generalName
        guard let name = freeName(base, isShared ? Self.role(of: uses) : nil) else { continue }
        made[shape] = define(name, uses)
      }
      items = Self.replace(items) { item, body in
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
      guard let owner = owner(in: items) else { return nil }
      return (owner.settings + owner.defaults).first { $0.key == open.key }.flatMap {
        open.value(in: $0.value)
      }
    }

    /// The entry that has the setting.
    func owner(in items: [Item]) -> Item? {
      var items = items
      for (level, index) in path.enumerated() {
        guard items.indices.contains(index) else { return nil }
        if level == path.count - 1 { return items[index] }
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
    var parameters: [Parameter] = []
    // Those that follow others come last.
    let indices =
      places.indices.filter { !places[$0].open.follows } + places.indices.filter { places[$0].open.follows }
    for index in indices {
      let column = uses.map { places[index].value(in: $0) }
      guard Set(column).count > 1 else { continue }
      let open = places[index].open
      if let fits = parameters.firstIndex(where: { $0.column == column && open.agrees(with: $0.open) }) {
        parameters[fits].places.append(index)
      } else {
        let owner = places[index].owner(in: uses[0])
        parameters.append(Parameter(open: open, column: column, owner: owner, places: [index]))
      }
    }
    parameters.sort { ($0.places.min() ?? 0) < ($1.places.min() ?? 0) }
    let names = Self.names(of: parameters)
    var values: [Int: String] = [:]
    for (parameter, name) in zip(parameters, names) {
      for index in parameter.places { values[index] = name }
    }
    var items = uses[0]
    for (index, place) in places.enumerated() {
      guard let parameter = values[index] else { continue }
      Self.set(&items, place, ResolvedValue(.kind("$\(parameter)", nil), .builtIn))
    }
    blocks.append(Block(name: name, parameters: names, items: items))
    return (name, places, values)
  }

  /// A parameter of a block.
  private struct Parameter {
    /// Where its value stands first.
    let open: OpenPlace
    /// Its values in all uses.
    let column: [ResolvedValue?]
    /// The entry in which it stands first.
    let owner: Item?
    /// The numbers of all places where it stands.
    var places: [Int]
  }

  /// A setting's word is its parameter's name, with that of the layer in front where several layers have the setting: `expand_filters`.
  private static func names(of parameters: [Parameter]) -> [String] {
    var taken: Set<String> = ["name", "inputs"]
    return parameters.map { parameter in
      // All four margins of a padding.
      let key = parameter.open.key == "all" ? "margin" : parameter.open.key
      let isShared = parameters.count { $0.open.key == parameter.open.key } > 1
      let stem = isShared ? parameter.owner.flatMap(stem) : nil
      let base = stem.map { key.hasPrefix("\($0)_") ? key : "\($0)_\(key)" } ?? key
      var (name, count) = (base, 2)
      while !name.isConfigurationName || !taken.insert(name).inserted {
        name = "\(base.isConfigurationName ? base : key)_\(count)"
        count += 1
      }
      return name
    }
  }

  /// What a layer's name says of its part in a block: `expand` of `expand_conv`; nil where it says nothing.
  private static func stem(_ item: Item) -> String? {
    guard let last = item.name.split(separator: ".").last, last.contains(where: \.isLetter) else {
      return nil
    }
    let isAutomatic = last == item.word || (last.hasPrefix("\(item.word)_") && last.last?.isNumber ?? false)
    let stem = last.hasSuffix("_conv") ? last.dropLast("_conv".count) : last
    return isAutomatic || stem.isEmpty ? nil : String(stem)
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

  private static func hasGroups(_ items: [Item]) -> Bool {
    items.contains { item in
      switch item.kind {
      case .layer: false
      case .repetition(_, let inner): hasGroups(inner)
      case .group: true
      }
    }
  }

  /// Goes through the groups that have no others in them.
  private static func visit(_ items: [Item], _ body: ([Item]) -> Void) {
    for item in items {
      switch item.kind {
      case .layer: continue
      case .repetition(_, let inner): visit(inner, body)
      case .group(let inner): if hasGroups(inner) { visit(inner, body) } else { body(inner) }
      }
    }
  }

  /// Replaces the groups that have no others in them.
  ///
  /// - Parameter use: the entry in place of a group; nil puts its layers into the list.
  private static func replace(_ items: [Item], _ use: (Item, [Item]) -> Item?) -> [Item] {
    var result: [Item] = []
    // What the last layer of a group that is no more is called.
    var renamed: [String: String] = [:]
    for item in items {
      var item = item
      item.inputs = item.inputs.map { renamed[$0] ?? $0 }
      switch item.kind {
      case .layer: result.append(item)
      case .repetition(let times, let inner):
        item.kind = .repetition(times: times, replace(inner, use))
        result.append(item)
      case .group(let inner) where hasGroups(inner):
        item.kind = .group(replace(inner, use))
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

  /// The names that groups of this shape have.
  private func groupNames(of shape: [Shapeless], in items: [Item]) -> [String] {
    items.flatMap { item -> [String] in
      switch item.kind {
      case .layer: []
      case .repetition(_, let inner): groupNames(of: shape, in: inner)
      case .group(let inner):
        (inner.map(Shapeless.init) == shape ? [item.name] : []) + groupNames(of: shape, in: inner)
      }
    }
  }

  /// A name for a block that no other has, nor a layer.
  ///
  /// - Parameters:
  ///   - base: what the uses are called.
  ///   - role: what the block does, for one of several that share the base.
  private func freeName(_ base: String, _ role: String?) -> String? {
    func isFree(_ name: String) -> Bool {
      name.isConfigurationName && LayerSchema.union.kind(name) == nil
        && ![LayerSchema.repetitionWord, "input"].contains(name) && !blocks.contains { $0.name == name }
    }
    // Letters, because numbers tell uses apart: block_2 is the second use of a block.
    let letters = "bcdefghijklmnopqrstuvwxyz"
    var names: [String] = []
    if let role {
      let whole = role == Self.gateRole && base == Self.generalName ? role : "\(base)_\(role)"
      names = [whole] + letters.map { "\(whole)_\($0)" }
    }
    names.append(base)
    if !base.hasSuffix("block") { names.append("\(base)_block") }
    return (names + letters.map { "\(base.hasSuffix("block") ? base : "\(base)_block")_\($0)" }).first(
      where: isFree)
  }

  /// What the uses of a block are called: the name of one without what tells it from the others.
  ///
  /// `block` of `block2b`, `conv_block` of `conv2_block1`; of a name with points the last part counts: `layer_block` of `layer1.0`.
  private static func base(of name: String) -> String {
    var parts = name.split(separator: ".")
    let count = parts.count
    while parts.count > 1, let last = parts.last, last.allSatisfy(\.isNumber) { parts.removeLast() }
    let base = unnumbered(String(parts.last ?? ""))
    guard parts.count < count else { return base }
    // One of `blocks` is a block.
    let one = base.hasSuffix("s") && base.count > 1 ? String(base.dropLast()) : base
    return one.hasSuffix("block") ? one : "\(one)_block"
  }

  /// A name without what tells its uses apart.
  private static func unnumbered(_ name: String) -> String {
    let parts = name.split(separator: "_").map { part in
      guard let number = part.firstIndex(where: \.isNumber) else { return String(part) }
      let rest = part[number...].drop(while: \.isNumber)
      return rest.count <= 1 ? String(part[..<number]) : String(part)
    }
    let base = parts.filter { !$0.isEmpty }.joined(separator: "_")
    return base.isEmpty ? name : base
  }

  /// What blocks are called whose names say no more than that.
  private static let generalName = "block"
  /// A block that multiplies an image by factors for its channels: Hu, Shen and Sun 2018, <https://arxiv.org/abs/1709.01507>.
  private static let gateRole = "squeeze_excite"

  /// What all uses of a block do, in a word; nil where no layer of them tells.
  private static func role(of uses: [[Item]]) -> String? {
    guard let items = uses.first else { return nil }
    if items.last?.word == "multiply", items.contains(where: { $0.word == "global_average_pool2d" }) {
      return gateRole
    }
    if items.contains(where: { $0.word == "add" && $0.inputs.contains("input") }) { return "residual" }
    let areSmaller = uses.allSatisfy { items in
      items.contains { item in
        let stride = item.settings.first { $0.key == "stride" }?.value
        return [stride?.integer, stride?.list?.first?.integer].contains { ($0 ?? 1) > 1 }
      }
    }
    return areSmaller ? "downsampling" : nil
  }
}
