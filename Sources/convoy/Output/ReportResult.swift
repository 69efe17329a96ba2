internal import Networks
internal import Reporting

/// A run's page that was written, for machines.
struct ReportResult: Encodable {
  /// Where the page is.
  let path: String
  /// The run's directory.
  let run: String
  let state: String
  let epochs: Int
  @NullIfMissing var bestEpoch: Int?
  /// What was evaluated for it; `null` where nothing could be.
  @NullIfMissing var evaluated: String?
  /// What is missing from the page, and why.
  let notes: [String]

  init(_ path: String, of directory: String, _ report: RunReport) {
    (self.path, run, state) = (path, directory, report.state)
    (epochs, bestEpoch) = (report.epochs.count, report.bestEpoch)
    (evaluated, notes) = (report.evaluated, report.notes)
  }
}
