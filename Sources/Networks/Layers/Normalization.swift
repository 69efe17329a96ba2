internal import Foundation
internal import Settings
internal import Tensors

// Layers that bring data to a common scale by figures that are given.

/// `dst = (src − mean) / √variance`, with figures of the data that are given for each channel, or for all.
///
/// A root below 1e-7 counts as 1e-7, as in Keras.
public struct Normalization: Hashable, Sendable, Codable {
  /// The means: one for each channel, or one for all.
  public var mean: [Double]
  /// The variances, at least 0: one for each channel, or one for all.
  public var variance: [Double]

  /// A normalisation by these figures.
  public init(mean: [Double], variance: [Double]) {
    self.mean = mean
    self.variance = variance
  }

  /// The layer as `dst = src · scale + offset`, a pair of values for each channel or one pair.
  public var affine: (scale: [Double], offset: [Double]) {
    let count = max(mean.count, variance.count)
    let scale = (0..<count).map { 1 / max(variance[$0 % variance.count].squareRoot(), 1e-7) }
    return (scale, (0..<count).map { -mean[$0 % mean.count] * scale[$0] })
  }
}

extension LayerDescription where Settings == Normalization {
  static let normalization = LayerDescription(
    .normalization, "Subtracts given means and divides by the roots of given variances.",
    Normalization(mean: [0], variance: [1]),
    [
      SettingKey(
        "mean", \.mean, .list(.number(.any), count: 1...65_536), default: .required,
        "One for each channel, or one for all."),
      SettingKey(
        "variance", \.variance, .list(.number(.nonNegative), count: 1...65_536), default: .required,
        "One for each channel, or one for all."),
    ],
    keras: KerasLayer(
      "Normalization",
      options: [
        .channelAxis(isWritten: true), .only("invert", [false]), .figures("mean", \.mean),
        .figures("variance", \.variance),
      ]),
    make: LayerSpec.normalization, label: { _ in "normalization" }, infer: { try $0.infer($1) })
}

extension KerasLayer.Option where Settings == Normalization {
  /// Keras wants a figure for each channel, and writes them in as many brackets as the image has dimensions.
  ///
  /// An adapted layer of Keras's keeps them among its weights instead, which is not supported.
  fileprivate static func figures(
    _ name: String, _ path: any WritableKeyPath<Normalization, [Double]> & Sendable
  ) -> Self {
    @Sendable func flat(_ value: JSONValue) -> [Double] {
      value.double.map { [$0] } ?? value.elements?.flatMap(flat) ?? []
    }
    return .made(
      name, supported: "numbers given when the layer is made",
      write: { norm, input in
        let values = norm[keyPath: path]
        return .array((0..<input[input.rank - 1]).map { .number(values[$0 % values.count]) })
      },
      read: { value, norm in
        let numbers = value.map(flat) ?? []
        norm[keyPath: path] = numbers
        return !numbers.isEmpty
      })
  }
}

extension Normalization {
  fileprivate func infer(_ inference: LayerInference) throws -> ResolvedLayer {
    for (name, values) in [("mean", mean), ("variance", variance)] {
      guard values.count == 1 || values.count == inference.channels else {
        throw inference.wrong(
          name,
          "has \(values.count) values for the \(inference.channels) channels of the \(inference.input) that "
            + "'\(inference.layer.inputs[0])' gives; write one for each, or one for all")
      }
      guard values.allSatisfy(\.isFinite), name == "mean" || values.allSatisfy({ $0 >= 0 }) else {
        throw inference.wrong(
          name, "must hold finite numbers" + (name == "mean" ? "" : " that are not negative"))
      }
    }
    return inference.make(output: inference.input, view: .samePlace, flopsPerElement: 2)
  }
}

/// `dst = src · scale + offset`: input normalisation as a layer, so that a checkpoint takes raw pixels.
public struct Rescale: Hashable, Sendable, Codable {
  /// The factor.
  public var scale: Double
  /// What is added after the factor.
  public var offset: Double

  /// A layer that multiplies and shifts.
  public init(scale: Double, offset: Double = 0) {
    self.scale = scale
    self.offset = offset
  }
}

extension LayerDescription where Settings == Rescale {
  static let rescale = LayerDescription(
    .rescale, "Multiplies and shifts every element.", Rescale(scale: 1),
    [
      SettingKey(
        "scale", \.scale, .number(.any), default: .required, keras: "scale", "The factor, such as 1/255."),
      SettingKey("offset", \.offset, .number(.any), keras: "offset", "Added after it."),
    ],
    keras: KerasLayer("Rescaling"), make: LayerSpec.rescale, label: { $0.label },
    infer: { rescale, inference in
      guard rescale.scale.isFinite, rescale.offset.isFinite else {
        throw inference.wrong("scale", "and offset must be finite numbers")
      }
      return inference.make(output: inference.input, view: .samePlace, flopsPerElement: 2)
    })
}

extension Rescale {
  fileprivate var label: String {
    func text(_ number: Double) -> String { String(format: "%.4g", number) }
    return "× \(text(scale))" + (offset == 0 ? "" : " + \(text(offset))")
  }
}
