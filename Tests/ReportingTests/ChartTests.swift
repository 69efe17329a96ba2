import Foundation
import ImageFiles
import Reporting
import Testing

@Suite("Charts", .enabled(if: Gnuplot.find() != nil, "gnuplot is not installed"))
struct ChartTests {
  private static let chart = Chart(
    "Loss & co", x: "epoch", y: "loss_mean",
    [
      Chart.Series("train's", values: [2, 1, nil, 0.5]),
      Chart.Series("test", [Chart.Point(1, 2.5), Chart.Point(2, .nan), Chart.Point(3, 1.5)], style: .dashed),
    ])

  @Test("an SVG chart takes its colour from the page, carries its names, and has no background")
  func svg() throws {
    let svg = try Gnuplot.svg(Self.chart)
    #expect(svg.hasPrefix("<svg role=\"img\""))
    #expect(svg.hasSuffix("</svg>"))
    #expect(svg.contains("<title>Loss &amp; co</title>"))
    #expect(svg.contains("fill=\"currentColor\""), "the text has a colour of its own")
    #expect(!svg.contains("color=\"black\"") && !svg.contains("rgb(1,2,3)"))
    #expect(svg.contains("train's") || svg.contains("train&#39;s") || svg.contains("train&apos;s"))
    #expect(svg.contains("loss_mean"))
    #expect(!svg.contains("<?xml"))
  }

  @Test("a PNG chart has the size asked for and something drawn on white")
  func png() throws {
    let image = try PNG.decode(
      try Gnuplot.png(Self.chart, width: 300, height: 200), name: "chart", pixelLimit: 1 << 20)
    #expect(image.width == 300)
    #expect(image.height == 200)
    #expect(image.pixels.contains { $0 < 128 })
    #expect(image.pixels.count { $0 == 255 } > image.pixels.count / 2)
  }

  @Test("one point, equal values, and values that a logarithm cannot take are drawn, too")
  func degenerate() throws {
    var chart = Chart("one", x: "x", y: "y", [Chart.Series("a", [Chart.Point(3, 0)])])
    #expect(try Gnuplot.svg(chart).contains("</svg>"))
    chart = Chart("flat", x: "x", y: "y", [Chart.Series("a", values: [0.05, 0.05, 0.05])])
    #expect(try Gnuplot.svg(chart).contains("</svg>"))
    chart = Chart("log", x: "x", y: "y", [Chart.Series("a", values: [-1, 0, 10, 100])])
    chart.isLogarithmicY = true
    #expect(try Gnuplot.svg(chart).contains("</svg>"))
    #expect(!chart.isEmpty)
  }

  @Test("a chart without points that could be shown says that it is empty")
  func empty() {
    #expect(Chart("none", x: "x", y: "y", []).isEmpty)
    #expect(Chart("none", x: "x", y: "y", [Chart.Series("a", values: [nil, .nan])]).isEmpty)
  }
}
