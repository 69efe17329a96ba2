internal import Compute
public import Datasets
internal import Networks
internal import Tensors

/// How a network does on a dataset.
public struct Evaluation: Sendable {
  /// Loss, and all metrics that mean something for the network's task.
  public let sums: FigureSums
  /// The class of each sample, in the order of the dataset.
  ///
  /// That is the class of the largest output, of equal ones the first; of a single yes or no, 0 or 1. Empty for other tasks.
  public let labels: [Int32]
  /// What each sample was taken for, in the order of ``labels``.
  public let predictions: [Int32]
  /// How many classes have a larger output than the sample's own, or an equal one and a smaller number: 0 where it is predicted.
  public let ranks: [Int32]
}

extension Predictor {
  /// Loss, metrics and predictions over all samples of a dataset.
  ///
  /// - Parameters:
  ///   - flips: views of each sample whose outputs are averaged.
  ///   - answer: whether outputs lie on the sample and are mirrored with it; nil where that follows from their form.
  ///   - progress: told after each piece how many samples are done, and their figures.
  /// - Returns: nil when asked to stop.
  /// - Throws: ``TrainingError`` of kind `badData` where the samples do not fit the network.
  public func evaluate(
    _ store: SampleStore, stop: StopRequest, flips: TestTimeFlips = .none, answer: AnswerPlace? = nil,
    progress: (FigureSums) -> Void = { _ in }
  ) throws -> Evaluation? {
    try check(store.dataset)
    let layout = FigureLayout(evaluationCriterion, outputs: outputCount)
    let reader = BatchReader(
      store, order: SampleOrder(seed: 0, count: store.dataset.count, shuffle: false),
      batchSize: Predictor.batch, endEpoch: 1, wanted: wantedPlaces)
    var sums = FigureSums(layout)
    var decisions = Decisions(
      outputs: outputCount, task: criterion.task, isByClass: store.dataset.targets == nil)
    while let minibatch = try reader.next() {
      guard let rows = try logits(minibatch, stop: stop, flips: flips, answer: answer) else { return nil }
      let shard = MinibatchShard(minibatch: minibatch, range: 0..<minibatch.count)
      var values = [Double](repeating: 0, count: layout.count)
      try values.withUnsafeMutableBufferPointer { values in
        guard let values = values.baseAddress else { return }
        try rows.withUnsafeBufferPointer { rows in
          guard let rows = rows.baseAddress else { return }
          try layout.add(rows, of: shard, to: values)
        }
      }
      sums += FigureSums(layout, values: values, samples: minibatch.count)
      decisions.add(rows, minibatch)
      progress(sums)
    }
    return Evaluation(
      sums: sums, labels: decisions.labels, predictions: decisions.predictions, ranks: decisions.ranks)
  }

  /// The checkpoint's loss, without smoothing, and every metric of its task.
  private var evaluationCriterion: Criterion {
    var criterion = criterion
    criterion.loss = criterion.loss.withoutSmoothing
    let own = criterion.metrics
    criterion.metrics = Metric.all.filter { metric in
      // One length of the list is enough.
      if case .topAccuracy(let count) = metric, count != 5 { return false }
      return criterion.task.admits(metric) && metric.isTelling(outputs: outputCount)
    }
    criterion.metrics += own.filter { !criterion.metrics.contains($0) }
    return criterion
  }

  /// Whether a dataset's samples and targets fit the network.
  public func check(_ dataset: ImageDataset) throws(TrainingError) {
    guard dataset.fits(network.inputShape) else {
      throw TrainingError(
        .badData,
        "\(dataset.path) has samples of \(dataset.sampleShape), but the network's input is \(network.inputShape)"
          + dataset.otherAxes(for: network.inputShape)
      )
    }
    if dataset.targets == nil, outputCount > 1,
      let bad = dataset.labels.firstIndex(where: { $0 >= outputCount })
    {
      throw TrainingError(
        .badData,
        "sample \(bad) of \"\(dataset.targetName)\" in \(dataset.path) has label \(dataset.labels[bad]), "
          + "but the network knows \(counted(outputCount, "class"))")
    }
    if dataset.targets != nil || outputCount == 1 {
      try TargetCheck(dataset, criterion, outputs: outputCount, kind: .badData).run()
    }
  }
}

/// Classes and what they were taken for, sample by sample.
private struct Decisions {
  let outputs: Int
  let task: Criterion.Task
  /// Whether the data say a class, rather than numbers.
  let isByClass: Bool
  var labels: [Int32] = []
  var predictions: [Int32] = []
  var ranks: [Int32] = []

  init(outputs: Int, task: Criterion.Task, isByClass: Bool) {
    self.outputs = outputs
    self.task = task
    self.isByClass = isByClass
  }

  mutating func add(_ rows: [Float], _ minibatch: Minibatch) {
    for sample in 0..<minibatch.count {
      let row = rows[sample * outputs..<(sample + 1) * outputs]
      switch task {
      case .classes:
        predictions.append(Self.largest(row))
        if let values = minibatch.targetValues(sample) {
          labels.append(Self.largest(UnsafeBufferPointer(start: values, count: outputs)))
        } else {
          labels.append(minibatch.label(sample))
        }
        ranks.append(Self.rank(of: Int(labels[labels.count - 1]), row))
      case .labels where outputs == 1 && isByClass:
        predictions.append(row[row.startIndex] > 0 ? 1 : 0)
        labels.append(minibatch.label(sample))
      case .labels, .values: continue
      }
    }
  }

  private static func rank(of label: Int, _ row: ArraySlice<Float>) -> Int32 {
    let own = row[row.startIndex + label]
    var rank: Int32 = 0
    for (index, value) in row.enumerated() where value > own || (value == own && index < label) { rank += 1 }
    return rank
  }

  private static func largest(_ values: some RandomAccessCollection<Float>) -> Int32 {
    var (best, place) = (values.first ?? 0, 0)
    for (index, value) in values.enumerated() where value > best { (best, place) = (value, index) }
    return Int32(place)
  }
}
