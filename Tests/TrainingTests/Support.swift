import Digests
import Foundation
import HDF5
import Interchange
import Networks
import Synchronization
import Tensors

@testable import Training

/// A folder that is gone after the test.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("training-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }
}

/// A small training with everything in it that could differ: dropout, batch normalisation, a short last shard and minibatch.
enum SmallRun {
  static let classes = 5

  /// Pictures of noise with a bright patch whose place tells the class.
  static func writeDataset(_ path: String, count: Int, seed: UInt64 = 1) throws {
    let file = try HDF5.File.create(path, overwrite: true)
    do {
      var stream = RandomStream(seed: seed, purpose: .synthetic)
      var images: [UInt8] = []
      var labels: [UInt8] = []
      for _ in 0..<count {
        let label = stream.nextInteger(below: classes)
        labels.append(UInt8(label))
        for row in 0..<9 {
          for column in 0..<8 {
            let bright = row / 2 == label && column > 3
            images.append(UInt8(stream.nextInteger(below: 120) + (bright ? 130 : 0)))
          }
        }
      }
      try file.root.makeDataset("images", type: .uint8, shape: [count, 9, 8, 1]).write(images)
      try file.root.makeDataset("labels", type: .uint8, shape: [count]).write(labels)
    }
    try file.close()
  }

  static func network(batchNorm: Bool = true) throws -> Network {
    var layers: [LayerSpec] = [
      .rescale(Rescale(scale: 1 / 255.0)),
      .conv2D(Conv2D(filters: 5, kernel: Size2D(3), activation: .relu)),
    ]
    if batchNorm { layers.append(.batchNorm(BatchNorm(momentum: 0.9))) }
    layers += [
      .maxPool2D(Pool2D(size: Size2D(2))), .dropout(Dropout(rate: 0.25)), .flatten,
      .dense(Dense(units: classes)),
    ]
    return try Network(inputShape: [9, 8, 1], chain: layers)
  }

  static func configuration(
    data: String, epochs: Int = 3, optimizer: OptimizerConfiguration = sgd, batchNorm: Bool = false,
    checkpoints: CheckpointConfiguration = CheckpointConfiguration(
      every: .steps(1), keep: .init(last: 1000, best: 0))
  ) throws -> RunConfiguration {
    let source = SampleSource(file: data, images: "images", labels: "labels")
    return RunConfiguration(
      name: "small", seed: 7, data: DataConfiguration(train: source, test: source),
      network: try network(batchNorm: batchNorm),
      training: TrainingConfiguration(
        epochs: epochs, batch: 20, shard: 6, optimizer: optimizer,
        schedule: ScheduleConfiguration(
          curve: .step(StepDecay(at: [.epochs(1), .steps(8)], factor: 0.5)), warmup: .steps(3))),
      checkpoints: checkpoints)
  }

  static let sgd = OptimizerConfiguration.sgd(
    SGD(learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 1e-3))
  static let adam = OptimizerConfiguration.adamW(AdamW(learningRate: 0.01, weightDecay: 1e-3))

  /// Digests of all checkpoints of a run directory, by step.
  static func digests(in directory: String) throws -> [Int: SHA256.Digest] {
    let entries = try CheckpointStore(folder: "\(directory)/checkpoints").entries()
    return Dictionary(
      uniqueKeysWithValues: try entries.map { ($0.step, try CheckpointFile.verify($0.path).contentDigest) })
  }
}

/// Keeps what happened and can ask to stop.
final class Recorder: TrainerObserver {
  let stop = StopRequest()
  let stopAfter: Int
  private(set) var epochs: [EpochMetrics] = []
  private(set) var warnings: [String] = []
  private(set) var notes: [String] = []
  private(set) var steps: [StepReport] = []
  private(set) var written: [Int] = []
  private(set) var isFinished = false

  /// - Parameter stopAfter: number of steps of this process after which it asks to stop.
  init(stopAfter: Int = .max) { self.stopAfter = stopAfter }

  func receive(_ event: TrainerEvent) {
    switch event {
    case .step(let report):
      steps.append(report)
      if steps.count == stopAfter { stop.request() }
    case .epochEnded(let metrics, _): epochs.append(metrics)
    case .note(let text): notes.append(text)
    case .warning(let text): warnings.append(text)
    case .checkpointWritten(let step, _): written.append(step)
    case .finished: isFinished = true
    case .started, .evaluating, .stopped: break
    }
  }
}

extension SmallRun {
  /// One process's share of a run.
  @discardableResult
  static func train(
    _ configuration: RunConfiguration, in directory: String, workers: Int = 1, stopAfter: Int = .max,
    resume: ResumeChoice = .auto
  ) throws -> (complete: Bool, record: Recorder) {
    let record = Recorder(stopAfter: stopAfter)
    let request = RunRequest(
      configuration: configuration, resolvedConfiguration: "\(configuration.seed)\n", directory: directory,
      workers: workers, resume: resume)
    let run = try Run(request, stop: record.stop, observer: record)
    return (try run.train(), record)
  }
}

// Tests write what trainings write: files that Keras opens, too.

extension RunRequest {
  init(
    configuration: RunConfiguration, resolvedConfiguration: String, directory: String, workers: Int,
    resume: ResumeChoice = .auto, allowChanges: Bool = false, verifiesData: Bool = false,
    stepLimit: Int? = nil,
    compareConfiguration: @escaping @Sendable (_ stored: String) throws -> [ConfigurationChange] = { _ in [] }
  ) {
    self.init(
      configuration: configuration, resolvedConfiguration: resolvedConfiguration, directory: directory,
      workers: workers, model: KerasModelWriter(), resume: resume, allowChanges: allowChanges,
      verifiesData: verifiesData, stepLimit: stepLimit, compareConfiguration: compareConfiguration)
  }
}

extension CheckpointFile {
  static func encode(_ checkpoint: Checkpoint) throws(TrainingError) -> Encoded {
    try encode(checkpoint, model: KerasModelWriter())
  }

  static func write(_ checkpoint: Checkpoint, to path: String) throws(TrainingError) {
    try write(checkpoint, to: path, model: KerasModelWriter())
  }
}

extension CheckpointStore {
  func save(_ checkpoint: Checkpoint, keepLast: Int, keepBest: Int) throws(TrainingError) -> String {
    try save(checkpoint, model: KerasModelWriter(), keepLast: keepLast, keepBest: keepBest)
  }
}
