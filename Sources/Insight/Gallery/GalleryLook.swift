public import Settings

/// The page of everything.
public struct GalleryLook: Hashable, Sendable {
  public var data: DataSource
  public var gallery = Gallery.Settings()

  public init(data: DataSource) { self.data = data }
}

extension Gallery {
  /// What a gallery shows.
  public struct Settings: Hashable, Sendable {
    /// How each target's image is found.
    public var ascent = AscentSettings()
    /// At most so many filters or units of a layer, the first ones.
    public var filters = 64
    /// How many images that excite it are shown for each filter.
    public var examples = 4
    /// How many images' way through the layers is shown; they are taken from the classes in turn.
    public var inputs = 10

    public init() {}
  }
}

extension GalleryLook: DescribedSettings {
  public static let data = SettingKey<GalleryLook>.data(\.data)
  public static let filters = SettingKey(
    "filters", \GalleryLook.gallery.filters, .integer(1...4096), "At most so many filters of a layer.")
  public static let top = SettingKey(
    "top", \GalleryLook.gallery.examples, .integer(1...64), "Images that excite each filter.")
  public static let inputs = SettingKey(
    "inputs", \GalleryLook.gallery.inputs, .integer(1...200), "Images that can flow through the layers.")

  public static let settings = SettingsDescription(
    "An HTML page that holds everything it needs; ascents are as in `maximize`.",
    GalleryLook(data: DataSource(file: "")),
    [data, filters, top, inputs] + AscentSettings.settings.keys.map { $0.at(\.gallery.ascent) })

  public static let kind = SettingsKind<Look>(
    "gallery", "One page of everything.", settings.form, wrap: { .gallery($0) },
    unwrap: { if case .gallery(let look) = $0 { look } else { nil } })
}
