/// An image in memory: rows from the top, channels innermost, one byte each.
public struct Image: Hashable, Sendable {
  /// The numbers of a pixel.
  public enum Channels: Int, Hashable, Sendable, CaseIterable {
    case grey = 1
    case rgb = 3
    /// Alpha last, not multiplied into the colours.
    case rgba = 4
  }

  public let height: Int
  public let width: Int
  public let channels: Channels
  /// `[height, width, channels]`.
  public var pixels: [UInt8]

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
