internal import Foundation
internal import Settings

/// The mean over the outputs of −t·log σ(z) − (1 − t)·log(1 − σ(z)), as max(z, 0) − t·z + log(1 + e^−|z|), with
/// targets t ← (1 − s)·t + s / 2.
///
/// It is for outputs that are decided independently.
public struct SigmoidCrossEntropy: LossRule {
  /// s in [0, 1).
  public var labelSmoothing: Float

  /// Takes the share of label smoothing, in [0, 1).
  public init(labelSmoothing: Float = 0) { self.labelSmoothing = labelSmoothing }

  static let settings = SettingsDescription<SigmoidCrossEntropy>(
    "For labels, each of which a sample has or has not. The network ends in one output per label, with or without "
      + "sigmoid: the loss computes both in one step.", SigmoidCrossEntropy(),
    [.labelSmoothing(\.labelSmoothing)])

  static var outputs: LossOutputs { .labels }
  static var isLinearInTargets: Bool { true }

  func keras(_ targets: Criterion.Targets, takesLogits: Bool) -> KerasObject {
    KerasObject("BinaryCrossentropy", kerasSettings.merging(["from_logits": .boolean(takesLogits)]) { $1 })
  }

  func loss(
    of row: UnsafeBufferPointer<Float>, _ target: TargetVector, outputWeights: [Double], scale: Double,
    gradient: UnsafeMutablePointer<Float>?
  ) -> Double {
    let (count, smoothing) = (Double(row.count), Double(labelSmoothing))
    var sum = 0.0
    for index in row.indices {
      let logit = Double(row[index])
      let wanted = (1 - smoothing) * target[index] + smoothing / 2
      let weight = outputWeights.isEmpty ? 1 : outputWeights[index]
      // e^−|z| does not overflow.
      let power = exp(-abs(logit))
      sum += weight * (max(logit, 0) - logit * wanted + log1p(power))
      let probability = logit >= 0 ? 1 / (1 + power) : power / (1 + power)
      gradient?[index] = Float(weight * (probability - wanted) / count * scale)
    }
    return sum / count
  }
}
