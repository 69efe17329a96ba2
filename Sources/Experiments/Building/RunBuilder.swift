internal import Datasets
internal import Networks
internal import Settings
internal import Tensors
internal import Training

/// Makes run values of resolved ones, which the schema has already checked.
///
/// Everything returns nil where a value is missing, which only happens while there are errors to report.
enum RunBuilder {
  static func run(_ root: ResolvedValue, network: Network) -> RunConfiguration? {
    guard let name = root["name"]?.text, let seed = root["seed"]?.integer,
      let data = root["data"].flatMap(data), let training = root["training"].flatMap(training),
      let checkpoints = root["checkpoints"].flatMap(checkpoints)
    else { return nil }
    var configuration = RunConfiguration(
      name: name, seed: UInt64(seed), data: data, network: network, training: training,
      checkpoints: checkpoints)
    if root["training"]?["monitor"] == nil, let resolved = try? network.resolved() {
      configuration.training.monitor = Monitor(usualFor: configuration.criterion(of: resolved))
    }
    return configuration
  }

  private static func source(_ value: ResolvedValue) -> SampleSource? {
    guard let file = value["file"]?.text, let images = value["images"]?.text else { return nil }
    let target: TargetName? =
      if let targets = value["targets"]?.text { .values(targets) } else {
        value["labels"]?.text.map { .labels($0) }
      }
    return target.map {
      SampleSource(file: file, images: images, target: $0, weights: value["weights"]?.text)
    }
  }

  private static func shuffling(_ value: ResolvedValue) -> Shuffling? {
    value.text == "once" ? .once : value.boolean.map { $0 ? .everyEpoch : .never }
  }

  private static func data(_ value: ResolvedValue) -> DataConfiguration? {
    guard let train = value["train"].flatMap(source), let limit = value["memory_limit"]?.byteSize,
      let shuffle = value["shuffle"].flatMap(shuffling)
    else { return nil }
    var configuration = DataConfiguration(
      train: train, test: value["test"].flatMap(source), memoryLimitBytes: limit, shuffle: shuffle)
    configuration.validation = TrainingSchema.heldOut(value["validation"])
    return configuration
  }

  // MARK: - Training

  private static func training(_ value: ResolvedValue) -> TrainingConfiguration? {
    guard let epochs = value["epochs"]?.integer, let batch = value["batch"]?.integer,
      let loss = value["loss"].flatMap(LossSchema.loss),
      let optimizer = value["optimizer"].flatMap(optimizer),
      let schedule = value["schedule"].flatMap(schedule),
      let precision = value["precision"]?.text.flatMap(Precision.init(rawValue:)),
      let clipping = value["clipping"].flatMap(clipping), let policy = value["on_nonfinite"].flatMap(policy),
      let scope = value["weight_decay_on"]?.text,
      let tuning = value["tuning"].flatMap(tuning), let augmentation = augmentation(value["augmentation"])
    else { return nil }
    var configuration = TrainingConfiguration(
      epochs: epochs, batch: batch, shard: value["shard"]?.integer, loss: loss,
      metrics: LossSchema.metrics(value), classWeights: LossSchema.classWeights(value["loss"]),
      optimizer: optimizer,
      schedule: schedule, precision: precision, clipping: clipping, nonFinite: policy,
      weightDecayScope: scope == "kernels" ? .kernels : .all,
      monitor: value["monitor"]?.text.flatMap(Monitor.init(name:)) ?? .accuracy,
      patience: value["patience"]?.integer, tuning: tuning, augmentation: augmentation,
      baseBatch: value["base_batch"]?.integer)
    if let way = value["parallelism"]?.text.flatMap(Parallelism.init(rawValue:)) {
      configuration.parallelism = way
    }
    TrainingSchema.apply(value, to: &configuration)
    return configuration
  }

  private static func augmentation(_ value: ResolvedValue?) -> Augmentation? {
    guard let list = value?.list else { return value.map { _ in .none } }
    let steps = list.compactMap(AugmentationSchema.step)
    return steps.count == list.count ? Augmentation(steps) : nil
  }

  private static func optimizer(_ value: ResolvedValue) -> OptimizerConfiguration? {
    guard let rate = value["learning_rate"]?.number, let decay = value["weight_decay"]?.number else {
      return nil
    }
    if value.kind == "sgd" {
      guard let momentum = value["momentum"]?.number, let nesterov = value["nesterov"]?.boolean else {
        return nil
      }
      return .sgd(learningRate: rate, momentum: momentum, nesterov: nesterov, weightDecay: decay)
    }
    guard value.kind == "adam" || value.kind == "adamw" else { return OptimizerSchema.optimizer(value) }
    guard let beta1 = value["beta1"]?.number, let beta2 = value["beta2"]?.number,
      let epsilon = value["epsilon"]?.number
    else { return nil }
    return .adam(
      learningRate: rate, beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: decay,
      decoupled: value.kind == "adamw")
  }

  static func span(_ value: ResolvedValue) -> TrainingSpan? {
    if let steps = value.payload?.integer { return .steps(steps) }
    return value.payload?.number.map { .epochs($0) }
  }

  private static func schedule(_ value: ResolvedValue) -> ScheduleConfiguration? {
    let warmup = value["warmup"].flatMap(span)
    switch value.kind {
    case "constant":
      return ScheduleConfiguration(curve: .constant, warmup: warmup)
    case "step":
      guard let times = value["at"]?.list, let factor = value["factor"]?.number else { return nil }
      return ScheduleConfiguration(curve: .step(at: times.compactMap(span), factor: factor), warmup: warmup)
    case "cosine":
      guard let floor = value["floor"]?.number else { return nil }
      return ScheduleConfiguration(
        curve: .cosine(over: value["over"].flatMap(span), floor: floor), warmup: warmup)
    default:
      return ScheduleSchema.curve(value).map { ScheduleConfiguration(curve: $0, warmup: warmup) }
    }
  }

  private static func clipping(_ value: ResolvedValue) -> GradientClipping? {
    switch value.kind {
    case "none": GradientClipping.none
    case "norm": value.payload?.number.map { .norm($0) }
    case "value": value.payload?.number.map { .value($0) }
    default: nil
    }
  }

  private static func tuning(_ value: ResolvedValue) -> TuningConfiguration? {
    switch value.kind {
    case "model": .model
    case "direct": .direct
    case "measured": .measured
    default: value.payload?.text.map { .file($0) }
    }
  }

  private static func policy(_ value: ResolvedValue) -> NonFinitePolicy? {
    value.kind == "stop" ? .stop : value.payload?.integer.map { .skip(atMost: $0) }
  }

  private static func checkpoints(_ value: ResolvedValue) -> CheckpointConfiguration? {
    guard let every = value["every"], let last = value["keep"]?["last"]?.integer,
      let best = value["keep"]?["best"]?.integer
    else { return nil }
    let interval: CheckpointConfiguration.Interval? =
      switch every.kind {
      case "epochs": every.payload?.integer.map { .epochs($0) }
      case "steps": every.payload?.integer.map { .steps($0) }
      default: every.payload?.number.map { .minutes($0) }
      }
    return interval.map { CheckpointConfiguration(every: $0, keepLast: last, keepBest: best) }
  }
}
