internal import CHDF5
internal import Synchronization

/// A dataset: an array of equal elements with a shape.
public final class Dataset: Sendable {
  /// The file that it is in, which it keeps open.
  public let file: File
  /// The path from the file's root, for messages.
  public let path: String
  /// Dimensions, outermost first; empty for a scalar.
  ///
  /// Their product fits in an `Int`, in bytes too.
  public let shape: [Int]
  /// What an element is in the file.
  public let type: Datatype
  let handle: Handle
  /// Whether ``checkOtherFiles(_:)`` has let the dataset pass.
  let hasSoundSources = Atomic<Bool>(false)

  init(file: File, path: String, adopting handle: Handle) throws {
    let context = "opening \"\(path)\" of \(file.name)"
    let space = try Handle("H5Dget_space", context) { H5Dget_space(handle.id) }
    let type = try Handle("H5Dget_type", context) { H5Dget_type(handle.id) }
    self.file = file
    self.path = path
    self.shape = try Dataspace.shape(of: space, context)
    self.type = Datatype(describing: type.id)
    self.handle = handle
  }

  /// The product of the dimensions; 1 for a scalar.
  public var elementCount: Int { shape.reduce(1, *) }

  /// Its small named values.
  public var attributes: Attributes {
    Attributes(owner: handle, ownerName: quotedName, surveyed: file.surveyed)
  }

  /// The name with its file, for messages.
  var quotedName: String { "\"\(path)\" of \(file.name)" }

  /// A box of elements: `count[d]` of them from `offset[d]` on, in every dimension.
  public struct Region: Hashable, Sendable {
    /// The first index in each dimension, counted from 0.
    public let offset: [Int]
    /// How many indices there are in each dimension.
    public let count: [Int]

    /// A box; both lists have an entry for each dimension of the dataset.
    public init(offset: [Int], count: [Int]) {
      self.offset = offset
      self.count = count
    }

    /// How many elements the box holds.
    public var elementCount: Int { count.reduce(1, *) }
  }

  // MARK: - Reading

  /// All elements, outermost dimension first, converted to `Number`.
  ///
  /// - Throws: ``HDF5Error`` of kind `mismatch` when the elements are not numbers, `tooLarge` as in
  ///   ``checkPlausibleSize()``.
  public func read<Number: HDF5Number>(_ number: Number.Type = Number.self) throws -> [Number] {
    try checkPlausibleSize()
    return try [Number](unsafeUninitializedCapacity: elementCount) { buffer, count in
      buffer.initialize(repeating: .zero)
      try read(into: UnsafeMutableBufferPointer(rebasing: buffer[..<elementCount]))
      count = elementCount
    }
  }

  /// Refuses dimensions that the file cannot hold, before memory is taken for them.
  ///
  /// A few damaged bytes can declare petabytes. What is stored as it is cannot be more than it takes in the file, and deflate shrinks
  /// at most 1032 times. 32 MiB besides are let through for elements that were never written.
  public func checkPlausibleSize() throws {
    let fileByteCount = try file.byteCount
    let layout = try layout()
    let (most, isMore) = min(storedByteCount, fileByteCount).multipliedReportingOverflow(
      by: try mostUnpacking(layout))
    func isPlausible(_ elements: Int?) -> Bool {
      guard let elements else { return false }
      let (byteCount, overflow) = elements.multipliedReportingOverflow(by: type.byteCount)
      return !overflow && (isMore || byteCount - Self.unwrittenByteCount <= most)
    }
    // What other files hold says nothing about this one's size; each of theirs is checked in its own.
    if layout != .virtual, !isPlausible(elementCount) {
      throw HDF5Error(
        .tooLarge, "reading \(quotedName)",
        "its dimensions \(shape) mean more data than a file of \(fileByteCount) bytes can hold")
    }
    // The library takes memory for a whole chunk.
    if case .chunked(let chunk) = layout, !isPlausible(checkedProduct(chunk)) {
      throw HDF5Error(
        .tooLarge, "reading \(quotedName)",
        "its chunks of \(chunk) mean more data than a file of \(fileByteCount) bytes can hold")
    }
  }

  private static let unwrittenByteCount = 32 << 20

  /// How many times as large as in the file the elements may be.
  private func mostUnpacking(_ layout: Layout) throws -> Int {
    switch layout {
    case .compact, .contiguous: return 1
    case .virtual, .externalFiles: return 1032
    case .chunked:
      let keeping = [Filter.shuffleId, Filter.fletcher32Id]
      // Not all chunks may have been written.
      return try filters().allSatisfy { keeping.contains($0.id) } ? 4 : 1032
    }
  }

  /// Reads all elements, or those of `region`, into memory of exactly that many elements.
  public func read<Number: HDF5Number>(
    into buffer: UnsafeMutableBufferPointer<Number>, region: Region? = nil
  ) throws {
    let context = "reading \(quotedName)"
    guard type.isNumber else {
      throw HDF5Error(.mismatch, context, "its elements are not numbers but \(type)")
    }
    try checkOtherFiles(context)
    if type.class == .bitField { return try readBits(into: buffer, region, context) }
    try read(buffer.count, region, context) { memorySpace, fileSpace in
      try readingPacked {
        try Library.call("H5Dread", context) {
          H5Dread(
            handle.id, Number.numberType.memoryId, memorySpace, fileSpace, chdf5_default_properties(),
            buffer.baseAddress)
        }
      }
    }
  }

  /// Reads bits as whole numbers from 0; the library converts them to nothing but bits.
  private func readBits<Number: HDF5Number>(
    into buffer: UnsafeMutableBufferPointer<Number>, _ region: Region?, _ context: String
  ) throws {
    let size = max(type.byteCount, Number.numberType.byteCount)
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, buffer.count * size), alignment: 16)
    defer { memory.deallocate() }
    try read(buffer.count, region, context) { memorySpace, fileSpace in
      try readingPacked {
        try Library.call("H5Dread", context) {
          H5Dread(
            handle.id, Self.bits(byteCount: type.byteCount), memorySpace, fileSpace,
            chdf5_default_properties(),
            memory.baseAddress)
        }
      }
    }
    if buffer.isEmpty { return }
    try Library.call("H5Tconvert", context) {
      H5Tconvert(
        Self.wholeNumber(byteCount: type.byteCount), Number.numberType.memoryId, buffer.count,
        memory.baseAddress,
        nil, chdf5_default_properties())
    }
    UnsafeMutableRawBufferPointer(buffer).copyMemory(
      from: UnsafeRawBufferPointer(rebasing: memory[..<(buffer.count * Number.numberType.byteCount)]))
  }

  /// The library's constant for this many bytes of bits; used inside the lock.
  private static func bits(byteCount: Int) -> hid_t {
    switch byteCount {
    case 1: chdf5_native_bits8()
    case 2: chdf5_native_bits16()
    case 4: chdf5_native_bits32()
    default: chdf5_native_bits64()
    }
  }

  private static func wholeNumber(byteCount: Int) -> hid_t {
    switch byteCount {
    case 1: chdf5_native_uint8()
    case 2: chdf5_native_uint16()
    case 4: chdf5_native_uint32()
    default: chdf5_native_uint64()
    }
  }

  /// Runs a read, and where it fails for want of a filter says which.
  @discardableResult
  func readingPacked<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as HDF5Error {
      try checkFilters()
      throw error
    }
  }

  // MARK: - Writing

  /// Writes all elements, or those of `region`, from memory of exactly that many elements.
  public func write<Number: HDF5Number>(
    _ buffer: UnsafeBufferPointer<Number>, region: Region? = nil
  ) throws {
    let context = "writing \(quotedName)"
    try transfer(buffer.count, region, context) { memorySpace, fileSpace in
      try Library.call("H5Dwrite", context) {
        H5Dwrite(
          handle.id, Number.numberType.memoryId, memorySpace, fileSpace, chdf5_default_properties(),
          buffer.baseAddress)
      }
    }
  }

  /// Writes values into all of the dataset, or into a part of it.
  public func write<Number: HDF5Number>(_ values: [Number], region: Region? = nil) throws {
    try values.withUnsafeBufferPointer { try write($0, region: region) }
  }

  /// Makes a chunked dataset smaller; elements outside of the new dimensions are gone.
  ///
  /// ``shape`` stays what it was when the dataset was opened.
  public func shrink(to shape: [Int]) throws {
    precondition(
      shape.count == self.shape.count && zip(shape, self.shape).allSatisfy { 0 <= $0 && $0 <= $1 },
      "\(self.shape) cannot shrink to \(shape)")
    let dimensions = shape.map { hsize_t($0) }
    try Library.call("H5Dset_extent", "shrinking \(quotedName)") { H5Dset_extent(handle.id, dimensions) }
  }

  // MARK: - Selections

  func transfer(
    _ count: Int, _ region: Region?, _ context: String, _ body: (hid_t, hid_t) throws -> Void
  ) throws {
    guard let region else {
      precondition(count == elementCount, "expected memory for \(elementCount) elements, got \(count)")
      if count == 0 { return }
      let whole = Library.withLock { chdf5_whole_space() }
      return try body(whole, whole)
    }
    precondition(
      region.offset.count == shape.count && region.count.count == shape.count,
      "a region of \(region.offset.count) dimensions does not fit \(quotedName), which has \(shape.count)")
    for ((offset, count), dimension) in zip(zip(region.offset, region.count), shape) {
      precondition(
        offset >= 0 && count >= 0 && offset <= dimension && count <= dimension - offset,
        "the region \(region.offset)+\(region.count) is outside \(quotedName), \(shape)")
    }
    precondition(
      count == region.elementCount, "expected memory for \(region.elementCount) elements, got \(count)")
    if count == 0 { return }
    let fileSpace = try Handle("H5Dget_space", context) { H5Dget_space(handle.id) }
    if !shape.isEmpty { try Self.select(region.offset, region.count, of: fileSpace, context) }
    let memorySpace = try Dataspace.make(shape: [count], context)
    try body(memorySpace.id, fileSpace.id)
  }

  /// Transfers a piece of a region from or to its place in memory of the whole region.
  func transfer(
    _ count: Int, _ region: Region, _ piece: Region, _ context: String, _ body: (hid_t, hid_t) throws -> Void
  ) throws {
    precondition(
      count == region.elementCount, "expected memory for \(region.elementCount) elements, got \(count)")
    let fileSpace = try Handle("H5Dget_space", context) { H5Dget_space(handle.id) }
    try Self.select(piece.offset, piece.count, of: fileSpace, context)
    let memorySpace = try Dataspace.make(shape: region.count, context)
    try Self.select(zip(piece.offset, region.offset).map { $0 - $1 }, piece.count, of: memorySpace, context)
    try body(memorySpace.id, fileSpace.id)
  }

  private static func select(
    _ offset: [Int], _ count: [Int], of space: Handle, _ context: String
  ) throws {
    let start = offset.map { hsize_t($0) }
    let extent = count.map { hsize_t($0) }
    try Library.call("H5Sselect_hyperslab", context) {
      H5Sselect_hyperslab(space.id, H5S_SELECT_SET, start, nil, extent, nil)
    }
  }
}
