internal import Networks
public import Settings
internal import Tensors

/// A target of a maximisation as people ask for it, before the network is known.
public enum TargetChoice: Hashable, Sendable {
  /// Filters of a layer that gives maps.
  case filters(layer: String, NumberList)
  /// Units of a layer that gives a vector.
  case neurons(layer: String, NumberList)
  /// All filters of a layer that gives maps, or all units of any other layer.
  case layer(String)
  /// Outputs of the network, before softmax or sigmoid.
  case classes(ClassList)

  /// The word for the target in names of files.
  public var name: String {
    switch self {
    case .filters(let layer, _), .neurons(let layer, _), .layer(let layer): layer
    case .classes: "classes"
    }
  }

  /// The single targets, in the order in which they were asked for.
  ///
  /// - Throws: ``InsightError`` of kind `usage` for a layer, filter, unit or class that the network lacks.
  public func targets(in subject: Subject) throws(InsightError) -> [Target] {
    switch self {
    case .layer(let name):
      let hasMaps = try subject.layer(name).outputShape.rank > 1
      return try (hasMaps ? Self.filters(layer: name, .all) : .neurons(layer: name, .all)).targets(
        in: subject)
    case .filters(let name, let list):
      let layer = try subject.layer(name)
      guard layer.outputShape.rank > 1 else {
        throw .usage("layer '\(name)' has units and no filters; ask for its neurons")
      }
      return try numbers(list, of: layer, "filter").map { .filter(layer: name, index: $0) }
    case .neurons(let name, let list):
      let layer = try subject.layer(name)
      guard layer.outputShape.rank == 1 else {
        throw .usage("layer '\(name)' has filters and no single units; ask for its filters")
      }
      return try numbers(list, of: layer, "neuron").map { .neuron(layer: name, index: $0) }
    case .classes(let list): return try list.indices(in: subject).map { .output($0) }
    }
  }

  private func numbers(
    _ list: NumberList, of layer: ResolvedLayer, _ word: String
  ) throws(InsightError) -> [Int] {
    try list.numbers(below: layer.outputShape.dimensions.last ?? 0, of: layer.name, word: word)
  }
}

// MARK: - How targets are written

extension TargetChoice {
  /// The kinds of targets with their words, as configurations list them.
  public static let kinds = SettingsUnion<TargetChoice>(
    "target", [Kinds.filters, Kinds.neurons, Kinds.layer, Kinds.classes])

  /// The kinds of targets, each with its word and settings.
  public enum Kinds {}
}

extension TargetChoice.Kinds {
  /// The word `filters`, with a layer and numbers behind it.
  public static let filters = SettingsKind<TargetChoice>(
    "filters", "Filters of a layer that gives maps.",
    LayerPart.settings.form,
    wrap: { .filters(layer: $0.layer, $0.which) },
    unwrap: {
      if case .filters(let layer, let list) = $0 { LayerPart(layer: layer, which: list) } else { nil }
    })

  /// The word `neurons`, with a layer and numbers behind it.
  public static let neurons = SettingsKind<TargetChoice>(
    "neurons", "Units of a layer that gives a vector.",
    LayerPart.settings.form,
    wrap: { .neurons(layer: $0.layer, $0.which) },
    unwrap: {
      if case .neurons(let layer, let list) = $0 { LayerPart(layer: layer, which: list) } else { nil }
    })

  /// The word `layer`, with a layer's name behind it.
  public static let layer = SettingsKind<TargetChoice>(
    "layer", "All filters of a layer that gives maps, or all units of any other layer.",
    SettingForm<String>.text,
    wrap: { .layer($0) }, unwrap: { if case .layer(let name) = $0 { name } else { nil } })

  /// The word `classes`, with names or numbers behind it.
  public static let classes = SettingsKind<TargetChoice>(
    "classes", "Outputs of the network, before softmax or sigmoid.", ClassChoice.settings.form,
    wrap: { .classes($0.which) },
    unwrap: { if case .classes(let list) = $0 { ClassChoice(which: list) } else { nil } })
}

/// Some of a layer's filters or units.
public struct LayerPart: Hashable, Sendable, DescribedSettings {
  var layer: String
  var which = NumberList.all

  /// The layer's name.
  public static let layer = SettingKey(
    "layer", \LayerPart.layer, .text, default: .required, "The layer's name.")
  /// The numbers of the filters or units.
  public static let which = SettingKey<LayerPart>.which(\.which)

  /// Both settings.
  public static let settings = SettingsDescription(
    "Some of a layer's filters or units.", LayerPart(layer: ""), [layer, which])
}

/// Some of a network's outputs.
public struct ClassChoice: Hashable, Sendable, DescribedSettings {
  var which = ClassList.all

  /// The names or numbers of the outputs.
  public static let which = SettingKey(
    "which", \ClassChoice.which, .classes, "Names or numbers separated by commas, or `all`.")

  /// The one setting.
  public static let settings = SettingsDescription(
    "Outputs before softmax or sigmoid.", ClassChoice(), [which])
}
