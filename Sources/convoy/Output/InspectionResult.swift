internal import Compute
internal import Digests
internal import Networks
internal import Training

/// A layer, for machines.
struct LayerResult: Encodable {
  let name: String
  let output: String
  let parameters: Int
  let flops: Int

  static func all(_ network: ResolvedNetwork) -> [LayerResult] {
    network.layers.map {
      LayerResult(
        name: $0.name, output: "\($0.outputShape)", parameters: $0.parameterCount, flops: $0.flops)
    }
  }
}

/// The contents of a configuration, for machines.
struct ConfigurationInspection: Encodable {
  let kind = "config"
  let path: String
  let name: String
  let epochs: Int
  let layers: [LayerResult]
}

/// The contents of a checkpoint, for machines.
struct CheckpointInspection: Encodable {
  let kind = "checkpoint"
  let path: String
  let name: String
  let step: Int
  /// Epochs done; ``position`` counts the samples of the one under way.
  let epoch: Int
  let position: Int
  let loss: String
  let figures: [String]
  @NullIfMissing var bestEpoch: Int?
  @NullIfMissing var best: Double?
  let run: String
  let shard: Int
  let contentsSha256: String
  let layers: [LayerResult]

  init(_ path: String, _ checkpoint: Checkpoint) throws {
    self.path = path
    name = checkpoint.name
    let progress = checkpoint.progress
    (step, epoch, position) = (progress.step, progress.epoch, progress.position)
    let criterion = checkpoint.identity.criterion ?? .classification
    (loss, figures) = (criterion.loss.name, criterion.figureNames)
    (bestEpoch, best) = (progress.best?.epoch, progress.best.map { abs($0.score) })
    (run, shard) = (checkpoint.identity.runID, checkpoint.identity.shardSize)
    contentsSha256 = try checkpoint.contentDigest().hexadecimal
    layers = LayerResult.all(checkpoint.network)
  }
}

/// The contents of an HDF5 file, for machines.
struct DataInspection: Encodable {
  struct Dataset: Encodable {
    let name: String
    let shape: [Int]
    let type: String
    let storage: String
  }

  struct Samples: Encodable {
    let images: String
    let samples: Int
    let shape: [Int]
    /// Names of the classes, or of the target columns.
    let classNames: [String]
    /// The number of samples in each class.
    let classCounts: [Int]
    let hasTargets: Bool
  }

  let kind = "data"
  let path: String
  let datasets: [Dataset]
  let samples: [Samples]
}
