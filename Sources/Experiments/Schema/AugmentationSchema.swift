internal import Datasets
internal import Settings
internal import Tensors

/// The steps of `training.augmentation`.
enum AugmentationSchema {
  static let steps = UnionSchema(
    "step",
    [
      kind("flip_horizontal", "Left and right change places.", [probability("0.5")]),
      kind("flip_vertical", "Top and bottom change places.", [probability("0.5")]),
      kind(
        "pad_and_crop", "A border is put around the sample, and a part of its size cut out anywhere.",
        [
          Key("padding", .size(0...4096), .required, "Rows above and below, columns left and right."),
          border,
        ]),
      kind(
        "rotate", "Turned about its centre, with bilinear interpolation.",
        [
          Key("degrees", .number(angle), .required, "By a uniform angle within ± this."), border,
          probability("1"),
        ]),
      kind(
        "affine", "Turned, enlarged, slanted and shifted about its centre, with bilinear interpolation.",
        [
          Key("degrees", .number(angle), .scalar("0"), "By a uniform angle within ± this."),
          Key(
            "translate", .number(.unit), .scalar("0"),
            "By a uniform share of height and of width, each within ± this."),
          Key(
            "scale", .optional(word: "none", range(NumberRange(minimum: 0.01, maximum: 100))),
            .scalar("none"), "By a factor uniform between these two."),
          Key(
            "shear", .number(NumberRange(minimum: 0, maximum: 80)), .scalar("0"),
            "Along the rows by a uniform angle within ± this."), border, probability("1"),
        ]),
      kind(
        "brightness", "All values times a factor.",
        [Key("strength", .number(strength), .required, "The factor is uniform in 1 ± this.")]),
      kind(
        "contrast", "All values moved away from the sample's mean grey, or towards it.",
        [Key("strength", .number(strength), .required, "By a factor uniform in 1 ± this.")]),
      kind(
        "saturation", "Colours moved away from their grey, or towards it.",
        [Key("strength", .number(strength), .required, "By a factor uniform in 1 ± this.")]),
      kind(
        "random_erasing", "A rectangle of random size is filled (Zhong et al. 2017).",
        [
          probability("0.5"),
          Key(
            "area", .optional(word: "default", range(NumberRange(minimum: 0.0001, maximum: 1))),
            .scalar("default"), "Share of the sample's area between these two; by default [0.02, 0.33]."),
          Key(
            "aspect", .optional(word: "default", range(NumberRange(minimum: 0.01, maximum: 100))),
            .scalar("default"), "Height by width between these two; by default [0.3, 3.3]."),
          Key("fill", .union(fill), .scalar("random"), "With what."),
        ]),
      kind(
        "cutout",
        "A rectangle around any pixel is filled; what reaches over the edge is cut off (DeVries 2017).",
        [
          Key("size", .size(1...4096), .required, "Height and width in pixels."),
          Key("fill", .number(.any), .scalar("0"), "The value that is filled in."), probability("1"),
        ]),
      kind(
        "mixup", "Blended with another sample of the minibatch, and so are the targets (Zhang et al. 2018).",
        [
          Key(
            "alpha", .number(NumberRange(minimum: 0.001, maximum: 1000)), .scalar("0.2"),
            "The share is drawn from Beta(alpha, alpha)."), probability("1"),
        ]),
      kind(
        "cutmix",
        "A rectangle is taken from another sample of the minibatch; targets are shared by area (Yun et al. 2019).",
        [
          Key(
            "alpha", .number(NumberRange(minimum: 0.001, maximum: 1000)), .scalar("1"),
            "The rectangle's area is drawn from Beta(alpha, alpha)."), probability("1"),
        ]),
      UnionSchema.Kind(
        "board_symmetry", nil, "One of the eight rotations and reflections of a square board, each as likely."
      ),
    ])

  private static let angle = NumberRange(minimum: 0, maximum: 180)
  private static let strength = NumberRange(minimum: 0, maximum: 10)

  private static func kind(_ name: String, _ summary: String, _ keys: [Key]) -> UnionSchema.Kind {
    UnionSchema.Kind(name, .object(ObjectSchema(summary, keys)), summary)
  }

  private static func probability(_ text: String) -> Key {
    Key("probability", .number(.unit), .scalar(text), "How often a sample is changed, 0 to 1.")
  }

  private static func range(_ numbers: NumberRange) -> Schema { .list(.number(numbers), count: 2...2) }

  private static let border = Key(
    "border",
    .choice([
      Choice(word: "zero", summary: "zeros"),
      Choice(word: "edge", summary: "the nearest pixel"),
      Choice(word: "reflect", summary: "the sample mirrored at its outermost pixels"),
    ]), .scalar("zero"), "What lies outside of the sample.")

  static let fill = UnionSchema(
    "fill",
    [
      UnionSchema.Kind(
        "random", nil, "Each value anew: 0 to 255, or between the sample's least and greatest for floats."),
      UnionSchema.Kind("value", .number(.any), "This value."),
    ])

  // MARK: - Values

  static func step(_ value: ResolvedValue) -> AugmentationStep? {
    let probability = value["probability"]?.number ?? 1
    switch value.kind {
    case "flip_horizontal": return .flipHorizontal(probability: probability)
    case "flip_vertical": return .flipVertical(probability: probability)
    case "pad_and_crop":
      guard let padding = extent(value["padding"]), let border = border(value) else { return nil }
      return .padAndCrop(padding: padding, border: border)
    case "rotate", "affine": return affine(value, probability)
    case "brightness": return value["strength"]?.number.map { .brightness(strength: $0) }
    case "contrast": return value["strength"]?.number.map { .contrast(strength: $0) }
    case "saturation": return value["strength"]?.number.map { .saturation(strength: $0) }
    case "random_erasing": return erasing(value, probability)
    case "cutout":
      guard let size = extent(value["size"]), let fill = value["fill"]?.number else { return nil }
      return .cutout(size: size, fill: fill, probability: probability)
    case "mixup": return value["alpha"]?.number.map { .mixup(alpha: $0, probability: probability) }
    case "cutmix": return value["alpha"]?.number.map { .cutmix(alpha: $0, probability: probability) }
    case "board_symmetry": return .boardSymmetry
    default: return nil
    }
  }

  /// Why a step is not possible; nil when it is.
  static func problem(_ value: ResolvedValue, for shape: Shape) -> String? {
    for key in ["scale", "area", "aspect"] {
      let bounds = value[key]?.list?.compactMap(\.number) ?? []
      if bounds.count == 2, bounds[0] > bounds[1] {
        return
          "\(key): found \(bounds[0].plainText) before \(bounds[1].plainText), expected the smaller number first"
      }
    }
    return step(value).flatMap { Augmentation.problem(of: $0, for: shape) }
  }

  private static func affine(_ value: ResolvedValue, _ probability: Double) -> AugmentationStep? {
    guard let degrees = value["degrees"]?.number, let border = border(value) else { return nil }
    return .affine(
      RandomAffine(
        degrees: degrees, translate: value["translate"]?.number ?? 0, scale: bounds(value["scale"]) ?? 1...1,
        shear: value["shear"]?.number ?? 0, border: border, probability: probability))
  }

  private static func erasing(_ value: ResolvedValue, _ probability: Double) -> AugmentationStep? {
    guard let fill = value["fill"] else { return nil }
    var erasing = RandomErasing(probability: probability)
    if let area = bounds(value["area"]) { erasing.area = area }
    if let aspect = bounds(value["aspect"]) { erasing.aspect = aspect }
    if let number = fill.payload?.number { erasing.fill = .value(number) }
    return .randomErasing(erasing)
  }

  private static func bounds(_ value: ResolvedValue?) -> ClosedRange<Double>? {
    guard let numbers = value?.list?.compactMap(\.number), numbers.count == 2, numbers[0] <= numbers[1]
    else { return nil }
    return numbers[0]...numbers[1]
  }

  private static func extent(_ value: ResolvedValue?) -> AugmentationStep.Extent? {
    guard let sides = value?.list?.compactMap(\.integer), sides.count == 2 else { return nil }
    return AugmentationStep.Extent(rows: sides[0], columns: sides[1])
  }

  private static func border(_ value: ResolvedValue) -> Border? {
    value["border"]?.text.flatMap(Border.init(rawValue:))
  }
}
