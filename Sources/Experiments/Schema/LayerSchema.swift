internal import Networks
internal import Settings

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

  private static let sequencePadding = Key(
    "padding",
    .choice([
      Choice(word: "valid", summary: "none"),
      Choice(word: "same", summary: "zeros, so that the output has the input's length divided by the stride"),
      Choice(word: "causal", summary: "zeros before the sequence only"),
    ]), .scalar("valid"),
    "What stands around the sequence: nothing, zeros that keep its length (`same`), or those before it only (`causal`)."
  )

  private static func pool(_ name: String, _ summary: String, side: Schema = .size(window))
    -> UnionSchema.Kind
  {
    layer(
      name, summary,
      [
        Key("size", side, .scalar("2"), "The window."),
        Key(
          "stride", .optional(word: "size", side), .scalar("size"),
          "Step between windows; `size` is the window's own."),
        padding,
      ])
  }

  /// One number for all sides, and one for each that differs.
  private static func margins(_ name: String, _ summary: String, sides: [String]) -> UnionSchema.Kind {
    let amount = Schema.integer(0...65_536)
    return layer(
      name, summary,
      [Key("all", amount, .scalar("0"), "On every side.")]
        + sides.map {
          Key(
            $0, .optional(word: "all", amount), .scalar("all"), "On this side; `all` is the key of that name."
          )
        })
  }

  private static let normParameters = [
    Key("epsilon", .number(.positive), .scalar("0.001"), "Added to the variance, inside the root."),
    Key("scale", .boolean, .scalar("true"), "Whether the result is multiplied by a trained gamma."),
    Key("center", .boolean, .scalar("true"), "Whether a trained beta is added."),
  ]

  static let union = UnionSchema(
    "layer", convolutions + pools + shapes + vectors + functions + normalizations + joins)

  private static let convolutions = [
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
    layer(
      "depthwise_conv2d", "A convolution with filters of its own for each channel.",
      [
        Key("kernel", .size(window), .required, "The window."),
        Key("multiplier", .integer(1...1024), .scalar("1"), "Filters of each channel."),
        Key("stride", .size(window), .scalar("1"), "Step between windows."),
        Key("dilation", .size(window), .scalar("1"), "Distance between the elements of the window."),
        padding,
      ] + weights),
    layer(
      "conv2d_transpose", "A transposed convolution: enlarges an image by its stride.",
      [
        Key("filters", .integer(width), .required, "Channels of the output."),
        Key("kernel", .size(window), .required, "The window that each input pixel writes."),
        Key("stride", .size(window), .scalar("1"), "Step between the windows in the output."),
        Key(
          "padding", .choice([Choice(word: "valid", summary: ""), Choice(word: "same", summary: "")]),
          .scalar("valid"),
          "`same`: the output has the input's size times the stride; `valid`: all that the windows write."),
      ] + weights),
    layer(
      "conv1d", "A convolution (cross-correlation) over a sequence [length, channels].",
      [
        Key("filters", .integer(width), .required, "Channels of the output."),
        Key("kernel", .integer(window), .required, "The window."),
        Key("stride", .integer(window), .scalar("1"), "Step between windows."),
        Key("dilation", .integer(window), .scalar("1"), "Distance between the elements of the window."),
        sequencePadding,
        Key("groups", .integer(width), .scalar("1"), "Parts of the channels that do not see each other."),
      ] + weights),
  ]

  private static let pools = [
    pool("max_pool2d", "The maximum of each window."),
    pool("average_pool2d", "The mean of each window, without its padding."),
    pool("max_pool1d", "The maximum of each window of a sequence.", side: .integer(window)),
    pool(
      "average_pool1d", "The mean of each window of a sequence, without its padding.", side: .integer(window)),
    layer("global_average_pool2d", "The mean of each channel."),
    layer("global_max_pool2d", "The maximum of each channel."),
    layer("global_average_pool1d", "The mean of each channel of a sequence."),
    layer("global_max_pool1d", "The maximum of each channel of a sequence."),
  ]

  private static let imageSides = ["top", "bottom", "left", "right"]

  private static let shapes = [
    margins("zero_padding2d", "Zeros around an image.", sides: imageSides),
    margins("zero_padding1d", "Zeros before and after a sequence.", sides: ["before", "after"]),
    margins("cropping2d", "Takes rows and columns away from an image.", sides: imageSides),
    margins("cropping1d", "Takes positions away from both ends of a sequence.", sides: ["before", "after"]),
    layer(
      "up_sampling2d", "Enlarges an image.",
      [
        Key("size", .size(window), .scalar("2"), "The factors."),
        Key(
          "interpolation",
          .choice(Interpolation.allCases.map { Choice(word: $0.rawValue, summary: "") }), .scalar("nearest"),
          "Repeated pixels, or weighted means of those around."),
      ]),
    layer(
      "up_sampling1d", "Repeats each position of a sequence.",
      [Key("size", .integer(window), .scalar("2"), "How often.")]),
    layer("flatten", "The image as one vector, in order of height, width, channels."),
    layer(
      "reshape", "The same elements in the same order under another shape.",
      [
        Key(
          "shape", .list(.integer(1...1 << 24), count: 1...3), .required, "`[1, 1, 64]`; without the samples."
        )
      ]),
  ]

  private static let vectors = [
    layer(
      "dense", "A fully connected layer over a vector.",
      [Key("units", .integer(width), .required, "Length of the output.")] + weights),
    layer(
      "embedding", "A trained vector for each word number of a row of them.",
      [
        Key(
          "vocabulary", .integer(1...1 << 24), .required,
          "Words there are; the samples hold numbers from 0 to one below this."),
        Key("dimension", .integer(width), .required, "Length of a word's vector."),
        Key(
          "padding_word", .optional(word: "none", .integer(0...1 << 24)), .scalar("none"),
          "A word whose vector is zero and stays it, for what fills up short texts."),
        Key("frozen", .boolean, .scalar("false"), "Whether the vectors are left as they are."),
        initializer("initializer", "uniform", "How the vectors start."),
      ]),
  ]

  private static let functions =
    Activation.allCases.filter { ![.leakyReLU, .elu].contains($0) }.map {
      layer($0.rawValue, activationSummary($0))
    } + [
      layer(
        "leaky_relu", "x, or a share of it below zero.",
        [Key("negative_slope", .number(.nonNegative), .scalar("0.3"), "The share.")]),
      layer(
        "elu", "x, or alpha · (e^x − 1) below zero.",
        [Key("alpha", .number(.positive), .scalar("1"), "The factor below zero.")]),
      layer(
        "prelu", "x, or a trained share of it below zero; the share starts at 0.",
        [
          Key(
            "shared", .boolean, .scalar("false"),
            "One share for each channel, instead of one for each position and channel.")
        ]),
      layer(
        "dropout", "Zeroes elements at random in training, and scales the others up.",
        [Key("rate", .number(.share), .required, "Share of the elements that are zeroed.")]),
    ]

  private static let normalizations = [
    layer(
      "batch_norm", "Normalises each channel over the samples of a shard.",
      [Key("momentum", .number(.share), .scalar("0.99"), "Kept share of the running statistics.")]
        + normParameters),
    layer("layer_norm", "Normalises the channels of each position.", normParameters),
    layer(
      "local_response_norm", "Divides by a power of the sum of squares of the channels around.",
      [
        Key("radius", .integer(0...1024), .scalar("5"), "Channels on either side."),
        Key("bias", .number(.positive), .scalar("1"), "Added to the sum."),
        Key("alpha", .number(.positive), .scalar("1"), "Factor of each square."),
        Key("beta", .number(.positive), .scalar("0.5"), "The power."),
      ]),
    layer(
      "normalization", "Subtracts given means and divides by the roots of given variances.",
      [
        Key(
          "mean", .list(.number(.any), count: 1...65_536), .required,
          "One for each channel, or one for all."),
        Key(
          "variance", .list(.number(.nonNegative), count: 1...65_536), .required,
          "One for each channel, or one for all."),
      ]),
    layer(
      "rescale", "Multiplies and shifts every element.",
      [
        Key("scale", .number(.any), .required, "The factor, such as 1/255."),
        Key("offset", .number(.any), .scalar("0"), "Added after it."),
      ]),
  ]

  private static let joins = [
    joining("add", "The sum of two or more inputs of the same shape."),
    joining(
      "multiply", "The product of two or more inputs; a vector of channels is a factor of every position."),
    joining("concat", "Two or more inputs side by side, along the channels."),
    layer("position_bias", "Adds a trained value for each position and channel."),
  ]

  private static func activationSummary(_ activation: Activation) -> String {
    switch activation {
    case .linear: "Gives its input on."
    case .relu: "The larger of 0 and x."
    case .leakyReLU: "x, or 0.2 · x below zero."
    case .elu: "x, or e^x − 1 below zero."
    case .gelu: "x times the normal distribution's share below x."
    case .silu: "x / (1 + e^−x), also called swish."
    case .softplus: "log(1 + e^x)."
    case .sigmoid: "1 / (1 + e^−x)."
    case .hardSigmoid: "x / 6 + 1/2, held between 0 and 1."
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
