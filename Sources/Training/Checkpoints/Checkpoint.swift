public import Digests
public import Networks
public import Tensors

/// A training at one moment, in canonical layouts: independent of workers, plans and memory.
public final class Checkpoint: Sendable {
  /// The network that is trained, with its shapes.
  public let network: ResolvedNetwork
  /// Name of the model in the file.
  public let name: String
  /// How far the training has come.
  public let progress: TrainingProgress
  /// Which run it belongs to, and what the run depends on.
  public let identity: RunIdentity
  /// What evaluation and prediction use: the parameters, or their running average where the training keeps one.
  public let values: CanonicalParameters
  /// The parameters that training moves, where ``values`` holds their average; nil otherwise.
  public let trained: CanonicalParameters?
  /// The optimizer with its settings; nil where the values were not trained here.
  public let optimizer: OptimizerConfiguration?
  /// The optimizer's state by slot; each mirrors the trainable values.
  public let slots: [Slot]
  /// The paths of trainable parameters that the optimizer has no state of, because they were frozen; their values in ``slots`` are
  /// zero.
  public let stateless: Set<String>

  /// Parameters and what belongs to them.
  struct Values: Sendable {
    let predicting: CanonicalParameters
    let trained: CanonicalParameters?
    let slots: [Slot]
    /// The paths of parameters without a state of the optimizer.
    let stateless: Set<String>
  }

  /// One of the optimizer's slots: what it remembers of each parameter.
  public struct Slot: Sendable {
    /// The slot's name, as the optimizer calls it.
    public let name: String
    /// One value for each trainable parameter's element, in canonical order.
    public let values: AlignedBuffer<Float>

    /// Takes a name and values in canonical order.
    public init(name: String, values: AlignedBuffer<Float>) {
      self.name = name
      self.values = values
    }
  }

  /// Puts a state together; nothing is copied.
  public init(
    network: ResolvedNetwork, name: String, progress: TrainingProgress, identity: RunIdentity,
    values: CanonicalParameters, optimizer: OptimizerConfiguration?, slots: [Slot],
    trained: CanonicalParameters? = nil, stateless: Set<String> = []
  ) {
    self.stateless = stateless
    self.network = network
    self.name = name
    self.progress = progress
    self.identity = identity
    self.values = values
    self.optimizer = optimizer
    self.slots = slots
    self.trained = trained
  }

  /// The running average of the parameters, nil where the training keeps none.
  var average: CanonicalParameters? { trained == nil ? nil : values }

  /// SHA-256 of everything that repeating the run gives again: network, progress, parameters, statistics, optimizer state.
  ///
  /// Wall-clock time, the run's identity and its configuration's text are left out: two runs of the same training that
  /// were interrupted differently, in other folders or on other numbers of workers, have the same digest.
  public func contentDigest() throws -> SHA256.Digest {
    var lines = [
      try network.network.json(),
      "\(progress.step) \(progress.epoch) \(progress.position)",
      "\(progress.sums.values.map(\.bitPattern)) \(progress.sums.samples)",
      progress.best.map { "\($0.epoch) \($0.step) \($0.score.bitPattern)" } ?? "none",
      "\(progress.epochsWithoutGain) \(progress.skippedSteps) \(progress.stoppedEarly)",
      "\(progress.score?.bitPattern ?? 0)",
    ]
    let plateau = progress.plateau
    if plateau != PlateauState() {
      lines.append(
        "\(plateau.factor.bitPattern) \(plateau.best?.bitPattern ?? 0) \(plateau.wait) \(plateau.cooldown)")
    }
    var hash = SHA256()
    for line in lines { hash.update((line + "\n").utf8) }
    // Floats are little-endian in memory on every machine that this builds for.
    for buffer in [values.trainable, values.statistics] { Self.feed(buffer, to: &hash) }
    if let trained { Self.feed(trained.trainable, to: &hash) }
    for slot in slots {
      hash.update((slot.name + "\n").utf8)
      Self.feed(slot.values, to: &hash)
    }
    return hash.finalize()
  }

  private static func feed(_ buffer: AlignedBuffer<Float>, to hash: inout SHA256) {
    withExtendedLifetime(buffer) { hash.update(UnsafeRawBufferPointer(buffer.elements)) }
  }
}
