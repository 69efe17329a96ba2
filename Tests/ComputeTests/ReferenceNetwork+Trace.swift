import Compute
import Networks
import Tensors
import TestSupport

extension ReferenceNetwork {
  /// What every tap of a network in inference gives, and the image's gradient for gradients given at taps.
  ///
  /// Plain loops in Double over the network with each activation as a layer of its own.
  func trace(
    _ image: ReferenceTensor, seeds: [LayerTap: ReferenceTensor]
  ) throws -> (values: [LayerTap: ReferenceTensor], imageGradient: ReferenceTensor) {
    let linear = try layersWithoutActivations()
    var values = [Network.inputName: image]
    var taps: [LayerTap: ReferenceTensor] = [:]
    var statistics: [String: ReferenceTensor] = [:]
    for layer in network.layers {
      let inputs = layer.layer.inputs.compactMap { values[$0] }
      let sums = forward(linear[layer.name] ?? layer, inputs, false, &statistics)
      var before = sums
      if case .activation = layer.spec { before = inputs[0] }
      let output = ReferenceKernels.activation(Self.activation(of: layer), before)
      taps[LayerTap(layer.name, .beforeActivation)] = before
      taps[LayerTap(layer.name)] = output
      values[layer.name] = output
    }
    var diffs: [String: ReferenceTensor] = [:]
    func add(_ part: ReferenceTensor, to name: String) {
      diffs[name] = diffs[name].map { ReferenceKernels.add([$0, part]) } ?? part
    }
    for layer in network.layers.reversed() {
      if let seed = seeds[LayerTap(layer.name)] { add(seed, to: layer.name) }
      var diff = diffs[layer.name].map {
        ReferenceKernels.activationGradient(
          Self.activation(of: layer), $0, src: taps[LayerTap(layer.name, .beforeActivation)] ?? $0)
      }
      if let seed = seeds[LayerTap(layer.name, .beforeActivation)] {
        diff = diff.map { ReferenceKernels.add([$0, seed]) } ?? seed
      }
      guard let diff else { continue }
      let inputs = layer.layer.inputs.compactMap { values[$0] }
      for (name, part) in zip(layer.layer.inputs, parts(of: linear[layer.name] ?? layer, inputs, diff)) {
        add(part, to: name)
      }
    }
    return (taps, diffs[Network.inputName] ?? image.map { _ in 0 })
  }

  private func parts(
    of layer: ResolvedLayer, _ inputs: [ReferenceTensor], _ diff: ReferenceTensor
  ) -> [ReferenceTensor] {
    switch layer.spec {
    case .activation: return [diff]
    case .batchNorm(let norm):
      // y = (x − mean) · gamma / √(variance + ε) + beta with fixed mean and variance.
      let variance = parameter(layer, "moving_variance").values
      let gamma = parameters["\(layer.name)/gamma"]?.values
      var result = diff
      for index in diff.values.indices {
        let channel = index % variance.count
        result.values[index] *=
          (gamma?[channel] ?? 1) / (variance[channel] + Double(norm.epsilon)).squareRoot()
      }
      return [result]
    default:
      var unused: [String: ReferenceTensor] = [:]
      return backward(layer, inputs, output: diff, diff, true, &unused)
    }
  }

  private static func activation(of layer: ResolvedLayer) -> Activation {
    switch layer.spec {
    case .conv2D(let conv): conv.activation
    case .dense(let dense): dense.activation
    case .activation(let activation): activation
    default: .linear
    }
  }

  /// The layers with every activation replaced by none, by name.
  private func layersWithoutActivations() throws -> [String: ResolvedLayer] {
    let layers = network.network.layers.map { layer in
      var spec = layer.spec
      switch layer.spec {
      case .conv2D(var conv):
        conv.activation = .linear
        spec = .conv2D(conv)
      case .dense(var dense):
        dense.activation = .linear
        spec = .dense(dense)
      case .activation: spec = .activation(.linear)
      default: break
      }
      return Layer(name: layer.name, inputs: layer.inputs, spec: spec)
    }
    let resolved = try Network(inputShape: network.inputShape, layers: layers).resolved()
    return Dictionary(uniqueKeysWithValues: resolved.layers.map { ($0.name, $0) })
  }
}
