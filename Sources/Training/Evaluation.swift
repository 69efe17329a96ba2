public import Datasets
internal import Networks

/// How a network does on a dataset.
public struct Evaluation: Hashable, Sendable {
  public let sums: MetricSums
  /// The most probable class of each sample, in the order of the dataset; of equal ones the first.
  public let predictions: [Int32]
}

extension Predictor {
  /// Loss, accuracy and predictions over all samples of a dataset.
  ///
  /// - Parameters:
  ///   - flips: views of each sample whose outputs are averaged.
  ///   - progress: told after each piece how many samples are done, and their figures.
  /// - Returns: nil when asked to stop.
  /// - Throws: ``TrainingError`` of kind `badData` where the samples do not fit the network.
  public func evaluate(
    _ store: SampleStore, stop: StopRequest, flips: TestTimeFlips = .none,
    progress: (MetricSums) -> Void = { _ in }
  ) throws -> Evaluation? {
    try check(store.dataset)
    let reader = BatchReader(
      store, order: SampleOrder(seed: 0, count: store.dataset.count, shuffle: false),
      batchSize: Predictor.batch, endEpoch: 1)
    var sums = MetricSums()
    var predictions: [Int32] = []
    predictions.reserveCapacity(store.dataset.count)
    while let minibatch = try reader.next() {
      guard let logits = try logits(minibatch, stop: stop, flips: flips) else { return nil }
      let figures = logits.withUnsafeBufferPointer {
        CrossEntropy.sums(logits: $0, classes: classes, labels: minibatch.labels[...])
      }
      sums += MetricSums(loss: figures.loss, correct: figures.correct, samples: minibatch.count)
      predictions += CrossEntropy.predictions(logits: logits, classes: classes)
      progress(sums)
    }
    return Evaluation(sums: sums, predictions: predictions)
  }

  /// Whether a dataset's samples and labels fit the network.
  public func check(_ dataset: ImageDataset) throws(TrainingError) {
    guard dataset.fits(network.inputShape) else {
      throw TrainingError(
        .badData,
        "\(dataset.path) has samples of \(dataset.sampleShape), and the network's input is \(network.inputShape)"
      )
    }
    if let bad = dataset.labels.firstIndex(where: { $0 >= classes }) {
      throw TrainingError(
        .badData,
        "sample \(bad) of \"\(dataset.labelsName)\" in \(dataset.path) has label \(dataset.labels[bad]), "
          + "and the network knows \(classes) classes")
    }
  }
}
