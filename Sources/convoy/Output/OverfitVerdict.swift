internal import Reporting
internal import Training

/// Whether a network could learn a few samples by heart, as the tables of its run say.
struct OverfitVerdict {
  let hasLearned: Bool
  let text: String

  /// All samples right, or, of a network that is not judged by accuracy, a hundredth of the loss that it began with.
  ///
  /// - Returns: nil where the run is of another kind, or has no epoch.
  init?(_ directory: String, _ configuration: RunConfiguration) {
    guard let batches = configuration.training.overfitBatches, let epochs = RunTable.epochs(ofRun: directory),
      let loss = epochs.numbers("validation_loss").last ?? nil,
      let epoch = epochs.numbers("epoch").last ?? nil,
      let step = epochs.numbers("step").last ?? nil
    else { return nil }
    let accuracy = epochs.numbers("validation_accuracy").last ?? nil
    let first = RunTable.steps(ofRun: directory)?.numbers("loss").first ?? nil
    hasLearned = accuracy.map { $0 == 1 } ?? (loss <= (first ?? 0) / 100)
    let samples =
      "the \(batches * configuration.training.batch) samples of \(batches) minibatch\(batches == 1 ? "" : "es")"
    let time = "\(NumberText.grouped(Int(step))) steps (\(Int(epoch)) epoch\(epoch == 1 ? "" : "s"))"
    let figures =
      accuracy.map { "accuracy \(NumberText.fixed($0, 4)), loss \(NumberText.short(loss))" }
      ?? "loss \(NumberText.short(loss)), of \(first.map(NumberText.short) ?? "–") before the first step"
    text =
      hasLearned
      ? "The network can learn: it knows \(samples) by heart after \(time): \(figures)."
      : "The network did NOT learn \(samples) in \(time): \(figures). Try another learning rate (`convoy find-lr`), more epochs and "
        + "less dropout or weight decay; then look for wrong labels, and for a layer that lets nothing through."
  }
}
