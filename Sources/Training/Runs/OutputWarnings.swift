public import Compute
public import Networks

extension ResolvedNetwork {
  /// The warning about a softmax or sigmoid whose results are taken for numbers of any size by that of the loss.
  ///
  /// - Returns: nil where there is nothing to warn of.
  public func warning(ofOutputFor criterion: Criterion) -> String? {
    let loss = criterion.loss
    guard loss.finalActivation != .none else { return nil }
    let own: Activation = loss.finalActivation == .softmax ? .softmax : .sigmoid
    let byName = Dictionary(layers.map { ($0.name, $0) }) { first, _ in first }
    var passed: [String] = []
    var layer = byName[network.output.name]
    if let output = layer, output.spec.finalActivation == own {
      // The loss does this one itself.
      guard case .activation = output.spec else { return nil }
      passed.append(output.name)
      layer = output.layer.inputs.first.flatMap { byName[$0] }
    }
    while let found = layer, found.layer.inputs.count == 1 {
      let activation = found.spec.finalActivation
      if activation == .softmax || activation == .sigmoid {
        let rest = passed.map { "'\($0)'" }.joined(separator: ", ")
        let remedy =
          if case .activation = found.spec { "leave '\(found.name)' out" } else { "leave its activation out" }
        return
          "layer '\(found.name)' applies \(activation.rawValue), and \(loss.name) applies \(own.rawValue) to what comes of it"
          + (rest.isEmpty ? "" : " (after \(rest))")
          + ", so that the network learns slowly or not at all; \(remedy)"
      }
      guard found.parameters.isEmpty else { return nil }
      passed.insert(found.name, at: 0)
      layer = byName[found.layer.inputs[0]]
    }
    return nil
  }
}
