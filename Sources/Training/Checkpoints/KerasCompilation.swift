internal import Compute
internal import Networks

/// A criterion as Keras's `compile` would take it.
///
/// Precision, recall, F1 and exact matches are means over classes here, which Keras has no metric of that name for, and are left
/// out; so is the smoothing of labels that are class numbers, which its loss does not take.
struct KerasCompilation {
  private let criterion: Criterion
  private let final: Activation

  init(_ network: ResolvedNetwork, _ criterion: Criterion?) {
    self.criterion = criterion ?? .classification
    final = network.network.output.spec.finalActivation
  }

  var loss: JSONValue {
    switch criterion.loss {
    case .softmaxCrossEntropy(let smoothing):
      let fromLogits = JSONValue.bool(final != .softmax)
      guard criterion.targets == .classes else {
        return kind(
          "CategoricalCrossentropy",
          ["from_logits": fromLogits, "label_smoothing": .number(Double(smoothing))])
      }
      return final == .softmax
        ? "sparse_categorical_crossentropy"
        : kind("SparseCategoricalCrossentropy", ["from_logits": fromLogits])
    case .sigmoidCrossEntropy(let smoothing):
      return kind(
        "BinaryCrossentropy",
        ["from_logits": .bool(final != .sigmoid), "label_smoothing": .number(Double(smoothing))])
    case .meanSquaredError: return "mean_squared_error"
    case .meanAbsoluteError: return "mean_absolute_error"
    case .huber(let delta): return kind("Huber", ["delta": .number(Double(delta))])
    }
  }

  var metrics: [JSONValue] { criterion.metrics.compactMap(metric) }

  private func metric(_ metric: Metric) -> JSONValue? {
    switch metric {
    case .accuracy where criterion.task == .labels:
      // Of logits, 0 is as likely as not.
      kind("BinaryAccuracy", ["threshold": .number(final == .sigmoid ? 0.5 : 0)])
    case .accuracy: "accuracy"
    case .topAccuracy(let count):
      kind(
        criterion.targets == .classes ? "SparseTopKCategoricalAccuracy" : "TopKCategoricalAccuracy",
        ["k": .integer(count)])
    case .meanAbsoluteError: "mean_absolute_error"
    case .meanSquaredError: "mean_squared_error"
    case .rootMeanSquaredError: kind("RootMeanSquaredError", [:])
    case .exactMatch, .precision, .recall, .f1, .r2: nil
    }
  }

  private func kind(_ name: String, _ config: [String: JSONValue]) -> JSONValue {
    .object(["class_name": .string(name), "config": .object(config)])
  }
}
