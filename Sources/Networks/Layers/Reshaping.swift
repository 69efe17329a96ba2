internal import Settings
internal import Tensors

extension LayerDescription where Settings == NoSettings {
  static let flatten = LayerDescription(
    .flatten, "The image as one vector, in order of height, width, channels.", NoSettings(),
    keras: KerasLayer("Flatten"), make: { _ in .flatten }, label: { _ in "flatten" },
    infer: { _, inference in
      inference.make(output: [inference.input.elementCount], view: .everything, flopsPerElement: 0)
    })
}

/// The same elements in the same (channels-last) order under another shape.
public struct Reshape: Hashable, Sendable, Codable {
  /// The new shape without N; 1 to 3 dimensions.
  public var shape: [Int]

  /// A layer that gives this shape.
  public init(_ shape: [Int]) { self.shape = shape }
}

extension LayerDescription where Settings == Reshape {
  static let reshape = LayerDescription(
    .reshape, "The same elements in the same order under another shape.", Reshape([1]),
    [
      SettingKey(
        "shape", \.shape, .list(.integer(1...1 << 24), count: 1...3), default: .required,
        keras: "target_shape",
        "The new shape of a sample, such as `[1, 1, 64]`.")
    ],
    keras: KerasLayer("Reshape"), make: LayerSpec.reshape,
    label: { "reshape " + $0.shape.map(String.init).joined(separator: "×") }, infer: { try $0.infer($1) })
}

extension Reshape {
  fileprivate func infer(_ inference: LayerInference) throws -> ResolvedLayer {
    let (output, input) = (Shape(shape), inference.input)
    guard (1...3).contains(output.rank), shape.allSatisfy({ $0 > 0 }) else {
      throw inference.wrong("shape", "\(output) must have 1 to 3 positive dimensions")
    }
    guard shape.reduce(1.0, { $0 * Double($1) }) == Double(input.elementCount) else {
      throw inference.mismatch(
        "\(output) does not have the \(input.elementCount) elements of the \(input) that "
          + "'\(inference.layer.inputs[0])' gives")
    }
    return inference.make(output: output, view: .samePlace(unless: output != input), flopsPerElement: 0)
  }
}
