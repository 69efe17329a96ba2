public import Networks
internal import Parallel
internal import Paths

/// The networks of checkpoints, for configurations that go on from them.
public enum NetworkSource {
  private struct Key: Hashable {
    let path: String
    let changed: Double
  }

  /// A sweep asks for the same file once for each member.
  private static let known = Guarded<[Key: Network]>([:])

  /// The network of a checkpoint, or of the best checkpoint of a run, by the rules of ``StartConfiguration/checkpoint``.
  ///
  /// - Throws: ``TrainingError`` of kind `missingInput` where there is none, `badData` where it is damaged.
  public static func network(of path: String) throws(TrainingError) -> Network {
    let place = RunPath.resolve(StartOrigin.place(of: path))
    let key = FileStatus(place).flatMap { status in
      status.kind == .folder ? nil : Key(path: place, changed: status.changed)
    }
    if let key, let network = known.withLock({ $0[key] }) { return network }
    let network = try CheckpointStore.choose(place).checkpoint.network.network
    if let key { known.withLock { $0[key] = network } }
    return network
  }
}
