internal import Foundation
internal import Settings

/// Softmax cross-entropy of logits against classes.
///
/// loss = log Σ exp(z) − Σ t·z with targets t = (1 − s)·[label] + s / classes, where [label] of a mixture is
/// share·[first] + (1 − share)·[second]; gradient = (softmax(z) − t)·scale. A target that is a vector of shares stands for
/// [label]; its sum multiplies the first term.
/// Sums run in Double, in order, from the largest logit down so that nothing overflows.
public struct SoftmaxCrossEntropy: LossRule {
  /// s in [0, 1): this share of each target is spread over all classes.
  public var labelSmoothing: Float

  /// Takes the share of label smoothing, in [0, 1).
  public init(labelSmoothing: Float = 0) { self.labelSmoothing = labelSmoothing }

  static let settings = SettingsDescription<SoftmaxCrossEntropy>(
    "For one class per sample. The network ends in one output per class, with or without softmax: the loss computes both in one step.",
    SoftmaxCrossEntropy(), [.labelSmoothing(\.labelSmoothing)])

  static var outputs: LossOutputs { .classes }
  static var isLinearInTargets: Bool { true }

  /// Keras's loss of class numbers takes no smoothing, which is left out.
  func keras(_ targets: Criterion.Targets, takesLogits: Bool) -> KerasObject {
    let fromLogits = ResolvedValue.Content.boolean(takesLogits)
    return switch targets {
    case .values:
      KerasObject("CategoricalCrossentropy", kerasSettings.merging(["from_logits": fromLogits]) { $1 })
    case .classes:
      takesLogits
        ? KerasObject("SparseCategoricalCrossentropy", ["from_logits": fromLogits])
        : KerasObject("sparse_categorical_crossentropy")
    }
  }

  func loss(
    of row: UnsafeBufferPointer<Float>, _ target: TargetVector, outputWeights: [Double], scale: Double,
    gradient: UnsafeMutablePointer<Float>?
  ) -> Double {
    let smoothing = Double(labelSmoothing)
    guard let classes = target.classes else {
      return Self.loss(of: row, shares: target, smoothing: smoothing, scale: scale, gradient: gradient)
    }
    return Self.loss(of: row, classes, smoothing: smoothing, scale: scale, gradient: gradient)
  }

  private static func loss(
    of row: UnsafeBufferPointer<Float>, _ target: ClassTarget, smoothing: Double, scale: Double,
    gradient: UnsafeMutablePointer<Float>?
  ) -> Double {
    let largest = Double(row[row.indexOfLargest])
    let share = smoothing / Double(row.count)
    var sum = 0.0
    var weighted = 0.0
    for index in row.indices {
      sum += exp(Double(row[index]) - largest)
      if smoothing > 0 { weighted += share * (Double(row[index]) - largest) }
    }
    guard let gradient else {
      // Of a data set that is judged: one class, and no smoothing.
      if smoothing == 0, target.share == 1 { return log(sum) + largest - Double(row[target.first]) }
      return log(sum) - weighted - wanted(row, target, smoothing, largest)
    }
    weighted += wanted(row, target, smoothing, largest)
    let (first, second) = (target.share, 1 - target.share)
    for index in row.indices {
      let own = (index == target.first ? first : 0) + (index == target.second ? second : 0)
      let wanted = (1 - smoothing) * own + share
      let probability = exp(Double(row[index]) - largest) / sum
      gradient[index] = Float((probability - wanted) * scale)
    }
    return log(sum) - weighted
  }

  /// The part of Σ t·z that the sample's own classes have.
  private static func wanted(
    _ row: UnsafeBufferPointer<Float>, _ target: ClassTarget, _ smoothing: Double, _ largest: Double
  ) -> Double {
    let (first, second) = (target.share, 1 - target.share)
    return (1 - smoothing)
      * (first * (Double(row[target.first]) - largest) + second * (Double(row[target.second]) - largest))
  }

  private static func loss(
    of row: UnsafeBufferPointer<Float>, shares target: TargetVector, smoothing: Double, scale: Double,
    gradient: UnsafeMutablePointer<Float>?
  ) -> Double {
    let largest = Double(row[row.indexOfLargest])
    let share = smoothing / Double(row.count)
    var (sum, weighted, whole) = (0.0, 0.0, 0.0)
    for index in row.indices {
      let wanted = (1 - smoothing) * target[index] + share
      sum += exp(Double(row[index]) - largest)
      weighted += wanted * (Double(row[index]) - largest)
      whole += wanted
    }
    if let gradient {
      for index in row.indices {
        let wanted = (1 - smoothing) * target[index] + share
        let probability = exp(Double(row[index]) - largest) / sum
        gradient[index] = Float((whole * probability - wanted) * scale)
      }
    }
    return whole * log(sum) - weighted
  }
}
