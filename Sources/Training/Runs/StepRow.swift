/// A row of `steps.csv`: the figures of a minibatch.
///
/// Its loss depends on every parameter and on the order of the samples, and is written so that it reads back bit by bit: the first
/// row in which two runs differ is the first step in which they did.
struct StepRow {
  let report: StepReport

  /// Names of the columns of `steps.csv`.
  ///
  /// - Parameter names: the names of the figures.
  static func columns(_ names: [String]) -> [String] { ["step", "epoch", "learning_rate"] + names }

  var row: [String] {
    // A step that was left out has no figures; the columns are those of the epoch.
    let figures =
      report.minibatch.layout == nil
      ? report.epochSoFar.figures.map { _ in 0 } : report.minibatch.figures.map(\.value)
    return ["\(report.step)", "\(report.epoch)", "\(report.learningRate)"] + figures.map { "\($0)" }
  }
}
