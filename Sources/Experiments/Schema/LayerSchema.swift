internal import Networks
internal import Settings

/// What a list of layers may hold: layers, with the settings that describe them and their places in the graph, and groups of layers.
enum LayerSchema {
  private static let name = Key(
    "name", .name, .derived("the layer's word, numbered"), "A name for the layer, unique in its list.")

  private static let placement = [
    name,
    Key(
      "inputs", .layerNames, .derived("the layer before"),
      "The layer's input: the names of earlier layers, or `input`."),
  ]

  /// Layers that join others have no input unless it is named.
  private static let joiningPlacement = [
    name,
    Key("inputs", .layerNames, .required, "Two or more earlier layers, or `input`: `[body, input]`."),
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
    "The same layers several times in a row; inside, `input` is whatever comes before each repetition.",
    [
      Key("times", .integer(1...1000), .required, "How many times the layers are repeated."),
      Key("layers", .layers, .required, "The layers to repeat."),
    ] + placement)

  static let block = ObjectSchema(
    "A small network to use as one layer; inside, `input` is whatever comes before it.",
    [
      Key(
        "parameters", .text, .derived("none"),
        "Words that the block's layers write as `$word`, each with its default, or `required`."),
      Key("layers", .layers, .required, "The block's layers; the last one is its output."),
    ])

  /// The keys of every use of a block, besides its parameters.
  static let use = ObjectSchema("A use of a block.", placement)
}
