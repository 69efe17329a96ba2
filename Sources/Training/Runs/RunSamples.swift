internal import Datasets
internal import Networks

/// Samples of a dataset, in the order in which a part of a run takes them.
struct SampleSet: Sendable {
  let store: SampleStore
  let order: SampleOrder

  /// Samples of one pass.
  var count: Int { order.count }

  /// The running number of a minibatch's first sample, counted over all passes of a training.
  func firstSample(of minibatch: Minibatch) -> Int { minibatch.epoch * count + minibatch.position }

  /// The minibatches of one pass, for evaluation.
  ///
  /// - Parameter wanted: the samples whose pixels are read; nil for all.
  func reader(batch: Int, wanted: WantedPlaces? = nil) -> BatchReader {
    BatchReader(store, order: order, batchSize: batch, endEpoch: 1, wanted: wanted)
  }
}

/// Which samples a run trains on, compares its epochs by, and is judged by in the end.
struct RunSamples: Sendable {
  let training: SampleSet
  /// The samples that are evaluated after each epoch: those held out, or else the test samples; nil where there are neither.
  let compared: SampleSet?
  /// What `compared` is.
  let role: Role
  /// The test samples, where others are held out, so that these are evaluated after the last epoch alone; nil otherwise.
  let final: SampleSet?

  enum Role: Sendable {
    case test
    /// Samples held out of the training data, or those that are trained on where a few are to be learnt by heart.
    case validation
  }

  /// - Throws: ``TrainingError`` of kind `configuration` where the data has too few samples for what is asked for.
  init(_ configuration: RunConfiguration, _ data: RunData) throws(TrainingError) {
    let training = configuration.training
    let (order, heldOut, window) = try Self.trained(configuration, data.training.dataset)
    self.training = SampleSet(store: data.training, order: order)

    func evaluated(_ store: SampleStore, rows: [Int32]? = nil) -> SampleSet {
      SampleSet(
        store: store,
        order: SampleOrder(
          seed: 0, datasetCount: store.dataset.count, rows: rows, shuffle: false,
          limit: training.limits.evaluation.map { Self.samples($0, training.batch) }))
    }
    if let window {
      // The samples that are learnt by heart, as evaluation sees them.
      compared = evaluated(
        data.training, rows: Array(order.permutation(epoch: 0)[..<min(window, order.count)]))
      role = .validation
      final = nil
    } else if let heldOut {
      compared = evaluated(data.training, rows: heldOut)
      role = .validation
      final = data.test.map { evaluated($0) }
    } else {
      compared = data.test.map { evaluated($0) }
      role = .test
      final = nil
    }
  }

  /// The samples to train on, those held out, and how many are learnt by heart; nil for none.
  ///
  /// - Throws: as ``init(_:_:)``.
  static func trained(
    _ configuration: RunConfiguration, _ dataset: ImageDataset
  ) throws(TrainingError) -> (order: SampleOrder, heldOut: [Int32]?, window: Int?) {
    let training = configuration.training
    let (heldOut, left) = try Self.heldOut(configuration.data.validation, dataset)
    let limit = training.limits.training.map { Self.samples($0, training.batch) }
    let window = try Self.window(training, of: left?.count ?? dataset.count)
    let order = SampleOrder(
      seed: configuration.seed, datasetCount: dataset.count, rows: left, shuffle: configuration.data.shuffle,
      limit: limit, window: window)
    guard training.accumulate == 1 || order.count > training.batch * (training.accumulate - 1) else {
      throw TrainingError(
        .configuration,
        "training.accumulate: \(training.accumulate) minibatches of \(training.batch) are more than the \(order.count) samples "
          + "of an epoch; use fewer")
    }
    return (order, heldOut, window)
  }

  /// Sizes of the minibatches that evaluation will meet.
  func evaluationSizes(batch: Int) -> Set<Int> {
    [compared, final].compactMap(\.self).reduce(into: []) {
      $0.formUnion(RunData.minibatchSizes(samples: $1.count, batch: batch))
    }
  }

  private static func samples(_ minibatches: Int, _ batch: Int) -> Int {
    let (samples, overflow) = minibatches.multipliedReportingOverflow(by: batch)
    return overflow ? .max : samples
  }

  private static func heldOut(
    _ rule: HeldOut?, _ dataset: ImageDataset
  ) throws(TrainingError) -> (heldOut: [Int32]?, left: [Int32]?) {
    guard let rule else { return (nil, nil) }
    let count = rule.count(of: dataset.count)
    guard count >= 1, count < dataset.count else {
      throw TrainingError(
        .configuration,
        "data.validation: \(count) of the \(dataset.count) samples of \(dataset.path) would be held out; at least one must "
          + "be held out, and at least one must stay")
    }
    // Targets that are not classes have no shares to keep.
    let labels = dataset.labels.isEmpty ? [Int32](repeating: 0, count: dataset.count) : dataset.labels
    let rows = rule.rows(labels: labels)
    return (rows.heldOut, rows.left)
  }

  private static func window(_ training: TrainingConfiguration, of count: Int) throws(TrainingError) -> Int? {
    guard let batches = training.overfitBatches else { return nil }
    let window = samples(batches, training.batch)
    guard window <= count else {
      throw TrainingError(
        .configuration,
        "training.overfit_batches: \(batches) minibatches of \(training.batch) are more than the \(count) training samples"
      )
    }
    return window
  }
}

extension RunConfiguration {
  /// How many samples a training epoch has, over a dataset of `total`.
  public func epochSamples(of total: Int) -> Int {
    let left = max(total - (data.validation?.count(of: total) ?? 0), 0)
    guard let limit = training.limits.training else { return left }
    let (samples, overflow) = limit.multipliedReportingOverflow(by: training.batch)
    return overflow ? left : min(left, samples)
  }

  /// Samples that are evaluated after each epoch, of datasets of this many training and test samples; 0 for none.
  public func evaluatedSamples(ofTraining total: Int, test: Int?) -> Int {
    let all = data.validation?.count(of: total) ?? test ?? 0
    guard let limit = training.limits.evaluation else { return all }
    let (samples, overflow) = limit.multipliedReportingOverflow(by: training.batch)
    return overflow ? all : min(all, samples)
  }
}
