internal import Networks
internal import Settings
internal import Training

/// Layers in a row that occur several times, in a network whose names say nothing of groups: the blocks of a ResNet whose layers are
/// called `conv2_block1_1_conv`.
///
/// Each occurrence becomes a group, in which layers get names of the form `conv2_block1.layer_1_conv`; ``NetworkGrouping`` makes blocks of these.
/// Where names begin alike within the occurrences (`block2b_`, `blocks.2._`), these beginnings decide where a group may begin and end.
struct RepeatedRuns {
  /// Which run is taken first, before those that are left.
  enum Order: CaseIterable {
    /// The one that saves the most lines.
    case saving
    /// The longest one.
    case length
  }

  /// What the layers in groups are called there.
  private(set) var names: [String: String] = [:]
  /// The same as `training.start.rename` writes it, for layers with parameters.
  private(set) var renaming: [LayerRenaming] = []

  private let layers: [NetworkText.WrittenLayer]
  private let segments: [Segment]
  /// What may stand behind the beginning of a name: a point where some name has one, or else a line.
  private let separator: Character
  /// How many names begin with each text that ends so.
  private let beginnings: [String: Int]
  /// The names of layers and groups.
  private var taken: Set<String>

  /// Neighbouring layers of which each takes others of them, or the one before; what follows sees only the last one.
  private struct Segment {
    let layers: Range<Int>
    /// The number of its kind: that of other segments that differ at most in what parameters of a block can give.
    let kind: Int
  }

  /// Several occurrences of the same run.
  private struct Candidate {
    /// Ranges of segments.
    let occurrences: [Range<Int>]
    /// What names of layers begin with in each occurrence; nil where nothing in common tells it from its surroundings.
    let prefixes: [String]?
    let saving: Int
  }

  /// The longest run that is looked for, in segments: more repeat only where shorter runs do.
  private static let longestRun = 60
  /// Lines that a block must save to be worth the names that it changes.
  private static let leastSaving = 12
  /// The same where names say what belongs together.
  private static let leastNamedSaving = 0

  init(_ written: NetworkText.WrittenNetwork, _ order: Order) {
    layers = written.layers
    taken = Set(layers.map(\.layer.name) + [Network.inputName])
    segments = Self.segments(written)
    let separator: Character = layers.contains { $0.layer.name.contains(".") } ? "." : "_"
    self.separator = separator
    let starts = layers.flatMap { layer -> [Substring] in
      let name = layer.layer.name
      return name.indices.filter { name[$0] == separator }.map { name[...$0] }
    }
    beginnings = Dictionary(grouping: starts.map(String.init), by: \.self).mapValues(\.count)
    findRuns(order)
    // In the network's order.
    let places = Dictionary(
      uniqueKeysWithValues: renaming.map { rule in
        (rule, layers.firstIndex { rule.name(of: $0.layer.name) != nil } ?? 0)
      })
    renaming.sort { places[$0, default: 0] < places[$1, default: 0] }
  }

  // MARK: - Runs

  private static func segments(_ written: NetworkText.WrittenNetwork) -> [Segment] {
    let layers = written.layers
    let positions = Dictionary(
      uniqueKeysWithValues: layers.enumerated().map { ($0.element.layer.name, $0.offset) })
    var lastUse = Array(layers.indices)
    var lastUseOfInput = -1
    for (index, layer) in layers.enumerated() {
      for input in layer.layer.inputs {
        if let position = positions[input] { lastUse[position] = index } else { lastUseOfInput = index }
      }
    }
    if let output = positions[written.network.output.name] { lastUse[output] = layers.count }
    var kinds: [[Form]: Int] = [:]
    var result: [Segment] = []
    var (start, reach) = (0, lastUseOfInput)
    for index in layers.indices {
      defer { reach = max(reach, lastUse[index]) }
      guard reach <= index else { continue }
      let forms = (start...index).map { Form(layers[$0], start: start, positions) }
      let kind = kinds[forms] ?? kinds.count
      kinds[forms] = kind
      result.append(Segment(layers: start..<index + 1, kind: kind))
      start = index + 1
    }
    return result
  }

  /// A layer without its name and what a block's parameter may give.
  private struct Form: Hashable {
    let word: String
    /// Inputs by their distance from the segment's first layer; −1 is the layer before.
    let inputs: [Int]
    let fixed: [ResolvedValue.Member]
    let open: Set<OpenPlace>

    init(_ layer: NetworkText.WrittenLayer, start: Int, _ positions: [String: Int]) {
      word = layer.word
      inputs = layer.layer.inputs.map { max((positions[$0] ?? -1) - start, -1) }
      fixed = layer.settings.filter { $0.openPlaces.isEmpty }
      open = Set((layer.settings + layer.defaults).flatMap(\.openPlaces))
    }
  }

  /// Takes one run after another, of what is left.
  private mutating func findRuns(_ order: Order) {
    var isFree = [Bool](repeating: true, count: segments.count)
    // Points say that names mean groups.
    var usesPrefixes: Bool? = separator == "." ? true : nil
    while true {
      var found = candidates(isFree)
      let named = found.filter { $0.prefixes != nil }
      if usesPrefixes ?? !named.isEmpty { found = named }
      usesPrefixes = usesPrefixes ?? !named.isEmpty
      let values = found.map { candidate in
        switch order {
        case .saving: candidate.saving
        case .length: layers(of: candidate.occurrences[0]).count
        }
      }
      // Of equal ones the first, which is the shortest.
      guard let most = values.max(), let best = zip(found, values).first(where: { $0.1 == most })?.0 else {
        return
      }
      for occurrence in best.occurrences {
        for index in occurrence { isFree[index] = false }
      }
      name(best)
    }
  }

  /// All runs of free segments that are worth a block.
  private func candidates(_ isFree: [Bool]) -> [Candidate] {
    var result: [Candidate] = []
    for length in 1...max(1, min(Self.longestRun, segments.count / 2)) {
      var starts: [[Int]: [Int]] = [:]
      var order: [[Int]] = []
      for start in 0...max(0, segments.count - length) where start + length <= segments.count {
        let range = start..<start + length
        guard range.allSatisfy({ isFree[$0] }) else { continue }
        let kinds = segments[range].map(\.kind)
        if starts[kinds] == nil { order.append(kinds) }
        starts[kinds, default: []].append(start)
      }
      // A run repeats only where every part of it does.
      guard starts.values.contains(where: { $0.count > 1 }) else { break }
      for kinds in order where starts[kinds, default: []].count > 1 {
        let all = (starts[kinds] ?? []).map { $0..<$0 + length }
        let prefixes = all.map(prefix)
        let named = zip(all, prefixes).filter { $0.1 != nil }.map(\.0)
        for (ranges, hasPrefixes) in [(named, true), (all, false)] {
          let apart = Self.apart(ranges)
          let saving = saving(apart)
          guard apart.count > 1, saving >= (hasPrefixes ? Self.leastNamedSaving : Self.leastSaving) else {
            continue
          }
          result.append(
            Candidate(
              occurrences: apart, prefixes: hasPrefixes ? apart.compactMap(prefix) : nil, saving: saving))
        }
      }
    }
    return result
  }

  /// Those ranges that do not overlap an earlier one.
  private static func apart(_ ranges: [Range<Int>]) -> [Range<Int>] {
    var result: [Range<Int>] = []
    for range in ranges where range.lowerBound >= result.last?.upperBound ?? 0 { result.append(range) }
    return result
  }

  /// Lines that a block for these occurrences saves: it has three besides its layers, and each use has one, and one for its names.
  private func saving(_ occurrences: [Range<Int>]) -> Int {
    guard let first = occurrences.first, occurrences.count > 1 else { return 0 }
    let count = layers(of: first).count
    return (occurrences.count - 1) * count - 3 - 2 * occurrences.count
  }

  private func layers(of run: Range<Int>) -> Range<Int> {
    segments[run.lowerBound].layers.lowerBound..<segments[run.upperBound - 1].layers.upperBound
  }

  /// The longest beginning, up to a separator, of most names in a run, that no other layer's name has; the others must be of no group.
  private func prefix(_ run: Range<Int>) -> String? {
    let range = layers(of: run)
    let first = layers[range.lowerBound].layer.name
    let ends = first.indices.filter { first[$0] == separator }
    for end in ends.reversed() {
      let prefix = String(first[...end])
      let count = layers[range].count { $0.layer.name.hasPrefix(prefix) }
      let others = layers[range].map(\.layer.name).filter { !$0.hasPrefix(prefix) }
      guard count * 5 >= range.count * 3, count > 1, others.allSatisfy(isCounted) else { continue }
      return beginnings[prefix] == count ? prefix : nil
    }
    return nil
  }

  /// Whether a name is one of a series for the whole network, such as Keras's `add_3`, and says nothing of groups.
  private func isCounted(_ name: String) -> Bool {
    let last = name.split(separator: "_").last ?? ""
    if last == name || last.allSatisfy(\.isNumber) || taken.contains("\(name)_1") { return true }
    // A layer that was made for another one: activation_3_product.
    let base = String(name.dropLast(last.count + 1))
    return taken.contains(base) && isCounted(base)
  }

  // MARK: - Names

  /// Gives the layers of all occurrences the same names within their groups.
  private mutating func name(_ candidate: Candidate) {
    let ranges = candidate.occurrences.map(layers)
    let inner = innerNames(ranges, candidate.prefixes)
    for (number, range) in ranges.enumerated() {
      let prefix = candidate.prefixes?[number]
      let group = groupName(
        prefix.map { String($0.dropLast()) }, last: layers[range.upperBound - 1].layer.name)
      let renamed = zip(range, inner).map { (old: layers[$0].layer.name, new: "\(group).\($1)") }
      for (old, new) in renamed where old != new { names[old] = new }
      let withParameters = zip(range, renamed).filter { hasParameters($0.0) }.map(\.1)
      renaming += Self.renaming(withParameters, prefix, group)
    }
  }

  /// What follows the prefix where all occurrences agree, and otherwise what a list of layers gives by itself.
  private func innerNames(_ ranges: [Range<Int>], _ prefixes: [String]?) -> [String] {
    let rests = (0..<ranges[0].count).map { place -> String? in
      let found = zip(ranges, prefixes ?? []).map { range, prefix -> String? in
        let name = layers[range.lowerBound + place].layer.name
        return name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : nil
      }
      guard let rest = found.first, let rest, !rest.isEmpty, Set(found).count == 1 else { return nil }
      return rest
    }
    func isSound(_ rest: String) -> Bool { rest.isConfigurationName && rest != Network.inputName }
    let whole = rests.compactMap(\.self)
    // Lines in front go where nothing else is needed for names of layers; a word comes in front of all where one needs it, so that one
    // rule renames them.
    let bare = whole.map { String($0.drop { $0 == "_" }) }
    let isBare = bare.allSatisfy(isSound) && Set(bare).count == bare.count
    let given = rests.map { rest in
      rest.map { rest in
        whole.allSatisfy(isSound) ? rest : isBare ? String(rest.drop { $0 == "_" }) : "layer_\(rest)"
      }
    }
    var taken = Set(given.compactMap(\.self) + [Network.inputName])
    return zip(given, ranges[0]).map { name, index in
      if let name { return name }
      let word = layers[index].word
      var (own, count) = (word, 1)
      while !taken.insert(own).inserted {
        own = "\(word)_\(count)"
        count += 1
      }
      return own
    }
  }

  private mutating func groupName(_ prefix: String?, last: String) -> String {
    let isNumbered = last.split(separator: "_").last.map { $0.allSatisfy(\.isNumber) } ?? false
    let isOwn = prefix == nil && !isNumbered && LayerSchema.union.kind(last) == nil
    if let name = prefix ?? (isOwn ? last : nil), isOwn || taken.insert(name).inserted { return name }
    var number = 1
    while !taken.insert("\(prefix ?? "part")_\(number)").inserted { number += 1 }
    return "\(prefix ?? "part")_\(number)"
  }

  private func hasParameters(_ index: Int) -> Bool {
    switch layers[index].layer.spec {
    case .conv1D, .conv2D, .depthwiseConv2D, .separableConv2D, .conv2DTranspose, .dense, .embedding, .prelu,
      .batchNorm, .layerNorm, .groupNorm, .positionBias:
      true
    default: false
    }
  }

  /// One rule for all names that begin alike, if it gives all of them, or else a rule for each.
  private static func renaming(
    _ names: [(old: String, new: String)], _ prefix: String?, _ group: String
  ) -> [LayerRenaming] {
    func single(_ names: [(old: String, new: String)]) -> [LayerRenaming] {
      names.filter { $0.old != $0.new }.map { LayerRenaming($0.old, $0.new) }
    }
    guard let prefix, !single(names).isEmpty else { return single(names) }
    for (old, new) in [("", ""), ("", "layer_"), ("_", "")] {
      let rule = LayerRenaming("\(prefix)\(old)*", "\(group).\(new)*")
      let ruled = names.filter { rule.name(of: $0.old) != nil }
      guard !ruled.isEmpty, ruled.allSatisfy({ rule.name(of: $0.old) == $0.new }) else { continue }
      return [rule] + single(names.filter { rule.name(of: $0.old) == nil })
    }
    return single(names)
  }
}
