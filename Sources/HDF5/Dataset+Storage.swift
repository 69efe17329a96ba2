internal import CHDF5

/// How a dataset lies in its file, for readers that fetch the bytes themselves, outside the library's lock.
extension Dataset {
  /// How a dataset's elements lie in the file.
  public enum Layout: Hashable, Sendable {
    /// Inside the object's header.
    case compact
    /// One run of bytes that begins at `offset` of the file; nil when nothing was written yet.
    case contiguous(offset: Int?)
    /// Boxes of these dimensions, each stored and filtered on its own.
    case chunked([Int])
    /// Pieces of other datasets, of this file or others.
    case virtual
    /// The data is in files that are not HDF5; never read.
    case externalFiles
  }

  /// One stored chunk.
  public struct Chunk: Hashable, Sendable {
    /// The chunk's first element, in elements; a multiple of the chunk's dimensions.
    public let offset: [Int]
    /// A bit is set for each filter that was left out for this chunk.
    public let filterMask: UInt32
    /// Where its bytes begin, counted from the file's first byte, user block included.
    public let fileOffset: Int
    /// Bytes in the file.
    public let byteCount: Int
  }

  /// How this dataset's elements lie in the file.
  public func layout() throws -> Layout {
    let context = "asking \(quotedName) for its layout"
    let properties = try creationProperties(context)
    let layout = try Library.call("H5Pget_layout", context) { H5Pget_layout(properties.id).rawValue }
    switch H5D_layout_t(rawValue: layout) {
    case H5D_COMPACT: return .compact
    case H5D_CHUNKED:
      var dimensions = [hsize_t](repeating: 0, count: shape.count)
      try Library.call("H5Pget_chunk", context) {
        H5Pget_chunk(properties.id, Int32(shape.count), &dimensions)
      }
      return .chunked(dimensions.map { Int($0) })
    case H5D_CONTIGUOUS:
      let externals = try Library.call("H5Pget_external_count", context) {
        H5Pget_external_count(properties.id)
      }
      if externals > 0 { return .externalFiles }
      let offset = Library.withLock { silently { H5Dget_offset(handle.id) } }
      return .contiguous(offset: offset == chdf5_undefined_address() ? nil : Int(exactly: offset))
    default: return .virtual
    }
  }

  /// Whether chunks that stick out over the dataset's edge are stored without filters, whatever their mask says.
  public func leavesEdgeChunksUnfiltered() throws -> Bool {
    let context = "asking \(quotedName) for its filters"
    let properties = try creationProperties(context)
    var options: UInt32 = 0
    try Library.call("H5Pget_chunk_opts", context) { H5Pget_chunk_opts(properties.id, &options) }
    return options & chdf5_unfiltered_edge_chunks() != 0
  }

  /// Bytes that the data takes in the file, after filters.
  public var storedByteCount: Int {
    Library.withLock { Int(clamping: H5Dget_storage_size(handle.id)) }
  }

  /// How many chunks have been written.
  public func chunkCount() throws -> Int {
    let context = "counting the chunks of \(quotedName)"
    // Version 1.10 refuses the constant for the whole space here.
    let space = try Handle("H5Dget_space", context) { H5Dget_space(handle.id) }
    var count: hsize_t = 0
    try Library.call("H5Dget_num_chunks", context) { H5Dget_num_chunks(handle.id, space.id, &count) }
    return Int(clamping: count)
  }

  /// All chunks that have been written, in the order of the file's own index.
  ///
  /// - Complexity: quadratic in the number of chunks (libhdf5 walks its index anew for each): a few hundredths of a
  ///   second for a thousand, seconds for ten thousand. ``readChunk(at:)`` needs no table.
  public func chunks() throws -> [Chunk] {
    let context = "listing the chunks of \(quotedName)"
    let space = try Handle("H5Dget_space", context) { H5Dget_space(handle.id) }
    let base = try ChunkAddresses.base(in: file)
    return try (0..<chunkCount()).map { index in
      var offset = [hsize_t](repeating: 0, count: shape.count)
      var mask: UInt32 = 0
      var address: haddr_t = 0
      var size: hsize_t = 0
      try Library.call("H5Dget_chunk_info", context) {
        H5Dget_chunk_info(
          handle.id, space.id, hsize_t(index), &offset, &mask, &address, &size)
      }
      guard address <= hsize_t(Int.max - base), let byteCount = Int(exactly: size) else {
        throw HDF5Error(.tooLarge, context, "chunk \(index) lies outside any file")
      }
      let fileOffset = Int(address) + base
      return Chunk(
        offset: offset.map { Int(clamping: $0) }, filterMask: mask, fileOffset: fileOffset,
        byteCount: byteCount)
    }
  }

  /// The bytes of one chunk as they are stored, and its filter mask; nil when the chunk was never written.
  ///
  /// - Parameters:
  ///   - offset: the chunk's first element; a multiple of the chunk's dimensions.
  ///   - maximumByteCount: a chunk that claims to be larger is refused.
  public func readChunk(at offset: [Int], maximumByteCount: Int) throws -> (mask: UInt32, bytes: [UInt8])? {
    let context = "reading a chunk of \(quotedName)"
    let corner = offset.map { hsize_t($0) }
    return try Library.withLock {
      var size: hsize_t = 0
      // The call fails for a chunk that is not there in this version of the library, and gives 0 in others.
      let status = silently { H5Dget_chunk_storage_size(handle.id, corner, &size) }
      if status < 0 || size == 0 { return nil }
      guard size <= hsize_t(maximumByteCount) else {
        throw HDF5Error(
          .tooLarge, context, "a chunk claims \(size) bytes, at most \(maximumByteCount) are possible")
      }
      var mask: UInt32 = 0
      let bytes = try [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
        try Library.call("H5Dread_chunk", context) {
          H5Dread_chunk(handle.id, chdf5_default_properties(), corner, &mask, buffer.baseAddress)
        }
        count = Int(size)
      }
      return (mask, bytes)
    }
  }

  /// Writes one chunk whose bytes have been through the dataset's filters already.
  ///
  /// - Parameter offset: the chunk's first element; a multiple of the chunk's dimensions.
  public func writeChunk(_ bytes: UnsafeRawBufferPointer, at offset: [Int]) throws {
    let corner = offset.map { hsize_t($0) }
    try Library.call("H5Dwrite_chunk", "writing \(quotedName)") {
      H5Dwrite_chunk(handle.id, chdf5_default_properties(), 0, corner, bytes.count, bytes.baseAddress)
    }
  }

  func creationProperties(_ context: String) throws -> Handle {
    try Handle("H5Dget_create_plist", context) { H5Dget_create_plist(handle.id) }
  }
}

/// Whether the library counts the addresses of chunks from the file's beginning or from the end of the user block.
///
/// Releases differ (1.10.8 leaves the user block out, later ones count it in), so a small file tells.
private enum ChunkAddresses {
  static func base(in file: File) throws -> Int {
    let userBlock = try file.userBlockByteCount
    return userBlock == 0 || includeUserBlock ? 0 : userBlock
  }

  private static let includeUserBlock: Bool = {
    let userBlockByteCount = 1 << 16
    do {
      let file = try File.createInMemory(userBlockByteCount: userBlockByteCount)
      let dataset = try file.root.makeDataset("x", type: .uint8, shape: [1], chunks: [1])
      try dataset.write([1 as UInt8])
      let space = try Handle("H5Dget_space", "", in: file.handle) { H5Dget_space(dataset.handle.id) }
      var address: haddr_t = 0
      try Library.call("H5Dget_chunk_info", "") {
        H5Dget_chunk_info(dataset.handle.id, space.id, 0, nil, nil, &address, nil)
      }
      // The file is far smaller than its user block, so only an address that counts it can be as large.
      return address >= haddr_t(userBlockByteCount)
    } catch {
      // The same calls fail for the file in question, and say why there.
      return true
    }
  }()
}
