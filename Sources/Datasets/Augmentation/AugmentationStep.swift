public import Settings

/// One way to vary a sample.
///
/// A new way is a case with its settings here, and what it does in ``Augmenter``.
public enum AugmentationStep: Hashable, Sendable {
  /// Left and right change places.
  case flipHorizontal(Flip)
  /// Top and bottom change places.
  case flipVertical(Flip)
  case padAndCrop(PadAndCrop)
  case rotate(Rotation)
  case affine(RandomAffine)
  /// `v·f`, f uniform in 1 ± strength and at least 0.
  case brightness(strength: Double)
  /// `f·v + (1 − f)·m`, m the sample's mean grey, f uniform in 1 ± strength and at least 0.
  case contrast(strength: Double)
  /// `f·v + (1 − f)·g`, g the pixel's grey (ITU-R BT.601), f uniform in 1 ± strength and at least 0.
  case saturation(strength: Double)
  case randomErasing(RandomErasing)
  case cutout(Cutout)
  case mixup(Mixup)
  case cutmix(CutMix)
  /// One of the eight rotations and reflections of a square, each as likely as any other.
  case boardSymmetry(RandomSymmetry)

  var isMixup: Bool { if case .mixup = self { true } else { false } }

  var isMix: Bool {
    switch self {
    case .mixup, .cutmix: true
    case .flipHorizontal, .flipVertical, .padAndCrop, .rotate, .affine, .brightness, .contrast, .saturation,
      .randomErasing, .cutout, .boardSymmetry:
      false
    }
  }
}

extension AugmentationStep {
  /// Whether all numbers of a varied sample are such as samples or settings have, and none between them: word numbers stay words.
  public var keepsNumbers: Bool {
    switch self {
    case .flipHorizontal, .flipVertical, .padAndCrop, .cutout, .cutmix, .boardSymmetry: true
    case .randomErasing(let erasing): erasing.fill != .random
    case .rotate, .affine, .brightness, .contrast, .saturation, .mixup: false
    }
  }
}

extension AugmentationStep: SettingsVariant {
  /// The words of configurations, in the order of references.
  public enum Kind: String, Sendable, CaseIterable {
    case flipHorizontal = "flip_horizontal"
    case flipVertical = "flip_vertical"
    case padAndCrop = "pad_and_crop"
    case rotate
    case affine
    case brightness
    case contrast
    case saturation
    case randomErasing = "random_erasing"
    case cutout
    case mixup
    case cutmix
    case boardSymmetry = "board_symmetry"
  }

  public static let noun = "step"

  private var member: (kind: Kind, settings: any Sendable) {
    switch self {
    case .flipHorizontal(let step): (.flipHorizontal, step)
    case .flipVertical(let step): (.flipVertical, step)
    case .padAndCrop(let step): (.padAndCrop, step)
    case .rotate(let step): (.rotate, step)
    case .affine(let step): (.affine, step)
    case .brightness(let strength): (.brightness, strength)
    case .contrast(let strength): (.contrast, strength)
    case .saturation(let strength): (.saturation, strength)
    case .randomErasing(let step): (.randomErasing, step)
    case .cutout(let step): (.cutout, step)
    case .mixup(let step): (.mixup, step)
    case .cutmix(let step): (.cutmix, step)
    case .boardSymmetry(let step): (.boardSymmetry, step)
    }
  }

  public var kind: Kind { member.kind }

  /// A kind's word, and what may be written behind it.
  public static func description(of kind: Kind) -> SettingsKind<Self> {
    func described<Settings>(
      _ settings: SettingsDescription<Settings>, _ make: @escaping @Sendable (Settings) -> Self
    ) -> SettingsKind<Self> {
      SettingsKind(
        kind.rawValue, settings, wrap: make,
        unwrap: { $0.kind == kind ? $0.member.settings as? Settings : nil })
    }
    return switch kind {
    case .flipHorizontal: described(Flip.settings("Left and right change places."), Self.flipHorizontal)
    case .flipVertical: described(Flip.settings("Top and bottom change places."), Self.flipVertical)
    case .padAndCrop: described(PadAndCrop.settings, Self.padAndCrop)
    case .rotate: described(Rotation.settings, Self.rotate)
    case .affine: described(RandomAffine.settings, Self.affine)
    case .brightness:
      described(
        colour("All values times a factor.", "The factor is uniform in 1 ± this."), Self.brightness)
    case .contrast:
      described(
        colour(
          "All values moved away from the sample's mean grey, or towards it.",
          "By a factor uniform in 1 ± this."), Self.contrast)
    case .saturation:
      described(
        colour(
          "Colours moved away from their grey, or towards it; of bytes the grey is rounded first.",
          "By a factor uniform in 1 ± this."),
        Self.saturation)
    case .randomErasing: described(RandomErasing.settings, Self.randomErasing)
    case .cutout: described(Cutout.settings, Self.cutout)
    case .mixup: described(Mixup.settings, Self.mixup)
    case .cutmix: described(CutMix.settings, Self.cutmix)
    case .boardSymmetry: described(RandomSymmetry.settings, Self.boardSymmetry)
    }
  }

  /// A strength alone.
  private static func colour(_ summary: String, _ meaning: String) -> SettingsDescription<Double> {
    SettingsDescription(
      summary, 0,
      [
        SettingKey(
          "strength", \.self, .number(NumberRange(minimum: 0, maximum: 10)), default: .required, meaning)
      ])
  }
}

extension SettingForm where Value == Augmentation {
  /// A list of steps, or a word for none.
  public static var augmentation: SettingForm {
    SettingForm<[AugmentationStep]?>.optional("none", .list(AugmentationStep.settings.form, count: 1...32))
      .map(
        { Augmentation($0 ?? []) }, back: { $0.steps.isEmpty ? nil : $0.steps })
  }
}
