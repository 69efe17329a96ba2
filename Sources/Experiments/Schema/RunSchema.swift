internal import Settings
internal import Training

/// The schema of a run's configuration.
enum RunSchema {
  static let root = ObjectSchema(
    "A run: the data, the network, how it is trained, and what is kept of it.",
    [
      Key(
        "extends", .path, .derived("nothing"), change: .free,
        "Another configuration that this one starts from: maps are merged key by key, lists and values replaced."
      ),
      Key("name", .name, .required, change: .free, "Names the folder of the run's results."),
      Key(
        "seed", .integer(0...Int.max), .scalar("0"),
        "Decides initial parameters, the order of samples and dropout."),
      Key("data", .object(data), .required, "Where the samples are."),
      Key("network", .object(network), .required, "The layers."),
      Key("training", .object(training), .required, "How the network learns."),
      Key(
        "checkpoints", .object(checkpoints), .emptyMap, change: .free,
        "When the state of the run is saved, and what is kept."),
      Key(
        "sweep", .sweep, .derived("no sweep"), change: .free,
        "What `convoy sweep` varies: a family of runs; see Sweeps above."),
    ])

  // MARK: - Data

  static let source = ObjectSchema(
    "Samples in an HDF5 file.",
    [
      Key("file", .path, .required, change: .free, "The HDF5 file; `convoy import` makes one."),
      Key("images", .text, .required, "Name of the dataset with the images, [N, H, W, C]."),
      Key(
        "labels", .text, .derived("required, or `targets`"),
        "Name of the dataset with the class of each sample, [N], whole numbers from 0."),
      Key(
        "targets", .text, .derived("required, or `labels`"),
        "Name of the dataset with what the network's outputs should be, [N, outputs], or [N] for one: numbers, or 0 and 1 for "
          + "labels that a sample has or not."),
      Key(
        "weights", .text, .derived("1 for each sample"),
        "Name of the dataset with the weight of each sample's loss, [N], numbers from 0. They are not divided by their sum."
      ),
    ])

  static let data = ObjectSchema(
    "The samples that a run trains and tests on.",
    [
      Key("train", .object(source), .required, "The samples to learn from."),
      Key(
        "test", .optional(word: "none", .object(source)), .scalar("none"),
        "The samples that measure the result after each epoch."),
      Key(
        "memory_limit", .byteSize, .scalar("1 GiB"), change: .free,
        "Samples that take no more than this are kept in memory; others are streamed, in the same order."),
      Key(
        "shuffle", .optional(word: "once", .boolean), .scalar("true"),
        "Whether each epoch has its own random order; `once` repeats the first one's, as Keras does when its seed is set."
      ),
      TrainingSchema.validationKey,
    ])

  // MARK: - Network

  static let network = ObjectSchema(
    "A graph of layers over one input image.",
    [
      Key(
        "input", .list(.integer(1...65_536), count: 1...3), .required,
        "Shape of one sample: [height, width, channels], or [channels]."),
      Key(
        "blocks", .blocks, .derived("no blocks"),
        "Groups of layers with a name and parameters, for use in `layers`."),
      Key(
        "layers", .layers, .required, "The layers, first to last; each takes the output of the one before."),
    ])

  // MARK: - Training

  static let training = ObjectSchema(
    "How the network learns.",
    [
      Key("epochs", .integer(1...1_000_000), .required, change: .extend, "Passes over the training samples."),
      Key("batch", .integer(1...1 << 20), .required, "Samples of one optimizer step."),
      Key(
        "shard", .optional(word: "auto", .integer(1...1 << 20)), .scalar("auto"),
        "Samples that a worker takes at once, at most `batch`; part of the numerics, unlike the number of workers."
      ),
      Key(
        "parallelism",
        .choice([
          Choice(word: "shards", summary: "each worker takes shards of its own"),
          Choice(
            word: "intra",
            summary:
              "all work on one sample after another, each on some channels; for fewer, large samples than workers"
          ),
        ]), .scalar("shards"),
        "How workers share a step; part of the numerics, unlike their number. `intra` takes shards of 1 and fp32."
      ),
      Key(
        "augmentation",
        .optional(word: "none", .list(.union(AugmentationSchema.steps), count: 1...32)), .scalar("none"),
        "How training samples are varied, in the order of the list; evaluation sees them as they are."),
      Key("loss", .union(LossSchema.loss), .required, "What is minimised."),
      LossSchema.metrics,
      Key("optimizer", .union(optimizer), .required, "The rule that turns gradients into new parameters."),
      Key(
        "base_batch", .optional(word: "none", .integer(1...1 << 20)), .scalar("none"),
        "The batch for which the learning rate is meant; it is multiplied by the samples of a step over this (Goyal 2017)."
      ),
      Key("schedule", .union(schedule), .scalar("constant"), "How the learning rate moves."),
      Key(
        "precision",
        .choice([
          Choice(word: "fp32", summary: "32-bit floating point"),
          Choice(word: "bf16", summary: "bfloat16 in kernels; parameters and sums stay fp32"),
        ]), .scalar("fp32"), "Number format of activations and weights in kernels."),
      Key(
        "tuning", .union(tuning), .scalar("model"),
        "How the kernel of each convolution is chosen. A run that is resumed keeps what it began with."),
      Key(
        "weight_decay_on",
        .choice([
          Choice(word: "all", summary: "every trainable parameter"),
          Choice(word: "kernels", summary: "kernels only, not biases and normalisations"),
        ]), .scalar("all"), "Which parameters the optimizer's weight decay acts on."),
      LossSchema.monitor,
      Key(
        "patience", .optional(word: "none", .integer(1...1_000_000)), .scalar("none"),
        "Stops early when `monitor` has not improved for this many epochs."),
      Key(
        "clipping", .union(clipping), .scalar("none"),
        "A bound on the minibatch's mean gradient, before the optimizer."),
      Key(
        "on_nonfinite", .union(nonFinite), .scalar("stop"),
        "What happens when the loss or a gradient is NaN or infinite."),
    ] + TrainingSchema.furtherKeys)

  static let learningRate = Key(
    "learning_rate", .number(.positive), .required, "Step width; the schedule scales it.")
  private static let weightDecay = Key(
    "weight_decay", .number(.nonNegative), .scalar("0"), "Added to the gradient: this times the parameter.")

  private static func adam(_ summary: String, decay: Key) -> Schema {
    .object(
      ObjectSchema(
        summary,
        [
          learningRate,
          Key("beta1", .number(.share), .scalar("0.9"), "Kept share of the gradient's running mean."),
          Key(
            "beta2", .number(.share), .scalar("0.999"), "Kept share of the squared gradient's running mean."),
          Key("epsilon", .number(.positive), .scalar("1e-7"), "Added to the root, against division by zero."),
          decay,
        ]))
  }

  static let optimizer = UnionSchema(
    "optimizer",
    [
      UnionSchema.Kind(
        "sgd",
        .object(
          ObjectSchema(
            "Stochastic gradient descent.",
            [
              learningRate,
              Key("momentum", .number(.share), .scalar("0"), "Kept share of the last update."),
              Key("nesterov", .boolean, .scalar("false"), "Looks ahead along the momentum."),
              Key(
                "weight_decay", .number(.nonNegative), .scalar("0"),
                "Parameters shrink by this times the learning rate in each step, as in Keras."),
            ])), "Stochastic gradient descent, with momentum."),
      UnionSchema.Kind(
        "adam", adam("Adam (Kingma & Ba 2015).", decay: weightDecay), "Adam (Kingma & Ba 2015)."),
      UnionSchema.Kind(
        "adamw",
        adam(
          "Adam with decoupled weight decay (Loshchilov & Hutter 2019).",
          decay: Key(
            "weight_decay", .number(.nonNegative), .scalar("0.004"),
            "Parameters shrink by this times the learning rate in each step.")),
        "Adam with decoupled weight decay (Loshchilov & Hutter 2019)."),
    ] + OptimizerSchema.adaptiveKinds)

  static let span = UnionSchema(
    "span",
    [
      UnionSchema.Kind(
        "epochs", .number(NumberRange(minimum: 0, minimumIsAllowed: false, maximum: 1_000_000)),
        "Epochs, also in part: `{epochs: 0.5}`."),
      UnionSchema.Kind("steps", .integer(1...1 << 40), "Optimizer steps."),
    ])

  static let warmup = Key(
    "warmup", .optional(word: "none", .union(span)), .scalar("none"),
    "The learning rate first rises from 0 in a straight line for this long.")

  static let schedule = UnionSchema(
    "schedule",
    [
      UnionSchema.Kind(
        "constant", .object(ObjectSchema("The learning rate stays.", [warmup])), "The learning rate stays."),
      UnionSchema.Kind(
        "step",
        .object(
          ObjectSchema(
            "The learning rate drops at given times.",
            [
              Key(
                "at", .list(.union(span), count: 1...1000), .required,
                "When it drops, counted from the start."),
              Key("factor", .number(.unit), .scalar("0.1"), "What it is multiplied by each time."),
              warmup,
            ])), "The learning rate drops at given times."),
      UnionSchema.Kind(
        "cosine",
        .object(
          ObjectSchema(
            "The learning rate falls along half a cosine.",
            [
              Key(
                "over", .optional(word: "run", .union(span)), .scalar("run"),
                "How long it falls; `run` is the whole training."),
              Key("floor", .number(.unit), .scalar("0"), "The share of the learning rate that it falls to."),
              warmup,
            ])), "The learning rate falls along half a cosine."),
    ] + ScheduleSchema.furtherKinds)

  static let clipping = UnionSchema(
    "clipping",
    [
      UnionSchema.Kind("none", nil, "Gradients are left as they are."),
      UnionSchema.Kind(
        "norm", .number(.positive), "All gradients are scaled so that their L2 norm is at most this."),
      UnionSchema.Kind("value", .number(.positive), "Each element is held within ± this."),
    ])

  static let tuning = UnionSchema(
    "tuning",
    [
      UnionSchema.Kind("model", nil, "A cost model over shapes: two fresh runs give the same bytes."),
      UnionSchema.Kind(
        "direct", nil,
        "Direct convolutions only, without Winograd's coarser rounding (at most 2e-4 of a tensor's largest element)."
      ),
      UnionSchema.Kind(
        "measured", nil, "Kernels are timed before the first step, once for each network and machine."),
      UnionSchema.Kind("file", .path, "Choices that `convoy tune --save` wrote."),
    ])

  static let nonFinite = UnionSchema(
    "policy",
    [
      UnionSchema.Kind("stop", nil, "The run ends with the last good checkpoint."),
      UnionSchema.Kind(
        "skip", .integer(1...1 << 40), "The step is left out, at most this many times in a run."),
    ])

  // MARK: - Checkpoints

  static let checkpoints = ObjectSchema(
    "When the state of the run is saved, and what is kept.",
    [
      Key(
        "every", .union(interval), .kind("epochs", "1"), change: .free, "How often a checkpoint is written."),
      Key("keep", .object(keep), .emptyMap, change: .free, "Which checkpoints stay."),
    ])

  static let interval = UnionSchema(
    "interval",
    [
      UnionSchema.Kind("epochs", .integer(1...1_000_000), "Whole epochs."),
      UnionSchema.Kind("steps", .integer(1...1 << 40), "Optimizer steps."),
      UnionSchema.Kind("minutes", .number(.positive), "Minutes of the clock."),
    ])

  static let keep = ObjectSchema(
    "Which checkpoints stay.",
    [
      Key(
        "last", .integer(2...1_000_000), .scalar("2"), change: .free,
        "The newest ones; at least 2, so that a verified one stands behind the newest."),
      Key(
        "best", .integer(0...1_000_000), .scalar("1"), change: .free,
        "The best ones by `monitor`, besides."),
    ])
}
