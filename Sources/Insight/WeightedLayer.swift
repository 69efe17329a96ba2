public import Settings

/// A layer with its weight.
public struct WeightedLayer: Hashable, Sendable {
  /// The layer's name.
  public var name: String
  /// How much the layer counts.
  public var weight = 1.0

  /// A layer with its weight, 1 where none is given.
  public init(_ name: String, _ weight: Double = 1) {
    self.name = name
    self.weight = weight
  }
}

extension WeightedLayer: DescribedSettings {
  /// The name and the weight.
  public static let settings = SettingsDescription(
    "A layer with its weight.", WeightedLayer(""),
    [
      SettingKey("name", \.name, .text, default: .required, "A layer that gives maps."),
      SettingKey("weight", \.weight, .number(.any), "How much the layer counts."),
    ])
}

extension SettingForm where Value == [WeightedLayer] {
  /// Layers with weights; an empty list leaves the choice to the network.
  static var weightedLayers: SettingForm {
    SettingForm<[WeightedLayer]?>.optional("auto", .list(WeightedLayer.settings.form, count: 1...100)).map(
      { $0 ?? [] }, back: { $0.isEmpty ? nil : $0 })
  }
}
