internal import Tensors

// Layers of several inputs.

extension LayerDescription where Settings == NoSettings {
  /// As many inputs as configurations and Keras's files may name.
  private static let several = 2...64

  static let add = LayerDescription(
    .add, "The sum of two or more inputs of the same shape.", NoSettings(), inputs: several,
    keras: KerasLayer("Add"), make: { _ in .add }, label: { _ in "add" }, infer: { try $1.sum() })

  static let multiply = LayerDescription(
    .multiply, "The product of two or more inputs; a vector of channels multiplies every position.",
    NoSettings(), inputs: several, keras: KerasLayer("Multiply"), make: { _ in .multiply },
    label: { _ in "multiply" }, infer: { try $1.product() })

  static let concat = LayerDescription(
    .concat, "Two or more inputs side by side, along the channels.", NoSettings(), inputs: several,
    keras: KerasLayer("Concatenate", options: [.channelAxis(isWritten: false)]), make: { _ in .concat },
    label: { _ in "concat" }, infer: { try $1.concatenation() })
}

extension LayerInference {
  fileprivate func sum() throws -> ResolvedLayer {
    for (name, shape) in zip(layer.inputs, inputs) where shape != input {
      throw mismatch(
        "add needs equal shapes, and '\(layer.inputs[0])' gives \(input) but '\(name)' gives \(shape)")
    }
    return make(output: input, view: .samePlace, flopsPerElement: inputs.count - 1)
  }

  /// Equal shapes, or one full image and factors of `[1, 1, C]` or `[C]` for it.
  fileprivate func product() throws -> ResolvedLayer {
    let full = inputs.max { ($0.elementCount, $0.rank) < ($1.elementCount, $1.rank) } ?? input
    for (name, shape) in zip(layer.inputs, inputs) where shape != full {
      let channels = shape[shape.rank - 1]
      guard shape.elementCount == channels, channels == full[full.rank - 1],
        shape.rank == 1 || shape.rank == full.rank
      else {
        throw mismatch(
          "multiply takes equal shapes, or factors [channels] for an image; one input is \(full), and "
            + "'\(name)' gives \(shape)")
      }
    }
    return make(
      output: full, view: .samePlace(unless: full != input), flopsPerElement: inputs.count - 1)
  }

  fileprivate func concatenation() throws -> ResolvedLayer {
    let leading = input.dimensions.dropLast()
    for (name, shape) in zip(layer.inputs, inputs) where shape.dimensions.dropLast() != leading {
      throw mismatch(
        "concat joins channels of equal images, and '\(layer.inputs[0])' gives \(input) but "
          + "'\(name)' gives \(shape)")
    }
    let channels = inputs.reduce(0) { $0 + $1[$1.rank - 1] }
    return make(output: Shape(Array(leading) + [channels]), view: .samePlace, flopsPerElement: 0)
  }
}
