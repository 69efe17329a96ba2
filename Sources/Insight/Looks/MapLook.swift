public import Settings

/// The feature maps of an image.
public struct MapLook: Hashable, Sendable {
  /// What is white in the picture of a map.
  public enum Contrast: String, Hashable, SettingWord {
    case shared
    case each

    public var summary: String {
      switch self {
      case .shared: "white is the largest value of all maps"
      case .each: "white is the largest value of each map"
      }
    }
  }

  public var image: ImageSource
  /// Nil takes the last convolution.
  public var layer: String?
  public var filters = NumberList.all
  public var contrast = Contrast.shared

  public init(image: ImageSource) { self.image = image }
}

extension MapLook: DescribedSettings {
  public static let image = SettingKey<MapLook>.image(\.image)
  public static let layer = SettingKey<MapLook>.layer(\.layer, "the last convolution")
  public static let which = SettingKey<MapLook>.which(\.filters)
  public static let contrast = SettingKey("contrast", \MapLook.contrast, .word, "What is white.")

  public static let settings = SettingsDescription(
    "Feature maps of an image, each with the sum over it.", MapLook(image: .none),
    [image, layer, which, contrast])

  public static let kind = SettingsKind<Look>(
    "maps", "What filters give for an image.", settings.form, wrap: { .maps($0) },
    unwrap: { if case .maps(let look) = $0 { look } else { nil } })
}
