public import Settings

/// The look `examples`: the images of a dataset that excite filters most.
public struct ExampleLook: Hashable, Sendable {
  /// The samples.
  public var data: DataSource
  /// The layer whose filters are shown; nil takes the last convolution.
  public var layer: String?
  /// The filters or units of the layer that are shown.
  public var filters = NumberList.all
  /// How many images are shown for each filter.
  public var top = 8
  /// By what images are ranked; nil takes the sum over a filter's map, and for texts its largest value.
  public var ranking: TopExamples.Ranking?

  /// Examples from these samples, with defaults for all else.
  public init(data: DataSource) { self.data = data }
}

extension ExampleLook: DescribedSettings {
  /// The samples.
  public static let data = SettingKey<ExampleLook>.data(\.data)
  /// The layer.
  public static let layer = SettingKey<ExampleLook>.layer(\.layer, "the last convolution")
  /// The filters or units of the layer.
  public static let which = SettingKey<ExampleLook>.which(\.filters)
  /// The number of images for each filter.
  public static let top = SettingKey(
    "top", \ExampleLook.top, .integer(1...100), "Images shown for each filter.")

  /// By what images are ranked.
  public static let rank = SettingKey(
    "rank", \ExampleLook.ranking, .optional("auto", .word),
    "Rank by the `sum` over a filter's map, or by its `largest` value; `auto` is the sum, and for texts the largest value."
  )

  /// All settings of the look, in the order in which references list them.
  public static let settings = SettingsDescription(
    "Images or phrases that excite filters most, ranked by the sum over each filter's map or by its largest value.",
    ExampleLook(data: DataSource(file: "")),
    [data, layer, which, top, rank])

  /// The word `examples` with its settings, as one kind of look.
  public static let kind = SettingsKind<Look>(
    "examples", "The images of a dataset that excite filters most.", settings.form,
    wrap: { .examples($0) }, unwrap: { if case .examples(let look) = $0 { look } else { nil } })
}

extension TopExamples.Ranking: SettingWord {
  /// What the word means, for references.
  public var summary: String {
    switch self {
    case .sum: "the sum over the map"
    case .largest: "the largest value of the map"
    }
  }
}
