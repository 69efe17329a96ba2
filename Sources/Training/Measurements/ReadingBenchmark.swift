internal import Datasets
internal import Foundation
internal import Parallel
internal import Paths

/// How fast the samples of a configuration are read, and how fast they would be if they were stored in other ways.
public struct ReadingBenchmark {
  /// One measurement.
  public struct Speed: Sendable {
    /// How samples come into memory.
    public enum Way: String, Sendable {
      /// Loading from the file into memory, in the order of the file.
      case loading
      /// Minibatches in shuffled order, from memory.
      case memory
      /// Minibatches in shuffled order, from the file.
      case streamed
    }

    /// How the file stores them, as people write it: `chunks of 167×28×28×1, deflate`.
    public let storage: String
    /// How samples came into memory.
    public let way: Way
    /// How many threads read.
    public let workers: Int
    /// Samples and their bytes in memory.
    public let samples: Int
    /// Bytes of all samples in memory.
    public let byteCount: Int
    /// Bytes that pixels might take.
    public let memoryLimitBytes: Int
    /// Samples per second over the whole measurement.
    public let imagesPerSecond: Double
  }

  private let configuration: RunConfiguration
  private let dataset: ImageDataset
  private let seconds: Double
  private let stop: StopRequest

  /// Opens the training data of a configuration.
  ///
  /// - Parameter seconds: how long each measurement takes, at least.
  public init(_ configuration: RunConfiguration, seconds: Double, stop: StopRequest) throws {
    self.configuration = configuration
    self.seconds = seconds
    self.stop = stop
    dataset = try StagedData(configuration.data, ranks: Ranks(), stop: stop).data.train.open()
  }

  /// The file as it is, under the configuration's memory limit.
  public func asConfigured(workers: Int) throws -> Speed {
    try measureShuffled(dataset, configuration.data.memoryLimitBytes, workers)
  }

  /// The file as it is, and copies of its first samples without and with gzip: loaded, from memory, and streamed through a
  /// sixth of the memory that they would take.
  ///
  /// - Parameters:
  ///   - folder: where copies go; they are removed again.
  ///   - report: called with each measurement as soon as it is there.
  public func table(workers: [Int], folder: String, report: (Speed) -> Void) throws {
    let count = min(dataset.count, max(1, Self.largestCopy / max(1, dataset.sampleByteCount)))
    let path = "\(folder)/convoy-reading-\(ProcessInfo.processInfo.processIdentifier).h5"
    defer { Folder.remove(path) }
    try measure(dataset, workers, report)
    for level in [nil, 4] {
      let output = DatasetOutput(
        path, overwrite: true, storage: DatasetStorage(compressionLevel: level),
        threads: workers.max() ?? 1, check: check)
      try measure(dataset.copy(first: count, to: output), workers, report)
    }
  }

  /// Bytes of samples in a copy.
  private static let largestCopy = 256 << 20

  private var check: @Sendable () throws -> Void {
    { [stop] in if stop.isRequested { throw StoppedEarly() } }
  }

  private func measure(_ dataset: ImageDataset, _ workers: [Int], _ report: (Speed) -> Void) throws {
    let fits = dataset.byteCount <= configuration.data.memoryLimitBytes
    for workers in workers {
      if fits { report(try measureLoading(dataset, workers)) }
    }
    for workers in workers {
      if fits { report(try measureShuffled(dataset, dataset.byteCount, workers)) }
    }
    for workers in workers { report(try measureShuffled(dataset, dataset.byteCount / 6, workers)) }
  }

  private func measureLoading(_ dataset: ImageDataset, _ workers: Int) throws -> Speed {
    var samples = 0
    let clock = ContinuousClock()
    let start = clock.now
    var elapsed = 0.0
    repeat {
      _ = try SampleStore(
        dataset, memoryLimitByteCount: dataset.byteCount, threads: workers, check: check)
      samples += dataset.count
      elapsed = Self.seconds(start.duration(to: clock.now))
    } while elapsed < seconds
    return speed(dataset, .loading, dataset.byteCount, workers, Double(samples) / elapsed)
  }

  private func measureShuffled(_ dataset: ImageDataset, _ limit: Int, _ workers: Int) throws -> Speed {
    let store = try SampleStore(
      dataset, memoryLimitByteCount: limit, threads: workers, check: check)
    let order = SampleOrder(
      seed: configuration.seed, count: dataset.count, shuffle: configuration.data.shuffle)
    let reader = BatchReader(store, order: order, batchSize: configuration.training.batch)
    // Samples come in windows, many at once and then none, so whole epochs count, and a first one does not; of a file
    // that is too large for that, a stretch after another.
    let longest = 10 * seconds
    _ = try read(reader) { isNewEpoch, elapsed in isNewEpoch || elapsed > longest }
    let counted = try read(reader) { isNewEpoch, elapsed in
      isNewEpoch && elapsed >= seconds || elapsed > longest
    }
    return speed(
      dataset, store.isResident ? .memory : .streamed, limit, workers,
      Double(counted.samples) / max(counted.seconds, 1e-9))
  }

  /// Reads on until `isDone` says so, which is asked after each minibatch.
  private func read(
    _ reader: BatchReader, until isDone: (_ isNewEpoch: Bool, _ seconds: Double) -> Bool
  ) throws -> (samples: Int, seconds: Double) {
    let clock = ContinuousClock()
    let start = clock.now
    var samples = 0
    while let minibatch = try reader.next() {
      try check()
      samples += minibatch.count
      let elapsed = Self.seconds(start.duration(to: clock.now))
      if isDone(minibatch.position == 0 && minibatch.epoch > 0, elapsed) { return (samples, elapsed) }
    }
    return (samples, Self.seconds(start.duration(to: clock.now)))
  }

  private func speed(
    _ dataset: ImageDataset, _ way: Speed.Way, _ limit: Int, _ workers: Int, _ imagesPerSecond: Double
  ) -> Speed {
    Speed(
      storage: dataset.storage, way: way, workers: workers, samples: dataset.count,
      byteCount: dataset.byteCount, memoryLimitBytes: limit, imagesPerSecond: imagesPerSecond)
  }

  private static func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
  }
}
