internal import Reporting
internal import Tensors
internal import Training

/// Whether a network learned a few samples by heart, by the tables of its run.
struct OverfitVerdict {
  let hasLearned: Bool
  let text: String

  /// Reads the verdict from a run: a network has learned its samples when all of them are right in training.
  ///
  /// Where accuracy is not measured, it has learned them when the loss is a hundredth of that at the beginning.
  ///
  /// Training has the last word: evaluation takes the running statistics of batch normalisation, which lag behind when there are few
  /// steps, so that a network that knows all samples may seem to know none. Where dropout makes training the harder of the two,
  /// evaluation shows it as well.
  /// - Returns: nil where the run is of another kind, or has no epoch.
  init?(_ directory: String, _ configuration: RunConfiguration) {
    guard let batches = configuration.training.overfitBatches, let epochs = RunTable.epochs(ofRun: directory),
      let last = epochs.rows.indices.last, let epoch = epochs.numbers("epoch")[last],
      let step = epochs.numbers("step")[last]
    else { return nil }
    let first = RunTable.steps(ofRun: directory)?.numbers("loss").first ?? nil
    let training = Part(epochs, last, "train", first)
    let evaluation = Part(epochs, last, "validation", first)
    hasLearned = training.hasLearned || evaluation.hasLearned
    let samples =
      "the \(counted(batches * configuration.training.batch, "sample")) of \(counted(batches, "minibatch"))"
    let count = NumberText.grouped(epoch) + (epoch == 1 ? " epoch" : " epochs")
    let time = "\(NumberText.grouped(step)) steps (\(count))"
    let figures = "\(training.text) in training, \(evaluation.text) in evaluation"
    let gap =
      training.hasLearned && !evaluation.hasLearned
      ? " Evaluation is behind: it uses the running statistics of batch normalisation, which follow slowly, and no dropout. More epochs "
        + "or a smaller `momentum` of batch_norm close the gap; a gap that remains needs a closer look."
      : ""
    let began = training.accuracy == nil ? ", from a loss of \(first.map(NumberText.short) ?? "–")" : ""
    text =
      hasLearned
      ? "The network can learn: it knows \(samples) by heart after \(time)\(began): \(figures).\(gap)"
      : "The network did NOT learn \(samples) in \(time)\(began): \(figures). Try another learning rate (`convoy find-lr`), more "
        + "epochs and less dropout or weight decay; then look for wrong labels, and for a layer that passes nothing on."
  }

  /// The figures of the last epoch, in training or in evaluation.
  private struct Part {
    let accuracy: Double?
    let hasLearned: Bool
    let text: String

    init(_ epochs: RunTable, _ row: Int, _ name: String, _ first: Double?) {
      let loss = epochs.numbers("\(name)_loss")[row]
      accuracy = epochs.numbers("\(name)_accuracy")[row]
      hasLearned = accuracy.map { $0 == 1 } ?? loss.map { $0 <= (first ?? 0) / 100 } ?? false
      let words = [
        accuracy.map { "accuracy \(NumberText.fixed($0, 4))" }, loss.map { "loss \(NumberText.short($0))" },
      ].compactMap(\.self)
      text = words.isEmpty ? "nothing" : words.joined(separator: " and ")
    }
  }
}
