internal import Settings
internal import Tensors

/// `dst = activation(src · kernel + bias)`, over the last dimension of a flat input.
///
/// - `src`: [N, IC]; `kernel`: [IC, OC]; `bias`: [OC]; `dst`: [N, OC].
public struct Dense: KernelSettings {
  public var units: Int
  public var useBias: Bool
  public var activation: Activation
  public var kernelInitializer: Initializer
  public var biasInitializer: Initializer

  public init(
    units: Int, useBias: Bool = true, activation: Activation = .linear,
    kernelInitializer: Initializer = .glorotUniform, biasInitializer: Initializer = .zeros
  ) {
    self.units = units
    self.useBias = useBias
    self.activation = activation
    self.kernelInitializer = kernelInitializer
    self.biasInitializer = biasInitializer
  }
}

extension LayerDescription where Settings == Dense {
  static let dense = LayerDescription(
    .dense, "A fully connected layer over a vector.", Dense(units: 1),
    [SettingKey("units", \.units, .width, default: .required, keras: "units", "Length of the output.")],
    keras: KerasLayer("Dense"), make: LayerSpec.dense, label: { "dense \($0.units)\($0.labelEnd)" },
    infer: { try $0.infer($1) })
}

extension Dense {
  fileprivate func infer(_ inference: LayerInference) throws -> ResolvedLayer {
    let input = inference.input
    try inference.require(units, atLeast: 1, "units")
    guard input.rank == 1 else {
      throw inference.mismatch(
        "dense takes a flat input and '\(inference.layer.inputs[0])' gives \(input); put flatten or "
          + "global_average_pool2d before it")
    }
    return inference.make(
      output: [units], view: .everything,
      parameters: [
        .kernel([input[0], units], kernelInitializer, Fans(incoming: input[0], outgoing: units))
      ] + (useBias ? [.bias([units], biasInitializer)] : []),
      flopsPerElement: 2 * input[0] + (useBias ? 1 : 0))
  }
}
