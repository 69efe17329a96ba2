public import Settings

/// The kernels of a convolution.
public struct FilterLook: Hashable, Sendable {
  /// Nil takes the first convolution.
  public var layer: String?
  public var filters = NumberList.all

  public init() {}
}

extension FilterLook: DescribedSettings {
  public static let layer = SettingKey<FilterLook>.layer(\.layer, "the first convolution")
  public static let which = SettingKey<FilterLook>.which(\.filters)

  public static let settings = SettingsDescription("Kernels as one picture.", FilterLook(), [layer, which])

  public static let kind = SettingsKind<Look>(
    "filters", "The kernels of a convolution.", settings.form, wrap: { .filters($0) },
    unwrap: { if case .filters(let look) = $0 { look } else { nil } })
}
