public import Settings
public import Tensors

/// Settings of a gradient ascent on an image.
public struct AscentSettings: Hashable, Sendable {
  /// Steps of each ascent.
  public var steps = 200
  /// How a gradient becomes a step.
  public var rule = AscentRule.adam
  /// The size of a step; nil takes the rule's default.
  public var rate: Double?
  /// ``ImagePrior/l1``; above 0, small images get the choices that usually go with it: pixels that are not moved.
  public var l1 = 0.0
  /// ``ImagePrior/l2``.
  public var l2 = 0.0
  /// ``ImagePrior/totalVariation``; nil is 0.02 for small images without ``l1``, and 0 for others.
  public var totalVariation: Double?
  /// What the ascent changes; nil takes pixels for small images with ``l1``, and waves for all others, where pixels would give noise.
  public var parameterization: ImageParameterization?
  /// Largest shift of the image before each step, in pixels; nil is a twelfth of small images' shorter side, 0 for those with
  /// ``l1``, and 8 for large ones.
  public var jitter: Int?
  /// The share by which the image is shown larger or smaller at most; nil is 0 for small images and 0.1 for large ones.
  public var scale: Double?
  /// The largest angle each way by which the image is turned, in degrees; nil is 0 for small images and 5 for large ones.
  public var rotation: Double?
  /// Standard deviation, in pixels, of the blur after every ``blurEvery`` steps; 0 for none (Yosinski 2015).
  ///
  /// Nil is 0.5 for outputs that are sought as waves in small images without ``l1``, and 0 for others.
  public var blur: Double?
  /// Steps from one blur to the next.
  public var blurEvery = 4
  /// The image that the first step starts from.
  public var start = ImageStart.noise
  /// The number of first steps that raise the input of a filter's or unit's activation function instead of its output.
  ///
  /// Places whose output is zero then move, too; Lucid lets gradients through dead ReLUs for the same reason. Nil is half of
  /// the steps.
  public var warmUp: Int?
  /// The number of attempts, each from other noise and every second one without the warm-up; the best image counts.
  public var attempts = 2
  /// Seeds the random numbers of noise and shifts.
  public var seed: UInt64 = 0

  /// Settings with the defaults above.
  public init() {}

  /// Images count as large when their shorter side has at least this many pixels.
  static let largeSide = 64

  /// What is subtracted from the objective.
  public var prior: ImagePrior {
    get { ImagePrior(l1: l1, l2: l2, totalVariation: totalVariation ?? 0) }
    set { (l1, l2, totalVariation) = (newValue.l1, newValue.l2, newValue.totalVariation) }
  }

  /// The same settings with everything chosen that was left to the images' size.
  ///
  /// For classes of small images, waves that are shifted and smoothed a little showed shapes that people recognise, where pixels
  /// gave noise. ``l1`` asks for the lecture's method, which is an ascent on pixels.
  public func resolved(for shape: Shape) -> AscentSettings {
    let side = min(shape[0], shape[1])
    let isLarge = side >= Self.largeSide
    let isSparse = !isLarge && l1 > 0
    var result = self
    result.rate = rate ?? rule.defaultRate
    result.parameterization = parameterization ?? (isSparse ? .pixels : .fourier)
    result.totalVariation = totalVariation ?? (isLarge || isSparse ? 0 : 0.02)
    result.jitter = jitter ?? (isLarge ? 8 : isSparse ? 0 : side / 12)
    result.scale = scale ?? (isLarge ? 0.1 : 0)
    result.rotation = rotation ?? (isLarge ? 5 : 0)
    result.warmUp = warmUp ?? steps / 2
    return result
  }

  /// The blur of a target's image, once the rest is resolved.
  ///
  /// Of small images it takes away what only looks right to a network, and shapes of a class become clearer; filters may look for
  /// just that.
  func blurSigma(of target: Target, shape: Shape) -> Double {
    if let blur { return blur }
    guard case .output = target, parameterization == .fourier, l1 == 0 else { return 0 }
    return min(shape[0], shape[1]) < Self.largeSide ? 0.5 : 0
  }

  var transform: ImageTransform {
    ImageTransform(jitter: jitter ?? 0, scale: scale ?? 0, rotation: rotation ?? 0)
  }
}

/// The image from which an ascent starts.
public enum ImageStart: Hashable, Sendable {
  /// Mid-grey with a little noise: in pixels `0.5 + (U[0, 1) − 0.5)·0.25`, in waves a standard deviation of 0.01.
  case noise
  /// Mid-grey: every pixel 0.5.
  case grey
  /// Black: every pixel 0.
  case black
  /// The picture of a file. Whoever starts the ascent reads it and hands over its pixels.
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
  /// The number of steps.
  public static let steps = SettingKey(
    "steps", \AscentSettings.steps, .integer(1...1_000_000), "Steps of each ascent.")
  /// The rule that turns a gradient into a step.
  public static let rule = SettingKey(
    "optimizer", \AscentSettings.rule, .word, "How a gradient becomes a step.")
  /// The size of a step.
  public static let rate = SettingKey(
    "rate", \AscentSettings.rate, .optional("auto", .number(.positive)),
    "Size of a step; `auto` is 0.05 for adam and 0.02 for sgd.")
  /// The weight of the L1 prior.
  public static let l1 = SettingKey(
    "l1", \AscentSettings.l1, .number(.nonNegative),
    "Weight of the sum of |x|, which is subtracted; above 0 it changes other keys' `auto` for images below 64 pixels."
  )
  /// The weight of the L2 prior.
  public static let l2 = SettingKey(
    "l2", \AscentSettings.l2, .number(.nonNegative),
    "Weight of the sum of (x − 0.5)², which is subtracted.")
  /// The weight of the total variation.
  public static let totalVariation = SettingKey(
    "total_variation", \AscentSettings.totalVariation, .optional("auto", .number(.nonNegative)),
    "Weight of the total variation, which is subtracted; `auto` is 0.02 for images below 64 pixels without `l1`, else 0."
  )
  /// What the ascent changes.
  public static let parameterization = SettingKey(
    "parameterization", \AscentSettings.parameterization,
    .optional("auto", .word),
    "What the ascent changes; `auto` is pixels for images below 64 pixels with `l1`, else fourier.")
  /// The largest shift before each step.
  public static let jitter = SettingKey(
    "jitter", \AscentSettings.jitter, .optional("auto", .integer(0...1000)),
    "Largest shift of the image before each step, in pixels; `auto` is 8, for images below 64 pixels a twelfth of their side, "
      + "and 0 for such images with `l1`."
  )
  /// The largest change of size before each step.
  public static let scale = SettingKey(
    "scale", \AscentSettings.scale,
    .optional("auto", .number(NumberRange(minimum: 0, maximum: 0.9))),
    "The image is shown larger or smaller by up to this share; `auto` is 0.1, and 0 for images below 64 pixels."
  )
  /// The largest turn before each step.
  public static let rotation = SettingKey(
    "rotation", \AscentSettings.rotation,
    .optional("auto", .number(NumberRange(minimum: 0, maximum: 180))),
    "The image is turned by up to this many degrees; `auto` is 5, and 0 for images below 64 pixels.")
  /// The standard deviation of the blur between steps.
  public static let blur = SettingKey(
    "blur", \AscentSettings.blur, .optional("auto", .number(NumberRange(minimum: 0, maximum: 50))),
    "Standard deviation of the blur after every `blur_every` steps, in pixels; `auto` is 0.5 for classes in images below 64 pixels that "
      + "are waves without `l1`, and 0 for others.")
  /// The distance between blurs, in steps.
  public static let blurEvery = SettingKey(
    "blur_every", \AscentSettings.blurEvery, .integer(1...1_000_000), "Steps from one blur to the next.")
  /// The image that the first step starts from.
  public static let start = SettingKey(
    "start", \AscentSettings.start, ImageStart.kinds.form, "The image that the first step starts from.")
  /// The number of steps in the warm-up.
  public static let warmUp = SettingKey(
    "warm_up", \AscentSettings.warmUp, .optional("auto", .integer(0...1_000_000)),
    "First steps that raise what goes into the activation function rather than what comes out; `auto` is half of the steps."
  )
  /// The number of attempts.
  public static let attempts = SettingKey(
    "attempts", \AscentSettings.attempts, .integer(1...100),
    "Attempts from other noise, every second one without warm-up; the best image counts.")

  /// All settings of an ascent, in the order in which references list them.
  public static let settings = SettingsDescription(
    "Gradient ascent on an image.", AscentSettings(),
    [
      steps, rule, rate, l1, l2, totalVariation, parameterization, jitter, scale, rotation, blur, blurEvery,
      start,
      warmUp, attempts,
    ])
}
