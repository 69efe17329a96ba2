public import Compute
internal import Foundation

extension Criterion {
  /// What one row of a network's outputs says, in `Double`: probabilities of classes, which add up to 1; the probability of each
  /// label; or the numbers as they are.
  ///
  /// - Parameter outputs: without the activation that the loss does itself.
  public func values(_ outputs: ArraySlice<Float>) -> [Double] {
    switch loss.finalActivation {
    case .softmax: Predictor.probabilities(outputs)
    case .sigmoid: outputs.map { 1 / (1 + exp(-Double($0))) }
    case .none: outputs.map(Double.init)
    }
  }

  /// Whether ``values(_:)`` are probabilities, rather than numbers of any size.
  public var givesProbabilities: Bool { loss.finalActivation != .none }

  /// The names of a network's outputs: the first list that has one for each, else numbers.
  ///
  /// A single output that tells two classes apart is called by the second.
  public func outputNames(_ known: [[String]], count: Int) -> [String] {
    if let names = known.first(where: { $0.count == count }) { return names }
    if count == 1, task == .labels, targets == .classes { return [known.first { $0.count == 2 }?[1] ?? "1"] }
    return (0..<count).map { "\($0)" }
  }
}

extension Predictor {
  /// What ``Criterion/values(_:)`` gives, by the network's own criterion.
  public func values(_ outputs: ArraySlice<Float>) -> [Double] { criterion.values(outputs) }

  /// Softmax of one row of logits.
  public static func probabilities(_ logits: ArraySlice<Float>) -> [Double] {
    let largest = Double(logits.max() ?? 0)
    let powers = logits.map { exp(Double($0) - largest) }
    let sum = powers.reduce(0, +)
    return powers.map { $0 / sum }
  }
}
