public import Settings

/// A turn, a change of size, a slant and a shift about the sample's centre, with bilinear interpolation.
public struct RandomAffine: Hashable, Sendable {
  /// Turned by a uniform angle within ± this.
  public var degrees: Double
  /// Shifted by a uniform share of height and of width, each within ± this.
  public var translate: Double
  /// Enlarged by a factor uniform between these.
  public var scale: ClosedRange<Double>
  /// Slanted along the rows by a uniform angle within ± this, in degrees.
  public var shear: Double
  public var border: Border
  public var probability: Double
  /// What happens to the answer; nil where that follows from its form.
  public var answer: AnswerPlace?

  public init(
    degrees: Double = 0, translate: Double = 0, scale: ClosedRange<Double> = 1...1, shear: Double = 0,
    border: Border = .zero, probability: Double = 1, answer: AnswerPlace? = nil
  ) {
    self.degrees = degrees
    self.translate = translate
    self.scale = scale
    self.shear = shear
    self.border = border
    self.probability = probability
    self.answer = answer
  }

  public static let settings = SettingsDescription<RandomAffine>(
    "Turned, enlarged, slanted and shifted about its centre, with bilinear interpolation.", RandomAffine(),
    [
      SettingKey("degrees", \.degrees, .number(.halfTurn), "By a uniform angle within ± this."),
      SettingKey(
        "translate", \.translate, .number(.unit),
        "By a uniform share of height and of width, each within ± this."),
      SettingKey(
        "scale", \.scale, .word("none", for: 1...1, or: .bounds(NumberRange(minimum: 0.01, maximum: 100))),
        "By a factor uniform between these two."),
      SettingKey(
        "shear", \.shear, .number(NumberRange(minimum: 0, maximum: 80)),
        "Along the rows by a uniform angle within ± this."), .border(\.border), .probability(\.probability),
      .answer(\.answer),
    ])
}

/// A turn about the sample's centre, with bilinear interpolation.
public struct Rotation: Hashable, Sendable {
  /// Turned by a uniform angle within ± this.
  public var degrees: Double
  public var border: Border
  public var probability: Double
  /// What happens to the answer; nil where that follows from its form.
  public var answer: AnswerPlace?

  public init(
    degrees: Double, border: Border = .zero, probability: Double = 1, answer: AnswerPlace? = nil
  ) {
    self.degrees = degrees
    self.border = border
    self.probability = probability
    self.answer = answer
  }

  public static let settings = SettingsDescription<Rotation>(
    "Turned about its centre, with bilinear interpolation.", Rotation(degrees: 0),
    [
      SettingKey(
        "degrees", \.degrees, .number(.halfTurn), default: .required, "By a uniform angle within ± this."),
      .border(\.border), .probability(\.probability),
      .answer(\.answer),
    ])

  var affine: RandomAffine { RandomAffine(degrees: degrees, border: border, probability: probability) }
}

extension NumberRange {
  fileprivate static let halfTurn = NumberRange(minimum: 0, maximum: 180)
}
