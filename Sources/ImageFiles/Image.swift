/// An image in memory: rows from the top, channels innermost, one byte each.
public struct Image: Hashable, Sendable {
  /// The kinds of numbers that a pixel is made of; the raw value says how many.
  public enum Channels: Int, Hashable, Sendable, CaseIterable {
    /// One number, the brightness.
    case grey = 1
    /// Red, green and blue.
    case rgb = 3
    /// Red, green, blue and alpha, which is not multiplied into the colours.
    case rgba = 4
  }

  /// Rows.
  public let height: Int
  /// Columns.
  public let width: Int
  /// What each pixel is made of.
  public let channels: Channels
  /// The bytes, `[height, width, channels]`.
  public var pixels: [UInt8]

  /// An image of these bytes, `[height, width, channels]`.
  public init(height: Int, width: Int, channels: Channels, pixels: [UInt8]) {
    precondition(height > 0 && width > 0, "an image of \(height)×\(width) has no pixels")
    precondition(
      pixels.count == height * width * channels.rawValue,
      "expected \(height * width * channels.rawValue) bytes for \(height)×\(width)×\(channels.rawValue), got \(pixels.count)"
    )
    self.height = height
    self.width = width
    self.channels = channels
    self.pixels = pixels
  }

  /// One channel's value; for tests and drawings, not for loops over many pixels.
  public subscript(row: Int, column: Int, channel: Int) -> UInt8 {
    pixels[(row * width + column) * channels.rawValue + channel]
  }
}
