internal import Foundation
internal import Settings

/// Cross-entropy of labels in which outputs that are right and certain count little.
///
/// It is the mean over the outputs of
///
///     a·(1 − q)^γ·(−t·log p − (1 − t)·log(1 − p)),    p = σ(z),  q = t·p + (1 − t)·(1 − p)
///
/// with targets t ← (1 − s)·t + s / 2, and a = t·α + (1 − t)·(1 − α), or 1 without α.
///
/// It is for outputs that are decided independently, of which few are true, as in Keras.
///
/// - SeeAlso: Lin et al. 2017, <https://arxiv.org/abs/1708.02002>.
public struct SigmoidFocalCrossEntropy: LossRule {
  /// γ, 0 or more; 0 leaves plain cross-entropy.
  public var gamma: Float
  /// α in [0, 1]: how much the true labels count; nil weighs both alike.
  public var alpha: Float?
  /// s in [0, 1).
  public var labelSmoothing: Float

  /// Takes γ, α and the share of label smoothing; Keras's by default.
  public init(gamma: Float = 2, alpha: Float? = nil, labelSmoothing: Float = 0) {
    self.gamma = gamma
    self.alpha = alpha
    self.labelSmoothing = labelSmoothing
  }

  static let settings = SettingsDescription<SigmoidFocalCrossEntropy>(
    "For labels of which few are true: like sigmoid_cross_entropy, but outputs that are already right count little "
      + "(Lin et al. 2017).", SigmoidFocalCrossEntropy(),
    [
      SettingKey(
        "gamma", \.gamma, .number(NumberRange(minimum: 0, maximum: 100)), keras: "gamma",
        "How little they count; 0 is plain cross-entropy."),
      SettingKey(
        "alpha", \.alpha, .optional("none", .number(.unit)), keras: .unlessDefault("alpha"),
        "The weight of true labels; the others have 1 − alpha. `none` weighs both alike."),
      .labelSmoothing(\.labelSmoothing),
    ])

  static var outputs: LossOutputs { .labels }
  /// The factor that lowers easy decisions follows the target, too.
  static var isLinearInTargets: Bool { false }

  func keras(_ targets: Criterion.Targets, takesLogits: Bool) -> KerasObject {
    KerasObject(
      "BinaryFocalCrossentropy",
      kerasSettings.merging([
        "from_logits": .boolean(takesLogits), "apply_class_balancing": .boolean(alpha != nil),
      ]) { $1 })
  }

  func loss(
    of row: UnsafeBufferPointer<Float>, _ target: TargetVector, outputWeights: [Double], scale: Double,
    gradient: UnsafeMutablePointer<Float>?
  ) -> Double {
    let (count, smoothing, gamma) = (Double(row.count), Double(labelSmoothing), Double(gamma))
    var sum = 0.0
    for index in row.indices {
      let logit = Double(row[index])
      let wanted = (1 - smoothing) * target[index] + smoothing / 2
      let balance = alpha.map { wanted * Double($0) + (1 - wanted) * (1 - Double($0)) } ?? 1
      let weight = balance * (outputWeights.isEmpty ? 1 : outputWeights[index])
      // e^−|z| does not overflow; p and 1 − p are both exact where the other is close to 1.
      let power = exp(-abs(logit))
      let (large, small) = (1 / (1 + power), power / (1 + power))
      let (yes, no) = logit >= 0 ? (large, small) : (small, large)
      let entropy = max(logit, 0) - logit * wanted + log1p(power)
      let doubt = wanted * no + (1 - wanted) * yes
      let focus = pow(doubt, gamma)
      sum += weight * focus * entropy
      // The slope of the doubt is (1 − 2t)·p·(1 − p); where there is none left, the loss is flat.
      let fall = doubt > 0 ? gamma * focus / doubt * (1 - 2 * wanted) * yes * no * entropy : 0
      gradient?[index] = Float(weight * (fall + focus * (yes - wanted)) / count * scale)
    }
    return sum / count
  }
}
