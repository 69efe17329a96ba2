internal import Networks

/// Operations of `keras.ops` and of TensorFlow on results of layers, and layers that join results, as other layers that do the same.
enum KerasOperations {
  /// Functions without options, as `keras.ops` and as TensorFlow's operations have them, by their words in Keras's layers.
  private static let functions = [
    "Relu": "relu", "Relu6": "relu6", "Sigmoid": "sigmoid", "Tanh": "tanh", "Silu": "silu",
    "Softplus": "softplus", "Selu": "selu", "HardSigmoid": "hard_sigmoid", "HardSilu": "hard_silu",
    "nn.relu": "relu", "nn.relu6": "relu6", "nn.silu": "silu", "nn.swish": "silu", "nn.selu": "selu",
    "nn.softmax": "softmax", "math.sigmoid": "sigmoid", "math.tanh": "tanh", "math.softplus": "softplus",
  ]

  /// Operations whose options have the names that the layers' options have.
  private static let layers = [
    "Elu": "ELU", "LeakyRelu": "LeakyReLU", "AveragePool": "AveragePooling2D", "MaxPool": "MaxPooling2D",
  ]

  /// Classes of Keras's layers that become several layers.
  static let composedLayers = ["Average", "CustomScaleLayer", "Subtract"]

  /// Puts layers in the place of operations; those without a counterpart are left as they are.
  static func rewrite(_ model: inout ModelDescription) {
    for layer in model.layers { rewrite(layer, in: &model) }
  }

  private static func rewrite(_ layer: ModelDescription.Layer, in model: inout ModelDescription) {
    let name = layer.name
    let operation = layer.className == "TFOpLambda" ? layer.options["function"]?.string : layer.className
    guard let operation else { return }
    switch operation {
    case "Negative", "math.negative":
      model.replace(name, by: "Rescaling", .object(["scale": .number(-1), "offset": .number(0)]))
    case "Subtract" where layer.inputs.count == 2: composeSum(layer, withSecondTimes: -1, in: &model)
    case "CustomScaleLayer" where layer.inputs.count == 2:
      // Of Keras's InceptionResNetV2.
      guard let scale = layer.options["scale"]?.double else { return }
      composeSum(layer, withSecondTimes: scale, in: &model)
    case "Average": composeAverage(layer, in: &model)
    case "Gelu" where layer.options["approximate"] == false: activate(layer, "gelu", in: &model)
    case "Mean": pool(layer, "Average", in: &model)
    case "Max": pool(layer, "Max", in: &model)
    case "Reshape": reshape(layer, in: &model)
    default:
      if let function = functions[operation] {
        activate(layer, function, in: &model)
      } else if let className = layers[operation] {
        model.replace(name, by: className, layer.options)
      }
    }
  }

  private static func activate(
    _ layer: ModelDescription.Layer, _ function: String, in model: inout ModelDescription
  ) {
    model.replace(layer.name, by: "Activation", .object(["activation": .string(function)]))
  }

  /// The first input plus so many times the second: a − b is a plus −1 times b.
  private static func composeSum(
    _ layer: ModelDescription.Layer, withSecondTimes scale: Double, in model: inout ModelDescription
  ) {
    let scaled = ModelDescription.Layer(
      name: model.unusedName("\(layer.name)_\(scale == -1 ? "negative" : "scaled")"), className: "Rescaling",
      options: .object(["scale": .number(scale), "offset": .number(0)]))
    model.insert(scaled, before: layer.name, at: 1)
    model.replace(layer.name, by: "Add", .object([:]))
  }

  /// A mean is a sum with a factor behind it.
  private static func composeAverage(_ layer: ModelDescription.Layer, in model: inout ModelDescription) {
    let scaling = ModelDescription.Layer(
      name: model.unusedName("\(layer.name)_scaled"), className: "Rescaling",
      options: .object(["scale": .number(1 / Double(layer.inputs.count)), "offset": .number(0)]))
    model.replace(layer.name, by: "Add", .object([:]))
    model.insert(scaling, after: layer.name)
  }

  /// Over all positions of an image, whose axes are 1 and 2, or of a sequence.
  private static func pool(
    _ layer: ModelDescription.Layer, _ kind: String, in model: inout ModelDescription
  ) {
    let axis = layer.options["axis"]
    let axes = axis?.elements?.compactMap(\.integer) ?? axis?.integer.map { [$0] } ?? []
    guard [[1, 2], [2, 1], [1]].contains(axes), layer.options["initial"]?.isNull != false else { return }
    model.replace(
      layer.name, by: "Global\(kind)Pooling\(axes.count)D",
      .object(["keepdims": layer.options["keepdims"] ?? false]))
  }

  /// The operation's shape begins with that of the samples, which a layer's does not name.
  private static func reshape(_ layer: ModelDescription.Layer, in model: inout ModelDescription) {
    guard let shape = layer.options["newshape"]?.elements, shape.first?.integer == -1 else { return }
    model.replace(layer.name, by: "Reshape", .object(["target_shape": .array(Array(shape.dropFirst()))]))
  }
}
