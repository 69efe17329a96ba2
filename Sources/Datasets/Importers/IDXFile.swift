public import Tensors

/// The format of MNIST's files: a magic number, the dimensions, then unsigned bytes; plain or gzip.
///
/// It is read from the beginning to the end, with little memory. Its first bytes, not its name, say whether
/// it is compressed.
///
/// - SeeAlso: The format's description by LeCun, Cortes and Burges, <http://yann.lecun.com/exdb/mnist/>.
public final class IDXFile {
  /// The file's path.
  public let path: String
  /// Dimensions, outermost first: `[60000, 28, 28]`.
  public let shape: Shape
  private let bytes: ByteStream
  private var remaining: Int

  /// Opens a file and reads its header.
  ///
  /// - Throws: ``DatasetError`` of kind `missingInput`, or `badData` when it is not an IDX file of unsigned bytes, or when
  ///   the length of an uncompressed file is not what its header says.
  public init(_ path: String) throws {
    let bytes = try ByteStream(path)
    var magic: (UInt8, UInt8, UInt8, UInt8) = (0, 0, 0, 0)
    try withUnsafeMutableBytes(of: &magic) { try Self.fill($0, from: bytes, path) }
    guard magic.0 == 0, magic.1 == 0, (0x08...0x0e).contains(magic.2), magic.2 != 0x0a, magic.3 > 0 else {
      throw DatasetError(
        .badData, "\(path) is not an IDX file: it does not begin with the format's magic number")
    }
    guard magic.2 == 0x08 else {
      let types: [UInt8: String] = [
        0x09: "int8", 0x0b: "int16", 0x0c: "int32", 0x0d: "float32", 0x0e: "float64",
      ]
      throw DatasetError(
        .badData, "\(path) holds \(types[magic.2] ?? "other") elements, but unsigned bytes are expected")
    }
    var dimensions: [Int] = []
    for _ in 0..<magic.3 {
      var dimension: UInt32 = 0
      try withUnsafeMutableBytes(of: &dimension) { try Self.fill($0, from: bytes, path) }
      dimensions.append(Int(UInt32(bigEndian: dimension)))
    }
    var count = 1
    for dimension in dimensions {
      let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
      guard !overflow else {
        throw DatasetError(.badData, "\(path): its dimensions \(Shape(dimensions)) are larger than any file")
      }
      count = product
    }
    self.path = path
    self.bytes = bytes
    shape = Shape(dimensions)
    remaining = count
    // Deflate shrinks at most 1032 times: a header that claims more gets no memory.
    guard count / 1032 <= bytes.storedByteCount else {
      throw DatasetError(
        .badData, "\(path) is truncated: \(shape) needs more than its \(bytes.storedByteCount) bytes can hold"
      )
    }
    if let total = bytes.plainByteCount {
      let expected = 4 + 4 * dimensions.count + count
      guard total >= expected else {
        throw DatasetError(
          .badData, "\(path) is truncated: \(shape) needs \(expected) bytes, it has \(total); fetch it again")
      }
      guard total == expected else { throw Self.trailing(path) }
    }
  }

  /// Fills `buffer` with the next elements; after the last one it checks that the file ends there.
  public func read(into buffer: UnsafeMutableRawBufferPointer) throws {
    precondition(
      buffer.count <= remaining, "\(path) has \(remaining) elements left, \(buffer.count) were asked for")
    try Self.fill(buffer, from: bytes, path)
    remaining -= buffer.count
    if remaining == 0 {
      var extra: UInt8 = 0
      let count = try withUnsafeMutableBytes(of: &extra) { try bytes.read(into: $0) }
      guard count == 0 else { throw Self.trailing(path) }
    }
  }

  private static func fill(_ buffer: UnsafeMutableRawBufferPointer, from bytes: ByteStream, _ path: String)
    throws
  {
    guard try bytes.read(into: buffer) == buffer.count else {
      throw DatasetError(.badData, "\(path) is truncated: it ends before its last element; fetch it again")
    }
  }

  private static func trailing(_ path: String) -> DatasetError {
    DatasetError(.badData, "\(path) has bytes after its last element; it is damaged or of another format")
  }
}
