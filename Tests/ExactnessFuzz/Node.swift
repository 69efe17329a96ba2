/// A piece of a configuration: a word or number, a list, or a map that keeps its order.
indirect enum Node: Hashable, Sendable {
  case scalar(String)
  case list([Node])
  case map([Entry])

  /// A key of a map with its value.
  struct Entry: Hashable, Sendable {
    var key: String
    var value: Node
  }

  /// A map of one key, `kind: {…}`, or the bare word where nothing belongs to it.
  static func kind(_ word: String, _ entries: [Entry]) -> Node {
    entries.isEmpty ? .scalar(word) : .map([Entry(key: word, value: .map(entries))])
  }

  var entries: [Entry]? { if case .map(let entries) = self { entries } else { nil } }
  var items: [Node]? { if case .list(let items) = self { items } else { nil } }
  var word: String? { if case .scalar(let word) = self { word } else { nil } }
  var integer: Int? { word.flatMap { Int($0) } }
  private var isNumber: Bool { word.flatMap { Double($0) } != nil }

  /// The word of a kind, bare or with a map.
  var kind: String? { word ?? entries.flatMap { $0.count == 1 ? $0[0].key : nil } }
  /// What belongs to a kind.
  var payload: Node? { entries.flatMap { $0.count == 1 ? $0[0].value : nil } }

  /// The value of a key of a map; setting nil takes the key away.
  subscript(key: String) -> Node? {
    get { entries?.first { $0.key == key }?.value }
    set {
      var entries = entries ?? []
      let index = entries.firstIndex { $0.key == key }
      switch (index, newValue) {
      case (let index?, let value?): entries[index].value = value
      case (let index?, nil): entries.remove(at: index)
      case (nil, let value?): entries.append(Entry(key: key, value: value))
      case (nil, nil): break
      }
      self = .map(entries)
    }
  }
}

extension Node: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  init(stringLiteral value: String) { self = .scalar(value) }
  init(integerLiteral value: Int) { self = .scalar("\(value)") }
  init(booleanLiteral value: Bool) { self = .scalar("\(value)") }
  init(arrayLiteral elements: Node...) { self = .list(elements) }
  init(dictionaryLiteral elements: (String, Node)...) {
    self = .map(elements.map { Entry(key: $0.0, value: $0.1) })
  }

  init(_ number: Int) { self = .scalar("\(number)") }
}

// MARK: - As text

extension Node {
  /// As a file: sections and layers one below the other, everything in them on one line.
  var yaml: String {
    (entries ?? []).map { section in
      guard let keys = section.value.entries, keys.count > 1 || keys.first?.value.items != nil else {
        return "\(section.key): \(section.value.flow)\n"
      }
      return "\(section.key):\n" + keys.map(Self.line).joined()
    }.joined()
  }

  private static func line(_ entry: Entry) -> String {
    guard entry.key == "layers", let layers = entry.value.items else {
      return "  \(entry.key): \(entry.value.flow)\n"
    }
    return "  layers:\n" + layers.map { "    - \($0.flow)\n" }.joined()
  }

  private var flow: String {
    switch self {
    case .scalar(let word): word.contains { "*/ ".contains($0) } && !word.isPlain ? "\"\(word)\"" : word
    case .list(let items): "[" + items.map(\.flow).joined(separator: ", ") + "]"
    case .map(let entries): "{" + entries.map { "\($0.key): \($0.value.flow)" }.joined(separator: ", ") + "}"
    }
  }
}

extension String {
  /// Whether it is a number, a fraction or a size with a unit, which lose their meaning in quotation marks.
  fileprivate var isPlain: Bool { first.map { $0.isNumber || $0 == "-" } ?? false }
}

// MARK: - Simpler ones

extension Node {
  /// Every variant with one thing less, the largest steps first: keys and entries taken away, then numbers made smaller.
  var simplifications: [Node] {
    switch self {
    case .scalar:
      guard let number = integer, number > 1 else { return [] }
      // Halves alone would stay at odd numbers whose half is even, where only odd ones fail.
      return (number < 4 ? [1] : [1, number / 2, number * 3 / 4]).map { Node($0) }
    case .list(let items): return Self.simplifications(of: items)
    case .map(let entries):
      let without = entries.count < 2 ? [] : entries.indices.map { removing($0, from: entries) }
      let inside = entries.indices.flatMap { index in
        entries[index].value.simplifications.map { value in
          var changed = entries
          changed[index].value = value
          return Node.map(changed)
        }
      }
      return without + inside
    }
  }

  private static func simplifications(of items: [Node]) -> [Node] {
    // Of numbers one is as good as another.
    if items.count > 1, items.allSatisfy({ $0.isNumber }) {
      return [[items[0]], Array(items.prefix(items.count / 2))].map { .list($0) }
    }
    var result: [Node] = []
    if items.count > 3 {
      let middle = items.count / 2
      result += [Array(items[middle...]), Array(items[..<middle])].map { Node.list($0) }
    }
    if items.count > 1 {
      result += items.indices.map { index in
        var rest = items
        rest.remove(at: index)
        return .list(rest)
      }
    }
    for index in items.indices {
      result += items[index].simplifications.map { item in
        var changed = items
        changed[index] = item
        return .list(changed)
      }
    }
    return result
  }

  private func removing(_ index: Int, from entries: [Entry]) -> Node {
    var rest = entries
    rest.remove(at: index)
    return .map(rest)
  }
}
