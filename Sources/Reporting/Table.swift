/// Text in columns, as wide as their contents.
///
/// Cells may come from files: what is no printable character stands as U+FFFD, so that a row stays a row.
public struct Table: Hashable, Sendable {
  /// To which side of its column a text is set.
  public enum Alignment: Hashable, Sendable {
    case leading
    /// For numbers.
    case trailing
  }

  /// A column's heading and how its texts are set.
  public struct Column: Hashable, Sendable {
    public let title: String
    public let alignment: Alignment
    /// Whether it is left out where the terminal is too narrow for all.
    public let isOptional: Bool

    public init(_ title: String, _ alignment: Alignment = .leading, isOptional: Bool = false) {
      self.title = TextWidth.printable(title)
      self.alignment = alignment
      self.isOptional = isOptional
    }
  }

  public let columns: [Column]
  public private(set) var rows: [[String]] = []
  /// Rows under a rule at the end, for totals.
  public private(set) var footer: [[String]] = []

  public init(_ columns: [Column]) {
    self.columns = columns
  }

  /// - Parameter cells: one per column; what would control a terminal or begin a line of its own is shown as a sign.
  public mutating func add(_ cells: [String]) {
    precondition(cells.count == columns.count, "\(cells.count) cells for \(columns.count) columns")
    rows.append(cells.map(TextWidth.printable))
  }

  /// - Parameter cells: one per column.
  public mutating func addTotal(_ cells: [String]) {
    precondition(cells.count == columns.count, "\(cells.count) cells for \(columns.count) columns")
    footer.append(cells.map(TextWidth.printable))
  }

  /// The lines, each ending in a newline, without trailing spaces.
  ///
  /// - Parameters:
  ///   - width: columns of the terminal; where the table is wider, optional columns are left out from the right, then the widest
  ///     leading ones are cut down to eight.
  ///   - unicode: whether rules may be drawn with box characters.
  ///   - indent: spaces before each line.
  public func text(width: Int? = nil, unicode: Bool = true, indent: Int = 0) -> String {
    let limit = width.map { $0 - indent } ?? .max
    if let last = columns.lastIndex(where: \.isOptional), Self.width(naturalWidths) > limit {
      return without(last).text(width: width, unicode: unicode, indent: indent)
    }
    let widths = cut(naturalWidths, to: limit)
    let rule = widths.map { String(repeating: unicode ? "─" : "-", count: $0) }
    var lines: [[String]] = []
    if columns.contains(where: { !$0.title.isEmpty }) { lines += [columns.map(\.title), rule] }
    lines += rows
    if !footer.isEmpty { lines += [rule] + footer }
    let margin = String(repeating: " ", count: indent)
    return lines.map { margin + line($0, widths) + "\n" }.joined()
  }

  /// Columns that the table takes when nothing is cut, without an indentation.
  public var width: Int { Self.width(naturalWidths) }

  /// The table turned over: a row for each column, under the first column's cells.
  ///
  /// For a terminal in which a few long rows have no room.
  public var turned: Table {
    var turned = Table(
      [Column(columns.first?.title ?? "")] + rows.map { Column($0.first ?? "", .trailing) })
    for index in columns.indices.dropFirst() { turned.add([columns[index].title] + rows.map { $0[index] }) }
    return turned
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

  private func without(_ column: Int) -> Table {
    func kept<Element>(_ elements: [Element]) -> [Element] {
      Array(elements[..<column] + elements[(column + 1)...])
    }
    var table = Table(kept(columns))
    table.rows = rows.map(kept)
    table.footer = footer.map(kept)
    return table
  }

  /// What the columns take when nothing is cut.
  private var naturalWidths: [Int] {
    columns.indices.map { index in
      ([columns.map(\.title)] + rows + footer).map { TextWidth.columns($0[index]) }.max() ?? 0
    }
  }

  private static func width(_ columns: [Int]) -> Int {
    columns.reduce(gap.count * max(0, columns.count - 1), +)
  }

  private func cut(_ widths: [Int], to limit: Int) -> [Int] {
    var widths = widths
    while Self.width(widths) > limit {
      let candidates = widths.indices.filter { columns[$0].alignment == .leading && widths[$0] > 8 }
      guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { break }
      widths[widest] -= 1
    }
    return widths
  }
}
