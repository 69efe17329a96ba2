internal import Compute
public import Datasets

/// A sample that a network took for another class.
public struct ConfidentMistake: Hashable, Sendable {
  /// The sample's row in the dataset.
  public let row: Int
  /// The class that the sample belongs to.
  public let label: Int32
  /// The class that it was taken for.
  public let predicted: Int32
  /// How sure the network was of what it predicted: its probability in (0, 1], or its output where a network has none.
  public let probability: Double
}

extension Predictor {
  /// The wrongly classified samples of which the network was surest, the surest first; of equally sure ones the earlier row.
  ///
  /// - Parameter limit: the most mistakes that are returned.
  /// - Returns: nil when asked to stop; none where there are no classes.
  /// - Throws: ``TrainingError`` of kind `badData` where the samples do not fit the network.
  public func confidentMistakes(
    _ store: SampleStore, limit: Int, stop: StopRequest
  ) throws -> [ConfidentMistake]? {
    guard criterion.task == .classes, store.dataset.targets == nil else { return [] }
    try check(store.dataset)
    let reader = BatchReader(
      store, order: SampleOrder(seed: 0, count: store.dataset.count, shuffle: false),
      batchSize: Predictor.batch, endEpoch: 1)
    var mistakes: [ConfidentMistake] = []
    while let minibatch = try reader.next() {
      guard let logits = try logits(minibatch, stop: stop) else { return nil }
      for (sample, label) in minibatch.labels.enumerated() {
        let probabilities = values(logits[sample * outputCount..<(sample + 1) * outputCount])
        guard let best = probabilities.indices.max(by: { probabilities[$0] < probabilities[$1] }),
          best != Int(label)
        else { continue }
        mistakes.append(
          ConfidentMistake(
            row: Int(minibatch.sampleIndices[sample]), label: label, predicted: Int32(best),
            probability: probabilities[best]))
      }
      mistakes.sort { ($1.probability, $0.row) < ($0.probability, $1.row) }
      mistakes.removeLast(max(0, mistakes.count - limit))
    }
    return mistakes
  }
}
