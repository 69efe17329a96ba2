/// A place in a network where a trace looks: what a layer gives, or what its activation is given.
public struct LayerTap: Hashable, Sendable, CustomStringConvertible {
  public enum Stage: Hashable, Sendable {
    /// After the layer's activation, as Keras's `layer.output`.
    case output
    /// Before it: the layer's sums. The same as the output where the layer has no activation; an activation layer's input.
    case beforeActivation
    /// The products of the layer's maps, summed over all positions: `[C, C]` for one image.
    case gram
  }

  public let layer: String
  public let stage: Stage

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
  public var description: String { text }
}
