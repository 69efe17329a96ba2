internal import Datasets
internal import Settings
internal import Training

/// What a training can do besides minimising a loss: how it is written, and what it becomes.
enum TrainingSchema {
  static let movingAverage = ObjectSchema(
    "A running average of the parameters: evaluation, the best checkpoint and the Keras model use it.",
    [
      Key(
        "decay", .number(.share), .scalar("0.999"),
        "Kept share of the average in each step, Keras's `ema_momentum`."),
      Key(
        "rise", .boolean, .scalar("false"),
        "Whether the kept share begins low: at most (1 + t) / (10 + t) in step t, for short trainings."),
    ])

  static let maxNorm = ObjectSchema(
    "A bound on the L2 norm of each filter or unit, after each step.",
    [
      Key("limit", .number(.positive), .required, "What the norm is at most."),
      Key(
        "layers", .list(.text, count: 1...1000), .derived("every layer with a kernel"),
        "Names of layers; `*` stands for any characters: `[\"dense*\"]`."),
    ])

  static let decayRule = ObjectSchema(
    "How much of the weight decay acts on some parameters.",
    [
      Key(
        "match", .text, .required,
        "A layer, `stage.1.*`, or a layer and its parameter, `\"*/bias\"`; `*` stands for any characters."),
      Key("scale", .number(.nonNegative), .required, "What the weight decay is multiplied by; 0 is none."),
    ])

  static let limits = ObjectSchema(
    "Bounds on the minibatches of an epoch, for quick trials and for data that is never through.",
    [
      Key(
        "training", .optional(word: "none", .integer(1...1 << 40)), .scalar("none"),
        "Minibatches of a training epoch; others in each epoch where each has its own order."),
      Key(
        "evaluation", .optional(word: "none", .integer(1...1 << 40)), .scalar("none"),
        "Minibatches of an evaluation: the first ones."),
    ])

  static let validation = ObjectSchema(
    "Training samples that are held out. They take the place of the test samples after each epoch, for the best "
      + "checkpoint, early stopping and plateau; the test samples are only evaluated at the end.",
    [
      Key(
        "fraction",
        .number(NumberRange(minimum: 0, minimumIsAllowed: false, maximum: 1, maximumIsAllowed: false)),
        .derived("either this or `count`"), "Their share of the training samples."),
      Key(
        "count", .integer(1...1 << 31), .derived("either this or `fraction`"), "How many they are."),
      Key(
        "take",
        .choice([
          Choice(word: "stratified", summary: "of each class its share, by chance"),
          Choice(word: "random", summary: "by chance"), Choice(word: "first", summary: "the first rows"),
          Choice(word: "last", summary: "the last rows, as Keras's `validation_split` does"),
        ]), .scalar("stratified"),
        "Which ones: of each class its share, any, the first, or the last ones of the file."),
      Key(
        "seed", .integer(0...Int.max), .scalar("0"),
        "Decides which ones by itself: runs with other seeds hold out the same samples."),
    ])

  /// A key of `data`.
  static let validationKey = Key(
    "validation", .optional(word: "none", .object(validation)), .scalar("none"),
    "Training samples that are held out to compare epochs by, so that the test samples stay unseen.")

  /// Keys of `training` that stand behind the others.
  static let furtherKeys: [Key] = [
    Key(
      "accumulate", .integer(1...65_536), .scalar("1"),
      "Minibatches of one optimizer step: to the byte what a `batch` so many times as large gives."),
    Key(
      "limits", .object(limits), .emptyMap, "Bounds on the minibatches of an epoch."),
    Key(
      "overfit_batches", .optional(word: "none", .integer(1...1 << 20)), .scalar("none"),
      "Trains on the first so many minibatches again and again, without augmentation, to see whether the network can learn "
        + "them; `convoy train --overfit-batches`."),
    Key(
      "ema", .optional(word: "none", .object(movingAverage)), .scalar("none"),
      "A running average of the parameters, which evaluation uses in their place."),
    Key(
      "max_norm", .optional(word: "none", .object(maxNorm)), .scalar("none"),
      "A bound on the norm of each filter or unit (Srivastava 2014)."),
    Key(
      "weight_decay_rules", .optional(word: "none", .list(.object(decayRule), count: 1...1000)),
      .scalar("none"),
      "Weight decay by layers; the first rule for a parameter counts, `weight_decay_on` where there is none."),
  ]

  static let plateau = UnionSchema.Kind(
    "plateau",
    .object(
      ObjectSchema(
        "The learning rate falls when `monitor` no longer improves.",
        [
          Key(
            "factor",
            .number(
              NumberRange(minimum: 0, minimumIsAllowed: false, maximum: 1, maximumIsAllowed: false)),
            .scalar("0.1"), "What it is multiplied by each time."),
          Key(
            "patience", .integer(1...1_000_000), .scalar("10"), "Epochs without a gain after which it falls."),
          Key(
            "min_gain", .number(.nonNegative), .scalar("1e-4"),
            "A figure must be better by more than this to be a gain."),
          Key(
            "cooldown", .integer(0...1_000_000), .scalar("0"),
            "Epochs after a fall of which the last one counts again, as in Keras."),
          Key(
            "floor", .number(.unit), .scalar("0"), "The share of the learning rate that it falls to at most."),
          RunSchema.warmup,
        ])), "The learning rate falls when `monitor` no longer improves (Keras's `ReduceLROnPlateau`).")

  // MARK: - Values

  static func plateau(_ value: ResolvedValue) -> ScheduleConfiguration.Curve? {
    guard let factor = value["factor"]?.number, let patience = value["patience"]?.integer,
      let gain = value["min_gain"]?.number, let cooldown = value["cooldown"]?.integer,
      let floor = value["floor"]?.number
    else { return nil }
    return .plateau(
      Plateau(factor: factor, patience: patience, minimumGain: gain, cooldown: cooldown, floor: floor))
  }

  static func heldOut(_ value: ResolvedValue?) -> HeldOut? {
    guard let value, let choice = value["take"]?.text.flatMap(HeldOut.Choice.init(rawValue:)),
      let seed = value["seed"]?.integer
    else { return nil }
    let amount: HeldOut.Amount? =
      if let share = value["fraction"]?.number { .fraction(share) } else {
        value["count"]?.integer.map { .count($0) }
      }
    return amount.map { HeldOut($0, choice: choice, seed: UInt64(seed)) }
  }

  /// Reads the further keys into a configuration.
  static func apply(_ value: ResolvedValue, to training: inout TrainingConfiguration) {
    if let average = value["ema"], let decay = average["decay"]?.number {
      training.average = MovingAverage(decay: decay, rises: average["rise"]?.boolean ?? false)
    }
    if let bound = value["max_norm"], let limit = bound["limit"]?.number {
      training.maxNorm = MaxNorm(
        limit: limit, patterns: bound["layers"]?.list?.compactMap(\.text).map(ParameterPattern.init))
    }
    if let accumulate = value["accumulate"]?.integer { training.accumulate = accumulate }
    training.trainingLimit = value["limits"]?["training"]?.integer
    training.evaluationLimit = value["limits"]?["evaluation"]?.integer
    training.overfitBatches = value["overfit_batches"]?.integer
    if training.overfitBatches != nil { training.augmentation = .none }
    training.weightDecayRules = (value["weight_decay_rules"]?.list ?? []).compactMap { rule in
      guard let pattern = rule["match"]?.text, let scale = rule["scale"]?.number else { return nil }
      return WeightDecayRule(ParameterPattern(pattern), scale: scale)
    }
  }
}
