public import Settings
internal import Tensors

/// A function applied to every element; softmax to every vector along the channels.
public enum Activation: String, Hashable, Sendable, Codable, CaseIterable {
  /// x itself.
  case linear
  /// max(x, 0).
  case relu
  /// min(max(x, 0), 6); ``ReLU`` has a largest value of its own.
  case relu6
  /// x, or 0.2·x below zero; ``LeakyReLU`` has a slope of its own.
  case leakyReLU = "leaky_relu"
  /// x, or eˣ − 1 below zero; ``ELU`` has a factor of its own.
  case elu
  /// x·Φ(x) with the normal distribution Φ, by the error function. Hendrycks & Gimpel 2016, <https://arxiv.org/abs/1606.08415>.
  case gelu
  /// x·sigmoid(x), also called swish. <https://arxiv.org/abs/1702.03118>
  case silu
  /// log(1 + eˣ).
  case softplus
  /// 1 / (1 + e⁻ˣ).
  case sigmoid
  /// min(max(x / 6 + 1/2, 0), 1), as in Keras 3; Keras 2 had a slope of 0.2.
  case hardSigmoid = "hard_sigmoid"
  /// The hyperbolic tangent.
  case tanh
  /// eˣ over its sum along the channels.
  case softmax
}

extension Activation: SettingWord {
  /// The formula in words, for references.
  public var summary: String {
    switch self {
    case .linear: "Leaves its input as it is."
    case .relu: "The larger of 0 and x."
    case .relu6: "The larger of 0 and x, at most 6."
    case .leakyReLU: "x, or 0.2 · x below zero."
    case .elu: "x, or e^x − 1 below zero."
    case .gelu: "x times the share of a normal distribution that lies below x."
    case .silu: "x / (1 + e^−x), also called swish."
    case .softplus: "log(1 + e^x)."
    case .sigmoid: "1 / (1 + e^−x)."
    case .hardSigmoid: "x / 6 + 1/2, held between 0 and 1."
    case .tanh: "The hyperbolic tangent."
    case .softmax: "e^x over its sum along the channels."
    }
  }
}

extension LayerDescription where Settings == Activation {
  /// Functions as layers, each written by its own word unless a layer with settings has that word.
  static let activation = LayerDescription(
    kind: .activation, settings: SettingsDescription("A function of every element.", .linear, []),
    inputCount: 1...1,
    keras: KerasLayer("Activation", options: [.function]),
    alsoReads: [KerasLayer("Softmax", startingFrom: .softmax, options: [.channelAxis(isWritten: false)])],
    forms: Activation.allCases.filter { LayerKind(rawValue: $0.rawValue) == nil }.map { function in
      LayerForm(
        word: function.rawValue, settings: ObjectSchema(function.summary, []), inputCount: 1...1,
        spec: { _ in .activation(function) })
    },
    make: LayerSpec.activation, word: { $0.rawValue }, finalActivation: { $0 }, label: { $0.rawValue },
    infer: { $1.make(output: $1.input, view: .samePlace) })
}

// MARK: - In Keras

extension KerasLayer.Option where Settings == Activation {
  fileprivate static var function: Self {
    .made(
      "activation", supported: Activation.allCases.map(\.rawValue).joined(separator: ", "),
      write: { function, _ in .string(function.rawValue) },
      read: { value, function in
        // A layer without a function is Keras's linear one.
        guard let value else { return true }
        guard let found = Activation(keras: value.asContent) else { return false }
        function = found
        return true
      })
  }
}

extension KerasOption {
  /// The function that a layer ends in.
  static let activation = KerasOption(
    "activation", isLeftOutAtDefault: true,
    read: { Activation(keras: $0).map { .text($0.rawValue) } })
}

extension Activation {
  /// A function by its name in Keras, or by an object that holds one: `{class_name: function, config: relu}` or
  /// `{class_name: ReLU, config: {}}`.
  fileprivate init?(keras content: ResolvedValue.Content) {
    switch content {
    case .text(let name):
      // Keras 2 calls silu swish.
      let name = name.lowercased()
      self.init(rawValue: name == "swish" ? Activation.silu.rawValue : name)
    case .map:
      let object = ResolvedValue(content, .builtIn)
      guard let name = object["config"]?.text ?? object["class_name"]?.text else { return nil }
      self.init(keras: .text(name))
    case .integer, .number, .boolean, .byteSize, .path, .list, .kind: return nil
    }
  }
}
