public import Settings

/// A layer with how much it counts.
public struct WeightedLayer: Hashable, Sendable {
  public var name: String
  public var weight = 1.0

  public init(_ name: String, _ weight: Double = 1) {
    self.name = name
    self.weight = weight
  }
}

extension WeightedLayer: DescribedSettings {
  public static let settings = SettingsDescription(
    "A layer with its weight.", WeightedLayer(""),
    [
      SettingKey("name", \.name, .text, default: .required, "A layer that gives maps."),
      SettingKey("weight", \.weight, .number(.any), "How much it counts."),
    ])
}

extension SettingForm where Value == [WeightedLayer] {
  /// Layers with weights; none leave the choice to the network.
  static var weightedLayers: SettingForm {
    SettingForm<[WeightedLayer]?>.optional("auto", .list(WeightedLayer.settings.form, count: 1...100)).map(
      { $0 ?? [] }, back: { $0.isEmpty ? nil : $0 })
  }
}
