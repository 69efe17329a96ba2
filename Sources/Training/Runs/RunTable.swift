internal import Paths

/// A table that a run has written, read back by the names of its columns.
public struct RunTable: Hashable, Sendable {
  /// The names of the columns, in their order.
  public let columns: [String]
  /// One cell per column; a last row that was not finished is left out.
  public let rows: [[String]]

  /// One row per epoch, `metrics.csv`; nil where the run has none.
  public static func epochs(ofRun directory: String) -> RunTable? {
    RunTable(path: "\(directory)/metrics.csv")
  }

  /// One row per step, `steps.csv`; nil where the run has none.
  public static func steps(ofRun directory: String) -> RunTable? { RunTable(path: "\(directory)/steps.csv") }

  /// One row per epoch and rank, `ranks.csv`; nil where the run was trained in one process.
  public static func ranks(ofRun directory: String) -> RunTable? { RunTable(path: "\(directory)/ranks.csv") }

  init?(path: String) {
    guard let data = try? WholeFile.read(path, limit: .max) else { return nil }
    var lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)[...]
    // What stands behind the last newline is nothing, or half a row.
    lines = lines.dropLast()
    guard let header = lines.popFirst() else { return nil }
    func cells(_ line: ArraySlice<UInt8>) -> [String] {
      line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map {
        String(decoding: $0, as: UTF8.self)
      }
    }
    columns = cells(header)
    let width = columns.count
    rows = lines.map(cells).filter { $0.count == width }
  }

  /// The figures of an epochs' table, each with a column `train_…` and `test_…`, in their order.
  public var figureNames: [String] {
    columns.filter { $0.hasPrefix("train_") }.map { String($0.dropFirst("train_".count)) }
  }

  /// The cells of a column, nil where there is no such column.
  public func cells(_ column: String) -> [String]? {
    guard let index = columns.firstIndex(of: column) else { return nil }
    return rows.map { $0[index] }
  }

  /// A figure of the samples by which epochs are compared: those held out, the test samples, or the training's.
  public func compared(_ figure: String) -> [Double?] {
    for part in ["validation", "test"] {
      let numbers = numbers("\(part)_\(figure)")
      // Test figures of the last epoch alone are not what epochs were compared by.
      if numbers.contains(where: { $0 != nil }) { return numbers }
    }
    return numbers("train_\(figure)")
  }

  /// The numbers of a column; nil for each empty cell, and for all where there is no such column.
  public func numbers(_ column: String) -> [Double?] {
    cells(column)?.map { Double($0) } ?? rows.map { _ in nil }
  }
}
