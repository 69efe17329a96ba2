public import Settings

/// Which parts of an image a prediction rests on.
public struct ExplainLook: Hashable, Sendable {
  public var image: ImageSource
  /// An output by name or number; nil takes the most probable one, of numbers the first.
  public var classText: String?
  /// The layer that Grad-CAM looks at; nil takes the last convolution.
  public var layer: String?
  /// The side of the covered square, in pixels; nil takes a quarter of the image's shorter side.
  public var patch: Int?
  /// The distance from one square to the next, in pixels; nil takes a third of the patch.
  public var stride: Int?

  public init(image: ImageSource) { self.image = image }
}

extension ExplainLook: DescribedSettings {
  public static let image = SettingKey<ExplainLook>.image(\.image)
  public static let classText = SettingKey(
    "class", \ExplainLook.classText, .optional("auto", .text),
    "An output by name or number; `auto` is the most probable one, of numbers the first.")
  public static let layer = SettingKey<ExplainLook>.layer(\.layer, "the last convolution")
  public static let patch = SettingKey(
    "patch", \ExplainLook.patch, .optional("auto", .integer(1...100_000)),
    "Side of the covered square; `auto` is a quarter of the image.")
  public static let stride = SettingKey(
    "stride", \ExplainLook.stride, .optional("auto", .integer(1...100_000)),
    "From square to square; `auto` is a third of the patch.")

  public static let settings = SettingsDescription(
    "Saliency, Grad-CAM and occlusion over an image.", ExplainLook(image: .none),
    [image, classText, layer, patch, stride])

  public static let kind = SettingsKind<Look>(
    "explain", "Which parts of an image a prediction rests on.", settings.form, wrap: { .explain($0) },
    unwrap: { if case .explain(let look) = $0 { look } else { nil } })
}
