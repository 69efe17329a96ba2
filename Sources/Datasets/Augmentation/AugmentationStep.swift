public import Settings

/// One way to vary a sample.
///
/// A new way needs a case with its settings here, and what it does in ``Augmenter``.
public enum AugmentationStep: Hashable, Sendable {
  /// Left and right change places.
  case flipHorizontal(Flip)
  /// Top and bottom change places.
  case flipVertical(Flip)
  /// A border is added, and a part as large as the sample is cut out.
  case padAndCrop(PadAndCrop)
  /// The sample is turned about its centre.
  case rotate(Rotation)
  /// The sample is turned, enlarged, slanted and shifted.
  case affine(RandomAffine)
  /// `v·f`, f uniform in 1 ± strength and at least 0.
  case brightness(strength: Double)
  /// `f·v + (1 − f)·m`, m the sample's mean grey, f uniform in 1 ± strength and at least 0.
  case contrast(strength: Double)
  /// `f·v + (1 − f)·g`, g the pixel's grey (ITU-R BT.601), f uniform in 1 ± strength and at least 0.
  case saturation(strength: Double)
  /// A rectangle of random size is filled.
  case randomErasing(RandomErasing)
  /// A rectangle of fixed size is filled.
  case cutout(Cutout)
  /// Whole rows and whole columns are filled.
  case mask(SpectrumMask)
  /// `v + d·n`, n normal and drawn for each number.
  case noise(deviation: Double)
  /// `v + u`, u uniform in ± strength and drawn for each sample: of logarithms, another loudness.
  case gain(strength: Double)
  /// The sample is blended with another one.
  case mixup(Mixup)
  /// A rectangle of another sample replaces a part.
  case cutmix(CutMix)
  /// One of the eight rotations and reflections of a square, each as likely as any other.
  case boardSymmetry(RandomSymmetry)

  var isMixup: Bool { if case .mixup = self { true } else { false } }

  var isMix: Bool {
    switch self {
    case .mixup, .cutmix: true
    case .flipHorizontal, .flipVertical, .padAndCrop, .rotate, .affine, .brightness, .contrast, .saturation,
      .randomErasing, .cutout, .mask, .noise, .gain, .boardSymmetry:
      false
    }
  }
}

extension AugmentationStep {
  /// Whether a varied sample holds only numbers that a sample or a setting has, and none in between, so that
  /// numbers of words stay numbers of words.
  public var keepsNumbers: Bool {
    switch self {
    case .flipHorizontal, .flipVertical, .padAndCrop, .cutout, .mask, .cutmix, .boardSymmetry: true
    case .randomErasing(let erasing): erasing.fill != .random
    case .rotate, .affine, .brightness, .contrast, .saturation, .noise, .gain, .mixup: false
    }
  }
}

extension AugmentationStep: SettingsVariant {
  /// The words of configurations, in the order in which references list them.
  public enum Kind: String, Sendable, CaseIterable {
    /// Configures ``AugmentationStep/flipHorizontal(_:)``.
    case flipHorizontal = "flip_horizontal"
    /// Configures ``AugmentationStep/flipVertical(_:)``.
    case flipVertical = "flip_vertical"
    /// Configures ``AugmentationStep/padAndCrop(_:)``.
    case padAndCrop = "pad_and_crop"
    /// Configures ``AugmentationStep/rotate(_:)``.
    case rotate
    /// Configures ``AugmentationStep/affine(_:)``.
    case affine
    /// Configures ``AugmentationStep/brightness(strength:)``.
    case brightness
    /// Configures ``AugmentationStep/contrast(strength:)``.
    case contrast
    /// Configures ``AugmentationStep/saturation(strength:)``.
    case saturation
    /// Configures ``AugmentationStep/randomErasing(_:)``.
    case randomErasing = "random_erasing"
    /// Configures ``AugmentationStep/cutout(_:)``.
    case cutout
    /// Configures ``AugmentationStep/mask(_:)``.
    case mask
    /// Configures ``AugmentationStep/noise(deviation:)``.
    case noise
    /// Configures ``AugmentationStep/gain(strength:)``.
    case gain
    /// Configures ``AugmentationStep/mixup(_:)``.
    case mixup
    /// Configures ``AugmentationStep/cutmix(_:)``.
    case cutmix
    /// Configures ``AugmentationStep/boardSymmetry(_:)``.
    case boardSymmetry = "board_symmetry"
  }

  /// What messages call a kind.
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
    case .mask(let step): (.mask, step)
    case .noise(let deviation): (.noise, deviation)
    case .gain(let strength): (.gain, strength)
    case .mixup(let step): (.mixup, step)
    case .cutmix(let step): (.cutmix, step)
    case .boardSymmetry(let step): (.boardSymmetry, step)
    }
  }

  /// The step without its settings.
  public var kind: Kind { member.kind }

  /// A kind's word, and what may be written after it.
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
        colour(
          "All values are multiplied by a factor.",
          "The factor is drawn uniformly from 1 ± this, and at least 0."),
        Self.brightness)
    case .contrast:
      described(
        colour(
          "All values are moved away from the sample's mean grey, or towards it.",
          "The factor is drawn uniformly from 1 ± this, and at least 0."), Self.contrast)
    case .saturation:
      described(
        colour(
          "Colours are moved away from their grey, or towards it; for bytes the grey is rounded first.",
          "The factor is drawn uniformly from 1 ± this, and at least 0."),
        Self.saturation)
    case .randomErasing: described(RandomErasing.settings, Self.randomErasing)
    case .cutout: described(Cutout.settings, Self.cutout)
    case .mask: described(SpectrumMask.settings, Self.mask)
    case .noise:
      described(
        number(
          "deviation", "Normal noise is added to each number.",
          "The noise's standard deviation, in the samples' units."), Self.noise)
    case .gain:
      described(
        number(
          "strength",
          "The same number is added to all of a sample: of a logarithmic spectrum, another loudness.",
          "The number is drawn uniformly from ± this."), Self.gain)
    case .mixup: described(Mixup.settings, Self.mixup)
    case .cutmix: described(CutMix.settings, Self.cutmix)
    case .boardSymmetry: described(RandomSymmetry.settings, Self.boardSymmetry)
    }
  }

  /// The settings of a step that has one number from 0 and nothing else.
  private static func number(_ word: String, _ summary: String, _ meaning: String) -> SettingsDescription<
    Double
  > {
    SettingsDescription(
      summary, 0,
      [SettingKey(word, \.self, .number(NumberRange(minimum: 0, maximum: 1e6)), default: .required, meaning)])
  }

  /// The settings of a step that has a strength and nothing else.
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
