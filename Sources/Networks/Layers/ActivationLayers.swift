internal import Settings
internal import Tensors

// Functions of one element with settings or parameters of their own.

/// min(max(x, 0), `maxValue`): ReLU6 with 6.
///
/// - SeeAlso: Krizhevsky 2010, "Convolutional deep belief networks on CIFAR-10".
public struct ReLU: Hashable, Sendable, Codable {
  /// Above 0; nil for ``Activation/relu``, which has no largest value.
  public var maxValue: Float?

  /// ReLU up to a largest value; without one where it is nil.
  public init(maxValue: Float? = nil) { self.maxValue = maxValue }
}

extension LayerDescription where Settings == ReLU {
  static let relu = LayerDescription(
    .relu, "The larger of 0 and x, up to a largest value.", ReLU(),
    [
      SettingKey(
        "max_value", \.maxValue, .optional("none", .number(.positive)), keras: "max_value",
        "The largest value; 6 makes it ReLU6.")
    ],
    keras: KerasLayer(
      "ReLU", options: [.only("negative_slope", [.number(0)]), .only("threshold", [.number(0)])]),
    make: { $0.maxValue == nil ? .activation(.relu) : .relu($0) },
    label: { "relu" + ($0.maxValue.map { ", at most \($0)" } ?? "") },
    infer: { function, inference in
      if let largest = function.maxValue, !(largest > 0 && largest.isFinite) {
        throw inference.wrong("max_value", "\(largest) must be above 0")
      }
      return inference.make(output: inference.input, view: .samePlace, flopsPerElement: 2)
    })
}

/// x, or `negativeSlope`·x below zero.
///
/// - SeeAlso: Maas et al. 2013.
public struct LeakyReLU: Hashable, Sendable, Codable {
  /// The factor below zero; at least 0.
  public var negativeSlope: Float

  /// A leaky ReLU; its default is Keras's.
  public init(negativeSlope: Float = 0.3) { self.negativeSlope = negativeSlope }
}

extension LayerDescription where Settings == LeakyReLU {
  /// Keras 3 says `negative_slope` and still understands the older word, which Keras 2 needs.
  static let leakyReLU = LayerDescription(
    .leakyReLU, "x, or a share of it below zero.", LeakyReLU(),
    [
      SettingKey(
        "negative_slope", \.negativeSlope, .number(.nonNegative),
        keras: KerasOption("alpha", "negative_slope"), "The share.")
    ],
    keras: KerasLayer("LeakyReLU"), make: LayerSpec.leakyReLU, label: { "leaky relu \($0.negativeSlope)" },
    infer: { function, inference in
      guard function.negativeSlope >= 0, function.negativeSlope.isFinite else {
        throw inference.wrong("negative_slope", "\(function.negativeSlope) must be at least 0")
      }
      return inference.make(output: inference.input, view: .samePlace, flopsPerElement: 2)
    })
}

/// x, or `alpha`·(eˣ − 1) below zero.
///
/// - SeeAlso: Clevert et al. 2015, <https://arxiv.org/abs/1511.07289>.
public struct ELU: Hashable, Sendable, Codable {
  /// The factor below zero; above 0.
  public var alpha: Float

  /// An ELU of this factor.
  public init(alpha: Float = 1) { self.alpha = alpha }
}

extension LayerDescription where Settings == ELU {
  static let elu = LayerDescription(
    .elu, "x, or alpha · (e^x − 1) below zero.", ELU(),
    [SettingKey("alpha", \.alpha, .number(.positive), keras: "alpha", "The factor below zero.")],
    keras: KerasLayer("ELU"), make: LayerSpec.elu,
    label: { "elu" + ($0.alpha == 1 ? "" : " \($0.alpha)") },
    infer: { function, inference in
      guard function.alpha > 0, function.alpha.isFinite else {
        throw inference.wrong("alpha", "\(function.alpha) must be above 0")
      }
      return inference.make(output: inference.input, view: .samePlace, flopsPerElement: 2)
    })
}

/// x, or alpha·x below zero, with a trained `alpha` that starts at zero.
///
/// - SeeAlso: He et al. 2015, <https://arxiv.org/abs/1502.01852>.
public struct PReLU: Hashable, Sendable, Codable {
  /// Whether there is one alpha for each channel, [1, 1, C], instead of one for each position and channel, [H, W, C].
  public var sharesPositions: Bool

  /// A PReLU, with an alpha for each position and channel unless positions share it.
  public init(sharesPositions: Bool = false) { self.sharesPositions = sharesPositions }
}

extension LayerDescription where Settings == PReLU {
  static let prelu = LayerDescription(
    .prelu, "x, or a trained share of it below zero; the share starts at 0.", PReLU(),
    [
      SettingKey(
        "shared", \.sharesPositions, .boolean,
        "Whether there is one share for each channel, instead of one for each position and channel.")
    ],
    keras: KerasLayer("PReLU", options: [.sharedAxes]), make: LayerSpec.prelu,
    label: { "prelu" + ($0.sharesPositions ? ", one per channel" : "") },
    infer: { function, inference in
      let input = inference.input
      let ones = [Int](repeating: 1, count: input.rank - 1)
      let alpha = ParameterSpec(
        name: "alpha", shape: function.sharesPositions ? Shape(ones + [inference.channels]) : input,
        role: .vector, initializer: .zeros)
      return inference.make(output: input, view: .samePlace, parameters: [alpha], flopsPerElement: 2)
    })
}

extension KerasLayer.Option where Settings == PReLU {
  /// All axes but the channels', or none.
  fileprivate static var sharedAxes: Self {
    .made(
      "shared_axes", supported: "none, or all but the channels",
      write: { function, input in
        guard function.sharesPositions, input.rank > 1 else { return nil }
        return .array((1..<input.rank).map(JSONValue.integer))
      },
      read: { value, function in
        guard let axes = value?.elements?.compactMap(\.integer).sorted() else { return value == nil }
        function.sharesPositions = !axes.isEmpty
        return [[], [1], [1, 2]].contains(axes)
      })
  }
}
