public import Settings

/// How an image's edges are treated, as Keras pads.
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
  public var summary: String {
    switch self {
    case .valid: "none"
    case .same: "zeros, so that the output has the input's size divided by the stride"
    case .causal: "zeros before the sequence only"
    }
  }

  /// What images can have.
  static let ofImages = [Padding.valid, .same]
}

extension SettingKey {
  /// Padding around the images that a window slides over.
  static func imagePadding(_ path: any WritableKeyPath<Root, Padding> & Sendable) -> SettingKey {
    SettingKey(
      "padding", path, .word(among: Padding.ofImages), keras: .unlessDefault("padding"),
      "What stands around the image: nothing, or zeros that keep its size (`same`).")
  }
}
