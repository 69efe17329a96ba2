internal import Paths

/// A table that a run has written, read back by the names of its columns.
public struct RunTable: Hashable, Sendable {
  /// The names of the columns, in their order.
  public let columns: [String]
  /// One cell per column; a last row that was not finished is left out, and so is a row of another number of cells.
  public let rows: Rows

  /// One row per epoch, `metrics.csv`; nil where the run has none.
  public static func epochs(ofRun directory: String) -> RunTable? {
    RunTable(path: "\(directory)/metrics.csv")
  }

  /// One row per step, `steps.csv`; nil where the run has none.
  public static func steps(ofRun directory: String) -> RunTable? { RunTable(path: "\(directory)/steps.csv") }

  /// One row per epoch and rank, `ranks.csv`; nil where the run was trained in one process.
  public static func ranks(ofRun directory: String) -> RunTable? { RunTable(path: "\(directory)/ranks.csv") }

  private static let mostColumns = 10_000

  init?(path: String) {
    guard let data = try? WholeFile.read(path, limit: .max) else { return nil }
    let newline = UInt8(ascii: "\n")
    guard let end = data.firstIndex(of: newline) else { return nil }
    // A damaged table: no run has so many figures.
    guard data[..<end].count(where: { $0 == Rows.comma }) < Self.mostColumns else { return nil }
    columns = Rows.cells(data[..<end]).map { String(decoding: $0, as: UTF8.self) }
    // What stands behind the last newline is nothing, or half a row.
    var starts: [Int] = []
    var start = end + 1
    while let end = data[start...].firstIndex(of: newline) {
      let line = data[start..<end]
      let width = 1 + line.count { $0 == Rows.comma }
      if width == columns.count { starts.append(start) }
      start = end + 1
    }
    rows = Rows(bytes: data, starts: starts)
  }

  /// The figures of an epochs' table, each with a column `train_…` and `test_…`, in their order.
  public var figureNames: [String] {
    columns.filter { $0.hasPrefix("train_") }.map { String($0.dropFirst("train_".count)) }
  }

  /// The cells of a column, nil where there is no such column.
  public func cells(_ column: String) -> [String]? {
    guard let index = columns.firstIndex(of: column) else { return nil }
    return Array(rows.cells(index))
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
    guard let index = columns.firstIndex(of: column) else {
      return [Double?](repeating: nil, count: rows.count)
    }
    return rows.cells(index).map { Double($0) }
  }

  /// The rows of a table, which are cut into cells when they are asked for: as texts a long table would take ten times as much memory.
  public struct Rows: RandomAccessCollection, Hashable, Sendable {
    fileprivate static let comma = UInt8(ascii: ",")

    /// The whole file.
    fileprivate let bytes: [UInt8]
    /// Where each row begins; it ends in front of the next newline.
    fileprivate let starts: [Int]

    /// 0.
    public var startIndex: Int { 0 }

    /// The number of rows.
    public var endIndex: Int { starts.count }

    /// The cells of a row.
    public subscript(row: Int) -> [String] {
      Self.cells(line(row)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The cells of a column, which has to exist.
    fileprivate func cells(_ column: Int) -> some Collection<String> {
      indices.lazy.map { row in
        var rest = line(row)
        for _ in 0..<column {
          rest = rest[(rest.firstIndex(of: Self.comma) ?? rest.startIndex)...].dropFirst()
        }
        return String(decoding: rest.prefix { $0 != Self.comma }, as: UTF8.self)
      }
    }

    private func line(_ row: Int) -> ArraySlice<UInt8> {
      bytes[starts[row]...].prefix { $0 != UInt8(ascii: "\n") }
    }

    fileprivate static func cells(_ line: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
      line.split(separator: comma, omittingEmptySubsequences: false)
    }
  }
}
