extension ConfusionMatrix {
  /// Precision, recall and F1 of each class, and their plain means over the classes, as a table.
  public func classTable() -> Table {
    var table = Table([
      Table.Column("", .trailing), Table.Column("class"), Table.Column("precision", .trailing),
      Table.Column("recall", .trailing), Table.Column("F1", .trailing), Table.Column("samples", .trailing),
    ])
    let figures = classNames.indices.map { self.figures(ofClass: $0) }
    func text(_ share: Double?) -> String { share.map { NumberText.fixed($0, 4) } ?? "–" }
    func mean(_ values: [Double?]) -> Double? {
      let known = values.compactMap { $0 }
      return known.isEmpty ? nil : known.reduce(0, +) / Double(known.count)
    }
    for (index, figure) in figures.enumerated() {
      table.add([
        "\(index)", TextWidth.printable(classNames[index]), text(figure.precision), text(figure.recall),
        text(figure.f1), NumberText.grouped(figure.count),
      ])
    }
    table.addTotal([
      "", "mean", text(mean(figures.map(\.precision))), text(mean(figures.map(\.recall))),
      text(mean(figures.map(\.f1))), NumberText.grouped(figures.reduce(0) { $0 + $1.count }),
    ])
    return table
  }

  /// The matrix with a row for each class and a column for each predicted class.
  ///
  /// Where that does not fit into `width` columns of the terminal, it is the list of the most frequent mistakes; without a limit it is
  /// the matrix of up to 100 classes.
  public func text(width: Int?) -> String {
    let numberWidth = "\(max(0, classNames.count - 1))".count
    let digits = max(numberWidth, "\(counts.joined().max() ?? 0)".count)
    let cells = (digits + 1) * classNames.count
    let longest = classNames.map { TextWidth.columns(TextWidth.printable($0)) }.max() ?? 0
    let limit = width ?? (classNames.count > 100 ? 0 : .max)
    let nameWidth = min(longest, limit - cells - numberWidth - 2)
    guard nameWidth >= min(longest, 8) else { return mistakesText(width: width) }

    func cell(_ text: String) -> String { " " + TextWidth.padded(text, to: digits, .trailing) }
    let margin = String(repeating: " ", count: numberWidth + 1 + nameWidth)
    let heading = classNames.indices.map { cell("\($0)") }.joined()
    var text = "\(margin)  predicted\n\(margin) \(heading)\n"
    for (index, row) in counts.enumerated() {
      let name = TextWidth.truncated(TextWidth.printable(classNames[index]), to: nameWidth)
      text += TextWidth.padded("\(index)", to: numberWidth, .trailing) + " "
      text += TextWidth.padded(name, to: nameWidth, .leading) + " "
      text += row.map { cell($0 == 0 ? "·" : "\($0)") }.joined() + "\n"
    }
    return text
  }

  /// The most frequent mistakes as a table, at most `count` of them.
  public func mistakesText(width: Int?, count: Int = 20) -> String {
    let mistakes = mistakes()
    guard !mistakes.isEmpty else { return "no mistakes\n" }
    var table = Table([Table.Column("class"), Table.Column("taken for"), Table.Column("times", .trailing)])
    for mistake in mistakes.prefix(count) {
      table.add([
        TextWidth.printable(classNames[mistake.label]), TextWidth.printable(classNames[mistake.predicted]),
        NumberText.grouped(mistake.count),
      ])
    }
    let rest = mistakes.dropFirst(count).count
    let note = rest > 0 ? "and \(NumberText.grouped(rest)) other kinds of mistake\n" : ""
    return table.text(width: width) + note
  }
}
