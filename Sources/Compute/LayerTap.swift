/// A place in a network where a trace looks: what a layer gives, or what its activation is given.
public struct LayerTap: Hashable, Sendable, CustomStringConvertible {
  /// Which of a layer's values are looked at.
  public enum Stage: Hashable, Sendable {
    /// What the layer gives, after its activation: Keras's `layer.output`.
    case output
    /// The layer's sums, before its activation; where it has none the output, and of an activation layer its input.
    case beforeActivation
    /// The products of the layer's maps, summed over all positions: `[C, C]` for one image.
    case gram
  }

  /// The name of the layer.
  public let layer: String
  /// Which of its values are looked at.
  public let stage: Stage

  /// Names a layer and, where it is not its output, what to look at.
  public init(_ layer: String, _ stage: Stage = .output) {
    self.layer = layer
    self.stage = stage
  }

  /// The layer's name, with ` before activation` for that stage.
  public var text: String {
    switch stage {
    case .output: layer
    case .beforeActivation: "\(layer) before activation"
    case .gram: "products of \(layer)"
    }
  }
  /// The layer, with the stage where it is not the output.
  public var description: String { text }
}
