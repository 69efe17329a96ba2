public import Settings

/// The look `gallery`: one page with everything.
public struct GalleryLook: Hashable, Sendable {
  /// The samples that examples and inputs are taken from.
  public var data: DataSource
  /// What the page shows.
  public var gallery = Gallery.Settings()

  /// A gallery over these samples, with defaults for all else.
  public init(data: DataSource) { self.data = data }
}

extension Gallery {
  /// What a gallery shows.
  public struct Settings: Hashable, Sendable {
    /// How the image that maximises a filter or unit is found.
    public var ascent = AscentSettings()
    /// How many filters or units of a layer are shown at most: the first ones.
    public var filters = 64
    /// How many samples are shown for each filter.
    public var examples = 4
    /// How many samples can be followed through the layers; they are taken from the classes in turn.
    public var inputs = 10

    /// Settings with the defaults above.
    public init() {}
  }
}

extension GalleryLook: DescribedSettings {
  /// The samples.
  public static let data = SettingKey<GalleryLook>.data(\.data)
  /// The largest number of filters of a layer.
  public static let filters = SettingKey(
    "filters", \GalleryLook.gallery.filters, .integer(1...4096), "Show at most this many filters of a layer.")
  /// The number of samples for each filter.
  public static let top = SettingKey(
    "top", \GalleryLook.gallery.examples, .integer(1...64),
    "Images shown for each filter: those that excite it most.")
  /// The number of samples to follow through the layers.
  public static let inputs = SettingKey(
    "inputs", \GalleryLook.gallery.inputs, .integer(1...200), "Images that can flow through the layers.")

  /// All settings of a gallery, in the order in which references list them.
  public static let settings = SettingsDescription(
    "An HTML page that holds everything it needs; it maximises as `maximize` does.",
    GalleryLook(data: DataSource(file: "")),
    [data, filters, top, inputs] + AscentSettings.settings.keys.map { $0.at(\.gallery.ascent) })

  /// The word `gallery` with its settings, as one kind of look.
  public static let kind = SettingsKind<Look>(
    "gallery", "One HTML page with everything.", settings.form, wrap: { .gallery($0) },
    unwrap: { if case .gallery(let look) = $0 { look } else { nil } })
}
