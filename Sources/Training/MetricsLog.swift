internal import Foundation
internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#endif

/// `metrics.csv`: one row per epoch, without gaps or doubles over any number of restarts.
final class MetricsLog: Sendable {
  private let file: FileDescriptor

  /// Opens the table and cuts off every row after `step`, and a last row that was not finished.
  ///
  /// - Parameter step: of the checkpoint that training goes on from; nil starts an empty table.
  init(path: String, goingOnAfter step: Int?) throws(TrainingError) {
    file = try FileDescriptor(path, O_RDWR | O_CREAT | O_NOFOLLOW, or: .cannotCreate)
    let header = EpochMetrics.columns.joined(separator: ",") + "\n"
    let text = String(decoding: try file.readAll(), as: UTF8.self)
    var kept = header
    if let step, text.hasPrefix(header) {
      for line in text.dropFirst(header.count).split(separator: "\n", omittingEmptySubsequences: false)
        .dropLast()
      {
        guard let own = line.split(separator: ",").first.flatMap({ Int($0) }), own <= step else { break }
        kept += line + "\n"
      }
    }
    // A table that only grows is cut in place; cutting cannot leave half a row behind.
    let isPrefix = text.hasPrefix(kept)
    guard ftruncate(file.value, isPrefix ? kept.utf8.count : 0) == 0,
      lseek(file.value, 0, SEEK_END) >= 0
    else { throw .system(.inputOutput, "cannot cut \(path)") }
    if !isPrefix { try file.write(kept) }
  }

  func append(_ metrics: EpochMetrics) throws(TrainingError) {
    try file.write(metrics.row.joined(separator: ",") + "\n")
  }

  /// Makes the rows so far durable; before a checkpoint, which must not know more than the table.
  func synchronize() throws(TrainingError) { try file.synchronize() }
}
