internal import Glibc

/// Image files: PNG and JPEG, told apart by their first bytes and not by their names.
public enum ImageFile {
  /// Images with more pixels than this are refused before their pixels are decoded.
  public static let defaultPixelLimit = 100_000_000
  /// No sensible image file is larger.
  private static let byteLimit = 1 << 30

  public enum Format: String, Hashable, Sendable, CaseIterable {
    case png
    case jpeg

    /// The format of a file that begins with these bytes.
    public init?(firstBytes bytes: some Collection<UInt8>) {
      if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
        self = .png
      } else if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
        self = .jpeg
      } else {
        return nil
      }
    }

    /// The format that a file's name asks for.
    public init?(path: String) {
      let name = path.lowercased()
      if name.hasSuffix(".png") {
        self = .png
      } else if name.hasSuffix(".jpg") || name.hasSuffix(".jpeg") {
        self = .jpeg
      } else {
        return nil
      }
    }
  }

  /// Reads a PNG or JPEG file.
  ///
  /// - Throws: ``ImageError``, of kind `missingInput` where there is no such file, else `badData`.
  public static func read(_ path: String, pixelLimit: Int = defaultPixelLimit) throws(ImageError) -> Image {
    let bytes = try contents(of: path)
    switch Format(firstBytes: bytes) {
    case .png: return try PNG.decode(bytes, name: path, pixelLimit: pixelLimit)
    case .jpeg: return try JPEG.decode(bytes, name: path, pixelLimit: pixelLimit)
    case nil:
      throw ImageError(
        .badData, bytes.isEmpty ? "\(path) is empty" : "\(path) is neither a PNG nor a JPEG file")
    }
  }

  /// Writes an image in the format that the name ends in: `.png`, `.jpg` or `.jpeg`.
  ///
  /// A file that is there is replaced at once or not at all.
  /// - Throws: ``ImageError`` of kind `cannotCreate` or `inputOutput`.
  public static func write(_ image: Image, to path: String, jpegQuality: Int = 90) throws(ImageError) {
    let bytes: [UInt8]
    switch Format(path: path) {
    case .png: bytes = try PNG.encode(image)
    case .jpeg: bytes = try JPEG.encode(image, quality: jpegQuality)
    case nil: throw ImageError(.cannotCreate, "\(path): the name must end in .png, .jpg or .jpeg")
    }
    let temporary = "\(path).\(getpid()).part"
    let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard file >= 0 else { throw ImageError(.cannotCreate, system: "cannot create \(path)") }
    var written = 0
    while written < bytes.count {
      let count = bytes[written...].withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        let error = ImageError(.inputOutput, system: "cannot write \(path)")
        close(file)
        unlink(temporary)
        throw error
      }
      written += count
    }
    guard close(file) == 0, rename(temporary, path) == 0 else {
      let error = ImageError(.inputOutput, system: "cannot write \(path)")
      unlink(temporary)
      throw error
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
    // A named pipe must not make us wait for its other end.
    let file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard file >= 0 else {
      if errno == ENOENT { throw ImageError(.missingInput, "there is no file \(path)") }
      throw ImageError(.missingInput, system: "cannot read \(path)")
    }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw ImageError(.inputOutput, system: "cannot read \(path)") }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw ImageError(.badData, "\(path) is not a file but a folder or a device")
    }
    let size = Int(status.st_size)
    guard size <= byteLimit else {
      throw ImageError(.badData, "\(path) is too large for an image: \(size) bytes")
    }
    var bytes = [UInt8](repeating: 0, count: size)
    var filled = 0
    while filled < size {
      let count = bytes[filled...].withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw ImageError(.inputOutput, system: "cannot read \(path)") }
      if count == 0 { break }
      filled += count
    }
    return Array(bytes[..<filled])
  }
}
