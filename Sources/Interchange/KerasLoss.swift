internal import Compute
internal import Networks
internal import Settings
internal import Tensors

/// The loss that a Keras model was compiled with, as the attribute `training_config` of its file gives it.
struct KerasLoss {
  /// The loss's name in the file.
  let name: String
  /// The same loss here; nil where there is none.
  let loss: Loss?
  /// Whether the loss takes the values before softmax or sigmoid.
  let takesLogits: Bool
  /// A sentence about what the file leaves open; nil where it leaves nothing open.
  let note: String?

  /// Reads the loss.
  ///
  /// - Parameter trainingConfig: the document of the attribute.
  /// - Returns: nil where the model was compiled without a loss.
  init?(_ trainingConfig: JSONValue) {
    guard let entry = Self.single(trainingConfig["loss"]) else { return nil }
    guard let name = entry.string ?? entry["class_name"]?.string ?? entry["config"]?.string else {
      return nil
    }
    // A function of Keras 3 is an object around its name.
    let isFunction = name == "function"
    self.name = isFunction ? entry["config"]?.string ?? name : name
    let settings: JSONValue = isFunction ? .null : entry["config"] ?? .null
    takesLogits = settings["from_logits"]?.bool ?? false
    let smoothing = Float(settings["label_smoothing"]?.double ?? 0)
    let axis = settings["axis"]?.integer ?? -1
    var note: String?
    switch self.name.lowercased().replacing("_", with: "") {
    case "mse", "meansquarederror": loss = .meanSquaredError
    case "mae", "meanabsoluteerror": loss = .meanAbsoluteError
    case "huber", "huberloss":
      let delta = settings["delta"]?.double
      loss = .huber(Huber(delta: Float(delta ?? 1)))
      // Keras 3 writes an object of the class without it.
      if delta == nil, entry["class_name"] != nil, !isFunction {
        note = "the file does not say the delta of its Huber loss, which is taken to be 1"
      }
    case "sparsecategoricalcrossentropy" where axis == -1, "categoricalcrossentropy" where axis == -1:
      loss = .softmaxCrossEntropy(SoftmaxCrossEntropy(labelSmoothing: smoothing))
    case "binarycrossentropy", "bce":
      loss = .sigmoidCrossEntropy(SigmoidCrossEntropy(labelSmoothing: smoothing))
    case "binaryfocalcrossentropy":
      let isBalanced = settings["apply_class_balancing"]?.bool ?? false
      loss = .sigmoidFocalCrossEntropy(
        SigmoidFocalCrossEntropy(
          gamma: Float(settings["gamma"]?.double ?? 2),
          alpha: isBalanced ? Float(settings["alpha"]?.double ?? 0.25) : nil, labelSmoothing: smoothing))
    default: loss = nil
    }
    self.note = note
  }

  /// The loss of a model's only output, which may stand in a list or under the output's name.
  private static func single(_ value: JSONValue?) -> JSONValue? {
    guard let value, !value.isNull else { return nil }
    if let elements = value.elements { return elements.count == 1 ? single(elements[0]) : nil }
    if let members = value.members, members["class_name"] == nil {
      return members.count == 1 ? single(members.first?.value) : nil
    }
    return value
  }
}

/// The criterion of an imported network, which says what its outputs mean.
struct KerasCriterion {
  let criterion: Criterion
  /// What was decided, in sentences.
  private(set) var notes: [String] = []

  /// Chooses the criterion.
  ///
  /// - Parameters:
  ///   - chosen: the loss that the importing user names; nil leaves it to the file.
  ///   - compiled: the loss that the file names; nil where it names none.
  /// - Throws: ``InterchangeError`` for a chosen loss that does not suit the network's last layer.
  init(_ network: ResolvedNetwork, chosen: Loss.Kind?, compiled: KerasLoss?) throws {
    let outputs = network.outputShape.elementCount
    let final = network.network.output.spec.finalActivation
    if let chosen {
      guard let loss = Loss.standard(chosen) else {
        throw InterchangeError(
          .usage,
          "--loss \(chosen.rawValue): this loss has settings without defaults, which cannot be given here")
      }
      if let problem = loss.problem(with: network) {
        throw InterchangeError(.usage, "--loss \(chosen.rawValue): \(problem)")
      }
      criterion = Self.make(loss, outputs: outputs)
      return
    }
    if let compiled, let loss = compiled.loss, loss.fits(final, compiled, network) {
      criterion = Self.make(loss, outputs: outputs)
      if let note = compiled.note { notes.append(note) }
      return
    }
    let fallback: Loss
    let meaning: String
    switch final {
    case .softmax where network.outputShape.rank == 1 && outputs > 1:
      (fallback, meaning) = (.softmaxCrossEntropy(SoftmaxCrossEntropy()), "probabilities of classes")
    case .sigmoid:
      (fallback, meaning) = (.sigmoidCrossEntropy(SigmoidCrossEntropy()), "probabilities of labels")
    case .linear, .relu, .relu6, .leakyReLU, .elu, .gelu, .silu, .softplus, .hardSigmoid, .tanh, .softmax:
      (fallback, meaning) = (.meanSquaredError, "numbers")
    }
    criterion = Self.make(fallback, outputs: outputs)
    let isNumbers = fallback == .meanSquaredError
    // The last layer says as much as a loss would; without a loss nothing is certain.
    guard compiled != nil || isNumbers else { return }
    let reason =
      compiled.map { compiled in
        compiled.loss == nil
          ? "the model was compiled with the loss '\(compiled.name)', which is not known here"
          : "the model was compiled with the loss '\(compiled.name)', which does not suit its last layer"
      } ?? "the file does not say which loss the model was trained with"
    notes.append("\(reason); its outputs are taken to be \(meaning) (\(fallback.name)); see --loss")
  }

  /// Adds a sentence about what was decided.
  mutating func note(_ sentence: String) { notes.append(sentence) }

  private static func make(_ loss: Loss, outputs: Int) -> Criterion {
    // Datasets here hold class numbers for classes, whether the model was trained on numbers or on vectors.
    Criterion(loss: loss, targets: loss.outputs == .classes ? .classes : .values, outputs: outputs)
  }
}

extension Loss {
  /// The loss of a kind with its usual settings; nil for a kind with settings that have no defaults.
  fileprivate static func standard(_ kind: Kind) -> Loss? {
    let description = description(of: kind)
    guard case .object(let object) = description.payload else { return description.make(nil) }
    let members = object.keys.compactMap { key -> ResolvedValue.Member? in
      guard case .value(let content) = key.fallback else { return nil }
      return ResolvedValue.Member(key: key.name, value: ResolvedValue(content, .builtIn))
    }
    return description.make(ResolvedValue(.map(members), .builtIn))
  }

  /// Why a network's outputs do not suit the loss; nil where they do.
  fileprivate func problem(with network: ResolvedNetwork) -> String? {
    let final = network.network.output.spec.finalActivation
    switch (outputs, final) {
    case (.numbers, _): return nil
    case (.classes, _) where network.outputShape.rank != 1 || network.outputShape[0] < 2:
      return
        "the model gives \(network.outputShape), and that loss takes one number for each of at least 2 classes"
    case (.labels, _) where network.outputShape.rank != 1:
      return "the model gives \(network.outputShape), and that loss takes one number for each label"
    case (.classes, .linear), (.classes, .softmax), (.labels, .linear), (.labels, .sigmoid): return nil
    case (.classes, _): return "the model ends in \(final.rawValue), and that loss takes softmax or none"
    case (.labels, _): return "the model ends in \(final.rawValue), and that loss takes sigmoid or none"
    }
  }

  /// Whether the loss that a model was compiled with says what its outputs mean: a loss of probabilities needs probabilities.
  fileprivate func fits(_ final: Activation, _ compiled: KerasLoss, _ network: ResolvedNetwork) -> Bool {
    problem(with: network) == nil && (outputs == .numbers || compiled.takesLogits || final != .linear)
  }
}
