public import Settings

/// The look `filters`: the kernels of a convolution.
public struct FilterLook: Hashable, Sendable {
  /// The layer whose kernels are shown; nil takes the first convolution.
  public var layer: String?
  /// The filters of the layer that are shown.
  public var filters = NumberList.all

  /// All kernels of the first convolution.
  public init() {}
}

extension FilterLook: DescribedSettings {
  /// The layer.
  public static let layer = SettingKey<FilterLook>.layer(\.layer, "the first convolution")
  /// The filters of the layer.
  public static let which = SettingKey<FilterLook>.which(\.filters)

  /// All settings of the look, in the order in which references list them.
  public static let settings = SettingsDescription("Kernels as one picture.", FilterLook(), [layer, which])

  /// The word `filters` with its settings, as one kind of look.
  public static let kind = SettingsKind<Look>(
    "filters", "The kernels of a convolution.", settings.form, wrap: { .filters($0) },
    unwrap: { if case .filters(let look) = $0 { look } else { nil } })
}
