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
    /// Settings that have their defaults and are not written, but may have other values in another use of a block.
    var defaults: [ResolvedValue.Member] = []
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
      if isGrouped, let found = firstGroup(from: index, in: range, prefix: prefix, names) {
        items.append(found.item)
        names[layers[found.end - 1].layer.name] = found.item.name
        index = found.end
        continue
      }
      guard own.isConfigurationName else { throw Unclear() }
      let layer = layers[index]
      items.append(
        Item(
          name: own, inputs: try local(layer.layer.inputs), word: layer.word, settings: layer.settings,
          defaults: layer.defaults, kind: .layer))
      names[layer.layer.name] = own
      index += 1
    }
    return items
  }

  /// The outermost group that a layer begins, in a list that knows layers under these names; nil where it begins none.
  ///
  /// The name of a group may have points itself: PyTorch's `layer1.0.conv1` is in the group `layer1.0`, because `0.conv1` is no name of a layer.
  private func firstGroup(
    from start: Int, in range: Range<Int>, prefix: String, _ names: [String: String]
  ) -> (item: Item, end: Int)? {
    let own = layers[start].layer.name.dropFirst(prefix.count)
    for dot in own.indices where own[dot] == "." {
      let head = String(own[..<dot])
      guard head.isConfigurationName, !names.values.contains(head) else { continue }
      let end =
        (start..<range.upperBound).first {
          !layers[$0].layer.name.dropFirst(prefix.count).hasPrefix("\(head).")
        } ?? range.upperBound
      if let (item, outer) = try? group(start..<end, name: head, prefix: prefix), let input = names[outer] {
        return (item.with(inputs: [input]), end)
      }
    }
    return nil
  }

  /// Layers with one input from outside, of which others see only the last one.
  ///
  /// - Returns: the entry without its input, and the layer outside.
  private func group(_ range: Range<Int>, name: String, prefix: String) throws -> (Item, outer: String) {
    let full = "\(prefix)\(name)."
    let outer = try onlyInput(of: range)
    let rests = range.map { layers[$0].layer.name.dropFirst(full.count) }
    let numbers = rests.map { rest in rest.firstIndex(of: ".").flatMap { Int(rest[..<$0]) } }
    let kind: Item.Kind
    if numbers.allSatisfy({ $0 != nil }) {
      kind = try repetition(range, numbers.compactMap(\.self), full, outer)
    } else {
      // Looked at before the layers are: otherwise names with many points would be tried again and again.
      guard rests.allSatisfy({ String($0).isConfigurationName }) else { throw Unclear() }
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
    // PyTorch counts from 0; what follows the first is no repetition of its own.
    guard numbers == numbers.sorted(), Set(numbers) == Set(1...max(times, 1)),
      !layers.contains(where: { $0.layer.name.hasPrefix("\(full)0.") })
    else { throw Unclear() }
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
