internal import Networks
internal import Tensors

/// What is to be maximised, as people ask for it before the network is known.
public enum TargetChoice: Hashable, Sendable {
  case filters(layer: String, NumberList)
  case neurons(layer: String, NumberList)
  /// Filters of a layer with maps, units of any other.
  case layer(String)
  /// Names or numbers of outputs; empty for all.
  case classes([String])

  /// Names or numbers separated by commas, or `all`.
  public static func classes(named text: String) -> TargetChoice {
    guard text != "all" else { return .classes([]) }
    return .classes(text.split(separator: ",").map { String($0.drop { $0 == " " }) })
  }

  /// For file names.
  public var name: String {
    switch self {
    case .filters(let layer, _), .neurons(let layer, _), .layer(let layer): layer
    case .classes: "classes"
    }
  }

  /// - Throws: ``InsightError`` of kind `usage` that names what there is.
  public func targets(in subject: Subject) throws(InsightError) -> [Target] {
    switch self {
    case .layer(let name):
      let hasMaps = try subject.layer(name).outputShape.rank > 1
      return try (hasMaps ? Self.filters(layer: name, .all) : .neurons(layer: name, .all)).targets(
        in: subject)
    case .filters(let name, let list):
      let layer = try subject.layer(name)
      guard layer.outputShape.rank > 1 else {
        throw .usage("layer '\(name)' has units and no filters; ask for neurons of it")
      }
      return try numbers(list, of: layer, "filter").map { .filter(layer: name, index: $0) }
    case .neurons(let name, let list):
      let layer = try subject.layer(name)
      guard layer.outputShape.rank == 1 else {
        throw .usage("layer '\(name)' has filters and no single units; ask for filters of it")
      }
      return try numbers(list, of: layer, "neuron").map { .neuron(layer: name, index: $0) }
    case .classes(let names):
      if names.isEmpty { return subject.classNames.indices.map { .output($0) } }
      var targets: [Target] = []
      for name in names { targets.append(.output(try subject.classIndex(name))) }
      return targets
    }
  }

  private func numbers(
    _ list: NumberList, of layer: ResolvedLayer, _ word: String
  ) throws(InsightError) -> [Int] {
    try list.numbers(below: layer.outputShape.dimensions.last ?? 0, of: layer.name, word: word)
  }
}
