internal import Tensors

extension LayerDescription where Settings == NoSettings {
  /// Keras has no layer that adds a bias of its own to every position; `EinsumDense` does, after a product with the identity.
  static let positionBias = LayerDescription(
    .positionBias, "Adds a trained value for each position and channel.", NoSettings(),
    keras: KerasLayer(
      "EinsumDense",
      options: [
        .einsum("equation") { $0.equation }, .einsum("bias_axes") { $0.output }, .outputShape,
        .only("activation", ["linear"]),
      ], hasIdentity: true),
    make: { _ in .positionBias }, label: { _ in "position bias" },
    infer: { $1.make(output: $1.input, view: .samePlace, parameters: [.bias($1.input)]) })
}

/// A product of the last dimension with a matrix, in Einstein's notation: `abcd,dz->abcz` for images.
private struct Einsum {
  let equation: String
  /// Letters of the result without the samples'.
  let output: String

  init(rank: Int) {
    let letters = Array("bcdefg").prefix(rank)
    let last = letters.last.map(String.init) ?? ""
    output = String(letters.dropLast()) + "z"
    equation = "a\(String(letters)),\(last)z->a\(output)"
  }

  /// The products for samples of rank 1 to 3.
  static let all = (1...3).map(Einsum.init)
}

extension KerasLayer.Option where Settings == NoSettings {
  fileprivate static func einsum(_ name: String, _ text: @escaping @Sendable (Einsum) -> String) -> Self {
    .made(
      name, supported: Einsum.all.map(text).joined(separator: ", "),
      write: { _, input in .string(text(Einsum(rank: input.rank))) },
      read: { value, _ in Einsum.all.contains { value?.string == text($0) } })
  }

  /// The shape of the result, which is that of the input.
  fileprivate static var outputShape: Self {
    .made(
      "output_shape", supported: "the shape of the layer's input",
      write: { _, input in .array(input.dimensions.map(JSONValue.integer)) }, read: { _, _ in true })
  }
}
