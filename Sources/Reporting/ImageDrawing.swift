public import ImageFiles

/// Draws small images with characters.
///
/// With colour, a character shows two pixels, one above the other: an upper half block in the colour of the upper pixel on the
/// colour of the lower. Without colour, a character shows the mean brightness of two pixels as a shade, denser for brighter
/// pixels, which suits dark terminals and images with a black background.
public struct ImageDrawing: Sendable {
  /// Whether pixels are drawn in colour.
  public var hasColor: Bool
  /// Whether shades may be block characters; otherwise they are ASCII.
  public var hasUnicode: Bool

  /// A drawing that fits what a terminal can show.
  public init(_ terminal: Terminal) {
    hasColor = terminal.hasColor
    hasUnicode = terminal.hasUnicode
  }

  /// The lines of an image, each `min(image.width, columns)` columns wide.
  public func lines(_ image: Image, columns: Int) -> [String] {
    precondition(columns > 0, "no image fits into \(columns) columns")
    let width = min(image.width, columns)
    let height = max(1, (image.height * width + image.width / 2) / image.width)
    let small = image.resized(height: height, width: width)
    return hasColor
      ? colored(small.converted(to: .rgb)) : shaded(small.converted(to: .grey))
  }

  /// Images beside each other, as many in a row as fit, with a line of text under each.
  ///
  /// - Parameter columns: the terminal's.
  public func gallery(_ entries: [(image: Image, caption: String)], columns: Int) -> String {
    guard let widest = entries.map({ min($0.image.width, Self.largestWidth) }).max() else { return "" }
    let gap = 2
    // Two in a row at least, so that a large image does not take the whole screen.
    let width = max(1, min(widest, (columns - gap) / 2))
    let perRow = max(1, (columns + gap) / (width + gap))
    var text = ""
    for start in stride(from: 0, to: entries.count, by: perRow) {
      let row = entries[start..<min(start + perRow, entries.count)]
      let blocks = row.map { entry in
        let drawn = lines(entry.image, columns: width)
        let space = String(repeating: " ", count: width - min(entry.image.width, width))
        return drawn.map { $0 + space }
      }
      for line in 0..<(blocks.map(\.count).max() ?? 0) {
        let parts = blocks.map { line < $0.count ? $0[line] : String(repeating: " ", count: width) }
        text += trimmed(parts.joined(separator: String(repeating: " ", count: gap))) + "\n"
      }
      let captions = row.map {
        TextWidth.padded(TextWidth.truncated(TextWidth.printable($0.caption), to: width), to: width, .leading)
      }
      text += trimmed(captions.joined(separator: String(repeating: " ", count: gap))) + "\n"
    }
    return text
  }

  private static let largestWidth = 48

  private func colored(_ image: Image) -> [String] {
    stride(from: 0, to: image.height, by: 2).map { row in
      var line = ""
      var last = ""
      for column in 0..<image.width {
        var code = "\u{1B}[38;2;\(color(image, row, column))"
        code += row + 1 < image.height ? ";48;2;\(color(image, row + 1, column))m" : ";49m"
        if code != last { line += code }
        last = code
        line += "▀"
      }
      return line + "\u{1B}[0m"
    }
  }

  private func color(_ image: Image, _ row: Int, _ column: Int) -> String {
    "\(image[row, column, 0]);\(image[row, column, 1]);\(image[row, column, 2])"
  }

  private func shaded(_ image: Image) -> [String] {
    let shades = Array(hasUnicode ? " ·░▒▓█" : " .:-=+*#%@")
    return stride(from: 0, to: image.height, by: 2).map { row in
      String(
        (0..<image.width).map { column -> Character in
          let upper = Int(image[row, column, 0])
          let mean = row + 1 < image.height ? (upper + Int(image[row + 1, column, 0])) / 2 : upper
          return shades[mean * (shades.count - 1) / 255]
        })
    }
  }

  private func trimmed(_ line: String) -> String {
    var line = Substring(line)
    while line.last == " " { line.removeLast() }
    return String(line)
  }
}
