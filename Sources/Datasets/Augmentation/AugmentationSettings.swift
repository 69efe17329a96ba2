public import Settings

/// A number of rows and columns of pixels.
public struct PixelExtent: Hashable, Sendable {
  /// How many rows.
  public var rows: Int
  /// How many columns.
  public var columns: Int

  /// An extent in pixels.
  public init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
  }
}

/// Exchanges two opposite sides of a sample.
public struct Flip: Hashable, Sendable {
  /// The probability that a sample is flipped, 0 to 1.
  public var probability: Double
  /// What happens to the answer; nil where that follows from its form.
  public var answer: AnswerPlace?

  /// A flip, by default with probability ½.
  public init(probability: Double = 0.5, answer: AnswerPlace? = nil) {
    self.probability = probability
    self.answer = answer
  }

  static func settings(_ summary: String) -> SettingsDescription<Flip> {
    SettingsDescription(summary, Flip(), [.probability(\.probability), .answer(\.answer)])
  }
}

/// One of the eight rotations and reflections of a square, each as likely as any other.
public struct RandomSymmetry: Hashable, Sendable {
  /// What happens to the answer; nil where that follows from its form.
  public var answer: AnswerPlace?
  /// Which of the eight it always is, 0...7, for views of a sample that are averaged; nil for a random one.
  ///
  /// Rows become columns from 4 on; then top and bottom are exchanged for 2, 3, 6 and 7, left and right for odd numbers.
  public let index: Int?

  /// A symmetry; by default a random one, and what happens to the answer follows from its form.
  public init(answer: AnswerPlace? = nil, index: Int? = nil) {
    precondition(index.map { (0..<8).contains($0) } ?? true, "a square has eight symmetries, no number \(index ?? 0)")
    self.answer = answer
    self.index = index
  }

  /// The settings of `board_symmetry`.
  public static let settings = SettingsDescription<RandomSymmetry>(
    "One of the eight rotations and reflections of a square board, each as likely as any other.",
    RandomSymmetry(),
    [
      .answer(
        \.answer,
        otherwise: "`board` for an output per point, or one more for a pass; otherwise it must be written")
    ])
}

/// Puts a border around the sample, and cuts out a part as large as the sample at a uniformly random place.
///
/// - SeeAlso: He et al. 2015, <https://arxiv.org/abs/1512.03385>, section 4.2.
public struct PadAndCrop: Hashable, Sendable {
  /// Rows above and below, columns left and right.
  public var padding: PixelExtent
  /// What the border is made of.
  public var border: Border
  /// What happens to the answer; nil where that follows from its form.
  public var answer: AnswerPlace?

  /// A border, by default of zeros, and a crop.
  public init(padding: PixelExtent, border: Border = .zero, answer: AnswerPlace? = nil) {
    self.padding = padding
    self.border = border
    self.answer = answer
  }

  /// The settings of `pad_and_crop`.
  public static let settings = SettingsDescription<PadAndCrop>(
    "A border is put around the sample, and a part as large as the sample is cut out at a random place.",
    PadAndCrop(padding: PixelExtent(rows: 0, columns: 0)),
    [
      SettingKey(
        "padding", \.padding, .extent(0...4096), default: .required,
        "Rows above and below, columns left and right."), .border(\.border), .answer(\.answer),
    ])
}

/// Fills a rectangle around a uniformly random pixel; what reaches beyond the edge is cut off.
///
/// - SeeAlso: DeVries & Taylor 2017, <https://arxiv.org/abs/1708.04552>.
public struct Cutout: Hashable, Sendable {
  /// Height and width of the rectangle in pixels.
  public var size: PixelExtent
  /// The value that is filled in.
  public var fill: Double
  /// The probability that a sample is changed, 0 to 1.
  public var probability: Double

  /// A cutout, by default in every sample and filled with 0.
  public init(size: PixelExtent, fill: Double = 0, probability: Double = 1) {
    self.size = size
    self.fill = fill
    self.probability = probability
  }

  /// The settings of `cutout`.
  public static let settings = SettingsDescription<Cutout>(
    "A rectangle around a random pixel is filled; what reaches beyond the edge is cut off (DeVries & Taylor 2017).",
    Cutout(size: PixelExtent(rows: 1, columns: 1)),
    [
      SettingKey("size", \.size, .extent(1...4096), default: .required, "Height and width in pixels."),
      SettingKey("fill", \.fill, .number(.any), "The value that is filled in."), .probability(\.probability),
    ])
}

/// `λ·sample + (1 − λ)·partner`, λ from Beta(alpha, alpha), and targets likewise.
///
/// - SeeAlso: Zhang et al. 2018, <https://arxiv.org/abs/1710.09412>.
public struct Mixup: Hashable, Sendable {
  /// The shape of the distribution; 1 is uniform, small values keep one of the two nearly whole.
  public var alpha: Double
  /// The probability that a sample is mixed, 0 to 1.
  public var probability: Double

  /// A mixup, by default of every sample.
  public init(alpha: Double = 0.2, probability: Double = 1) {
    self.alpha = alpha
    self.probability = probability
  }

  /// The settings of `mixup`.
  public static let settings = SettingsDescription<Mixup>(
    "The sample is blended with another one of the minibatch, and so are the targets (Zhang et al. 2018).",
    Mixup(),
    [
      SettingKey("alpha", \.alpha, .number(.betaShape), "The share is drawn from Beta(alpha, alpha)."),
      .probability(\.probability),
    ])
}

/// A rectangle of the partner replaces the sample's; targets are mixed in proportion to the areas.
///
/// - SeeAlso: Yun et al. 2019, <https://arxiv.org/abs/1905.04899>.
public struct CutMix: Hashable, Sendable {
  /// The shape of the distribution; 1 is uniform, small values keep one of the two nearly whole.
  public var alpha: Double
  /// The probability that a sample is mixed, 0 to 1.
  public var probability: Double

  /// A CutMix, by default of every sample.
  public init(alpha: Double = 1, probability: Double = 1) {
    self.alpha = alpha
    self.probability = probability
  }

  /// The settings of `cutmix`.
  public static let settings = SettingsDescription<CutMix>(
    "A rectangle is taken from another sample of the minibatch; targets are mixed in proportion to the areas (Yun et al. 2019).",
    CutMix(),
    [
      SettingKey(
        "alpha", \.alpha, .number(.betaShape), "The rectangle's area is drawn from Beta(alpha, alpha)."),
      .probability(\.probability),
    ])
}

// MARK: - Forms that several steps have

extension NumberRange {
  fileprivate static let betaShape = NumberRange(minimum: 0.001, maximum: 1000)
}

extension SettingKey {
  static func probability(_ path: any WritableKeyPath<Root, Double> & Sendable) -> SettingKey {
    SettingKey("probability", path, .number(.unit), "The probability that a sample is changed, 0 to 1.")
  }
}

extension SettingForm where Value == PixelExtent {
  /// Height and width, or one number for both.
  fileprivate static func extent(_ range: ClosedRange<Int>) -> SettingForm {
    SettingForm(
      .size(range),
      decode: { value in
        guard let sides = value.list?.compactMap(\.integer), sides.count == 2 else { return nil }
        return PixelExtent(rows: sides[0], columns: sides[1])
      },
      encode: { .list([$0.rows, $0.columns].map { ResolvedValue(.integer($0), .builtIn) }) })
  }
}

extension SettingForm where Value == ClosedRange<Double> {
  /// The smaller and the larger of two numbers.
  static func bounds(_ range: NumberRange) -> SettingForm {
    SettingForm<[Double]>.list(.number(range), count: 2...2).map(
      { $0[0] <= $0[1] ? $0[0]...$0[1] : nil }, back: { [$0.lowerBound, $0.upperBound] })
  }
}
