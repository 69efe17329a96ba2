internal import Settings

/// In training, zeroes each element with probability `rate` and scales the others by `1 / (1 − rate)`.
public struct Dropout: Hashable, Sendable, Codable {
  /// The probability that an element becomes zero, in [0, 1).
  public var rate: Float

  /// Dropout of this probability.
  public init(rate: Float) { self.rate = rate }
}

extension LayerDescription where Settings == Dropout {
  /// Keras's spatial dropout, which zeroes whole maps, differs from this one in training only.
  static let dropout = LayerDescription(
    .dropout, "Zeroes elements at random in training, and scales the others up.", Dropout(rate: 0),
    [
      SettingKey(
        "rate", \.rate, .number(.share), default: .required, keras: "rate",
        "Share of the elements that are zeroed.")
    ],
    keras: KerasLayer("Dropout", "SpatialDropout2D", "SpatialDropout1D"), make: LayerSpec.dropout,
    label: { "dropout \($0.rate)" },
    infer: { dropout, inference in
      guard dropout.rate >= 0, dropout.rate < 1 else {
        throw inference.wrong("rate", "\(dropout.rate) must be at least 0 and below 1")
      }
      return inference.make(output: inference.input, view: .samePlace)
    })
}
