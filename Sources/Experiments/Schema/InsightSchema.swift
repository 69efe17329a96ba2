internal import Settings

/// The schema of a configuration that looks into a trained network.
enum InsightSchema {
  static let root = ObjectSchema(
    "A look into a trained network: `convoy visualize run` takes it.",
    [
      Key(
        "extends", .path, .derived("nothing"), change: .free,
        "Another look that this one starts from: maps are merged key by key, lists and values replaced."),
      Key("name", .name, .required, change: .free, "Names the folder of the results."),
      Key("seed", .integer(0...Int.max), .scalar("0"), "Decides noise and shifts."),
      Key(
        "checkpoint", .path, .required,
        "A checkpoint file or a run directory, of which the best one is taken."),
      Key("black", .number(.any), .scalar("0"), "What a black pixel is to the network."),
      Key("white", .number(.any), .scalar("255"), "What a white pixel is to the network."),
      Key(
        "large_images", .boolean, .scalar("false"), change: .free,
        "Whether images of more than 40 megapixels are read."),
      Key("job", .union(job), .required, "What is done."),
    ])

  static let job = UnionSchema(
    "job",
    [
      UnionSchema.Kind("filters", .object(filters), "The kernels of a convolution."),
      UnionSchema.Kind("maps", .object(maps), "What filters give for an image."),
      UnionSchema.Kind("examples", .object(examples), "The images of a dataset that excite filters most."),
      UnionSchema.Kind(
        "maximize", .object(maximize), "Images that excite filters, units or classes most."),
      UnionSchema.Kind("gallery", .object(gallery), "One page of everything."),
      UnionSchema.Kind("explain", .object(explain), "Which parts of an image a prediction rests on."),
      UnionSchema.Kind(
        "dream", .object(dream), "Deep Dream: whatever layers see in a picture, they see more of."),
      UnionSchema.Kind("style", .object(style), "One picture painted in the manner of another."),
    ])

  // MARK: - Looking

  private static func layer(_ otherwise: String) -> Key {
    Key("layer", .optional(word: "auto", .name), .scalar("auto"), "A layer; `auto` is \(otherwise).")
  }

  private static let which = Key(
    "which", .text, .scalar("all"), "Numbers and ranges such as `0,5,10-12`, or `all`.")

  private static let image = Key("image", .path, .required, "A PNG or JPEG file.")

  static let filters = ObjectSchema(
    "Kernels as one picture.", [layer("the first convolution"), which])

  static let maps = ObjectSchema(
    "Feature maps of an image, each with the sum over it.",
    [
      image, layer("the last convolution"), which,
      Key(
        "contrast",
        .choice([
          Choice(word: "shared", summary: "white is the largest value of all maps"),
          Choice(word: "each", summary: "white is the largest value of each map"),
        ]), .scalar("shared"), "What is white."),
    ])

  static let data = ObjectSchema(
    "Samples in an HDF5 file.",
    [
      Key("file", .path, .required, "The dataset file."),
      Key("images", .text, .scalar("test/images"), "Images in the file."),
      Key("labels", .text, .scalar("test/labels"), "Labels in the file."),
    ])

  private static let samples = Key("data", .object(data), .required, "Where the images are.")

  static let examples = ObjectSchema(
    "Images ranked by the sum over each filter's map.",
    [
      samples, layer("the last convolution"), which,
      Key("top", .integer(1...100), .scalar("8"), "Images for each filter."),
    ])

  static let explain = ObjectSchema(
    "Saliency, Grad-CAM and occlusion over an image.",
    [
      image,
      Key(
        "class", .optional(word: "auto", .text), .scalar("auto"),
        "A class by name or number; `auto` is the most probable one."),
      layer("the last convolution"),
      Key(
        "patch", .optional(word: "auto", .integer(1...100_000)), .scalar("auto"),
        "Side of the covered square; `auto` is a quarter of the image."),
      Key(
        "stride", .optional(word: "auto", .integer(1...100_000)), .scalar("auto"),
        "From square to square; `auto` is a third of the patch."),
    ])

  // MARK: - Ascent

  static let maximize = ObjectSchema(
    "Gradient ascent on an image, whose pixels count from 0 (black) to 1 (white).",
    [Key("target", .union(target), .required, "What is to be excited.")] + ascent)

  static let gallery = ObjectSchema(
    "An HTML page that holds everything it needs; ascents are as in `maximize`.",
    [
      samples,
      Key("filters", .integer(1...4096), .scalar("64"), "At most so many filters of a layer."),
      Key("top", .integer(1...64), .scalar("4"), "Images that excite each filter."),
      Key("inputs", .integer(1...200), .scalar("10"), "Images that can flow through the layers."),
    ] + ascent)

  private static let ascent = [
    Key("steps", .integer(1...1_000_000), .scalar("200"), "Steps of each ascent."),
    Key(
      "optimizer",
      .choice([
        Choice(word: "adam", summary: "Adam"), Choice(word: "sgd", summary: "the gradient, normalised"),
      ]), .scalar("adam"), "How a gradient becomes a step."),
    Key(
      "rate", .optional(word: "auto", .number(.positive)), .scalar("auto"),
      "Size of a step; `auto` is 0.05 for adam and 0.02 for sgd."),
    Key("l1", .number(.nonNegative), .scalar("0"), "This times the sum of |x| is subtracted."),
    Key("l2", .number(.nonNegative), .scalar("0"), "This times the sum of (x − 0.5)² is subtracted."),
    Key(
      "total_variation", .number(.nonNegative), .scalar("0"),
      "This times the total variation is subtracted."),
    Key(
      "parameterization",
      .optional(
        word: "auto",
        .choice([
          Choice(word: "pixels", summary: "the pixels, held in 0…1"),
          Choice(word: "sigmoid", summary: "their logits: none ever sticks to black or white"),
          Choice(
            word: "fourier",
            summary: "waves in decorrelated colours: coarse shapes change as easily as fine ones"),
        ])), .scalar("auto"),
      "What the ascent changes; `auto` is pixels, and fourier for images of 64 pixels and more."),
    Key(
      "jitter", .optional(word: "auto", .integer(0...1000)), .scalar("auto"),
      "Largest shift of the image before each step, in pixels; `auto` is 0, and 8 for images of 64 pixels and more."
    ),
    Key(
      "scale", .optional(word: "auto", .number(NumberRange(minimum: 0, maximum: 0.9))), .scalar("auto"),
      "The image is shown larger or smaller by up to this; `auto` is 0, and 0.1 for images of 64 pixels and more."
    ),
    Key(
      "rotation", .optional(word: "auto", .number(NumberRange(minimum: 0, maximum: 180))), .scalar("auto"),
      "The image is turned by up to so many degrees; `auto` is 0, and 5 for images of 64 pixels and more."),
    Key(
      "blur", .number(NumberRange(minimum: 0, maximum: 50)), .scalar("0"),
      "Standard deviation of a blur after every fourth step, in pixels."),
    Key(
      "start",
      .union(
        UnionSchema(
          "start",
          [
            UnionSchema.Kind("noise", nil, "Mid-grey with a little noise."),
            UnionSchema.Kind("grey", nil, "Mid-grey."), UnionSchema.Kind("black", nil, "Black."),
            UnionSchema.Kind("image", .path, "A PNG or JPEG file."),
          ])), .scalar("noise"), "The image that the first step starts from."),
    Key(
      "warm_up", .optional(word: "auto", .integer(0...1_000_000)), .scalar("auto"),
      "First steps in which sums are raised before their activation cuts them off; `auto` is half of the steps."
    ),
    Key(
      "attempts", .integer(1...100), .scalar("2"),
      "Tries from other noise, every second one without warm-up; the best image counts."),
  ]

  static let target = UnionSchema(
    "target",
    [
      UnionSchema.Kind(
        "filters",
        .object(
          ObjectSchema(
            "Sums over the maps of filters.",
            [Key("layer", .name, .required, "A layer that gives maps."), which])),
        "Filters of a layer that gives maps."),
      UnionSchema.Kind(
        "neurons",
        .object(
          ObjectSchema(
            "Units of a layer.", [Key("layer", .name, .required, "A layer that gives a vector."), which])),
        "Units of a layer that gives a vector."),
      UnionSchema.Kind(
        "classes",
        .object(
          ObjectSchema(
            "Outputs before softmax.",
            [Key("which", .text, .scalar("all"), "Names or numbers, separated by commas, or `all`.")])),
        "Outputs of the network, before softmax."),
    ])

  // MARK: - Pictures

  private static func layers(_ name: String, _ summary: String) -> Key {
    let layer = ObjectSchema(
      "A layer with its weight.",
      [
        Key("name", .name, .required, "A layer that gives maps."),
        Key("weight", .number(.any), .scalar("1"), "How much it counts."),
      ])
    return Key(
      name, .optional(word: "auto", .list(.object(layer), count: 1...100)), .scalar("auto"),
      "\(summary), each `{name: …, weight: …}`; `auto` takes what suits the network.")
  }

  private static let side = 1...100_000

  private static let saveEvery = Key(
    "save_every", .number(.positive), .scalar("5"), change: .free,
    "Minutes between states that are saved on the way; a signal that stops it saves one, too.")

  static let dream = ObjectSchema(
    "Deep Dream; the activations themselves are taken as the gradient.",
    [
      image, layers("layers", "What dreams"),
      Key(
        "guide", .optional(word: "none", .path), .scalar("none"),
        "A picture whose features are enhanced instead of the strongest."),
      Key("steps", .integer(1...1_000_000), .scalar("10"), "Steps at each size."),
      Key("rate", .number(.positive), .scalar("1.5"), "Change of a pixel of 0…255 by a mean gradient."),
      Key("octaves", .integer(1...100), .scalar("4"), "Sizes at which the picture is dreamt upon."),
      Key(
        "octave_scale", .number(NumberRange(minimum: 1, minimumIsAllowed: false, maximum: 10)),
        .scalar("1.4"), "From one size to the next."),
      Key("jitter", .integer(0...10_000), .scalar("32"), "Largest shift before each step, in pixels."),
      Key("tile", .integer(32...100_000), .scalar("512"), "Largest side of a tile; bounds the memory."),
      Key(
        "size", .optional(word: "auto", .integer(side)), .scalar("auto"),
        "Longer side of the result; `auto` keeps the picture's own."),
      Key(
        "frames", .integer(1...1_000_000), .scalar("1"), change: .extend,
        "Frames of a zoom into the dream, each dreamt upon again."),
      Key(
        "zoom", .number(NumberRange(minimum: 1, maximum: 10)), .scalar("1.05"),
        "How much a frame of the zoom grows."),
      saveEvery,
    ])

  static let style = ObjectSchema(
    "The content is held by what filters give, the style by how they go together.",
    [
      Key("content", .path, .required, "The picture whose content is kept."),
      Key("style", .path, .required, "The picture whose style is taken."),
      Key(
        "size", .integer(side), .scalar("512"),
        "Longer side of the result; smaller pictures stay as they are."),
      Key(
        "style_size", .optional(word: "auto", .integer(side)), .scalar("auto"),
        "Longer side of the style picture; `auto` is as `size`."),
      Key("steps", .integer(1...1_000_000), .scalar("200"), change: .extend, "Steps."),
      Key(
        "optimizer",
        .union(
          UnionSchema(
            "optimizer",
            [
              UnionSchema.Kind("lbfgs", nil, "L-BFGS with a line search."),
              UnionSchema.Kind(
                "adam",
                .object(
                  ObjectSchema(
                    "Adam.",
                    [Key("rate", .number(.positive), .scalar("2"), "In pixels of 0…255 a step.")])),
                "Adam."),
            ])), .scalar("lbfgs"), "How the loss is brought down."),
      layers("content_layers", "What holds the content"),
      layers("style_layers", "What holds the style"),
      Key(
        "content_weight", .optional(word: "auto", .number(.nonNegative)), .scalar("auto"),
        "Weight of the content; `auto` is the network's."),
      Key(
        "style_weight", .optional(word: "auto", .number(.nonNegative)), .scalar("auto"),
        "Weight of the style; `auto` is the network's."),
      Key(
        "total_variation", .number(.nonNegative), .scalar("0"),
        "Weight of the total variation, which smooths."),
      Key(
        "start",
        .union(
          UnionSchema(
            "start",
            [
              UnionSchema.Kind("content", nil, "The picture whose content is kept."),
              UnionSchema.Kind("noise", nil, "Noise."),
              UnionSchema.Kind("image", .path, "A PNG or JPEG file."),
            ])), .scalar("content"), "Where to start."),
      Key(
        "keep_colour", .boolean, .scalar("false"),
        "Keep the colours of the content, and take the brightness alone."),
      Key(
        "picture_every", .optional(word: "never", .integer(1...1_000_000)), .scalar("never"), change: .free,
        "Steps between pictures that are written on the way."),
      Key(
        "kernels",
        .choice([
          Choice(word: "fast", summary: "Winograd's where they are faster"),
          Choice(word: "direct", summary: "direct convolutions alone, which round more finely"),
        ]), .scalar("fast"), "Which kernels compute the convolutions."),
      saveEvery,
    ])
}
