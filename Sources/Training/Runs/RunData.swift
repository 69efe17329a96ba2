internal import Datasets
internal import Foundation

/// The datasets of a run, opened and checked.
struct RunData {
  let training: SampleStore
  let test: SampleStore?
  /// The span of the training's pixels, as far as they were looked at.
  let pixels: PixelSpan
  /// What was copied to the node's own disk, for the user; nil for nothing.
  let stagingNote: String?
  /// What was done to bring the names of classes together, for the user; nil where they agree.
  let nameNote: String?

  /// - Parameter ranks: those that open it together, each for itself.
  init(_ configuration: RunConfiguration, workers: Int, ranks: Ranks = Ranks(), stop: StopRequest) throws {
    let staged = try StagedData(configuration.data, ranks: ranks, stop: stop)
    let data = staged.data
    stagingNote = staged.note
    let check = Self.check(stop)
    let trainingSet = try data.train.open()
    let matched = try data.test?.open().matchedForTest(of: trainingSet)
    let testSet = matched?.dataset
    try testSet?.checkOrigin(
      trainingSet.origin, channels: trainingSet.channelNames, role: "data.test")
    nameNote = matched?.note
    let shares = Self.shares(
      of: data.memoryLimitBytes, training: trainingSet.byteCount, test: testSet?.byteCount ?? 0,
      // Samples of the training data that are evaluated are read beside those that are trained on.
      readers: data.validation == nil && configuration.training.overfitBatches == nil ? 1 : 2)
    func store(_ dataset: ImageDataset, _ limit: Int) throws -> SampleStore {
      try SampleStore(dataset, memoryLimitByteCount: limit, threads: max(1, min(workers, 8)), check: check)
    }
    training = try store(trainingSet, shares.training)
    test = try testSet.map { try store($0, shares.test) }
    pixels = try trainingSet.pixelSpan()
  }

  /// The bytes of memory that pixels take, or may take while they are streamed.
  var memoryByteCount: Int {
    [training, test].compactMap(\.self).reduce(0) { $0 + min($1.memoryLimitByteCount, $1.dataset.byteCount) }
  }

  /// Ends reading where somebody asked to stop.
  static func check(_ stop: StopRequest) -> @Sendable () throws -> Void {
    { if stop.isRequested { throw StoppedEarly() } }
  }

  /// The samples of a role of ``DataDigests/roles``.
  func store(of role: String) -> SampleStore? { role == "train" ? training : test }

  /// How much of a limit on the memory for samples each data set may take, so that both keep to it together.
  ///
  /// What fits is kept in memory, the training samples first, since they are read in random order; what does not is streamed
  /// through what is left.
  /// - Parameters:
  ///   - training: bytes of all training samples.
  ///   - test: bytes of all test samples; 0 for none.
  ///   - readers: how many stream the training samples at once where they are streamed; the share is that of each.
  static func shares(
    of limit: Int, training: Int, test: Int, readers: Int
  ) -> (training: Int, test: Int) {
    // Not as a sum, which may be too large for a number.
    if training <= limit { return (training, limit - training) }
    let share = limit / 4
    let forTest = test <= share ? test : share
    return ((limit - forTest) / readers, forTest)
  }

  /// Sizes of the minibatches that this many samples are cut into.
  static func minibatchSizes(samples: Int, batch: Int) -> Set<Int> {
    var sizes: Set<Int> = []
    if samples >= batch { sizes.insert(batch) }
    if samples % batch > 0 { sizes.insert(samples % batch) }
    return sizes
  }
}

/// Thrown where a signal ends work before there was anything to save.
public struct StoppedEarly: Error, CustomStringConvertible, Sendable {
  /// What was stopped and what to do, in one line.
  public let description: String

  /// Takes the line that a person will read.
  public init(
    _ description: String = "stopped by a signal before training began; the same command begins again"
  ) {
    self.description = description
  }
}
