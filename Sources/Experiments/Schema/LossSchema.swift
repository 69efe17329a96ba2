internal import Compute
internal import Settings
internal import Training

/// The part of the schema about losses and figures, and what it means.
enum LossSchema {
  private static let smoothing = Key(
    "label_smoothing", .number(NumberRange(minimum: 0, maximum: 0.99)), .scalar("0"),
    "This share of each target is spread over all classes; over yes and no for labels.")

  private static let classWeights = Key(
    "class_weights",
    .optional(
      word: "none", .optional(word: "balanced", .list(.number(.nonNegative), count: 1...1_000_000))),
    .derived("1 for each class"),
    "What the training loss of each class, or label, is multiplied by, in their order; `balanced` weighs classes in inverse "
      + "proportion to their samples.")

  static let loss = UnionSchema(
    "loss",
    [
      UnionSchema.Kind(
        "softmax_cross_entropy",
        .object(
          ObjectSchema(
            "Cross-entropy of the labels against the softmax of the outputs, averaged over the minibatch.",
            [smoothing, classWeights])),
        "One class for each sample. The network ends in one output per class, with or without softmax: the loss does it in one."
      ),
      UnionSchema.Kind(
        "sigmoid_cross_entropy",
        .object(
          ObjectSchema(
            "Cross-entropy of 0 and 1 against the sigmoid of each output, averaged over outputs and minibatch.",
            [smoothing, classWeights])),
        "Labels that a sample has or not, each decided by itself. The network ends in one output per label, with or without "
          + "sigmoid: the loss does it in one."),
      UnionSchema.Kind(
        "mean_squared_error", nil, "Numbers: the squared difference, averaged over outputs and minibatch."),
      UnionSchema.Kind(
        "mean_absolute_error", nil, "Numbers: the absolute difference, averaged over outputs and minibatch."),
      UnionSchema.Kind(
        "huber",
        .object(
          ObjectSchema(
            "Half the squared difference where it is small, in proportion to the difference beyond.",
            [
              Key(
                "delta", .number(.positive), .scalar("1"),
                "The difference at which one goes over into the other.")
            ])),
        "Numbers: squared differences, of which those beyond `delta` count in proportion only."),
    ])

  private static let choices: [Choice] = [
    Choice(word: "accuracy", summary: "share of samples (of labels: of decisions) that are right"),
    Choice(word: "top_2_accuracy", summary: "the class is among the 2 largest outputs"),
    Choice(word: "top_3_accuracy", summary: "the class is among the 3 largest outputs"),
    Choice(word: "top_5_accuracy", summary: "the class is among the 5 largest outputs"),
    Choice(word: "top_10_accuracy", summary: "the class is among the 10 largest outputs"),
    Choice(word: "exact_match", summary: "all labels of the sample are right"),
    Choice(word: "precision", summary: "mean over the classes or labels"),
    Choice(word: "recall", summary: "mean over the classes or labels"),
    Choice(word: "f1", summary: "mean over the classes or labels"),
    Choice(word: "mean_absolute_error", summary: "lower is better"),
    Choice(word: "mean_squared_error", summary: "lower is better"),
    Choice(word: "root_mean_squared_error", summary: "lower is better"),
    Choice(word: "r2", summary: "1 is perfect, 0 no better than the mean"),
  ]

  static let metrics = Key(
    "metrics", .list(.choice(choices), count: 1...16),
    .derived(
      "accuracy for classes; accuracy, precision, recall and f1 for labels; mean_absolute_error, "
        + "root_mean_squared_error and r2 for numbers"),
    "Figures beside the loss, in this order in tables. Each sample counts once, whatever its weight.")

  static let monitor = Key(
    "monitor", .choice([Choice(word: "loss", summary: "lower is better")] + choices),
    .derived("accuracy where it is among the metrics, otherwise loss"),
    "The test figure (the training figure without test data) by which the best epoch is known: `loss` or one of the metrics."
  )

  // MARK: - Values

  static func loss(_ value: ResolvedValue) -> Loss? {
    let smoothing = value["label_smoothing"]?.number.map { Float($0) }
    switch value.kind {
    case "softmax_cross_entropy": return smoothing.map { .softmaxCrossEntropy(labelSmoothing: $0) }
    case "sigmoid_cross_entropy": return smoothing.map { .sigmoidCrossEntropy(labelSmoothing: $0) }
    case "mean_squared_error": return .meanSquaredError
    case "mean_absolute_error": return .meanAbsoluteError
    case "huber": return value["delta"]?.number.map { .huber(delta: Float($0)) }
    default: return nil
    }
  }

  static func classWeights(_ loss: ResolvedValue?) -> ClassWeights {
    guard let value = loss?["class_weights"] else { return .equal }
    if let list = value.list { return .given(list.compactMap(\.number)) }
    return value.text == "balanced" ? .balanced : .equal
  }

  /// - Returns: nil where none are named.
  static func metrics(_ training: ResolvedValue?) -> [Metric]? {
    training?["metrics"]?.list.map { $0.compactMap { $0.text.flatMap(Metric.init(name:)) } }
  }
}
