public import Settings

/// The images of a dataset that excite filters most.
public struct ExampleLook: Hashable, Sendable {
  public var data: DataSource
  /// Nil takes the last convolution.
  public var layer: String?
  public var filters = NumberList.all
  /// How many images are shown for each filter.
  public var top = 8

  public init(data: DataSource) { self.data = data }
}

extension ExampleLook: DescribedSettings {
  public static let data = SettingKey<ExampleLook>.data(\.data)
  public static let layer = SettingKey<ExampleLook>.layer(\.layer, "the last convolution")
  public static let which = SettingKey<ExampleLook>.which(\.filters)
  public static let top = SettingKey("top", \ExampleLook.top, .integer(1...100), "Images for each filter.")

  public static let settings = SettingsDescription(
    "Images ranked by the sum over each filter's map.", ExampleLook(data: DataSource(file: "")),
    [data, layer, which, top])

  public static let kind = SettingsKind<Look>(
    "examples", "The images of a dataset that excite filters most.", settings.form,
    wrap: { .examples($0) }, unwrap: { if case .examples(let look) = $0 { look } else { nil } })
}
