/// Text in columns, as wide as their contents.
///
/// Cells may come from files: characters that cannot be printed become U+FFFD, so that a row stays a row.
public struct Table: Hashable, Sendable {
  /// The side of its column at which a text stands.
  public enum Alignment: Hashable, Sendable {
    /// At the left, for text.
    case leading
    /// At the right, for numbers.
    case trailing
  }

  /// A column's heading, and how its texts are set.
  public struct Column: Hashable, Sendable {
    /// The heading; empty for none.
    public let title: String
    /// The side at which texts stand.
    public let alignment: Alignment
    /// Whether the column is left out where the terminal is too narrow for all.
    public let isOptional: Bool

    /// A column.
    public init(_ title: String, _ alignment: Alignment = .leading, isOptional: Bool = false) {
      self.title = TextWidth.printable(title)
      self.alignment = alignment
      self.isOptional = isOptional
    }
  }

  /// The columns, from left to right.
  public let columns: [Column]
  /// The rows, each with a cell for every column.
  public private(set) var rows: [[String]] = []
  /// The rows below a rule at the end, for totals.
  public private(set) var footer: [[String]] = []

  /// A table without rows.
  public init(_ columns: [Column]) {
    self.columns = columns
  }

  /// Adds a row.
  ///
  /// - Parameter cells: one for each column.
  public mutating func add(_ cells: [String]) {
    precondition(cells.count == columns.count, "\(cells.count) cells for \(columns.count) columns")
    rows.append(cells.map(TextWidth.printable))
  }

  /// Adds a row of totals below the rule.
  ///
  /// - Parameter cells: one for each column.
  public mutating func addTotal(_ cells: [String]) {
    precondition(cells.count == columns.count, "\(cells.count) cells for \(columns.count) columns")
    footer.append(cells.map(TextWidth.printable))
  }

  /// The table's lines, each ending in a newline, without trailing spaces.
  ///
  /// - Parameters:
  ///   - width: the columns of the terminal, nil for no limit. Where the table is wider, optional columns are left out from the
  ///     right; then the widest leading columns are cut, down to eight characters.
  ///   - unicode: whether rules may be drawn with box characters.
  ///   - indent: the number of spaces before each line.
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

  /// The lines of ``text(width:unicode:indent:)``.
  public func lines(width: Int?, unicode: Bool) -> [String] {
    text(width: width, unicode: unicode).split(separator: "\n", omittingEmptySubsequences: false).dropLast()
      .map(String.init)
  }

  /// The columns of a terminal that the table takes when nothing is cut, without indentation.
  public var width: Int { Self.width(naturalWidths) }

  /// The table transposed: a row for each column, under the first column's cells.
  ///
  /// It is for terminals that are too narrow for a few long rows.
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

  /// The widths of the columns when nothing is cut.
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
