public import Settings

/// The look `maximize`: images that excite filters, units or classes most.
public struct MaximizeLook: Hashable, Sendable {
  /// The filters, units or classes to excite.
  public var target: TargetChoice
  /// How the images are found.
  public var ascent = AscentSettings()

  /// A look for images that excite this target, with defaults for all else.
  public init(target: TargetChoice) { self.target = target }
}

extension MaximizeLook: DescribedSettings {
  /// The filters, units or classes.
  public static let target = SettingKey(
    "target", \MaximizeLook.target, TargetChoice.kinds.form, default: .required, "What to excite.")

  /// All settings of the look, in the order in which references list them.
  public static let settings = SettingsDescription(
    "Gradient ascent on an image, whose pixels go from 0 (black) to 1 (white).",
    MaximizeLook(target: .classes(.all)), [target] + AscentSettings.settings.keys.map { $0.at(\.ascent) })

  /// The word `maximize` with its settings, as one kind of look.
  public static let kind = SettingsKind<Look>(
    "maximize", "Images that excite filters, units or classes most.", settings.form,
    wrap: { .maximize($0) }, unwrap: { if case .maximize(let look) = $0 { look } else { nil } })
}
