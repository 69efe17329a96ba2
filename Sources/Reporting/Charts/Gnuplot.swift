internal import Foundation
internal import Glibc
internal import Paths

/// Draws charts with the program gnuplot, which must be on the `PATH`.
public enum Gnuplot {
  /// The reason why there is no picture.
  public enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
    /// There is no gnuplot on the `PATH`.
    case notInstalled
    /// Gnuplot ended with an error, or its output is no picture; the text says why.
    case failed(String)

    /// The reason in one line, with what to do about it.
    public var description: String {
      switch self {
      case .notInstalled:
        "charts need gnuplot, which is not on the PATH (Debian: apt-get install gnuplot-nox)"
      case .failed(let reason): "gnuplot drew no chart: \(reason)"
      }
    }
  }

  /// Colours that can be told apart on white, on black, and with most kinds of colour blindness (after Okabe & Ito 2008).
  private static let palette = [
    "#2a85c0", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a8a8a",
  ]
  /// Stands for the colour of the page's text, which gnuplot cannot know.
  private static let ink = "#010203"

  /// The path of the program; nil where it is not on the `PATH`.
  public static func find() -> String? {
    let path = EnvironmentPath.value(of: "PATH") ?? "/usr/bin:/bin"
    return path.split(separator: ":").map { "\($0)/gnuplot" }.first {
      FileStatus.isFile($0) && access($0.systemPath, X_OK) == 0
    }
  }

  /// A chart as an SVG element for a web page, as wide as its place and in the colour of the page's text.
  ///
  /// - Parameters:
  ///   - width: in pixels; it sets the proportions and the size of letters.
  ///   - height: in pixels.
  public static func svg(_ chart: Chart, width: Int = 480, height: Int = 280) throws(Failure) -> String {
    let terminal =
      "set terminal svg size \(width),\(height) dynamic enhanced font 'system-ui,sans-serif,13'"
    let output = try run(script(chart, terminal: terminal))
    let text = String(decoding: output, as: UTF8.self)
    guard let start = text.range(of: "<svg"), let end = text.range(of: "</svg>") else {
      throw .failed("its output is no SVG")
    }
    return String(text[start.lowerBound..<end.upperBound])
      .replacing(/rgb\( *1, *2, *3\)/, with: "currentColor")
      .replacing(#/ color="[^"]*"/#, with: "")
      .replacing(/<rect x="0" y="0"[^>]*>/, with: "")
      .replacing(/<desc>[^<]*<\/desc>/, with: "")
      .replacing(/<title>Gnuplot<\/title>/, with: "<title>\(escaped(chart.title))</title>")
      .replacing("<svg", with: "<svg role=\"img\"", maxReplacements: 1)
  }

  /// A chart as the bytes of a PNG file on white, `width`×`height` pixels.
  public static func png(_ chart: Chart, width: Int = 960, height: Int = 540) throws(Failure) -> [UInt8] {
    let terminal =
      "set terminal pngcairo size \(width),\(height) enhanced font 'sans,11' background '#ffffff'"
    let output = try run(script(chart, terminal: terminal))
    guard output.starts(with: [0x89, 0x50, 0x4E, 0x47]) else { throw .failed("its output is no PNG") }
    return Array(output)
  }

  // MARK: - The script

  private static func script(_ chart: Chart, terminal: String) -> String {
    let inked = "textcolor rgb '\(ink)'"
    var lines = [
      terminal, "set encoding utf8", "set datafile missing 'nan'", "set border 3 lc rgb '\(ink)' lw 0.6",
      "set tics nomirror out scale 0.5 \(inked)", "set key outside top right horizontal samplen 2 \(inked)",
      "set grid ytics lc rgb '#8a8a8a' lw 0.4 dt 3", "set xlabel '\(quoted(chart.xTitle))' \(inked)",
      "set ylabel '\(quoted(chart.yTitle))' \(inked)",
    ]
    if chart.isLogarithmicX { lines += ["set logscale x", "set format x '%g'"] }
    if chart.isLogarithmicY { lines.append("set logscale y") }
    if let range = chart.yRange { lines.append("set yrange [\(range.lowerBound):\(range.upperBound)]") }
    let visible = chart.series.map { ($0, chart.visiblePoints($0)) }.filter { !$0.1.isEmpty }
    let places = visible.flatMap { $0.1.map(\.x) }
    let (low, high) = (places.min() ?? 0, places.max() ?? 0)
    // Epochs and the like have no fractions.
    if high - low < 10, !chart.isLogarithmicX, places.allSatisfy({ $0 == $0.rounded() }) {
      lines.append("set xtics 1")
    }
    for (index, mark) in chart.marks.enumerated() {
      let (number, x) = (index + 1, "first \(mark.x)")
      // The text goes to the side where there is room.
      let side = mark.x > (low + high) / 2 ? "right offset -0.6,0" : "left offset 0.6,0"
      lines.append("set arrow \(number) from \(x),graph 0 to \(x),graph 1 nohead lc rgb '\(ink)' lw 0.6 dt 2")
      lines.append("set label \(number) '\(quoted(mark.text))' at \(x),graph 0.97 \(side) \(inked)")
    }
    for (index, (_, points)) in visible.enumerated() {
      lines.append("$data\(index) << EOD")
      lines += points.map { "\($0.x) \($0.y)" }
      lines.append("EOD")
    }
    lines += widened(chart, visible.flatMap(\.1))
    if visible.contains(where: { $0.0.style == .points }) { lines += roomy(chart, visible.flatMap(\.1)) }
    let plots = visible.enumerated().map { index, entry in
      let (series, points) = entry
      let color = palette[index % palette.count]
      let style =
        switch series.style {
        case .line where points.count <= 40: "linespoints lw 2 pt 7 ps 0.45"
        case .line: "lines lw 2"
        case .faint: "lines lw 0.6"
        case .dashed: "lines lw 1.6 dt 2"
        case .points: "points pt \(symbols[index % symbols.count]) ps 0.9"
        }
      return "$data\(index) using 1:2 with \(style) lc rgb '\(color)' title '\(quoted(series.name))'"
    }
    lines.append("plot " + plots.joined(separator: ", "))
    return lines.joined(separator: "\n") + "\n"
  }

  /// Shapes of separate points, so that kinds differ in more than colour.
  private static let symbols = [7, 5, 9, 13, 11, 15]

  /// Axes that reach a little beyond the values, so that no point lies on the frame.
  private static func roomy(_ chart: Chart, _ points: [Chart.Point]) -> [String] {
    func range(_ axis: String, _ values: [Double], isLogarithmic: Bool) -> String? {
      guard let low = values.min(), let high = values.max(), low < high else { return nil }
      if isLogarithmic {
        let margin = pow(high / low, 0.04)
        return "set \(axis)range [\(low / margin):\(high * margin)]"
      }
      let margin = (high - low) * 0.04
      return "set \(axis)range [\(low - margin):\(high + margin)]"
    }
    let horizontal = range("x", points.map(\.x), isLogarithmic: chart.isLogarithmicX)
    let vertical =
      chart.yRange == nil ? range("y", points.map(\.y), isLogarithmic: chart.isLogarithmicY) : nil
    return [horizontal, vertical].compactMap(\.self)
  }

  /// Axes around values that are all equal; gnuplot would warn and choose axes of its own.
  private static func widened(_ chart: Chart, _ points: [Chart.Point]) -> [String] {
    var lines: [String] = []
    func widen(_ axis: String, _ values: [Double]) {
      guard let low = values.min(), let high = values.max(), low == high else { return }
      let margin = low == 0 ? 1 : abs(low) / 2
      lines.append("set \(axis)range [\(low - margin):\(high + margin)]")
    }
    widen("x", points.map(\.x))
    if chart.yRange == nil { widen("y", points.map(\.y)) }
    return lines
  }

  /// Text for gnuplot's single quotes, with none of its markup.
  private static func quoted(_ text: String) -> String {
    var result = ""
    for character in text.replacing("\n", with: " ") {
      switch character {
      case "'": result += "''"
      case "_", "^", "@", "&", "~", "{", "}", "\\": result += "\\\(character)"
      default: result.append(character)
      }
    }
    return result
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
  }

  // MARK: - The program

  private static func run(_ script: String) throws(Failure) -> Data {
    guard let path = find() else { throw .notInstalled }
    // The script is a file, so that nobody has to write while the output is read.
    let input = "\(Folder.temporary)/convoy-\(UUID().uuidString).gnuplot"
    defer { Folder.remove(input) }
    do {
      try WholeFile.write(script.utf8, to: input)
      let data = Data(try Subprocess.output(of: path, [input]))
      guard !data.isEmpty else { throw Failure.failed("it wrote nothing") }
      return data
    } catch let failure as Failure {
      throw failure
    } catch {
      throw .failed(SystemReason.text(error))
    }
  }
}
