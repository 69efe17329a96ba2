internal import Compute
internal import Foundation

extension Predictor {
  /// What one row of the network's outputs says, in `Double`: probabilities of classes, which add up to 1; the probability of each
  /// label; or the numbers as they are.
  public func values(_ outputs: ArraySlice<Float>) -> [Double] {
    switch criterion.loss.finalActivation {
    case .softmax: Predictor.probabilities(outputs)
    case .sigmoid: outputs.map { 1 / (1 + exp(-Double($0))) }
    case .none: outputs.map(Double.init)
    }
  }

  /// Softmax of one row of logits.
  public static func probabilities(_ logits: ArraySlice<Float>) -> [Double] {
    let largest = Double(logits.max() ?? 0)
    let powers = logits.map { exp(Double($0) - largest) }
    let sum = powers.reduce(0, +)
    return powers.map { $0 / sum }
  }
}
