internal import Compute
internal import Networks
internal import Settings
internal import Training

/// How a network is trained, as Keras's `compile` would take it: the document of the attribute `training_config`.
///
/// Optimizers, losses and metrics describe themselves. Whatever has no counterpart in Keras is left out.
struct KerasCompilation {
  private let criterion: Criterion
  /// Whether the network leaves the function of its outputs to the loss.
  private let takesLogits: Bool

  init(_ network: ResolvedNetwork, _ criterion: Criterion?) {
    let criterion = criterion ?? .classification
    self.criterion = criterion
    let final = network.network.output.spec.finalActivation
    takesLogits =
      switch criterion.loss.finalActivation {
      case .softmax: final != .softmax
      case .sigmoid: final != .sigmoid
      case .none: false
      }
  }

  /// How Keras would go on training; nil where it has no such optimizer or would not find it again in a file.
  ///
  /// `optimizer_config` and `loss_weights` are keys that Keras insists on.
  func trainingConfig(_ optimizer: OptimizerConfiguration) -> JSONValue? {
    guard let rule = optimizer.rule.keras else { return nil }
    return .object([
      "loss": criterion.loss.keras(criterion.targets, takesLogits: takesLogits).json,
      "loss_weights": .null,
      "metrics": .array(
        criterion.metrics.compactMap { $0.keras(criterion, takesLogits: takesLogits)?.json }),
      "weighted_metrics": .null,
      "optimizer_config": rule.json,
    ])
  }
}
