public import Networks
public import Settings

/// The look `style`: the content of one picture in the style of another.
public struct StyleLook: Hashable, Sendable {
  /// The image that the first step starts from.
  public enum Start: Hashable, Sendable {
    /// The content picture.
    case content
    /// Random pixels.
    case noise
    /// The picture of a file.
    case image(ImageSource)
  }

  /// Which kernels compute the convolutions.
  public enum Kernels: String, Hashable, SettingWord {
    /// Winograd's kernels where they are faster.
    case fast
    /// Direct convolutions alone, which round more finely.
    case direct

    /// The choice in a few words, as references and help show it.
    public var summary: String {
      switch self {
      case .fast: "Winograd's where they are faster"
      case .direct: "direct convolutions alone, which round more finely"
      }
    }
  }

  /// The picture whose content is kept.
  public var content: ImageSource
  /// The picture whose style is taken.
  public var style: ImageSource
  /// The longer side of the result, in pixels; smaller pictures keep their size.
  public var size = 512
  /// The longer side of the style picture, in pixels; nil is the same as ``size``.
  public var styleSize: Int?
  /// The number of steps.
  public var steps = 200
  /// How a step changes the picture.
  public var rule = StyleTransfer.Rule.lbfgs
  /// The layers that hold the content; an empty list takes those that suit the network.
  public var contentLayers: [WeightedLayer] = []
  /// The layers that hold the style; an empty list takes those that suit the network.
  public var styleLayers: [WeightedLayer] = []
  /// The weight of the content; nil takes the one that suits the network.
  public var contentWeight: Double?
  /// The weight of the style; nil takes the one that suits the network.
  public var styleWeight: Double?
  /// The weight of the total variation, which smooths the picture.
  public var totalVariation = 0.0
  /// The image that the first step starts from.
  public var start = Start.content
  /// Whether the result keeps the colours of the content, so that the painting changes brightness alone.
  public var keepsColour = false
  /// Steps between pictures that are written during the work; nil writes none.
  public var pictureEvery: Int?
  /// Which kernels compute the convolutions.
  public var kernels = Kernels.fast
  /// Minutes between the states that are saved during the work.
  public var saveEvery = 5.0

  /// A transfer between these pictures, with defaults for all else.
  public init(content: ImageSource, style: ImageSource) {
    (self.content, self.style) = (content, style)
  }

  /// The same look with everything chosen that was left to the network.
  ///
  /// - Throws: ``InsightError`` where no layer of the network gives maps.
  public func resolved(for network: ResolvedNetwork) throws(InsightError) -> StyleLook {
    let settings = try StyleSettings(defaultsFor: network)
    var look = self
    look.styleSize = styleSize ?? size
    if contentLayers.isEmpty { look.contentLayers = settings.contentLayers }
    if styleLayers.isEmpty { look.styleLayers = settings.styleLayers }
    look.contentWeight = contentWeight ?? settings.contentWeight
    look.styleWeight = styleWeight ?? settings.styleWeight
    return look
  }
}

extension StyleSettings {
  /// A look's settings for a network, with the network's defaults for what the look leaves open.
  ///
  /// - Throws: ``InsightError`` where no layer of the network gives maps.
  public init(_ look: StyleLook, for network: ResolvedNetwork) throws(InsightError) {
    let look = try look.resolved(for: network)
    self = try StyleSettings(defaultsFor: network)
    (contentLayers, styleLayers) = (look.contentLayers, look.styleLayers)
    contentWeight = look.contentWeight ?? contentWeight
    styleWeight = look.styleWeight ?? styleWeight
    totalVariation = look.totalVariation
  }
}

// MARK: - How settings are written

extension StyleLook: DescribedSettings {
  /// The picture whose content is kept.
  public static let content = SettingKey(
    "content", \StyleLook.content, .image, default: .required, "The picture whose content is kept.")
  /// The picture whose style is taken.
  public static let style = SettingKey(
    "style", \StyleLook.style, .image, default: .required, "The picture whose style is taken.")
  /// The longer side of the result.
  public static let size = SettingKey(
    "size", \StyleLook.size, .integer(1...100_000),
    "Longer side of the result, in pixels; smaller pictures keep their size.")
  /// The longer side of the style picture.
  public static let styleSize = SettingKey(
    "style_size", \StyleLook.styleSize, .optional("auto", .integer(1...100_000)),
    "Longer side of the style picture, in pixels; `auto` is the same as `size`.")
  /// The number of steps.
  public static let steps = SettingKey(
    "steps", \StyleLook.steps, .integer(1...1_000_000), change: .extend, "Number of steps.")
  /// How a step changes the picture.
  public static let optimizer = SettingKey(
    "optimizer", \StyleLook.rule, StyleTransfer.Rule.kinds.form, "How the loss is lowered.")
  /// The layers that hold the content.
  public static let contentLayers = SettingKey(
    "content_layers", \StyleLook.contentLayers, .weightedLayers,
    "Layers that hold the content, each `{name: …, weight: …}`; `auto` takes those that suit the network.")
  /// The layers that hold the style.
  public static let styleLayers = SettingKey(
    "style_layers", \StyleLook.styleLayers, .weightedLayers,
    "Layers that hold the style, each `{name: …, weight: …}`; `auto` takes those that suit the network.")
  /// The weight of the content.
  public static let contentWeight = SettingKey(
    "content_weight", \StyleLook.contentWeight, .optional("auto", .number(.nonNegative)),
    "Weight of the content; `auto` is the one that suits the network.")
  /// The weight of the style.
  public static let styleWeight = SettingKey(
    "style_weight", \StyleLook.styleWeight, .optional("auto", .number(.nonNegative)),
    "Weight of the style; `auto` is the one that suits the network.")
  /// The weight of the total variation.
  public static let totalVariation = SettingKey(
    "total_variation", \StyleLook.totalVariation, .number(.nonNegative),
    "Weight of the total variation, which smooths the picture.")
  /// The image that the first step starts from.
  public static let start = SettingKey(
    "start", \StyleLook.start, Start.kinds.form, "The image that the first step starts from.")
  /// Whether the result keeps the content's colours.
  public static let keepsColour = SettingKey(
    "keep_colour", \StyleLook.keepsColour, .boolean,
    "Keep the colours of the content; the painting changes brightness alone.")
  /// The distance between intermediate pictures, in steps.
  public static let pictureEvery = SettingKey(
    "picture_every", \StyleLook.pictureEvery, .optional("never", .integer(1...1_000_000)),
    change: .free, "Steps between pictures that are written during the work.")
  /// The kernels of the convolutions.
  public static let kernels = SettingKey(
    "kernels", \StyleLook.kernels, .word, "Which kernels compute the convolutions.")
  /// Minutes between saved states.
  public static let saveEvery = SettingKey<StyleLook>.saveEvery(\.saveEvery)

  /// All settings of a transfer, in the order in which references list them.
  public static let settings = SettingsDescription(
    "The outputs of filters hold the content, and how they occur together holds the style.",
    StyleLook(content: .none, style: .none),
    [
      content, style, size, styleSize, steps, optimizer, contentLayers, styleLayers, contentWeight,
      styleWeight, totalVariation, start, keepsColour, pictureEvery, kernels, saveEvery,
    ])

  /// The word `style` with its settings, as one kind of look.
  public static let kind = SettingsKind<Look>(
    "style", "One picture in the style of another.", settings.form, wrap: { .style($0) },
    unwrap: { if case .style(let look) = $0 { look } else { nil } })
}

extension StyleLook.Start {
  static let kinds = SettingsUnion<StyleLook.Start>(
    "start",
    [
      SettingsKind("content", "The picture whose content is kept.", .content),
      SettingsKind("noise", "Random pixels.", .noise),
      SettingsKind(
        "image", "A PNG or JPEG file.", .image, wrap: { .image($0) },
        unwrap: { if case .image(let source) = $0 { source } else { nil } }),
    ])
}

extension StyleTransfer.Rule {
  /// The settings of Adam.
  public struct Adam: Hashable, Sendable, DescribedSettings {
    /// How far a step moves a pixel, in levels of 0…255.
    var rate = 2.0

    /// How far a step moves a pixel.
    public static let rate = SettingKey(
      "rate", \Adam.rate, .number(.positive), "How far a step moves a pixel, in levels of 0…255.")
    /// The one setting.
    public static let settings = SettingsDescription("Adam.", Adam(), [rate])

    /// The word `adam` with its setting, as one kind of rule.
    public static let kind = SettingsKind<StyleTransfer.Rule>(
      "adam", settings, wrap: { .adam(rate: $0.rate) },
      unwrap: { if case .adam(let rate) = $0 { Adam(rate: rate) } else { nil } })
  }

  /// The rules with their words, as configurations list them.
  public static let kinds = SettingsUnion<StyleTransfer.Rule>(
    "optimizer", [SettingsKind("lbfgs", "L-BFGS with a line search.", .lbfgs), Adam.kind])
}
