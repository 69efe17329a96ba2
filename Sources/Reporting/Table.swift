/// Text in columns, as wide as their contents.
public struct Table: Hashable, Sendable {
  public enum Alignment: Hashable, Sendable {
    case leading
    /// For numbers.
    case trailing
  }

  public struct Column: Hashable, Sendable {
    public let title: String
    public let alignment: Alignment

    public init(_ title: String, _ alignment: Alignment = .leading) {
      self.title = title
      self.alignment = alignment
    }
  }

  public let columns: [Column]
  public private(set) var rows: [[String]] = []
  /// Rows under a rule at the end, for totals.
  public private(set) var footer: [[String]] = []

  public init(_ columns: [Column]) {
    self.columns = columns
  }

  /// - Parameter cells: one per column.
  public mutating func add(_ cells: [String]) {
    precondition(cells.count == columns.count, "\(cells.count) cells for \(columns.count) columns")
    rows.append(cells)
  }

  /// - Parameter cells: one per column.
  public mutating func addTotal(_ cells: [String]) {
    precondition(cells.count == columns.count, "\(cells.count) cells for \(columns.count) columns")
    footer.append(cells)
  }

  /// The lines, each ending in a newline, without trailing spaces.
  ///
  /// - Parameters:
  ///   - width: columns of the terminal; where the table is wider, the widest leading columns are cut down to eight.
  ///   - unicode: whether rules may be drawn with box characters.
  ///   - indent: spaces before each line.
  public func text(width: Int? = nil, unicode: Bool = true, indent: Int = 0) -> String {
    let widths = columnWidths(limit: width.map { $0 - indent })
    let rule = widths.map { String(repeating: unicode ? "─" : "-", count: $0) }
    var lines: [[String]] = []
    if columns.contains(where: { !$0.title.isEmpty }) { lines += [columns.map(\.title), rule] }
    lines += rows
    if !footer.isEmpty { lines += [rule] + footer }
    let margin = String(repeating: " ", count: indent)
    return lines.map { margin + line($0, widths) + "\n" }.joined()
  }

  private static let gap = "  "

  private func line(_ cells: [String], _ widths: [Int]) -> String {
    var line = ""
    for (index, cell) in cells.enumerated() {
      let text = TextWidth.truncated(cell, to: widths[index])
      if index > 0 { line += Self.gap }
      line += TextWidth.padded(text, to: widths[index], columns[index].alignment)
    }
    while line.last == " " { line.removeLast() }
    return line
  }

  private func columnWidths(limit: Int?) -> [Int] {
    var widths = columns.indices.map { index in
      ([columns.map(\.title)] + rows + footer).map { TextWidth.columns($0[index]) }.max() ?? 0
    }
    guard let limit else { return widths }
    let gaps = Self.gap.count * max(0, columns.count - 1)
    while widths.reduce(gaps, +) > limit {
      let candidates = widths.indices.filter { columns[$0].alignment == .leading && widths[$0] > 8 }
      guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { break }
      widths[widest] -= 1
    }
    return widths
  }
}
