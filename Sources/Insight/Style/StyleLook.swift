public import Networks
public import Settings

/// A style transfer from one picture to another.
public struct StyleLook: Hashable, Sendable {
  /// The image that the first step starts from.
  public enum Start: Hashable, Sendable {
    case content
    case noise
    case image(ImageSource)
  }

  /// Which kernels compute the convolutions.
  public enum Kernels: String, Hashable, SettingWord {
    case fast
    case direct

    public var summary: String {
      switch self {
      case .fast: "Winograd's where they are faster"
      case .direct: "direct convolutions alone, which round more finely"
      }
    }
  }

  public var content: ImageSource
  public var style: ImageSource
  /// The longer side of the result, in pixels; smaller pictures stay as they are.
  public var size = 512
  /// The longer side of the style picture, in pixels; nil is as ``size``.
  public var styleSize: Int?
  public var steps = 200
  public var rule = StyleTransfer.Rule.lbfgs
  /// Empty takes those that fit the network; so do nil weights.
  public var contentLayers: [WeightedLayer] = []
  public var styleLayers: [WeightedLayer] = []
  public var contentWeight: Double?
  public var styleWeight: Double?
  public var totalVariation = 0.0
  public var start = Start.content
  public var keepsColour = false
  /// Steps between pictures that are written on the way; nil writes none.
  public var pictureEvery: Int?
  public var kernels = Kernels.fast
  /// Minutes between states that are saved on the way.
  public var saveEvery = 5.0

  public init(content: ImageSource, style: ImageSource) {
    (self.content, self.style) = (content, style)
  }

  /// The same with everything chosen that was left to the network.
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
  /// A look's settings for a network: what was left open by the network's defaults.
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
  public static let content = SettingKey(
    "content", \StyleLook.content, .image, default: .required, "The picture whose content is kept.")
  public static let style = SettingKey(
    "style", \StyleLook.style, .image, default: .required, "The picture whose style is taken.")
  public static let size = SettingKey(
    "size", \StyleLook.size, .integer(1...100_000),
    "Longer side of the result; smaller pictures stay as they are.")
  public static let styleSize = SettingKey(
    "style_size", \StyleLook.styleSize, .optional("auto", .integer(1...100_000)),
    "Longer side of the style picture; `auto` is as `size`.")
  public static let steps = SettingKey(
    "steps", \StyleLook.steps, .integer(1...1_000_000), change: .extend, "Steps.")
  public static let optimizer = SettingKey(
    "optimizer", \StyleLook.rule, StyleTransfer.Rule.kinds.form, "How the loss is brought down.")
  public static let contentLayers = SettingKey(
    "content_layers", \StyleLook.contentLayers, .weightedLayers,
    "What holds the content, each `{name: …, weight: …}`; `auto` takes what suits the network.")
  public static let styleLayers = SettingKey(
    "style_layers", \StyleLook.styleLayers, .weightedLayers,
    "What holds the style, each `{name: …, weight: …}`; `auto` takes what suits the network.")
  public static let contentWeight = SettingKey(
    "content_weight", \StyleLook.contentWeight, .optional("auto", .number(.nonNegative)),
    "Weight of the content; `auto` is the network's.")
  public static let styleWeight = SettingKey(
    "style_weight", \StyleLook.styleWeight, .optional("auto", .number(.nonNegative)),
    "Weight of the style; `auto` is the network's.")
  public static let totalVariation = SettingKey(
    "total_variation", \StyleLook.totalVariation, .number(.nonNegative),
    "Weight of the total variation, which smooths.")
  public static let start = SettingKey("start", \StyleLook.start, Start.kinds.form, "Where to start.")
  public static let keepsColour = SettingKey(
    "keep_colour", \StyleLook.keepsColour, .boolean,
    "Keep the colours of the content, and take the brightness alone.")
  public static let pictureEvery = SettingKey(
    "picture_every", \StyleLook.pictureEvery, .optional("never", .integer(1...1_000_000)),
    change: .free, "Steps between pictures that are written on the way.")
  public static let kernels = SettingKey(
    "kernels", \StyleLook.kernels, .word, "Which kernels compute the convolutions.")
  public static let saveEvery = SettingKey<StyleLook>.saveEvery(\.saveEvery)

  public static let settings = SettingsDescription(
    "The content is held by what filters give, the style by how they go together.",
    StyleLook(content: .none, style: .none),
    [
      content, style, size, styleSize, steps, optimizer, contentLayers, styleLayers, contentWeight,
      styleWeight, totalVariation, start, keepsColour, pictureEvery, kernels, saveEvery,
    ])

  public static let kind = SettingsKind<Look>(
    "style", "One picture painted in the manner of another.", settings.form, wrap: { .style($0) },
    unwrap: { if case .style(let look) = $0 { look } else { nil } })
}

extension StyleLook.Start {
  static let kinds = SettingsUnion<StyleLook.Start>(
    "start",
    [
      SettingsKind("content", "The picture whose content is kept.", .content),
      SettingsKind("noise", "Noise.", .noise),
      SettingsKind(
        "image", "A PNG or JPEG file.", .image, wrap: { .image($0) },
        unwrap: { if case .image(let source) = $0 { source } else { nil } }),
    ])
}

extension StyleTransfer.Rule {
  /// The settings of Adam.
  public struct Adam: Hashable, Sendable, DescribedSettings {
    /// In pixels of 0…255 a step.
    var rate = 2.0

    public static let rate = SettingKey(
      "rate", \Adam.rate, .number(.positive), "In pixels of 0…255 a step.")
    public static let settings = SettingsDescription("Adam.", Adam(), [rate])

    public static let kind = SettingsKind<StyleTransfer.Rule>(
      "adam", settings, wrap: { .adam(rate: $0.rate) },
      unwrap: { if case .adam(let rate) = $0 { Adam(rate: rate) } else { nil } })
  }

  /// How rules are written.
  public static let kinds = SettingsUnion<StyleTransfer.Rule>(
    "optimizer", [SettingsKind("lbfgs", "L-BFGS with a line search.", .lbfgs), Adam.kind])
}
