public import Settings

/// How much of the optimizer's weight decay acts on some parameters.
public struct WeightDecayRule: Hashable, Sendable {
  /// Which parameters the rule is for.
  public var pattern: ParameterPattern
  /// What the weight decay is multiplied by; 0 switches it off.
  public var scale: Double

  /// Takes a pattern and what weight decay is multiplied by where it matches, 0 or more.
  public init(_ pattern: ParameterPattern, scale: Double) {
    precondition(scale >= 0, "a weight decay cannot be scaled by \(scale)")
    self.pattern = pattern
    self.scale = scale
  }

  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<WeightDecayRule>(
    "How much of the weight decay acts on some parameters.", WeightDecayRule(ParameterPattern("*"), scale: 1),
    [
      SettingKey(
        "match", \.pattern, .pattern, default: .required,
        "Which parameters: a layer, such as `stage.1.*`, or a layer and its parameter, such as `\"*/bias\"`; `*` stands for any characters."
      ),
      SettingKey(
        "scale", \.scale, .number(.nonNegative), default: .required,
        "What the weight decay is multiplied by; 0 switches it off."),
    ])
}

extension SettingForm where Value == [WeightDecayRule] {
  /// A list of rules, or a word for none.
  static var weightDecayRules: SettingForm {
    SettingForm<[WeightDecayRule]?>.optional("none", .list(WeightDecayRule.settings.form, count: 1...1000))
      .map(
        { $0 ?? [] }, back: { $0.isEmpty ? nil : $0 })
  }
}
