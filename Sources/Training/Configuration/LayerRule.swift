internal import Networks
public import Settings

/// How some layers are trained, where it is not as all others are.
public struct LayerRule: Hashable, Sendable {
  /// Which layers or parameters the rule is for.
  public var pattern: ParameterPattern
  /// Whether, or until when, they stay as they are; nil leaves it to later rules.
  public var freezing: Freezing?
  /// What the learning rate is multiplied by; nil leaves it to later rules.
  public var learningRateScale: Double?
  /// The weight decay in place of the optimizer's; nil leaves it to later rules.
  public var weightDecay: Double?

  /// Takes a pattern and what is different where it matches.
  ///
  /// - Parameters:
  ///   - learningRateScale: above 0.
  ///   - weightDecay: 0 or more.
  public init(
    _ pattern: ParameterPattern, freezing: Freezing? = nil, learningRateScale: Double? = nil,
    weightDecay: Double? = nil
  ) {
    self.pattern = pattern
    self.freezing = freezing
    self.learningRateScale = learningRateScale
    self.weightDecay = weightDecay
  }

  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<LayerRule>(
    "How some layers are trained. For each parameter and setting, the first rule that matches and gives the setting counts.",
    LayerRule(ParameterPattern("*")),
    [
      SettingKey(
        "match", \.pattern, .pattern, default: .required,
        "Which parameters: a layer, such as `stage.1.*`, or a layer and its parameter, such as `\"*/bias\"`; `*` stands for any characters."
      ),
      SettingKey(
        "frozen", \.freezing, given: Freezing.settings.form, otherwise: "the next rule, or `false`",
        "Whether the parameters stay as they are; a frozen batch normalisation uses its running statistics and keeps them."
      ),
      SettingKey(
        "learning_rate_scale", \.learningRateScale, given: .number(.positive),
        otherwise: "the next rule, or 1",
        "What the learning rate is multiplied by."),
      SettingKey(
        "weight_decay", \.weightDecay, given: .number(.nonNegative),
        otherwise: "the next rule, or the optimizer's",
        "The weight decay in place of the optimizer's; `weight_decay_on` and `weight_decay_rules` do not count then."
      ),
    ])
}

/// Whether parameters stay as they are.
public enum Freezing: Hashable, Sendable {
  /// They are trained.
  case never
  /// They stay as they are.
  case always
  /// They stay as they are for so many epochs, 1 or more.
  case until(epochs: Int)

  /// Whether parameters are frozen in an epoch, counted from 0.
  func holds(inEpoch epoch: Int) -> Bool {
    switch self {
    case .never: false
    case .always: true
    case .until(let epochs): epoch < epochs
    }
  }
}

extension Freezing: SettingsVariant {
  /// The words of configurations.
  public enum Kind: String, Sendable, CaseIterable {
    /// They are trained.
    case never = "false"
    /// They stay as they are.
    case always = "true"
    /// They stay as they are for a while.
    case until
  }

  /// What messages call one of these.
  public static let noun = "freezing"

  /// Which of the kinds this is, without its settings.
  public var kind: Kind {
    switch self {
    case .never: .never
    case .always: .always
    case .until: .until
    }
  }

  private struct Span: Sendable {
    var epochs = 1
  }

  private static let span = SettingsDescription<Span>(
    "The parameters stay as they are at first, and are then trained.", Span(),
    [
      SettingKey(
        "epochs", \.epochs, .integer(1...1_000_000), default: .required, "For how many epochs.")
    ])

  /// The word and the settings of a kind.
  public static func description(of kind: Kind) -> SettingsKind<Self> {
    switch kind {
    case .never: SettingsKind(kind.rawValue, "The parameters are trained.", .never)
    case .always: SettingsKind(kind.rawValue, "The parameters stay as they are.", .always)
    case .until:
      SettingsKind(
        kind.rawValue, span, wrap: { .until(epochs: $0.epochs) },
        unwrap: { if case .until(let epochs) = $0 { Span(epochs: epochs) } else { nil } })
    }
  }
}

extension SettingForm where Value == [LayerRule] {
  /// A list of rules, or a word for none.
  static var layerRules: SettingForm {
    SettingForm<[LayerRule]?>.optional("none", .list(LayerRule.settings.form, count: 1...1000))
      .map({ $0 ?? [] }, back: { $0.isEmpty ? nil : $0 })
  }
}

extension TrainingConfiguration {
  /// What the first rule that has it says of a parameter; nil where none does.
  func layerSetting<Value>(_ setting: KeyPath<LayerRule, Value?>, of parameter: Parameter) -> Value? {
    for rule in layerRules {
      guard let value = rule[keyPath: setting] else { continue }
      if rule.pattern.matches(layer: parameter.layer, parameter: parameter.spec.name) { return value }
    }
    return nil
  }
}
