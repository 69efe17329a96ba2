/// Counts by name, for the table at the end.
struct Tally: Sendable {
  enum Group: Int, CaseIterable, Sendable {
    case totals, interruptions, draws, layers

    var title: String {
      switch self {
      case .totals: "in all"
      case .interruptions: "interruptions"
      case .draws: "draws with"
      case .layers: "draws with the layer"
      }
    }
  }

  private var counts: [Group: [String: Int]] = [:]

  mutating func count(_ group: Group, _ name: String, _ times: Int = 1) {
    counts[group, default: [:]][name, default: 0] += times
  }

  subscript(group: Group, name: String) -> Int { counts[group]?[name] ?? 0 }

  static func += (left: inout Tally, right: Tally) {
    for (group, names) in right.counts {
      for (name, times) in names { left.count(group, name, times) }
    }
  }

  /// A table in Markdown.
  var table: String {
    let rows = Group.allCases.compactMap { group -> String? in
      guard let names = counts[group] else { return nil }
      let cells = names.sorted { ($0.value, $1.key) > ($1.value, $0.key) }.map { "\($0.key) \($0.value)" }
      return "| \(group.title) | \(cells.joined(separator: " · ")) |"
    }
    return (["| | |", "| --- | --- |"] + rows).joined(separator: "\n")
  }
}

extension Tally {
  /// Counts what a draw has in it.
  mutating func note(_ draw: Draw) {
    count(.totals, "draws")
    let training = draw.training
    func word(_ key: String) -> String? { training[key]?.kind }
    var features: [String] = []
    for key in ["loss", "optimizer", "schedule"] { features += [word(key)].compactMap(\.self) }
    if let tuning = word("tuning"), tuning != "model" { features.append("tuning \(tuning)") }
    features += [word("precision")].compactMap { $0 == "bf16" ? "bf16" : nil }
    features += [word("parallelism")].compactMap { $0 == "intra" ? "intra" : nil }
    if let batch = training["batch"]?.integer {
      if let shard = training["shard"]?.integer, batch % shard != 0 { features.append("partial shards") }
      if draw.data.samples % batch != 0 { features.append("a short last minibatch") }
      if batch == 1 { features.append("a batch of 1") }
    }
    let named = [
      "augmentation", "accumulate", "ema", "max_norm", "weight_decay_rules", "limits", "overfit_batches",
      "patience", "base_batch", "on_nonfinite",
    ]
    features += named.filter { training[$0] != nil && word($0) != "none" }
    let rules = training["layers"]?.items ?? []
    for kind in Set(rules.compactMap { $0["frozen"]?.kind }) where kind != "false" {
      features.append(kind == "until" ? "layers frozen for a while" : "frozen layers")
    }
    if rules.contains(where: { $0["frozen"] == nil }) { features.append("layers with their own rates") }
    features += [word("clipping")].compactMap { $0 == "none" ? nil : $0.map { "clipping by \($0)" } }
    if draw.configuration["data"]?["validation"] != nil { features.append("validation") }
    if draw.isStreamed { features.append("streaming") }
    if draw.data.hasWeights { features.append("weights") }
    if training["loss"]?.payload?["class_weights"] != nil { features.append("class weights") }
    for feature in Set(features) { count(.draws, feature) }
    for step in Set((training["augmentation"]?.items ?? []).compactMap(\.kind)) { count(.draws, step) }
    for layer in Set((draw.configuration["network"]?["layers"]?.items ?? []).compactMap(\.kind)) {
      count(.layers, layer)
    }
  }
}

extension Draw {
  /// Whether the images do not fit into memory, in some start or in all.
  fileprivate var isStreamed: Bool {
    configuration["data"]?["memory_limit"] != nil
      || interrupted.joined().contains { ($0.memory ?? 1) < 1 }
  }
}
