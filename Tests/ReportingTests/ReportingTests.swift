import Glibc
import Networks
import Reporting
import Synchronization
import Testing

@Suite("Reports for people")
struct ReportingTests {
  private let reading = ProgressReading(
    title: "epoch 3/10", done: 25, total: 100, loss: 0.4321,
    figure: ProgressReading.Figure("accuracy", 0.87654), imagesPerSecond: 12_345,
    secondsLeft: 75)

  @Test("a progress bar is never wider than the terminal", arguments: 1...140)
  func width(_ columns: Int) {
    for unicode in [true, false] {
      #expect(TextWidth.columns(reading.bar(columns: columns, unicode: unicode)) <= columns)
    }
  }

  @Test("tables are cut for terminals alone, and for those who say how wide a line is")
  func tables() {
    let file = open("/dev/null", O_WRONLY)
    defer { close(file) }
    let piped = Terminal(descriptor: file, environment: [:])
    #expect(piped.tableWidth == nil && piped.columns == 80 && !piped.isInteractive)
    #expect(Terminal(descriptor: file, environment: ["COLUMNS": "60"]).tableWidth == 60)
    #expect(Terminal(isInteractive: true, columns: 50).tableWidth == 50)
  }

  @Test("a wide bar shows all figures")
  func figures() {
    let bar = reading.bar(columns: 120)
    for part in ["epoch 3/10", "25%", "loss", "accuracy 0.8765", "12,345 images/s", "left"] {
      #expect(bar.contains(part), "\(bar)")
    }
  }

  @Test("a terminal is redrawn at most ten times a second, a file gets a plain line every thirty seconds")
  func pace() {
    for (isInteractive, most, least) in [(true, 102, 90), (false, 0, 0)] {
      let writes = Writes()
      let line = ProgressLine(Terminal(isInteractive: isInteractive)) { writes.add($0) }
      for step in 0..<10_000 {
        // A reading that looks the same as the last one is not drawn again, so the title moves.
        line.update(
          ProgressReading(title: "step \(step)", done: step, total: 10_000), now: Double(step) * 0.001)
      }
      #expect((least...most).contains(writes.all.count), "\(writes.all.count)")
    }
    let file = Writes()
    let line = ProgressLine(Terminal(isInteractive: false)) { file.add($0) }
    for step in 0...100 { line.update(reading, now: Double(step)) }
    line.line("epoch 1")
    line.finish()
    #expect(file.all.count == 4)
    #expect(file.all.allSatisfy { $0.hasSuffix("\n") && !$0.contains("\u{1B}") && !$0.contains("\r") })
  }

  /// What a terminal shows that breaks long lines anew when its width changes, as far as these tests need it.
  private struct Screen {
    var lines: [String] = [""]
    var row = 0
    var column = 0
    var width: Int

    mutating func show(_ text: String) {
      var rest = Array(text)[...]
      while let character = rest.popFirst() {
        switch character {
        case "\n": (row, column) = (row + 1, 0)
        case "\r": column = 0
        case "\u{1B}":
          let end = rest.firstIndex { $0.isLetter } ?? rest.startIndex
          let (count, command) = (Int(String(rest[rest.startIndex + 1..<end])) ?? 1, rest[end])
          rest = rest[(end + 1)...]
          if command == "A" { row -= count }
          if command == "J" {
            lines[row] = String(lines[row].prefix(column))
            lines.removeSubrange((row + 1)...)
          }
        default:
          if column == width { (row, column) = (row + 1, 0) }
          while lines.count <= row { lines.append("") }
          var line = Array(lines[row])
          if column < line.count { line[column] = character } else { line.append(character) }
          lines[row] = String(line)
          column += 1
        }
        while lines.count <= row { lines.append("") }
      }
    }

    /// Breaks the last line, in which the cursor stands.
    mutating func resize(to width: Int) {
      let last = Array(lines[row])
      lines.removeLast()
      self.width = width
      let count = max(1, (last.count + width - 1) / width)
      for part in 0..<count {
        lines.append(String(last[part * width..<min(last.count, part * width + width)]))
      }
      (row, column) = (row + count - 1, lines[lines.count - 1].count)
    }
  }

  @Test(
    "a window that becomes narrower or wider during a run keeps one progress line and every line above it")
  func resized() {
    let writes = Writes()
    let width = Mutex(80)
    let line = ProgressLine(
      Terminal(isInteractive: true),
      measure: { Terminal(isInteractive: true, columns: width.withLock { $0 }) },
      write: { writes.add($0) })
    var screen = Screen(width: 80)
    var shown = 0
    for step in 0..<60 {
      let columns = [80, 40, 23, 61, 80, 20][step / 10]
      if columns != screen.width {
        screen.resize(to: columns)
        width.withLock { $0 = columns }
      }
      var reading = reading
      reading.title = "epoch \(step)/60"
      line.update(reading, now: Double(step))
      if step % 10 == 5 { line.line("line \(step)") }
      for text in writes.all[shown...] { screen.show(text) }
      shown = writes.all.count
      let kept = stride(from: 5, through: step, by: 10).map { "line \($0)" }
      #expect(screen.lines.dropLast() == kept[...])
      #expect(screen.lines.last?.hasPrefix("epoch \(step)/60") == true, "\(screen.lines)")
    }
    line.finish()
    for text in writes.all[shown...] { screen.show(text) }
    #expect(screen.lines.last == "")
  }

  @Test("a line that is too long for the terminal is broken between words, or has a shorter form")
  func wrapping() {
    let writes = Writes()
    let line = ProgressLine(Terminal(isInteractive: true, columns: 20)) { writes.add($0) }
    line.line("epoch 1/4  loss 0.6271  accuracy 0.7684  xxxxxxxxxxxxxxxxxxxxxxxxx")
    line.line("a line of more than twenty", orShorter: "a short line")
    line.line("  two spaces stay")
    #expect(
      writes.all == [
        "epoch 1/4\n  loss 0.6271\n  accuracy 0.7684\n  xxxxxxxxxxxxxxxxxxxxxxxxx\n", "a short line\n",
        "  two spaces stay\n",
      ])
  }

  private final class Writes: Sendable {
    private let state = Mutex<[String]>([])
    func add(_ text: String) { state.withLock { $0.append(text) } }
    var all: [String] { state.withLock { $0 } }
  }

  @Test("precision, recall and F1 are those worked out by hand; a class never predicted has no precision")
  func confusion() {
    let matrix = ConfusionMatrix(
      classNames: ["a", "b", "c"], labels: [0, 0, 0, 1, 1, 2], predictions: [0, 0, 1, 1, 0, 0])
    #expect(matrix.counts == [[2, 1, 0], [1, 1, 0], [1, 0, 0]])
    let a = matrix.figures(ofClass: 0)
    #expect(a.count == 3 && a.precision == 0.5 && a.recall == 2.0 / 3 && a.f1 == 4.0 / 7)
    let c = matrix.figures(ofClass: 2)
    #expect(c.precision == nil && c.recall == 0)
    #expect(matrix.mistakes().map(\.count) == [1, 1, 1])
    for width in [20, 80] {
      #expect(
        matrix.text(width: width)
          == "     predicted\n     0 1 2\n0 a  2 1 ·\n1 b  1 1 ·\n2 c  1 · ·\n")
    }
    // Where the table does not fit, its mistakes are listed.
    #expect(matrix.text(width: 8) == matrix.mistakesText(width: 8))
  }

  @Test("optional columns are left out from the right before anything is cut")
  func optionalColumns() {
    var table = Table([
      Table.Column("run"), Table.Column("size", isOptional: true), Table.Column("state"),
      Table.Column("changed", isOptional: true),
    ])
    table.add(["Results/a/0e61bad8f5", "3 MiB", "finished", "today"])
    table.addTotal(["1 run", "3 MiB", "", ""])
    func head(_ width: Int?) -> [Substring] {
      table.text(width: width).split(separator: "\n")[0].split(separator: " ")
    }
    #expect(head(nil) == ["run", "size", "state", "changed"] && head(46) == head(nil))
    #expect(head(45) == ["run", "size", "state"] && head(37) == head(45))
    #expect(head(36) == ["run", "state"] && !table.text(width: 30).contains("…"))
    #expect(table.text(width: 29).contains("…"))
  }

  @Test("columns line up, numbers to the right, whatever characters they hold")
  func table() {
    var table = Table([Table.Column("name"), Table.Column("n", .trailing)])
    table.add(["äöü", "1"])
    table.add(["漢字", "1,000"])
    let lines = table.text().split(separator: "\n")
    #expect(Set(lines.map { TextWidth.columns($0) }).count == 1, "\(table.text())")
    #expect(lines.last?.hasSuffix("1,000") == true)
  }

  @Test("the layer table has every layer and the totals")
  func layers() throws {
    let text = Table(try StandardNetwork.lecture.network().resolved()).text(width: 100)
    for part in ["conv2d_1", "11×11×50", "11,300", "137,660", "dense_1"] {
      #expect(text.contains(part), "\(text)")
    }
  }
}
