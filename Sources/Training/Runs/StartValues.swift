internal import Compute
internal import Datasets
internal import Digests
internal import Foundation
public import Networks
internal import Paths
internal import Tensors

/// What a training begins with instead of the initialisers' values: layers of another one's checkpoint.
public struct StartValues: Sendable {
  /// Where the values come from.
  public let origin: StartOrigin
  /// What came, what did not, and why.
  public let account: StartAccount
  /// The names of the layers from the checkpoint by those that they have here, for layers that took all they could.
  let layers: Set<String>
  private let checkpoint: Checkpoint
  private let sources: [(parameter: Parameter, source: Parameter)]

  /// Holds a checkpoint against a network.
  ///
  /// - Throws: ``TrainingError`` where the file is not there, is damaged, has nothing for this network, another shape or a number that
  ///   is not finite.
  public init(_ configuration: StartConfiguration, for network: ResolvedNetwork) throws(TrainingError) {
    let (path, checkpoint) = try CheckpointStore.choose(StartOrigin.place(of: configuration.checkpoint))
    let header = try CheckpointFile.verify(path)
    self.checkpoint = checkpoint
    origin = StartOrigin(path: path, digest: header.contentDigest.hexadecimal, step: checkpoint.progress.step)
    let matching = try StartMatching(configuration, from: checkpoint.network, to: network, path: path)
    sources = matching.sources
    account = matching.account
    layers = matching.complete
    try checkNumbers()
  }

  /// Refuses values that no training can go on from.
  private func checkNumbers() throws(TrainingError) {
    for (_, source) in sources {
      guard !checkpoint.values.values(of: source).allSatisfy(\.isFinite) else { continue }
      throw TrainingError(
        .badData,
        "training.start: '\(source.path)' in \(origin.path) has a number that is not finite; start from an earlier checkpoint"
      )
    }
  }

  /// Refuses vectors of words for texts that number their words otherwise, where these are there already.
  ///
  /// - Throws: ``TrainingError`` of kind `configuration`; nothing for data that cannot be opened, which is told when it is needed.
  func checkWords(of source: SampleSource, _ network: ResolvedNetwork) throws(TrainingError) {
    guard words(network) != nil, let dataset = try? source.open() else { return }
    try checkWords(of: dataset, network)
  }

  /// Refuses vectors of words for texts that number their words otherwise.
  ///
  /// - Throws: ``TrainingError`` of kind `configuration`.
  func checkWords(of dataset: ImageDataset, _ network: ResolvedNetwork) throws(TrainingError) {
    guard let (known, embedding) = words(network), let own = dataset.origin,
      let problem = own.problem(beside: known)
    else { return }
    throw TrainingError(
      .configuration,
      "training.start: \(dataset.path) \(problem), so that the vectors of '\(embedding.name)' in \(origin.path) would be "
        + "those of other words; import the texts with --vocabulary \(origin.path), or leave the layer out of start.layers"
    )
  }

  /// What the checkpoint's words are, and the layer that takes their vectors; nil where none does.
  private func words(_ network: ResolvedNetwork) -> (origin: SampleOrigin, layer: ResolvedLayer)? {
    guard let known = checkpoint.identity.origin, known.texts != nil else { return nil }
    let embedding = network.layers.first { layer in
      guard case .embedding = layer.spec, layer.layer.inputs == [Network.inputName] else { return false }
      return sources.contains { $0.parameter.layer == layer.name }
    }
    return embedding.map { (known, $0) }
  }

  /// Puts the values in place of those that are there.
  func fill(_ values: CanonicalParameters) {
    for (parameter, source) in sources {
      _ = values.values(of: parameter).update(fromContentsOf: checkpoint.values.values(of: source))
    }
  }
}

/// Where a training's first values come from.
public struct StartOrigin: Hashable, Sendable {
  /// The checkpoint's path when the training began.
  public var path: String
  /// The hexadecimal SHA-256 of the checkpoint's contents, ``Checkpoint/contentDigest()``.
  public var digest: String
  /// The step of that training.
  public var step: Int

  /// Takes the path of a checkpoint, the digest of its contents and its step.
  public init(path: String, digest: String, step: Int) {
    self.path = path
    self.digest = digest
    self.step = step
  }

  /// The place that a configuration means: a file or folder, or else a run in `Results` of that name.
  public static func place(of path: String) -> String {
    guard !FileStatus.exists(RunPath.resolve(path)) else { return path }
    let named = "Results/\(Folder.name(of: path))"
    return FileStatus.exists(named) ? named : path
  }

  /// The digest of the checkpoint that a configuration means at present; nil where it is not there or not whole.
  public static func digest(of configuration: StartConfiguration) -> String? {
    let place = RunPath.resolve(Self.place(of: configuration.checkpoint))
    guard let status = FileStatus(place) else { return nil }
    guard status.kind == .folder else {
      return (try? CheckpointFile.header(of: place))?.contentDigest.hexadecimal
    }
    let inner = "\(place)/checkpoints"
    let ranked = try? CheckpointStore(folder: FileStatus.exists(inner) ? inner : place).ranked()
    return ranked?.first.flatMap { try? CheckpointFile.header(of: $0.path) }?.contentDigest.hexadecimal
  }
}

/// What came from a training's start, and what did not, by layers.
public struct StartAccount: Hashable, Sendable {
  /// The layers that took values.
  public var taken: [String] = []
  /// The layers here that begin anew, since the checkpoint has none of their name.
  public var missing: [String] = []
  /// The layers here that begin anew, since no pattern is for them.
  public var unwanted: [String] = []
  /// The parameters of another shape, with both shapes.
  public var unfit: [String] = []
  /// The layers of the checkpoint that nobody took.
  public var unused: [String] = []

  /// One line for people: counts, and the first names of what did not come.
  public func summary(from path: String) -> String {
    let total = taken.count + missing.count + unwanted.count + unfit.count
    var parts = ["\(taken.count) of \(counted(total, "layer")) with parameters from \(path)"]
    if !unfit.isEmpty { parts.append("of another shape: \(Self.short(unfit))") }
    if !missing.isEmpty { parts.append("not in it: \(Self.short(missing))") }
    if !unwanted.isEmpty { parts.append("left out by start.layers: \(Self.short(unwanted))") }
    return parts.joined(separator: "; ")
  }

  /// Everything, a line each, for the run's log.
  public var lines: [String] {
    [
      ("taken", taken), ("of another shape, begins anew", unfit),
      ("begins anew, not in the checkpoint", missing), ("begins anew, not in start.layers", unwanted),
      ("only in the checkpoint", unused),
    ].filter { !$0.1.isEmpty }.map { "start: \($0.0): \($0.1.joined(separator: ", "))" }
  }

  static func short(_ names: [String]) -> String {
    names.prefix(4).joined(separator: ", ") + (names.count > 4 ? " and \(names.count - 4) more" : "")
  }
}

/// Which parameters of a checkpoint become which of a network.
struct StartMatching {
  private(set) var sources: [(parameter: Parameter, source: Parameter)] = []
  private(set) var account = StartAccount()
  /// The layers all of whose parameters found a source.
  private(set) var complete: Set<String> = []

  /// - Throws: ``TrainingError`` of kind `configuration` where nothing fits, a pattern is for nothing, or a shape differs.
  init(
    _ configuration: StartConfiguration, from old: ResolvedNetwork, to new: ResolvedNetwork, path: String
  ) throws(TrainingError) {
    let names = try Self.renamed(old, configuration, path)
    let (oldLayout, newLayout) = (ParameterLayout(old), ParameterLayout(new))
    var known: [String: Parameter] = [:]
    for parameter in oldLayout.parameters {
      guard let name = names[parameter.layer] else { continue }
      known["\(name)/\(parameter.spec.name)"] = parameter
    }
    try Self.checkPatterns(configuration, newLayout)
    var used: Set<String> = []
    for layer in new.layers where !layer.parameters.isEmpty {
      let parameters = newLayout.parameters.filter { $0.layer == layer.name }
      let wanted = parameters.filter { Self.takes($0, configuration) }
      guard !wanted.isEmpty else {
        account.unwanted.append(layer.name)
        continue
      }
      let found = wanted.compactMap { parameter in
        known[parameter.path].map { (parameter: parameter, source: $0) }
      }
      for entry in found { used.insert(entry.source.layer) }
      let unfit = found.filter { $0.source.spec.shape != $0.parameter.spec.shape }
      if let first = unfit.first {
        let text =
          "\(first.parameter.path) (\(first.source.spec.shape) there, \(first.parameter.spec.shape) here)"
        guard configuration.mismatch == .skip else {
          throw TrainingError(
            .configuration,
            "training.start: \(text) has another shape in \(path); leave the layer out of start.layers, or set "
              + "start.on_mismatch to skip, to begin it anew")
        }
        account.unfit.append(text)
        continue
      }
      guard !found.isEmpty else {
        account.missing.append(layer.name)
        continue
      }
      account.taken.append(layer.name)
      sources += found
      if found.count == parameters.count { complete.insert(layer.name) }
    }
    account.unused = old.layers.filter { !$0.parameters.isEmpty && !used.contains($0.name) }.map(\.name)
    guard !sources.isEmpty else {
      throw TrainingError(
        .configuration,
        "training.start: no layer of \(path) has the name and shape of one here; it has "
          + "\(StartAccount.short(old.layers.filter { !$0.parameters.isEmpty }.map(\.name))), and here there are "
          + "\(StartAccount.short(new.layers.filter { !$0.parameters.isEmpty }.map(\.name))); start.rename brings names together"
      )
    }
  }

  private static func takes(_ parameter: Parameter, _ configuration: StartConfiguration) -> Bool {
    guard configuration.takesStatistics || parameter.spec.isTrainable else { return false }
    return configuration.patterns?.contains {
      $0.matches(layer: parameter.layer, parameter: parameter.spec.name)
    } ?? true
  }

  /// What each layer of the checkpoint is called here.
  private static func renamed(
    _ old: ResolvedNetwork, _ configuration: StartConfiguration, _ path: String
  ) throws(TrainingError) -> [String: String] {
    var names: [String: String] = [:]
    var owners: [String: String] = [:]
    var used: Set<LayerRenaming> = []
    for layer in old.layers where !layer.parameters.isEmpty {
      // Of several the longest, so that their order means nothing.
      let rule = configuration.renaming.filter { $0.name(of: layer.name) != nil }
        .max { ($0.old.utf8.count, $1.old) < ($1.old.utf8.count, $0.old) }
      if let rule { used.insert(rule) }
      let name = rule?.name(of: layer.name) ?? layer.name
      if let other = owners[name] {
        throw TrainingError(
          .configuration,
          "training.start.rename: '\(other)' and '\(layer.name)' of \(path) would both be '\(name)' here")
      }
      owners[name] = layer.name
      names[layer.name] = name
    }
    if let idle = configuration.renaming.first(where: { !used.contains($0) }) {
      throw TrainingError(
        .configuration,
        "training.start.rename: \(path) has no layer '\(idle.old)'; its layers with parameters are "
          + StartAccount.short(old.layers.filter { !$0.parameters.isEmpty }.map(\.name)))
    }
    return names
  }

  private static func checkPatterns(
    _ configuration: StartConfiguration, _ layout: ParameterLayout
  ) throws(TrainingError) {
    for pattern in configuration.patterns ?? [] {
      let fits = layout.parameters.contains {
        pattern.matches(layer: $0.layer, parameter: $0.spec.name)
      }
      guard !fits else { continue }
      throw TrainingError(
        .configuration, "training.start.layers: '\(pattern.text)' matches no layer with parameters")
    }
  }
}
