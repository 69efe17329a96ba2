public import Settings

/// A turn, a change of size, a slant and a shift about the sample's centre, with bilinear interpolation.
public struct RandomAffine: Hashable, Sendable {
  /// The angle of the turn is uniform within ± this, in degrees.
  public var degrees: Double
  /// The shift is a share of height and of width, each uniform within ± this.
  public var translate: Double
  /// The enlargement is a factor uniform between these.
  public var scale: ClosedRange<Double>
  /// The angle of the slant along the rows is uniform within ± this, in degrees.
  public var shear: Double
  /// What stands where no pixel of the sample lies.
  public var border: Border
  /// The probability that a sample is changed, 0 to 1.
  public var probability: Double
  /// What happens to the answer; nil where that follows from its form.
  public var answer: AnswerPlace?

  /// A map that by default changes nothing.
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

  /// The settings of `affine`.
  public static let settings = SettingsDescription<RandomAffine>(
    "The sample is turned, enlarged, slanted and shifted about its centre, with bilinear interpolation.",
    RandomAffine(),
    [
      SettingKey(
        "degrees", \.degrees, .number(.halfTurn),
        "The angle of the turn is drawn uniformly within ± this many degrees."),
      SettingKey(
        "translate", \.translate, .number(.unit),
        "The shift is a share of height and of width, each drawn uniformly within ± this."),
      SettingKey(
        "scale", \.scale, .word("none", for: 1...1, or: .bounds(NumberRange(minimum: 0.01, maximum: 100))),
        "The factor of the enlargement is drawn uniformly between these two."),
      SettingKey(
        "shear", \.shear, .number(NumberRange(minimum: 0, maximum: 80)),
        "The angle of the slant along the rows is drawn uniformly within ± this many degrees."),
      .border(\.border), .probability(\.probability),
      .answer(\.answer),
    ])
}

/// A turn about the sample's centre, with bilinear interpolation.
public struct Rotation: Hashable, Sendable {
  /// The angle is uniform within ± this, in degrees.
  public var degrees: Double
  /// What stands where no pixel of the sample lies.
  public var border: Border
  /// The probability that a sample is changed, 0 to 1.
  public var probability: Double
  /// What happens to the answer; nil where that follows from its form.
  public var answer: AnswerPlace?

  /// A turn, by default of every sample.
  public init(
    degrees: Double, border: Border = .zero, probability: Double = 1, answer: AnswerPlace? = nil
  ) {
    self.degrees = degrees
    self.border = border
    self.probability = probability
    self.answer = answer
  }

  /// The settings of `rotate`.
  public static let settings = SettingsDescription<Rotation>(
    "The sample is turned about its centre, with bilinear interpolation.", Rotation(degrees: 0),
    [
      SettingKey(
        "degrees", \.degrees, .number(.halfTurn), default: .required,
        "The angle is drawn uniformly within ± this many degrees."),
      .border(\.border), .probability(\.probability),
      .answer(\.answer),
    ])

  var affine: RandomAffine { RandomAffine(degrees: degrees, border: border, probability: probability) }
}

extension NumberRange {
  fileprivate static let halfTurn = NumberRange(minimum: 0, maximum: 180)
}
