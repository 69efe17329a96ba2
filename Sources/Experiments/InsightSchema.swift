/// The schema of a configuration that looks into a trained network.
enum InsightSchema {
  static let root = ObjectSchema(
    "A look into a trained network: `convoy visualize run` takes it.",
    [
      Key("name", .name, .required, change: .free, "Names the folder of the results."),
      Key("seed", .integer(0...Int.max), .scalar("0"), "Decides noise and shifts."),
      Key(
        "checkpoint", .path, .required,
        "A checkpoint file or a run directory, of which the best one is taken."),
      Key("black", .number(.any), .scalar("0"), "What a black pixel is to the network."),
      Key("white", .number(.any), .scalar("255"), "What a white pixel is to the network."),
      Key("job", .union(job), .required, "What is done."),
    ])

  static let job = UnionSchema(
    "job",
    [
      UnionSchema.Kind(
        "maximize", .object(maximize), "Images that excite filters, units or classes most.")
    ])

  static let maximize = ObjectSchema(
    "Gradient ascent on pixels, which count from 0 (black) to 1 (white).",
    [
      Key("target", .union(target), .required, "What is to be excited."),
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
        "jitter", .integer(0...1000), .scalar("0"), "Largest shift of the image before each step, in pixels."),
      Key(
        "blur", .number(NumberRange(minimum: 0, maximum: 50)), .scalar("0"),
        "Standard deviation of a blur after every fourth step, in pixels."),
      Key(
        "start",
        .choice([
          Choice(word: "noise", summary: "mid-grey with a little noise"),
          Choice(word: "grey", summary: "mid-grey"),
          Choice(word: "black", summary: "black"),
        ]), .scalar("noise"), "The image that the first step starts from."),
      Key(
        "parameterization",
        .choice([
          Choice(word: "pixels", summary: "the pixels, held in 0…1"),
          Choice(word: "sigmoid", summary: "their logits: none ever sticks to black or white"),
        ]), .scalar("pixels"), "What the ascent changes."),
      Key(
        "warm_up", .optional(word: "auto", .integer(0...1_000_000)), .scalar("auto"),
        "First steps in which sums are raised before their activation cuts them off; `auto` is half of the steps."
      ),
      Key(
        "attempts", .integer(1...100), .scalar("2"),
        "Tries from other noise, every second one without warm-up; the best image counts."),
    ])

  private static let which = Key(
    "which", .text, .scalar("all"), "Numbers and ranges such as `0,5,10-12`, or `all`.")

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
}
