public import Settings
public import Tensors

/// Settings of a gradient ascent on an image.
public struct AscentSettings: Hashable, Sendable {
  public var steps = 200
  public var rule = AscentRule.adam
  /// The size of a step; nil takes the rule's default.
  public var rate: Double?
  public var prior = ImagePrior()
  /// Nil takes pixels for small images and waves for those of ``largeSide`` pixels and more, where pixels find noise.
  public var parameterization: ImageParameterization?
  /// Largest shift of the image before each step, in pixels; nil is 0 for small images and 8 for large ones.
  public var jitter: Int?
  /// The image is shown larger or smaller by up to this share; nil is 0 for small images and 0.1 for large ones.
  public var scale: Double?
  /// The image is turned by up to so many degrees each way; nil is 0 for small images and 5 for large ones.
  public var rotation: Double?
  /// Standard deviation, in pixels, of the blur after every ``blurEvery`` steps; 0 for none (Yosinski 2015).
  public var blur = 0.0
  public var blurEvery = 4
  public var start = ImageStart.noise
  /// First steps in which what a filter's or unit's activation is given is raised rather than what it gives.
  ///
  /// Places where it gives nothing move too then; Lucid lets gradients through dead ReLUs for the same reason. Nil is half of
  /// the steps.
  public var warmUp: Int?
  /// How often to try, each time from other noise and every second time without the warm-up; the best image counts.
  public var attempts = 2
  /// Begins the random numbers of noise and shifts.
  public var seed: UInt64 = 0

  public init() {}

  /// From this many pixels of their shorter side on, images count as large.
  public static let largeSide = 64

  /// The same with everything chosen that was left to the images' size.
  public func resolved(for shape: Shape) -> AscentSettings {
    let isLarge = min(shape[0], shape[1]) >= Self.largeSide
    var result = self
    result.rate = rate ?? rule.defaultRate
    result.parameterization = parameterization ?? (isLarge ? .fourier : .pixels)
    result.jitter = jitter ?? (isLarge ? 8 : 0)
    result.scale = scale ?? (isLarge ? 0.1 : 0)
    result.rotation = rotation ?? (isLarge ? 5 : 0)
    result.warmUp = warmUp ?? steps / 2
    return result
  }

  var transform: ImageTransform {
    ImageTransform(jitter: jitter ?? 0, scale: scale ?? 0, rotation: rotation ?? 0)
  }
}

/// The image from which an ascent starts.
public enum ImageStart: Hashable, Sendable {
  /// Mid-grey with a little noise: `0.5 + (U[0, 1) − 0.5)·0.25` in pixels, a deviation of 0.01 in waves.
  case noise
  case grey
  case black
  /// A file's picture, which the ascent is handed as pixels.
  case image(ImageSource)

  /// How starts are written.
  static let kinds = SettingsUnion<ImageStart>(
    "start",
    [
      SettingsKind("noise", "Mid-grey with a little noise.", .noise),
      SettingsKind("grey", "Mid-grey.", .grey),
      SettingsKind("black", "Black.", .black),
      SettingsKind(
        "image", "A PNG or JPEG file.", .image, wrap: { .image($0) },
        unwrap: { if case .image(let source) = $0 { source } else { nil } }),
    ])
}

extension AscentSettings: DescribedSettings {
  public static let steps = SettingKey(
    "steps", \AscentSettings.steps, .integer(1...1_000_000), "Steps of each ascent.")
  public static let rule = SettingKey(
    "optimizer", \AscentSettings.rule, .word, "How a gradient becomes a step.")
  public static let rate = SettingKey(
    "rate", \AscentSettings.rate, .optional("auto", .number(.positive)),
    "Size of a step; `auto` is 0.05 for adam and 0.02 for sgd.")
  public static let l1 = SettingKey(
    "l1", \AscentSettings.prior.l1, .number(.nonNegative), "This times the sum of |x| is subtracted.")
  public static let l2 = SettingKey(
    "l2", \AscentSettings.prior.l2, .number(.nonNegative),
    "This times the sum of (x − 0.5)² is subtracted.")
  public static let totalVariation = SettingKey(
    "total_variation", \AscentSettings.prior.totalVariation, .number(.nonNegative),
    "This times the total variation is subtracted.")
  public static let parameterization = SettingKey(
    "parameterization", \AscentSettings.parameterization,
    .optional("auto", .word),
    "What the ascent changes; `auto` is pixels, and fourier for images of 64 pixels and more.")
  public static let jitter = SettingKey(
    "jitter", \AscentSettings.jitter, .optional("auto", .integer(0...1000)),
    "Largest shift of the image before each step, in pixels; `auto` is 0, and 8 for images of 64 pixels and more."
  )
  public static let scale = SettingKey(
    "scale", \AscentSettings.scale,
    .optional("auto", .number(NumberRange(minimum: 0, maximum: 0.9))),
    "The image is shown larger or smaller by up to this; `auto` is 0, and 0.1 for images of 64 pixels and more."
  )
  public static let rotation = SettingKey(
    "rotation", \AscentSettings.rotation,
    .optional("auto", .number(NumberRange(minimum: 0, maximum: 180))),
    "The image is turned by up to so many degrees; `auto` is 0, and 5 for images of 64 pixels and more.")
  public static let blur = SettingKey(
    "blur", \AscentSettings.blur, .number(NumberRange(minimum: 0, maximum: 50)),
    "Standard deviation of a blur after every fourth step, in pixels.")
  public static let start = SettingKey(
    "start", \AscentSettings.start, ImageStart.kinds.form, "The image that the first step starts from.")
  public static let warmUp = SettingKey(
    "warm_up", \AscentSettings.warmUp, .optional("auto", .integer(0...1_000_000)),
    "First steps in which sums are raised before their activation cuts them off; `auto` is half of the steps."
  )
  public static let attempts = SettingKey(
    "attempts", \AscentSettings.attempts, .integer(1...100),
    "Tries from other noise, every second one without warm-up; the best image counts.")

  public static let settings = SettingsDescription(
    "Gradient ascent on an image.", AscentSettings(),
    [
      steps, rule, rate, l1, l2, totalVariation, parameterization, jitter, scale, rotation, blur, start,
      warmUp, attempts,
    ])
}
