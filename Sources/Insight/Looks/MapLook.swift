public import Settings

/// The look `maps`: the feature maps of an image.
public struct MapLook: Hashable, Sendable {
  /// Which value is white in the picture of a map.
  public enum Contrast: String, Hashable, SettingWord {
    /// The largest value of all maps.
    case shared
    /// The largest value of each map.
    case each

    /// The choice in a few words, as references and help show it.
    public var summary: String {
      switch self {
      case .shared: "white is the largest value of all maps"
      case .each: "white is the largest value of each map"
      }
    }
  }

  /// The image.
  public var image: ImageSource
  /// The layer whose maps are shown; nil takes the last convolution.
  public var layer: String?
  /// The filters of the layer whose maps are shown.
  public var filters = NumberList.all
  /// Which value is white.
  public var contrast = Contrast.shared

  /// The maps of this image, with defaults for all else.
  public init(image: ImageSource) { self.image = image }
}

extension MapLook: DescribedSettings {
  /// The image.
  public static let image = SettingKey<MapLook>.image(
    \.image, "A PNG or JPEG file; a sound file, where the network takes these.")
  /// The layer.
  public static let layer = SettingKey<MapLook>.layer(\.layer, "the last convolution")
  /// The filters of the layer.
  public static let which = SettingKey<MapLook>.which(\.filters)
  /// Which value is white.
  public static let contrast = SettingKey("contrast", \MapLook.contrast, .word, "Which value is white.")

  /// All settings of the look, in the order in which references list them.
  public static let settings = SettingsDescription(
    "Feature maps of an image, each with the sum over it.", MapLook(image: .none),
    [image, layer, which, contrast])

  /// The word `maps` with its settings, as one kind of look.
  public static let kind = SettingsKind<Look>(
    "maps", "The feature maps of an image.", settings.form, wrap: { .maps($0) },
    unwrap: { if case .maps(let look) = $0 { look } else { nil } })
}
