internal import Settings
internal import Training

/// The schedules besides constant, step and cosine: how they are written, and what they become.
enum ScheduleSchema {
  private static let over = Key(
    "over", .optional(word: "run", .union(RunSchema.span)), .scalar("run"),
    "How long it falls; `run` is the whole training.")
  private static let floor = Key(
    "floor", .number(.unit), .scalar("0"), "The share of the learning rate that it falls to.")

  private static func kind(_ name: String, _ summary: String, _ keys: [Key]) -> UnionSchema.Kind {
    UnionSchema.Kind(name, .object(ObjectSchema(summary, keys + [RunSchema.warmup])), summary)
  }

  static let furtherKinds: [UnionSchema.Kind] = [
    kind(
      "exponential", "The learning rate falls by the same factor over equal times.",
      [
        Key("every", .union(RunSchema.span), .required, "The time over which it falls by the factor."),
        Key("factor", .number(.unit), .required, "What it is multiplied by over that time."),
        Key("staircase", .boolean, .scalar("false"), "Whether it falls at the end of each time, not evenly."),
      ]),
    kind(
      "polynomial", "The learning rate falls along a power of the time that is left; 1 is a straight line.",
      [Key("power", .number(.positive), .scalar("1"), "The exponent."), over, floor]),
    kind(
      "cosine_restarts", "Half cosines one after another (Loshchilov & Hutter 2017).",
      [
        Key("first", .union(RunSchema.span), .required, "How long the first one is."),
        Key(
          "stretch", .number(NumberRange(minimum: 1, maximum: 100)), .scalar("2"),
          "How many times as long each is as the one before."),
        Key("shrink", .number(.unit), .scalar("1"), "How many times as high each begins as the one before."),
        floor,
      ]),
    UnionSchema.Kind(
      "one_cycle",
      .object(
        ObjectSchema(
          "The learning rate rises to its value and falls again, both along half a cosine (Smith & Topin 2018).",
          [
            Key(
              "rise", .number(NumberRange(minimum: 0, maximum: 1, maximumIsAllowed: false)), .scalar("0.3"),
              "The share of the run in which it rises."),
            Key(
              "start", .number(.unit), .scalar("0.04"), "The share of the learning rate that it starts from."),
            Key("end", .number(.unit), .scalar("4e-6"), "The share of the learning rate that it ends with."),
          ])), "The learning rate rises to its value and falls again (Smith & Topin 2018)."),
    TrainingSchema.plateau,
  ]

  /// - Returns: nil for a kind that is not among ``furtherKinds``, or while values are missing.
  static func curve(_ value: ResolvedValue) -> ScheduleConfiguration.Curve? {
    func number(_ key: String) -> Double? { value[key]?.number }
    func span(_ key: String) -> TrainingSpan? { value[key].flatMap(RunBuilder.span) }
    switch value.kind {
    case "exponential":
      guard let every = span("every"), let factor = number("factor"),
        let staircase = value["staircase"]?.boolean
      else { return nil }
      return .exponential(every: every, factor: factor, staircase: staircase)
    case "polynomial":
      guard let power = number("power"), let floor = number("floor") else { return nil }
      return .polynomial(over: span("over"), power: power, floor: floor)
    case "cosine_restarts":
      guard let first = span("first"), let stretch = number("stretch"), let shrink = number("shrink"),
        let floor = number("floor")
      else { return nil }
      return .cosineRestarts(first: first, stretch: stretch, shrink: shrink, floor: floor)
    case "one_cycle":
      guard let rise = number("rise"), let start = number("start"), let end = number("end") else {
        return nil
      }
      return .oneCycle(rise: rise, start: start, end: end)
    case "plateau": return TrainingSchema.plateau(value)
    default: return nil
    }
  }
}
