public import Settings

/// Fills a rectangle of uniform area and log-uniform proportions, anywhere inside the sample.
///
/// Up to ten rectangles are tried until one fits; a sample into which none fits stays as it is.
///
/// - SeeAlso: Zhong et al. 2017, <https://arxiv.org/abs/1708.04896>.
public struct RandomErasing: Hashable, Sendable {
  /// What stands where pixels were.
  public enum Fill: Hashable, Sendable {
    /// A random number for each value: 0...255 for bytes, between the sample's smallest and largest for
    /// floats.
    case random
    /// This number everywhere.
    case value(Double)
  }

  /// The probability that a sample is changed, 0 to 1.
  public var probability: Double
  /// Bounds of the rectangle's share of the sample's area.
  public var area: ClosedRange<Double>
  /// Bounds of the rectangle's height divided by its width.
  public var aspect: ClosedRange<Double>
  /// What the rectangle is filled with.
  public var fill: Fill

  /// An erasing; the defaults are torchvision's, except for the fill, which is 0 there.
  public init(
    probability: Double = 0.5, area: ClosedRange<Double> = 0.02...0.33,
    aspect: ClosedRange<Double> = 0.3...3.3, fill: Fill = .random
  ) {
    self.probability = probability
    self.area = area
    self.aspect = aspect
    self.fill = fill
  }

  /// The settings of `random_erasing`.
  public static let settings = SettingsDescription<RandomErasing>(
    "A rectangle of random size is filled (Zhong et al. 2017).", RandomErasing(),
    [
      .probability(\.probability),
      SettingKey(
        "area", \.area,
        .word("default", for: RandomErasing().area, or: .bounds(NumberRange(minimum: 0.0001, maximum: 1))),
        "The rectangle's share of the sample's area lies between these two; by default [0.02, 0.33]."),
      SettingKey(
        "aspect", \.aspect,
        .word("default", for: RandomErasing().aspect, or: .bounds(NumberRange(minimum: 0.01, maximum: 100))),
        "The rectangle's height divided by its width lies between these two; by default [0.3, 3.3]."),
      SettingKey("fill", \.fill, Fill.settings.form, "What the rectangle is filled with."),
    ])
}

extension RandomErasing.Fill: SettingsVariant {
  /// The words of configurations.
  public enum Kind: String, Sendable, CaseIterable {
    /// Configures ``RandomErasing/Fill/random``.
    case random
    /// Configures ``RandomErasing/Fill/value(_:)``.
    case value
  }

  /// What messages call a kind.
  public static let noun = "fill"

  /// The fill without its number.
  public var kind: Kind {
    switch self {
    case .random: .random
    case .value: .value
    }
  }

  /// A kind's word, and what may be written after it.
  public static func description(of kind: Kind) -> SettingsKind<Self> {
    switch kind {
    case .random:
      SettingsKind(
        kind.rawValue,
        "A random number for each value: 0 to 255 for bytes, between the sample's least and greatest for floats.",
        .random)
    case .value:
      SettingsKind(
        kind.rawValue, "The same number for each value.", .number(.any), wrap: Self.value,
        unwrap: { if case .value(let number) = $0 { number } else { nil } })
    }
  }
}
