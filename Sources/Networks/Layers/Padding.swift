public import Settings

/// What surrounds an image or a sequence, as Keras pads it.
public enum Padding: String, Hashable, Sendable, Codable, CaseIterable {
  /// No padding: `out = (in − ((kernel − 1)·dilation + 1)) / stride + 1`, rounded down.
  case valid
  /// `out = in / stride`, rounded up; of an odd total padding the larger half comes after the image.
  case same
  /// Zeros before the sequence only, so that no output sees what comes after it; for 1-D convolutions.
  ///
  /// `out = in / stride`, rounded up.
  case causal
}

extension Padding: SettingWord {
  /// What the word means, for references.
  public var summary: String {
    switch self {
    case .valid: "none"
    case .same: "zeros, so that the output has the input's size divided by the stride"
    case .causal: "zeros before the sequence only"
    }
  }

  /// `, same`: what a layer's label says of its padding.
  var label: String { self == .valid ? "" : ", \(rawValue)" }

  /// The paddings that images can have.
  static let ofImages = [Padding.valid, .same]
}

extension SettingKey {
  /// The padding around images that a window slides over.
  static func imagePadding(_ path: any WritableKeyPath<Root, Padding> & Sendable) -> SettingKey {
    SettingKey(
      "padding", path, .word(among: Padding.ofImages), keras: .unlessDefault("padding"),
      "What surrounds the image: nothing (`valid`), or zeros that keep its size (`same`).")
  }
}
