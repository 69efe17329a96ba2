import Foundation
import ImageFiles
import Reporting
import Testing

@Suite("Reports of runs")
struct RunReportTests {
  private static func report() -> RunReport {
    var report = RunReport(name: "a <b> & c", run: "1f", state: "2 epochs, complete")
    var first = RunReport.Epoch(number: 1)
    (first.train, first.test) = (["loss": 1.25, "accuracy": 0.5], ["accuracy": 0.4375])
    first.seconds = 3
    var second = first
    (second.number, second.testSeconds) = (2, 1)
    report.epochs = [first, second]
    report.figureNames = ["loss", "accuracy"]
    report.bestEpoch = 2
    report.confusion = ConfusionMatrix(
      classNames: ["cat", "dog"], labels: [0, 0, 1, 1, 1], predictions: [0, 1, 1, 1, 1])
    report.mistakes = [
      RunReport.Mistake(
        image: Image(height: 1, width: 2, channels: .grey, pixels: [0, 255]), label: "cat", predicted: "dog",
        probability: 0.875, row: 7)
    ]
    report.configuration = "name: <x>\n"
    report.environment = [RunReport.Fact("cpu", "fast & hot")]
    return report
  }

  @Test("a page shows what the values say, with no markup from names, and loads nothing")
  func page() throws {
    let html = try Self.report().html(drawsCharts: false)
    #expect(html.contains("<title>a &lt;b&gt; &amp; c · 1f</title>"))
    #expect(html.contains("<td>1.2500</td><td>0.5000</td>"))
    #expect(html.contains("<tr class=\"best\"><td>2</td>"))
    // Precision of dog: 3 of 4 taken for it; recall: all 3.
    #expect(
      html.contains(
        "<td class=\"text\">dog</td><td>0.7500</td><td>1.0000</td><td>0.8571</td><td>3</td>"))
    #expect(html.contains("cat</b> taken for <b>dog</b> 1 ×"))
    #expect(html.contains("<b>dog</b> 87.5 %<br>is cat<br><small>row 7</small>"))
    #expect(html.contains("name: &lt;x&gt;"))
    #expect(html.contains("fast &amp; hot"))
    for loaded in ["<script", "http:", "https:", "url("] { #expect(!html.contains(loaded)) }
  }

  @Test("a picture in a page is the PNG of its image")
  func picture() throws {
    let html = try Self.report().html(drawsCharts: false)
    let start = try #require(html.range(of: "data:image/png;base64,"))
    let text = html[start.upperBound...].prefix { $0 != "\"" }
    let bytes = try #require(Data(base64Encoded: String(text)))
    #expect(try PNG.decode(Array(bytes), name: "picture").pixels == [0, 255])
  }

  @Test("parts without values are left out, also from the list of parts")
  func empty() throws {
    let html = try RunReport(name: "n", run: "r", state: "0 epochs").html()
    for part in ["curves", "epochs", "classes", "confusion", "mistakes", "filters", "environment"] {
      #expect(!html.contains("id=\"\(part)\"") && !html.contains("href=\"#\(part)\""), "\(part)")
    }
    #expect(html.contains("id=\"config\""))
  }

  @Test("columns that no epoch has are not shown, and steps' time only where the rest is known")
  func columns() throws {
    let html = try Self.report().html(drawsCharts: false)
    #expect(!html.contains("<th>test loss</th>") && !html.contains("<th>waiting for data</th>"))
    #expect(html.contains("<th>training steps</th>"))
    #expect(Self.report().epochs.map(\.trainingSeconds) == [nil, 2])
  }

  @Test("curves are drawn where gnuplot is", .enabled(if: Gnuplot.find() != nil, "gnuplot is not installed"))
  func curves() throws {
    let html = try Self.report().html()
    #expect(html.components(separatedBy: "<svg").count - 1 == 3)
    #expect(html.contains("<title>Loss</title>"))
  }

  @Test("kernels share one contrast: grey is 0, white the largest weight; colours stay apart")
  func kernels() {
    // 1×2 pixels, 1 channel, 2 filters, filters innermost.
    let grey: [Float] = [0, 1, -2, 0.5]
    let filters = grey.withUnsafeBufferPointer {
      RunReport.Filters(layer: "c", kernel: $0, height: 1, width: 2, channels: 1, filters: 2)
    }
    #expect(filters.images.map(\.pixels) == [[128, 1], [192, 160]])
    let colour: [Float] = [1, -1, 0]
    let rgb = colour.withUnsafeBufferPointer {
      RunReport.Filters(layer: "c", kernel: $0, height: 1, width: 1, channels: 3, filters: 1)
    }
    #expect(rgb.images.map(\.pixels) == [[255, 1, 128]])
    #expect(rgb.images[0].channels == .rgb)
  }
}
