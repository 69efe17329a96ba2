internal import Settings
internal import Tensors

/// `dst = activation(src · kernel + bias)` over a flat input.
///
/// - `src`: [N, IC]; `kernel`: [IC, OC]; `bias`: [OC]; `dst`: [N, OC].
public struct Dense: KernelSettings {
  /// Length of the output, OC.
  public var units: Int
  /// Whether a bias is added.
  public var useBias: Bool
  /// The function that the layer ends in.
  public var activation: Activation
  /// How the kernel starts.
  public var kernelInitializer: Initializer
  /// How the bias starts.
  public var biasInitializer: Initializer

  /// A dense layer; the defaults are Keras's.
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
