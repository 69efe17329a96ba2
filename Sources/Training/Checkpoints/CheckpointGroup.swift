internal import Compute
internal import Datasets
internal import HDF5
internal import Networks
internal import Tensors
internal import Texts

/// The group `/convoy` of a checkpoint: what exact resuming needs and Keras has no place for.
///
///     /convoy              attributes: format_version, name, run_id, configuration, network (JSON), class_names,
///                          criterion (JSON), instruction_set, shard_size, kernel_choices, choices_cover_every_shard (absent in
///                          earlier versions), versions, datasets, pixels, start, and pictures, text or sound (each "key=value"),
///                          channel_names (where known)
///     /convoy/vocabulary   the words by number, where the samples were texts
///     /convoy/state        attributes: step, epoch, position, …; a dataset sums: the epoch's figures so far
///     /convoy/optimizer    attributes: slots, stateless (parameters without a state, where there are some); a dataset
///                          <slot>/<layer>/<parameter> for each other one, shaped as the parameter
///     /convoy/trained      a dataset <layer>/<parameter> each, where the model's weights are a running average: the
///                          parameters that training goes on with
enum CheckpointGroup {
  static let name = "convoy"
  private static let state = "state"
  private static let optimizer = "optimizer"
  private static let sums = "sums"
  private static let trained = "trained"
  private static let pixels = "pixels"
  private static let coverage = "choices_cover_every_shard"
  private static let rules = "rules"
  private static let start = "start"
  private static let stateless = "stateless"
  private static let channels = "channel_names"

  // MARK: - Writing

  static func write(_ checkpoint: Checkpoint, to group: Group) throws {
    let identity = checkpoint.identity
    let attributes = group.attributes
    try attributes.write("format_version", CheckpointHeader.formatVersion)
    try attributes.write("name", checkpoint.name)
    try attributes.write("run_id", identity.runID)
    try attributes.write("configuration", identity.configuration)
    try attributes.write("network", try checkpoint.network.network.json())
    try attributes.write("class_names", identity.classNames)
    try attributes.write("instruction_set", identity.instructionSet)
    try attributes.write("shard_size", identity.shardSize)
    try attributes.write("versions", pairs(identity.versions))
    try attributes.write("datasets", pairs(identity.datasets))
    try attributes.write("kernel_choices", identity.kernelChoices)
    if identity.choicesCoverEveryShard { try attributes.write(coverage, 1) }
    if !identity.rules.isEmpty { try attributes.write(rules, identity.rules) }
    if let criterion = identity.criterion { try attributes.write("criterion", try criterion.json()) }
    if let pixels = identity.pixels { try write(pixels, to: attributes) }
    if let start = identity.start {
      try attributes.write(
        Self.start, ["path=\(start.path)", "digest=\(start.digest)", "step=\(start.step)"])
    }
    if let origin = identity.origin {
      try attributes.write(origin.attribute, origin.pairs)
      if let words = origin.vocabulary { try group.write(TextHandling.vocabularyName, words) }
    }
    if !identity.channelNames.isEmpty { try attributes.write(channels, identity.channelNames) }
    let stateGroup = try group.makeGroup(state)
    try write(checkpoint.progress, to: stateGroup.attributes)
    try write(checkpoint.progress.sums, to: stateGroup)
    let slots = try group.makeGroup(optimizer)
    try slots.attributes.write("slots", checkpoint.slots.map(\.name))
    if !checkpoint.stateless.isEmpty {
      try slots.attributes.write(stateless, checkpoint.stateless.sorted())
    }
    for slot in checkpoint.slots {
      try write(
        slot.values, as: "\(slot.name)/", of: checkpoint, leavingOut: checkpoint.stateless, to: slots)
    }
    if let parameters = checkpoint.trained {
      try write(parameters.trainable, as: "", of: checkpoint, to: try group.makeGroup(trained))
    }
  }

  /// What mirrors the trainable values, a dataset for each parameter.
  private static func write(
    _ values: AlignedBuffer<Float>, as prefix: String, of checkpoint: Checkpoint,
    leavingOut missing: Set<String> = [], to group: Group
  ) throws {
    for parameter in checkpoint.values.layout.parameters
    where parameter.spec.isTrainable && !missing.contains(parameter.path) {
      let dataset = try group.makeDataset(
        prefix + parameter.path, type: .float32, shape: parameter.spec.shape.dimensions)
      try dataset.write(UnsafeBufferPointer(rebasing: values.elements[parameter.range]))
    }
  }

  private static func write(_ progress: TrainingProgress, to attributes: Attributes) throws {
    try attributes.write("step", progress.step)
    try attributes.write("epoch", progress.epoch)
    try attributes.write("position", progress.position)
    try attributes.write("samples", progress.sums.samples)
    try attributes.write("epochs_without_gain", progress.epochsWithoutGain)
    try attributes.write("skipped_steps", progress.skippedSteps)
    try attributes.write("stopped_early", progress.stoppedEarly ? 1 : 0)
    try attributes.write("seconds", progress.seconds)
    if progress.plateau != PlateauState() {
      try attributes.write("plateau_factor", progress.plateau.factor)
      try attributes.write("plateau_wait", progress.plateau.wait)
      try attributes.write("plateau_cooldown", progress.plateau.cooldown)
      if let best = progress.plateau.best { try attributes.write("plateau_best", best) }
    }
    if let score = progress.score { try attributes.write("score", score) }
    if let best = progress.best {
      try attributes.write("best_epoch", best.epoch)
      try attributes.write("best_step", best.step)
      try attributes.write("best_score", best.score)
    }
  }

  private static func write(_ sums: FigureSums, to group: Group) throws {
    guard let layout = sums.layout else { return }
    let dataset = try group.makeDataset(Self.sums, type: .float64, shape: [layout.count])
    try dataset.write(sums.values)
    try dataset.attributes.write("names", layout.blocks.map(\.name))
    try dataset.attributes.write("counts", layout.blocks.map(\.count))
  }

  private static func write(_ pixels: PixelSpan, to attributes: Attributes) throws {
    try attributes.write(
      Self.pixels, ["type=\(pixels.type.rawValue)", "low=\(pixels.low)", "high=\(pixels.high)"])
  }

  private static func pairs(_ values: [String: String]) -> [String] {
    values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
  }

  // MARK: - Reading

  private static func readNetwork(_ attributes: Attributes, path: String) throws -> ResolvedNetwork {
    do { return try Network(json: try attributes.string("network")).resolved() } catch is DecodingError {
      throw TrainingError(.badData, "\(path) is damaged: what it says of its network cannot be read")
    }
  }

  static func read(from root: Group, path: String) throws -> Checkpoint {
    guard try root.members().contains(where: { $0.name == name }) else {
      throw TrainingError(.badData, "\(path) has no group /\(name): it is not a checkpoint of Convoy")
    }
    let group = try root.group(name, links: .hardOnly)
    let attributes = group.attributes
    let network = try readNetwork(attributes, path: path)
    let values = CanonicalParameters(layout: ParameterLayout(network))
    for parameter in values.layout.parameters {
      let dataset = try root.dataset(CheckpointFile.path(ofValuesOf: parameter), links: .hardOnly)
      try read(dataset, of: parameter, into: values.values(of: parameter), path: path)
    }
    let slots = try group.group(optimizer, links: .hardOnly)
    let missing =
      try slots.attributes.contains(stateless) ? Set(try slots.attributes.strings(stateless)) : []
    let identity = try readIdentity(attributes, try readOrigin(group))
    let layout = FigureLayout(
      identity.criterion ?? .classification, outputs: network.outputShape.elementCount)
    return Checkpoint(
      network: network, name: try attributes.string("name"),
      progress: try readProgress(try group.group(state, links: .hardOnly), layout),
      identity: identity, values: values, optimizer: nil,
      slots: try slots.attributes.strings("slots").map { name in
        let slot = AlignedBuffer<Float>(count: values.layout.trainableCount)
        try read("\(name)/", from: slots, values.layout, leavingOut: missing, into: slot, path: path)
        return Checkpoint.Slot(name: name, values: slot)
      }, trained: try readTrained(group, values, path: path), stateless: missing)
  }

  /// The parameters behind an average, nil where the model's weights are those that training goes on with.
  private static func readTrained(
    _ group: Group, _ values: CanonicalParameters, path: String
  ) throws -> CanonicalParameters? {
    guard try group.members().contains(where: { $0.name == trained }) else { return nil }
    let parameters = CanonicalParameters(layout: values.layout)
    let source = try group.group(trained, links: .hardOnly)
    try read("", from: source, values.layout, into: parameters.trainable, path: path)
    parameters.statistics.copy(from: values.statistics)
    return parameters
  }

  private static func read(
    _ prefix: String, from group: Group, _ layout: ParameterLayout, leavingOut missing: Set<String> = [],
    into values: AlignedBuffer<Float>, path: String
  ) throws {
    for parameter in layout.parameters where parameter.spec.isTrainable && !missing.contains(parameter.path) {
      let dataset = try group.dataset(prefix + parameter.path, links: .hardOnly)
      let target = UnsafeMutableBufferPointer(rebasing: values.elements[parameter.range])
      try read(dataset, of: parameter, into: target, path: path)
    }
  }

  private static func read(
    _ dataset: Dataset, of parameter: Parameter, into target: UnsafeMutableBufferPointer<Float>, path: String
  ) throws {
    let expected = parameter.spec.shape
    guard dataset.shape == expected.dimensions else {
      throw TrainingError(
        .badData,
        "\(path): '\(parameter.path)' has shape \(Shape(dataset.shape)), but the network needs \(expected)")
    }
    try dataset.read(into: target)
  }

  /// - Returns: nil where an earlier version, or another program, did not say.
  private static func readOrigin(_ group: Group) throws -> SampleOrigin? {
    for name in SampleOrigin.attributes where try group.attributes.contains(name) {
      let origin = try SampleOrigin(attribute: name, pairs: try group.attributes.strings(name)) {
        guard try group.members().contains(where: { $0.name == TextHandling.vocabularyName }) else {
          return nil
        }
        let words = try group.dataset(TextHandling.vocabularyName, links: .hardOnly).readText()
        return words.map { String(decoding: $0, as: UTF8.self) }
      }
      if let origin { return origin }
    }
    return nil
  }

  private static func readIdentity(_ attributes: Attributes, _ origin: SampleOrigin?) throws -> RunIdentity {
    RunIdentity(
      runID: try attributes.string("run_id"), configuration: try attributes.string("configuration"),
      datasets: try readPairs("datasets", attributes), versions: try readPairs("versions", attributes),
      instructionSet: try attributes.string("instruction_set"),
      kernelChoices: try attributes.string("kernel_choices"),
      choicesCoverEveryShard: try attributes.contains(coverage),
      shardSize: try attributes.number("shard_size"), classNames: try attributes.strings("class_names"),
      criterion: try attributes.contains("criterion")
        ? try Criterion(json: try attributes.string("criterion")) : nil,
      rules: try attributes.contains(rules) ? try attributes.strings(rules) : [],
      pixels: try readPixels(attributes), origin: origin,
      channelNames: try attributes.contains(channels) ? try attributes.strings(channels) : [],
      start: try readStart(attributes))
  }

  private static func readStart(_ attributes: Attributes) throws -> StartOrigin? {
    guard try attributes.contains(start) else { return nil }
    let values = try readPairs(start, attributes)
    return StartOrigin(
      path: values["path"] ?? "", digest: values["digest"] ?? "",
      step: values["step"].flatMap { Int($0) } ?? 0)
  }

  /// - Returns: nil where an earlier version, or another program, did not say.
  private static func readPixels(_ attributes: Attributes) throws -> PixelSpan? {
    guard try attributes.contains(pixels) else { return nil }
    let values = try readPairs(pixels, attributes)
    guard let type = values["type"].flatMap({ PixelType(rawValue: $0) }),
      let low = values["low"].flatMap({ Float($0) }), let high = values["high"].flatMap({ Float($0) }),
      low <= high
    else { return nil }
    return PixelSpan(type, low: low, high: high)
  }

  private static func readPairs(_ name: String, _ attributes: Attributes) throws -> [String: String] {
    let pairs = try attributes.strings(name).map { text -> (String, String) in
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
    }
    return Dictionary(pairs) { first, _ in first }
  }

  /// - Returns: nothing where the sums are of other figures than the layout's.
  private static func readSums(_ group: Group, _ layout: FigureLayout) throws -> FigureSums {
    let attributes = group.attributes
    let samples: Int = try attributes.number("samples")
    if try attributes.contains("loss_sum") {
      // Written before other figures than these two were known.
      let values: [Double] = [try attributes.number("loss_sum"), try attributes.number("correct")]
      return layout.count == 2 ? FigureSums(layout, values: values, samples: samples) : FigureSums()
    }
    guard try group.members().contains(where: { $0.name == sums }) else { return FigureSums() }
    let dataset = try group.dataset(sums, links: .hardOnly)
    guard try dataset.attributes.strings("names") == layout.blocks.map(\.name),
      try dataset.attributes.numbers("counts") == layout.blocks.map(\.count)
    else { return FigureSums() }
    return FigureSums(layout, values: try dataset.read(Double.self), samples: samples)
  }

  private static func readProgress(_ group: Group, _ layout: FigureLayout) throws -> TrainingProgress {
    let attributes = group.attributes
    var progress = TrainingProgress()
    progress.step = try attributes.number("step")
    progress.epoch = try attributes.number("epoch")
    progress.position = try attributes.number("position")
    progress.sums = try readSums(group, layout)
    progress.epochsWithoutGain = try attributes.number("epochs_without_gain")
    progress.skippedSteps = try attributes.number("skipped_steps")
    progress.stoppedEarly = try attributes.number("stopped_early", as: Int.self) != 0
    progress.seconds = try attributes.number("seconds")
    if try attributes.contains("plateau_factor") {
      progress.plateau.factor = try attributes.number("plateau_factor")
      progress.plateau.wait = try attributes.number("plateau_wait")
      progress.plateau.cooldown = try attributes.number("plateau_cooldown")
      if try attributes.contains("plateau_best") {
        progress.plateau.best = try attributes.number("plateau_best")
      }
    }
    if try attributes.contains("score") { progress.score = try attributes.number("score") }
    if try attributes.contains("best_score") {
      progress.best = BestEpoch(
        epoch: try attributes.number("best_epoch"), step: try attributes.number("best_step"),
        score: try attributes.number("best_score"))
    }
    return progress
  }
}
