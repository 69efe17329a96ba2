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
    for width in [20, 40, 80] { #expect(matrix.text(width: width).contains("a")) }
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
