internal import Networks

/// The schema of layers; words and defaults are Keras's.
enum LayerSchema {
  /// Sizes of windows, strides and dilations.
  private static let window = 1...1024
  private static let width = 1...1 << 20

  private static let placement = [
    Key(
      "name", .name, .derived("the layer's word, numbered"), "A name for the layer, unique where it stands."),
    Key(
      "inputs", .layerNames, .derived("the layer before"),
      "Where the layer takes its input from: earlier layers, or `input`."),
  ]

  /// Layers that join have no input unless it is named.
  private static func joining(_ name: String, _ summary: String) -> UnionSchema.Kind {
    let keys = [
      Key(
        "name", .name, .derived("the layer's word, numbered"), "A name for the layer, unique where it stands."
      ),
      Key("inputs", .layerNames, .required, "Two or more layers before it, or `input`: `[body, input]`."),
    ]
    return UnionSchema.Kind(name, .object(ObjectSchema(summary, keys)), summary)
  }

  private static func layer(_ name: String, _ summary: String, _ keys: [Key] = []) -> UnionSchema.Kind {
    UnionSchema.Kind(name, .object(ObjectSchema(summary, keys + placement)), summary)
  }

  private static let activationKey = Key(
    "activation", .choice(Activation.allCases.map { Choice(word: $0.rawValue, summary: "") }),
    .scalar("linear"),
    "Applied to the result.")

  private static func initializer(_ name: String, _ fallback: String, _ summary: String) -> Key {
    Key(
      name, .choice(Initializer.allCases.map { Choice(word: $0.rawValue, summary: "") }), .scalar(fallback),
      summary)
  }

  private static let weights = [
    Key("use_bias", .boolean, .scalar("true"), "Whether a bias is added."),
    activationKey,
    initializer("kernel_initializer", "glorot_uniform", "How the kernel starts."),
    initializer("bias_initializer", "zeros", "How the bias starts."),
  ]

  private static let padding = Key(
    "padding",
    .choice([
      Choice(word: "valid", summary: "none"),
      Choice(word: "same", summary: "zeros, so that the output has the input's size divided by the stride"),
    ]), .scalar("valid"), "What stands around the image: nothing, or zeros that keep its size (`same`).")

  private static func pool(_ name: String, _ summary: String) -> UnionSchema.Kind {
    layer(
      name, summary,
      [
        Key("size", .size(window), .scalar("2"), "The window."),
        Key(
          "stride", .optional(word: "size", .size(window)), .scalar("size"),
          "Step between windows; `size` is the window's own."),
        padding,
      ])
  }

  static let union = UnionSchema(
    "layer",
    [
      layer(
        "conv2d", "A convolution (cross-correlation) over an image.",
        [
          Key("filters", .integer(width), .required, "Channels of the output."),
          Key("kernel", .size(window), .required, "The window."),
          Key("stride", .size(window), .scalar("1"), "Step between windows."),
          Key("dilation", .size(window), .scalar("1"), "Distance between the elements of the window."),
          padding,
          Key("groups", .integer(width), .scalar("1"), "Parts of the channels that do not see each other."),
        ] + weights),
      pool("max_pool2d", "The maximum of each window."),
      pool("average_pool2d", "The mean of each window, without its padding."),
      layer("global_average_pool2d", "The mean of each channel."),
      layer("global_max_pool2d", "The maximum of each channel."),
      layer("flatten", "The image as one vector, in order of height, width, channels."),
      layer(
        "dense", "A fully connected layer over a vector.",
        [Key("units", .integer(width), .required, "Length of the output.")] + weights),
    ] + Activation.allCases.map { layer($0.rawValue, activationSummary($0)) } + [
      layer(
        "dropout", "Zeroes elements at random in training, and scales the others up.",
        [Key("rate", .number(.share), .required, "Share of the elements that are zeroed.")]),
      layer(
        "batch_norm", "Normalises each channel over the samples of a shard.",
        [
          Key("momentum", .number(.share), .scalar("0.99"), "Kept share of the running statistics."),
          Key("epsilon", .number(.positive), .scalar("0.001"), "Added to the variance, inside the root."),
          Key("scale", .boolean, .scalar("true"), "Whether the result is multiplied by a trained gamma."),
          Key("center", .boolean, .scalar("true"), "Whether a trained beta is added."),
        ]),
      joining("add", "The sum of two or more inputs of the same shape."),
      joining("concat", "Two or more inputs side by side, along the channels."),
      layer(
        "rescale", "Multiplies and shifts every element.",
        [
          Key("scale", .number(.any), .required, "The factor, such as 1/255."),
          Key("offset", .number(.any), .scalar("0"), "Added after it."),
        ]),
      layer("position_bias", "Adds a trained value for each position and channel."),
    ])

  private static func activationSummary(_ activation: Activation) -> String {
    switch activation {
    case .linear: "Gives its input on."
    case .relu: "The larger of 0 and x."
    case .sigmoid: "1 / (1 + e^−x)."
    case .tanh: "The hyperbolic tangent."
    case .softmax: "e^x over its sum along the channels."
    }
  }

  // MARK: - Groups of layers

  static let repetitionWord = "repeat"
  static let requiredWord = "required"

  static let repetition = ObjectSchema(
    "The same layers several times over; inside, `input` is what comes before each time.",
    [
      Key("times", .integer(1...1000), .required, "How often."),
      Key("layers", .layers, .required, "The layers of one time."),
    ] + placement)

  static let block = ObjectSchema(
    "A small network to be used as one layer; inside, `input` is what comes before it.",
    [
      Key(
        "parameters", .text, .derived("none"),
        "Words that stand in the block's layers as `$word`, each with its default, or `required`."),
      Key("layers", .layers, .required, "The block's layers; the last one is its output."),
    ])

  /// Keys of every use of a block, besides its parameters.
  static let use = ObjectSchema("A use of a block.", placement)
}
