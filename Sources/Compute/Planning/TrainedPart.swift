internal import Networks

/// Which part of a network a training moves, and which it only runs forward.
///
/// Layers before the first trained one are computed as in inference: nothing is kept for a way back, and a batch normalisation that
/// keeps its statistics disappears into the convolution before it.
struct TrainedPart: Sendable {
  /// The paths of the parameters that stay as they are, running statistics included.
  private let frozen: Set<String>
  /// The layers from whose outputs no gradient goes further: neither they nor any layer before them has a parameter that is trained.
  private let forwardOnly: Set<String>

  /// Trains all that is trainable.
  static let whole = TrainedPart()

  private init() { (frozen, forwardOnly) = ([], []) }

  /// - Parameters:
  ///   - frozen: the paths of parameters that a training leaves alone, besides those that their layers say are frozen.
  ///   - inputGradient: whether the way back goes on to the input.
  init(_ network: ResolvedNetwork, frozen: Set<String>, inputGradient: Bool) {
    let own = network.layers.flatMap { layer in
      layer.parameters.filter(\.isFrozen).map { "\(layer.name)/\($0.name)" }
    }
    let frozen = frozen.union(own)
    self.frozen = frozen
    var forwardOnly: Set<String> = []
    if !frozen.isEmpty, !inputGradient {
      forwardOnly.insert(Network.inputName)
      for layer in network.layers {
        let isTrained = layer.parameters.contains {
          $0.isTrainable && !frozen.contains("\(layer.name)/\($0.name)")
        }
        if !isTrained, layer.layer.inputs.allSatisfy(forwardOnly.contains) { forwardOnly.insert(layer.name) }
      }
    }
    self.forwardOnly = forwardOnly
  }

  /// Whether anything is frozen.
  var hasFrozen: Bool { !frozen.isEmpty }

  /// Whether the optimizer moves a parameter.
  func trains(_ parameter: Parameter) -> Bool {
    parameter.spec.isTrainable && !frozen.contains(parameter.path)
  }

  /// Whether a parameter of a layer stays as it is.
  func isFrozen(_ name: String, ofLayer layer: String) -> Bool { frozen.contains("\(layer)/\(name)") }

  /// Whether a batch normalisation goes by its running statistics and keeps them.
  func keepsStatistics(ofLayer layer: String) -> Bool { isFrozen("moving_mean", ofLayer: layer) }

  /// Whether no gradient goes to a layer's output.
  func isForwardOnly(_ layer: String) -> Bool { forwardOnly.contains(layer) }

  /// Whether a batch normalisation may be multiplied into the convolution before it.
  func folds(_ layer: String) -> Bool { keepsStatistics(ofLayer: layer) && isForwardOnly(layer) }
}

extension Operation {
  /// The names of the layer's parameters that the operation has and a training could move.
  var parameterNames: [String] {
    switch kind {
    case .convolution(let conv): [kernelName] + (conv.useBias ? ["bias"] : [])
    case .transposedConvolution(let conv): ["kernel"] + (conv.useBias ? ["bias"] : [])
    case .dense(let dense): ["kernel"] + (dense.useBias ? ["bias"] : [])
    case .embedding: ["embeddings"]
    case .prelu: ["alpha"]
    case .batchNorm(let norm): (norm.scale ? ["gamma"] : []) + (norm.center ? ["beta"] : [])
    case .layerNorm(let norm): (norm.scale ? ["gamma"] : []) + (norm.center ? ["beta"] : [])
    case .groupNorm(let norm): (norm.scale ? ["gamma"] : []) + (norm.center ? ["beta"] : [])
    case .positionBias: ["bias"]
    case .input, .pooling, .globalPooling, .eltwise, .softmax, .localResponseNorm, .affine, .add, .multiply,
      .concat, .dropout, .padding, .cropping, .upSampling, .flatten, .reshape:
      []
    }
  }
}
