public import Networks
internal import Tensors

extension Table {
  /// A network layer by layer: name, kind, inputs, output shape, parameters, operations, and totals below.
  ///
  /// The inputs are left out for a plain chain. FLOPs are those of one sample's forward pass, where a multiply-add counts as two.
  public init(_ network: ResolvedNetwork) {
    var previous = Network.inputName
    var isChain = true
    for layer in network.layers {
      if layer.layer.inputs != [previous] { isChain = false }
      previous = layer.name
    }
    let inputs = isChain ? [] : [Column("inputs")]
    self.init(
      [Column("layer"), Column("what it does")] + inputs
        + [Column("output", .trailing), Column("parameters", .trailing), Column("FLOPs", .trailing)])
    add(["input", ""] + inputs.map { _ in "" } + ["\(network.inputShape)", "", ""])
    for layer in network.layers {
      add(
        [layer.name, layer.spec.summary] + inputs.map { _ in layer.layer.inputs.joined(separator: ", ") }
          + [
            "\(layer.outputShape)", layer.parameterCount == 0 ? "" : NumberText.grouped(layer.parameterCount),
            layer.flops == 0 ? "" : NumberText.scaled(Double(layer.flops)),
          ])
    }
    let fixed = network.parameterCount - network.trainableParameterCount
    let note = fixed == 0 ? "" : "including \(NumberText.grouped(fixed)) running statistics"
    addTotal(
      ["total", note] + inputs.map { _ in "" }
        + [
          "", NumberText.grouped(network.parameterCount), NumberText.scaled(Double(network.flops)),
        ])
  }
}
