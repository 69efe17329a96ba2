public import Tensors

/// What is wrong with the description of a network.
public enum NetworkError: Error, Hashable, Sendable, CustomStringConvertible {
  /// There is no layer.
  case noLayers
  /// The shape of a sample has no dimension, more than three, or one that is not positive.
  case inputShape(Shape)
  /// Two layers have this name.
  case duplicateName(String)
  /// An input is neither an earlier layer nor the network's input.
  case unknownInput(layer: String, input: String, known: [String])
  /// A layer has more or fewer inputs than its kind takes.
  case inputCount(layer: String, found: Int, allowed: ClosedRange<Int>)
  /// A shape that the layer cannot take; `reason` names the shapes.
  case shape(layer: String, reason: String)
  /// A hyper-parameter outside its range.
  case parameter(layer: String, name: String, reason: String)

  /// The layer at fault, where there is one.
  public var layer: String? {
    switch self {
    case .noLayers, .inputShape: nil
    case .duplicateName(let name): name
    case .unknownInput(let layer, _, _), .inputCount(let layer, _, _), .shape(let layer, _),
      .parameter(let layer, _, _):
      layer
    }
  }

  /// The message, one line without `error:`.
  public var description: String {
    switch self {
    case .noLayers:
      "the network has no layers"
    case .inputShape(let shape):
      "the network's input \(shape) must have 1 to 3 positive dimensions (height, width, channels)"
    case .duplicateName(let name):
      "two layers are named '\(name)'; names must differ"
    case .unknownInput(let layer, let input, let known):
      "layer '\(layer)' takes its input from '\(input)', which is not an earlier layer; there are: "
        + known.joined(separator: ", ")
    case .inputCount(let layer, let found, let allowed):
      "layer '\(layer)' has \(found == 1 ? "1 input" : "\(found) inputs") and takes "
        + (allowed.count == 1
          ? "exactly \(allowed.lowerBound)" : "\(allowed.lowerBound) to \(allowed.upperBound)")
    case .shape(let layer, let reason):
      "layer '\(layer)': \(reason)"
    case .parameter(let layer, let name, let reason):
      "layer '\(layer)': \(name) \(reason)"
    }
  }
}
