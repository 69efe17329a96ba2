internal import Paths

/// Image files: PNG and JPEG, told apart by their first bytes and not by their names.
public enum ImageFile {
  /// Images with more pixels than this are refused before their pixels are decoded.
  public static let defaultPixelLimit = 100_000_000
  /// No sensible image file is larger.
  private static let byteLimit = 1 << 30

  /// The kinds of picture files.
  public enum Format: String, Hashable, Sendable, CaseIterable {
    /// Portable Network Graphics.
    case png
    /// JPEG in its usual file format, JFIF or Exif.
    case jpeg

    /// The format of a file that begins with these bytes; nil for any other.
    public init?(firstBytes bytes: some Collection<UInt8>) {
      if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
        self = .png
      } else if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
        self = .jpeg
      } else {
        return nil
      }
    }

    /// The format that the end of a file's name asks for.
    ///
    /// - Returns: nil for any other name.
    public init?(path: String) {
      let name = path.lowercased()
      if name.hasSuffix(".png") {
        self = .png
      } else if [".jpg", ".jpeg", ".jpe", ".jfif"].contains(where: name.hasSuffix) {
        self = .jpeg
      } else {
        return nil
      }
    }
  }

  /// A file's picture, and how it lies in the file.
  public struct Picture: Sendable {
    /// The pixels as they are stored.
    public let stored: Image
    /// How the camera noted that the picture lies; upright where the file says nothing.
    public let orientation: PictureOrientation
    /// Whether the file has 16 bits per channel, of which the upper 8 were kept.
    public let isDeep: Bool

    /// Whether any pixel lets through what is behind it.
    public var isTransparent: Bool {
      stored.channels == .rgba
        && stride(from: 3, to: stored.pixels.count, by: 4).contains { stored.pixels[$0] < 255 }
    }

    /// The picture, turned or as it is stored.
    public func image(_ use: OrientationUse) -> Image {
      switch use {
      case .upright: stored.turnedUpright(from: orientation)
      case .stored: stored
      }
    }
  }

  /// Reads a PNG or JPEG file, turned as its camera noted.
  ///
  /// - Throws: ``ImageError``, of kind `missingInput` where there is no such file or it may not be read,
  ///   `inputOutput` where reading fails, else `badData`.
  public static func read(
    _ path: String, orientation: OrientationUse = .upright, pixelLimit: Int = defaultPixelLimit
  ) throws(ImageError) -> Image {
    try picture(path, pixelLimit: pixelLimit).image(orientation)
  }

  /// Reads a PNG or JPEG file with what it says of its orientation.
  ///
  /// - Throws: as ``read(_:orientation:pixelLimit:)``.
  public static func picture(
    _ path: String, pixelLimit: Int = defaultPixelLimit
  ) throws(ImageError) -> Picture {
    let bytes = try contents(of: path)
    guard let format = Format(firstBytes: bytes) else {
      throw ImageError(
        .badData, bytes.isEmpty ? "\(path) is empty" : "\(path) is neither a PNG nor a JPEG file")
    }
    let image =
      switch format {
      case .png: try PNG.decode(bytes, name: path, pixelLimit: pixelLimit)
      case .jpeg: try JPEG.decode(bytes, name: path, pixelLimit: pixelLimit)
      }
    // The depth of a PNG stands in its header, the first chunk.
    return Picture(
      stored: image, orientation: Exif.orientation(in: bytes, format: format),
      isDeep: format == .png && bytes[24] == 16)
  }

  /// Writes an image in the format that the end of its name asks for: `.png`, or `.jpg`, `.jpeg`, `.jpe` or
  /// `.jfif`.
  ///
  /// A file that is there is replaced completely or not at all.
  /// - Throws: ``ImageError`` of kind `cannotCreate` or `inputOutput`.
  public static func write(_ image: Image, to path: String, jpegQuality: Int = 90) throws(ImageError) {
    let bytes: [UInt8]
    switch Format(path: path) {
    case .png: bytes = try PNG.encode(image)
    case .jpeg: bytes = try JPEG.encode(image, quality: jpegQuality)
    case nil: throw ImageError(.cannotCreate, "\(path): the name must end in .png, .jpg or .jpeg")
    }
    do { try WholeFile.write(bytes, to: path) } catch {
      throw ImageError(
        error.step == .creating ? .cannotCreate : .inputOutput,
        "cannot \(error.step == .creating ? "create" : "write") \(path): \(error)")
    }
  }

  static func checkSize(
    width: Int, height: Int, limit: Int, name: String
  ) throws(ImageError) {
    let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
    guard width > 0, height > 0 else { throw ImageError(.badData, "\(name) has no pixels") }
    guard !overflow, pixels <= limit else {
      throw ImageError(
        .badData, "\(name) is too large: \(width)×\(height) pixels, at most \(limit) pixels are read")
    }
  }

  private static func contents(of path: String) throws(ImageError) -> [UInt8] {
    do { return try WholeFile.read(path, limit: byteLimit) } catch {
      switch error.step {
      case .notAFile: throw ImageError(.badData, "\(path) is not a file but a folder or a device")
      case .tooLarge: throw ImageError(.badData, "\(path) is too large for an image")
      case .opening where error.isMissing: throw ImageError(.missingInput, "there is no file \(path)")
      case .opening, .creating: throw ImageError(.missingInput, "cannot read \(path): \(error)")
      case .reading, .writing: throw ImageError(.inputOutput, "cannot read \(path): \(error)")
      }
    }
  }
}
