internal import Datasets
internal import Insight
internal import Settings
internal import Training

extension ConfigurationFile {
  /// Tables of all keys in Markdown, which end `Configs/README.md`.
  public static var reference: String { ConfigurationReference().text }
}

/// Writes the schema as tables.
private struct ConfigurationReference {
  private var lines: [String] = []

  var text: String {
    var writer = self
    writer.section("The configuration", RunSchema.root)
    writer.section("`data`", DataConfiguration.settings.object)
    writer.section("`data.train`, `data.test`", SampleSource.settings.object)
    writer.section("`data.validation`", HeldOut.settings.object)
    writer.section("`network`", RunSchema.network)
    writer.section("`training`", TrainingConfiguration.settings.object)
    writer.kinds("`training.augmentation`, each step", AugmentationStep.settings.schema)
    writer.kinds("`training.augmentation`, `fill` of `random_erasing`", RandomErasing.Fill.settings.schema)
    writer.kinds("`training.loss`", TrainingObjective.settings.schema)
    writer.kinds("`training.optimizer`", OptimizerConfiguration.settings.schema)
    writer.kinds("`training.schedule`", ScheduleConfiguration.settings.schema)
    writer.kinds("`training.tuning`", TuningConfiguration.settings.schema)
    writer.kinds("`training.clipping`", GradientClipping.settings.schema)
    writer.kinds("`training.on_nonfinite`", NonFinitePolicy.settings.schema)
    writer.section("`training.limits`", EpochLimits.settings.object)
    writer.section("`training.ema`", MovingAverage.settings.object)
    writer.section("`training.max_norm`", MaxNorm.settings.object)
    writer.section("`training.weight_decay_rules`, each rule", WeightDecayRule.settings.object)
    writer.section("`checkpoints`", CheckpointConfiguration.settings.object)
    writer.kinds("`checkpoints.every`", CheckpointInterval.settings.schema)
    writer.section("`checkpoints.keep`", CheckpointRetention.settings.object)
    writer.section("`ranks`", RankConfiguration.settings.object)
    writer.layers()
    writer.section("`repeat`", LayerSchema.repetition)
    writer.section("`network.blocks.<name>`", LayerSchema.block)
    writer.section("A look into a network", LookSchema.root)
    writer.kinds("`look` of a look", Look.kinds.schema)
    writer.section("`data` of `examples` and `gallery`", DataSource.settings.object)
    writer.kinds("`target` of `maximize`", TargetChoice.kinds.schema)
    writer.section(
      "`layers` of `dream`, `content_layers` and `style_layers` of `style`, each",
      WeightedLayer.settings.object)
    writer.kinds("`optimizer` of `style`", StyleTransfer.Rule.kinds.schema)
    return writer.lines.joined(separator: "\n") + "\n"
  }

  private mutating func heading(_ title: String, _ summary: String) {
    if !lines.isEmpty { lines.append("") }
    lines += ["### \(title)", "", summary, ""]
  }

  private mutating func section(_ title: String, _ object: ObjectSchema) {
    heading(title, object.summary)
    lines += ["| key | value | default | what it is |", "| --- | --- | --- | --- |"]
    for key in object.keys { row("`\(key.name)`", key) }
  }

  private mutating func row(_ name: String, _ key: Key) {
    let change =
      switch key.change {
      case .meaning: ""
      case .free: " ◦"
      case .extend: " ◦ (unless the schedule depends on it)"
      }
    lines.append(
      "| \(name) | \(key.name == "parameters" ? "map" : escaped(form(key.schema))) | \(escaped(fallback(key))) | \(escaped(key.summary))\(change) |"
    )
  }

  /// A table of kinds, with the keys of each below it.
  private mutating func kinds(_ title: String, _ union: UnionSchema) {
    heading(title, "One of:")
    lines += ["| kind or key | value | default | what it is |", "| --- | --- | --- | --- |"]
    for kind in union.kinds {
      switch kind.payload {
      case .object(let object):
        let bare = kind.canBeBare ? "the word, or a map" : "a map"
        lines.append("| **`\(kind.name)`** | \(bare) | | \(escaped(kind.summary)) |")
        for key in object.keys { row("… `\(key.name)`", key) }
      case .some(let payload):
        lines.append("| **`\(kind.name)`** | \(escaped(form(payload))) | | \(escaped(kind.summary)) |")
      case nil:
        lines.append("| **`\(kind.name)`** | the word | | \(escaped(kind.summary)) |")
      }
    }
  }

  private mutating func layers() {
    heading(
      "Layers",
      "Every layer also takes `name` and `inputs` (one name or a list; without it, the layer before).")
    lines += ["| layer or key | value | default | what it is |", "| --- | --- | --- | --- |"]
    for kind in LayerSchema.union.kinds {
      guard case .object(let object) = kind.payload else { continue }
      let bare = kind.canBeBare ? "the word, or a map" : "a map"
      lines.append("| **`\(kind.name)`** | \(bare) | | \(escaped(kind.summary)) |")
      for key in object.keys where !isUsual(key) { row("… `\(key.name)`", key) }
    }
  }

  /// Whether a key is one that every layer has.
  private func isUsual(_ key: Key) -> Bool {
    if case .required = key.fallback { return false }
    return LayerSchema.use.key(key.name) != nil
  }

  private func fallback(_ key: Key) -> String {
    switch key.fallback {
    case .required: "required"
    case .scalar(let text): "`\(text)`"
    case .kind(let name, let text): "`{\(name): \(text)}`"
    case .emptyMap: "its defaults"
    case .value(let content):
      switch content.shortest(key.schema) {
      case let value where value.members?.isEmpty == true: "its defaults"
      // Exponents are written without a leading zero, as people write them.
      case let value: "`\(value.flowText.replacing("e-0", with: "e-"))`"
      }
    case .derived(let text): text
    }
  }

  private func form(_ schema: Schema) -> String {
    switch schema {
    case .integer(let range): "whole number, \(range.lowerBound) to \(range.upperBound.boundText)"
    case .number(let range): "number\(range.phrase)"
    case .choice(let choices): choices.map { "`\($0.word)`" }.joined(separator: ", ")
    case .size(let range):
      "size: `3`, or `[height, width]`, each \(range.lowerBound) to \(range.upperBound.boundText)"
    case .byteSize: "size with unit: `512 MiB`"
    case .path: "path"
    case .name: "name"
    case .text, .formatted: "text"
    case .boolean: "`true`, `false`"
    case .object: "map, below"
    case .union(let union):
      union.kinds.allSatisfy { !$0.canBeBare }
        ? union.kinds.map { "`{\($0.name): …}`" }.joined(separator: ", ")
        : union.kinds.map { $0.canBeBare ? "`\($0.name)`" : "`{\($0.name): …}`" }.joined(separator: ", ")
    case .optional(let word, .boolean): "`true`, `false`, `\(word)`"
    case .optional(let word, let inner): "`\(word)`, or \(form(inner))"
    case .list(let element, let count) where count.lowerBound == count.upperBound:
      "list of \(count.lowerBound): \(form(element))"
    case .list(let element, let count): "list of \(count.lowerBound)–\(count.upperBound): \(form(element))"
    case .layers: "list of layers"
    case .layerNames: "name, or list of names"
    case .names: "map of names to names"
    case .blocks: "map of blocks by name"
    case .sweep: "`{grid: …}`, `{random: …}`, `{list: …}`"
    }
  }

  private func escaped(_ text: String) -> String { text.replacing("|", with: "\\|") }
}
