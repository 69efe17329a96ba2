internal import Networks
internal import Tensors
public import Training

/// A model that was imported, and notes about the import.
public struct ImportedModel: Sendable {
  /// The network with its weights, ready to be written.
  public let checkpoint: Checkpoint
  /// How the file was understood, in sentences.
  public let notes: [String]
}

/// What is written in front of an imported network, so that it takes plain RGB pixels from 0 to 255.
public enum PixelPreparation: Hashable, Sendable {
  /// A preparation by its name.
  case known(Preprocessing)
  /// Pixels minus the mean, divided by the deviation; one number for each channel, or one for all.
  case normalization(mean: [Double], deviation: [Double])

  /// Whether pixels stay as they are.
  public var isNone: Bool { self == .known(.none) }

  /// - Throws: ``InterchangeError`` for a shape of samples that it is not for.
  func check(_ shape: Shape) throws {
    switch self {
    case .known(.none), .known(.tf): return
    case .known(let known):
      guard shape.rank == 3, shape[2] == 3 else {
        throw InterchangeError(
          .usage, "preprocessing '\(known.rawValue)' is for images of three colours, not \(shape)")
      }
    case .normalization(let mean, let deviation):
      let channels = shape[shape.rank - 1]
      guard [1, channels].contains(mean.count), [1, channels].contains(deviation.count) else {
        throw InterchangeError(
          .usage, "--mean and --deviation take one number, or one for each of the \(channels) channels of \(shape)")
      }
    }
  }

  /// A sentence for the notes of an import; nil where there is nothing to say.
  func explanation(of shape: Shape) -> String? {
    switch self {
    case .known(.none):
      shape.rank == 3
        ? "the file does not say how pixels were prepared, so the network takes them as they are; see --preprocessing" : nil
    case .known(let known): known.explanation
    case .normalization: "pixels from 0 to 255 are normalised by the given means and deviations (layer '\(Self.layerName)')"
    }
  }

  fileprivate static let layerName = "pixel_normalization"
}

/// The layers of a network behind the preparation of its pixels.
struct PreparedLayers {
  let layers: [Layer]
  private let preparation: PixelPreparation

  init(_ preparation: PixelPreparation, before layers: [Layer]) {
    self.preparation = preparation
    let first: (name: String, spec: LayerSpec)?
    switch preparation {
    case .known(let known): first = known.spec.map { (known.layerName, $0) }
    case .normalization(let mean, let deviation):
      first = (
        PixelPreparation.layerName,
        .normalization(Normalization(mean: mean, variance: deviation.map { $0 * $0 }))
      )
    }
    guard let first else {
      self.layers = layers
      return
    }
    self.layers =
      [Layer(name: first.name, inputs: [Network.inputName], spec: first.spec)]
      + layers.map { layer in
        let inputs = layer.inputs.map { $0 == Network.inputName ? first.name : $0 }
        return Layer(name: layer.name, inputs: inputs, spec: layer.spec)
      }
  }

  /// Sets the parameters of the preparation, which are none of the model's.
  func fill(_ values: CanonicalParameters) {
    guard case .known(let known) = preparation else { return }
    let (kernel, bias) = known.values
    for parameter in values.layout.parameters where parameter.layer == known.layerName {
      _ = values.values(of: parameter).update(from: parameter.spec.name == "bias" ? bias : kernel)
    }
  }
}
