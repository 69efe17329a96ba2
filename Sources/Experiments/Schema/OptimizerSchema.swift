internal import Settings
internal import Training

/// The optimizers besides SGD and Adam: how they are written, and what they become.
enum OptimizerSchema {
  private static let decay = Key(
    "weight_decay", .number(.nonNegative), .scalar("0"),
    "Parameters shrink by this times the learning rate in each step.")
  private static let layerDecay = Key(
    "weight_decay", .number(.nonNegative), .scalar("0"), "Added to the direction: this times the parameter.")

  private static func beta(_ name: String, _ value: String, _ summary: String) -> Key {
    Key(name, .number(.share), .scalar(value), summary)
  }

  private static func epsilon(_ value: String = "1e-7") -> Key {
    Key("epsilon", .number(.positive), .scalar(value), "Against division by zero.")
  }

  private static func kind(_ name: String, _ summary: String, _ keys: [Key]) -> UnionSchema.Kind {
    UnionSchema.Kind(name, .object(ObjectSchema(summary, [RunSchema.learningRate] + keys)), summary)
  }

  static let adaptiveKinds: [UnionSchema.Kind] = [
    kind(
      "rmsprop", "RMSprop (Tieleman & Hinton 2012).",
      [
        beta("rho", "0.9", "Kept share of the mean squared gradient."),
        beta("momentum", "0", "Kept share of the last update."), epsilon(),
        Key(
          "centered", .boolean, .scalar("false"),
          "Divides by the gradient's deviation from its mean instead of its size."), decay,
      ]),
    kind(
      "adagrad", "Adagrad (Duchi et al. 2011).",
      [
        Key(
          "initial_accumulator", .number(.nonNegative), .scalar("0.1"),
          "What the sum of squared gradients starts from."), epsilon(), decay,
      ]),
    kind(
      "adadelta", "Adadelta (Zeiler 2012); the paper's learning rate is 1.",
      [beta("rho", "0.95", "Kept share of the running means."), epsilon(), decay]),
    kind(
      "lion", "Lion (Chen et al. 2023): the sign of a mean gradient.",
      [
        beta("beta1", "0.9", "Share of the mean in the direction."),
        beta("beta2", "0.99", "Kept share of the gradient's running mean."), decay,
      ]),
    kind(
      "lars", "LARS (You et al. 2017), for large minibatches: steps in proportion to each parameter's norm.",
      [
        beta("momentum", "0.9", "Kept share of the last update."),
        Key(
          "trust", .number(.positive), .scalar("0.001"), "How large a step is against the parameter's norm."),
        Key("epsilon", .number(.nonNegative), .scalar("0"), "Against division by zero."), layerDecay,
      ]),
    kind(
      "lamb", "LAMB (You et al. 2020), for large minibatches: Adam with steps in proportion to each norm.",
      [
        beta("beta1", "0.9", "Kept share of the gradient's running mean."),
        beta("beta2", "0.999", "Kept share of the squared gradient's running mean."), epsilon(), layerDecay,
      ]),
  ]

  /// - Returns: nil for a kind that is not among ``adaptiveKinds``, or while values are missing.
  static func optimizer(_ value: ResolvedValue) -> OptimizerConfiguration? {
    func number(_ key: String) -> Double { value[key]?.number ?? .nan }
    guard value.payload != nil, let rate = value["learning_rate"]?.number,
      let decay = value["weight_decay"]?.number
    else { return nil }
    switch value.kind {
    case "rmsprop":
      return .rmsprop(
        learningRate: rate,
        RMSprop(
          rho: number("rho"), momentum: number("momentum"), epsilon: number("epsilon"),
          centered: value["centered"]?.boolean ?? false, weightDecay: decay))
    case "adagrad":
      return .adagrad(
        learningRate: rate,
        Adagrad(
          initialAccumulator: number("initial_accumulator"), epsilon: number("epsilon"), weightDecay: decay))
    case "adadelta":
      return .adadelta(
        learningRate: rate, Adadelta(rho: number("rho"), epsilon: number("epsilon"), weightDecay: decay))
    case "lion":
      return .lion(
        learningRate: rate, Lion(beta1: number("beta1"), beta2: number("beta2"), weightDecay: decay))
    case "lars":
      return .lars(
        learningRate: rate,
        LARS(
          momentum: number("momentum"), trustCoefficient: number("trust"), epsilon: number("epsilon"),
          weightDecay: decay))
    case "lamb":
      return .lamb(
        learningRate: rate,
        LAMB(
          beta1: number("beta1"), beta2: number("beta2"), epsilon: number("epsilon"), weightDecay: decay))
    default: return nil
    }
  }
}
