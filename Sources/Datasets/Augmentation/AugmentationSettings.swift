public import Settings

/// Rows and columns of pixels.
public struct PixelExtent: Hashable, Sendable {
  public var rows: Int
  public var columns: Int

  public init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
  }
}

/// A sample's sides change places.
public struct Flip: Hashable, Sendable {
  public var probability: Double
  /// What happens to the answer; nil where that follows from its form.
  public var answer: AnswerPlace?

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

  public init(answer: AnswerPlace? = nil) { self.answer = answer }

  public static let settings = SettingsDescription<RandomSymmetry>(
    "One of the eight rotations and reflections of a square board, each as likely.", RandomSymmetry(),
    [
      .answer(
        \.answer,
        otherwise: "`board` for an output per point, or one more for a pass; otherwise it must be said")
    ])
}

/// A border is put around the sample, and a part of the sample's size cut out at a uniform place.
///
/// - SeeAlso: He et al. 2015, <https://arxiv.org/abs/1512.03385>, section 4.2.
public struct PadAndCrop: Hashable, Sendable {
  public var padding: PixelExtent
  public var border: Border
  /// What happens to the answer; nil where that follows from its form.
  public var answer: AnswerPlace?

  public init(padding: PixelExtent, border: Border = .zero, answer: AnswerPlace? = nil) {
    self.padding = padding
    self.border = border
    self.answer = answer
  }

  public static let settings = SettingsDescription<PadAndCrop>(
    "A border is put around the sample, and a part of its size cut out anywhere.",
    PadAndCrop(padding: PixelExtent(rows: 0, columns: 0)),
    [
      SettingKey(
        "padding", \.padding, .extent(0...4096), default: .required,
        "Rows above and below, columns left and right."), .border(\.border), .answer(\.answer),
    ])
}

/// A rectangle around a uniform pixel is filled; what reaches over the edge is cut off.
///
/// - SeeAlso: DeVries & Taylor 2017, <https://arxiv.org/abs/1708.04552>.
public struct Cutout: Hashable, Sendable {
  public var size: PixelExtent
  public var fill: Double
  public var probability: Double

  public init(size: PixelExtent, fill: Double = 0, probability: Double = 1) {
    self.size = size
    self.fill = fill
    self.probability = probability
  }

  public static let settings = SettingsDescription<Cutout>(
    "A rectangle around any pixel is filled; what reaches over the edge is cut off (DeVries 2017).",
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
  public var alpha: Double
  public var probability: Double

  public init(alpha: Double = 0.2, probability: Double = 1) {
    self.alpha = alpha
    self.probability = probability
  }

  public static let settings = SettingsDescription<Mixup>(
    "Blended with another sample of the minibatch, and so are the targets (Zhang et al. 2018).", Mixup(),
    [
      SettingKey("alpha", \.alpha, .number(.betaShape), "The share is drawn from Beta(alpha, alpha)."),
      .probability(\.probability),
    ])
}

/// A rectangle of the partner replaces the sample's; targets are shared by area.
///
/// - SeeAlso: Yun et al. 2019, <https://arxiv.org/abs/1905.04899>.
public struct CutMix: Hashable, Sendable {
  public var alpha: Double
  public var probability: Double

  public init(alpha: Double = 1, probability: Double = 1) {
    self.alpha = alpha
    self.probability = probability
  }

  public static let settings = SettingsDescription<CutMix>(
    "A rectangle is taken from another sample of the minibatch; targets are shared by area (Yun et al. 2019).",
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
    SettingKey("probability", path, .number(.unit), "How often a sample is changed, 0 to 1.")
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
