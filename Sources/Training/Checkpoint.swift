internal import Crypto
public import Networks
public import Tensors

/// A training at one moment, in canonical layouts: independent of workers, plans and memory.
public final class Checkpoint: Sendable {
  public let network: ResolvedNetwork
  /// Name of the model in the file.
  public let name: String
  public let progress: TrainingProgress
  public let identity: RunIdentity
  public let values: CanonicalParameters
  public let optimizer: OptimizerConfiguration?
  /// The optimizer's state by slot; each mirrors the trainable values.
  public let slots: [Slot]

  public struct Slot: Sendable {
    public let name: String
    public let values: AlignedBuffer<Float>

    public init(name: String, values: AlignedBuffer<Float>) {
      self.name = name
      self.values = values
    }
  }

  public init(
    network: ResolvedNetwork, name: String, progress: TrainingProgress, identity: RunIdentity,
    values: CanonicalParameters, optimizer: OptimizerConfiguration?, slots: [Slot]
  ) {
    self.network = network
    self.name = name
    self.progress = progress
    self.identity = identity
    self.values = values
    self.optimizer = optimizer
    self.slots = slots
  }

  /// SHA-256 of everything that repeating the run gives again: network, progress, parameters, statistics, optimizer state.
  ///
  /// Wall-clock time, the run's identity and its configuration's text are left out: two runs of the same training that
  /// were interrupted differently, in other folders or on other numbers of workers, have the same digest.
  public func contentDigest() throws -> [UInt8] {
    var hash = SHA256()
    func feed(_ text: String) { hash.update(data: Array((text + "\n").utf8)) }
    feed(try network.network.json())
    feed("\(progress.step) \(progress.epoch) \(progress.position)")
    feed("\(progress.sums.values.map(\.bitPattern)) \(progress.sums.samples)")
    feed(progress.best.map { "\($0.epoch) \($0.step) \($0.score.bitPattern)" } ?? "none")
    feed("\(progress.epochsWithoutGain) \(progress.skippedSteps) \(progress.stoppedEarly)")
    feed("\(progress.score?.bitPattern ?? 0)")
    // Floats are little-endian in memory on every machine that this builds for.
    for buffer in [values.trainable, values.statistics] { Self.feed(buffer, to: &hash) }
    for slot in slots {
      feed(slot.name)
      Self.feed(slot.values, to: &hash)
    }
    return Array(hash.finalize())
  }

  private static func feed(_ buffer: AlignedBuffer<Float>, to hash: inout SHA256) {
    withExtendedLifetime(buffer) { hash.update(bufferPointer: UnsafeRawBufferPointer(buffer.elements)) }
  }
}
