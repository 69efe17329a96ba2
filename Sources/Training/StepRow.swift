/// A row of `steps.csv`: what a minibatch came to.
///
/// Its loss depends on every parameter and on the order of the samples, and is written so that it reads back bit by bit: the first
/// row in which two runs differ is the first step in which they did.
struct StepRow {
  let report: StepReport

  /// Names of the columns of `steps.csv`.
  static let columns = ["step", "epoch", "learning_rate", "loss", "accuracy"]

  var row: [String] {
    [
      "\(report.step)", "\(report.epoch)", "\(report.learningRate)", "\(report.minibatch.meanLoss)",
      "\(report.minibatch.accuracy)",
    ]
  }
}
