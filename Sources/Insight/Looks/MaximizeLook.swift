public import Settings

/// Images that excite something most.
public struct MaximizeLook: Hashable, Sendable {
  public var target: TargetChoice
  public var ascent = AscentSettings()

  public init(target: TargetChoice) { self.target = target }
}

extension MaximizeLook: DescribedSettings {
  public static let target = SettingKey(
    "target", \MaximizeLook.target, TargetChoice.kinds.form, default: .required, "What is to be excited.")

  public static let settings = SettingsDescription(
    "Gradient ascent on an image, whose pixels count from 0 (black) to 1 (white).",
    MaximizeLook(target: .classes(.all)), [target] + AscentSettings.settings.keys.map { $0.at(\.ascent) })

  public static let kind = SettingsKind<Look>(
    "maximize", "Images that excite filters, units or classes most.", settings.form,
    wrap: { .maximize($0) }, unwrap: { if case .maximize(let look) = $0 { look } else { nil } })
}
