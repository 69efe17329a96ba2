public import ImageFiles

/// A grid of pictures with lines of text under each, drawn as one image.
public struct PictureSheet: Sendable {
  /// A picture with the words below it.
  public struct Tile: Sendable {
    /// The picture.
    public let image: Image
    /// The lines of text below it.
    public let labels: [String]

    /// A picture with these lines below it.
    public init(_ image: Image, _ labels: [String]) {
      self.image = image
      self.labels = labels
    }
  }

  /// The line above the pictures; empty for none.
  public var title: String
  /// The pictures, row by row.
  public var tiles: [Tile]
  /// Tiles in a row; nil chooses a sheet that is a little wider than it is high.
  public var columns: Int?
  /// The side of the square that each pixel of a tile becomes, in pixels; nil enlarges small tiles to about 72 pixels.
  public var scale: Int?

  /// A sheet; it is drawn by ``picture()``.
  public init(title: String, tiles: [Tile], columns: Int? = nil, scale: Int? = nil) {
    self.title = title
    self.tiles = tiles
    self.columns = columns
    self.scale = scale
  }

  private static let gap = 8
  private static let ink: [UInt8] = [40, 40, 44]
  private static let paper: UInt8 = 250

  /// The sheet as an RGB image; without tiles it is one empty cell.
  public func picture() -> Image {
    let enlarged = tiles.map { tile in
      let side = max(tile.image.height, tile.image.width)
      return tile.image.converted(to: .rgb).enlarged(by: scale ?? max(1, (72 + side / 2) / side))
    }
    let lines = tiles.map(\.labels.count).max() ?? 0
    let textWidth = (tiles.flatMap(\.labels).map(\.count).max() ?? 0) * BitmapFont.width
    let cellWidth = max(enlarged.map(\.width).max() ?? 1, min(textWidth, 26 * BitmapFont.width)) + Self.gap
    let lineHeight = BitmapFont.height + 2
    let cellHeight = (enlarged.map(\.height).max() ?? 1) + 3 + lines * lineHeight + Self.gap
    let columns = max(1, min(tiles.count, self.columns ?? wide(cellWidth, cellHeight)))
    let rows = (tiles.count + columns - 1) / columns
    let top = Self.gap + (title.isEmpty ? 0 : lineHeight + 4)
    let width = max(
      columns * cellWidth + Self.gap, min(title.count * BitmapFont.width, 2000) + 2 * Self.gap)
    let height = max(1, rows) * cellHeight + top
    var sheet = Image(
      height: height, width: width, channels: .rgb,
      pixels: [UInt8](repeating: Self.paper, count: height * width * 3))
    BitmapFont.draw(
      Self.shortened(title, to: (width - 2 * Self.gap) / BitmapFont.width), at: Self.gap, Self.gap,
      color: Self.ink, on: &sheet)
    for (index, picture) in enlarged.enumerated() {
      let x = Self.gap + index % columns * cellWidth
      let y = top + index / columns * cellHeight
      sheet.paste(picture, at: y, x)
      let fitting = (cellWidth - 2) / BitmapFont.width
      for (line, text) in tiles[index].labels.enumerated() {
        BitmapFont.draw(
          Self.shortened(text, to: fitting), at: y + picture.height + 3 + line * lineHeight, x,
          color: Self.ink,
          on: &sheet)
      }
    }
    return sheet
  }

  /// The text without its middle where it is longer than `count` letters; the end stays, because names end in numbers.
  static func shortened(_ text: String, to count: Int) -> String {
    guard text.count > count else { return text }
    let end = min(max(0, count - 2) / 2, 9)
    return text.prefix(max(0, count - 2 - end)) + ".." + text.suffix(end)
  }

  private func wide(_ cellWidth: Int, _ cellHeight: Int) -> Int {
    var columns = 1
    while columns * cellWidth * 3 < (tiles.count + columns - 1) / columns * cellHeight * 4 { columns += 1 }
    return columns
  }
}

extension Image {
  /// Every pixel as a square of `factor`×`factor`.
  public func enlarged(by factor: Int) -> Image {
    precondition(factor >= 1, "an image cannot be enlarged by \(factor)")
    if factor == 1 { return self }
    let count = channels.rawValue
    var result: [UInt8] = []
    result.reserveCapacity(pixels.count * factor * factor)
    for row in 0..<height {
      var line: [UInt8] = []
      for column in 0..<width {
        let pixel = pixels[(row * width + column) * count..<(row * width + column + 1) * count]
        for _ in 0..<factor { line += pixel }
      }
      for _ in 0..<factor { result += line }
    }
    return Image(height: height * factor, width: width * factor, channels: channels, pixels: result)
  }

  /// Copies another image of the same channels into this one, which it fits into.
  mutating func paste(_ other: Image, at row: Int, _ column: Int) {
    let count = channels.rawValue
    precondition(
      other.channels == channels && row + other.height <= height && column + other.width <= width,
      "\(other.height)×\(other.width) at \(row), \(column) leaves \(height)×\(width)")
    for y in 0..<other.height {
      let source = other.pixels[y * other.width * count..<(y + 1) * other.width * count]
      let start = ((row + y) * width + column) * count
      pixels.replaceSubrange(start..<start + source.count, with: source)
    }
  }

  /// Draws a frame of one pixel around rows and columns, inside them.
  mutating func frame(rows: Range<Int>, columns: Range<Int>, color: [UInt8]) {
    let count = channels.rawValue
    for y in rows {
      for x in columns
      where y == rows.lowerBound || y == rows.upperBound - 1 || x == columns.lowerBound
        || x == columns.upperBound - 1
      {
        for channel in 0..<count { pixels[(y * width + x) * count + channel] = color[channel] }
      }
    }
  }
}
