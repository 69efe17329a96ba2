public import Settings

/// The look `explain`: the parts of an image that a prediction rests on.
public struct ExplainLook: Hashable, Sendable {
  /// The image whose prediction is explained.
  public var image: ImageSource
  /// The output to explain, by name or number; nil takes the most probable one, or the first where outputs are numbers.
  public var classText: String?
  /// The layer whose maps Grad-CAM uses; nil takes the last convolution.
  public var layer: String?
  /// The side of the covered square, in pixels; nil takes a quarter of the image's shorter side.
  public var patch: Int?
  /// The distance from one square to the next, in pixels; nil takes a third of the patch.
  public var stride: Int?

  /// An explanation of this image, with defaults for all else.
  public init(image: ImageSource) { self.image = image }
}

extension ExplainLook: DescribedSettings {
  /// The image.
  public static let image = SettingKey<ExplainLook>.image(
    \.image, "A PNG or JPEG file; a sound file or a text, where the network takes these.")
  /// The output to explain.
  public static let classText = SettingKey(
    "class", \ExplainLook.classText, .optional("auto", .text),
    "Output to explain, by name or number; `auto` is the most probable one, or the first where outputs are numbers."
  )
  /// The layer for Grad-CAM.
  public static let layer = SettingKey<ExplainLook>.layer(\.layer, "the last convolution")
  /// The side of the covered square.
  public static let patch = SettingKey(
    "patch", \ExplainLook.patch, .optional("auto", .integer(1...100_000)),
    "Side of the covered square, in pixels; `auto` is a quarter of the image's shorter side.")
  /// The distance between squares.
  public static let stride = SettingKey(
    "stride", \ExplainLook.stride, .optional("auto", .integer(1...100_000)),
    "Distance from one square to the next, in pixels; `auto` is a third of `patch`.")

  /// All settings of the look, in the order in which references list them.
  public static let settings = SettingsDescription(
    "Saliency, Grad-CAM and occlusion maps of an image.", ExplainLook(image: .none),
    [image, classText, layer, patch, stride])

  /// The word `explain` with its settings, as one kind of look.
  public static let kind = SettingsKind<Look>(
    "explain", "The parts of an image that a prediction rests on.", settings.form, wrap: { .explain($0) },
    unwrap: { if case .explain(let look) = $0 { look } else { nil } })
}
