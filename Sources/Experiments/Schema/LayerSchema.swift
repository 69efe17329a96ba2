internal import Networks
internal import Settings

/// What a list of layers may hold: layers, as they describe themselves, with their places in the graph, and groups of them.
enum LayerSchema {
  private static let name = Key(
    "name", .name, .derived("the layer's word, numbered"), "A name for the layer, unique where it stands.")

  private static let placement = [
    name,
    Key(
      "inputs", .layerNames, .derived("the layer before"),
      "Where the layer takes its input from: earlier layers, or `input`."),
  ]

  /// Layers that join have no input unless it is named.
  private static let joiningPlacement = [
    name,
    Key("inputs", .layerNames, .required, "Two or more layers before it, or `input`: `[body, input]`."),
  ]

  static let union = UnionSchema(
    "layer",
    LayerForm.all.map { form in
      let placement = form.inputCount.upperBound > 1 ? joiningPlacement : placement
      let object = ObjectSchema(form.settings.summary, form.settings.keys + placement)
      return UnionSchema.Kind(form.word, .object(object), object.summary)
    })

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
