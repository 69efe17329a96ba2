internal import CHDF5

/// A dataset: an array of equal elements with a shape.
public final class Dataset: Sendable {
  public let file: File
  /// The path from the file's root, for messages.
  public let path: String
  /// Dimensions, outermost first; empty for a scalar.
  ///
  /// Their product fits in an `Int`, in bytes too.
  public let shape: [Int]
  public let type: Datatype
  let handle: Handle

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

  public var elementCount: Int { shape.reduce(1, *) }

  public var attributes: Attributes { Attributes(owner: handle, ownerName: quotedName) }

  /// The name with its file, for messages.
  var quotedName: String { "\"\(path)\" of \(file.name)" }

  /// A box of elements: `count[d]` of them from `offset[d]` on, in every dimension.
  public struct Region: Hashable, Sendable {
    public let offset: [Int]
    public let count: [Int]

    public init(offset: [Int], count: [Int]) {
      self.offset = offset
      self.count = count
    }

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
  /// A few damaged bytes can declare petabytes. Deflate shrinks at most 1032 times, so more than that is no data;
  /// up to 128 MiB are let through for datasets whose elements were never written.
  public func checkPlausibleSize() throws {
    let (byteCount, overflow) = elementCount.multipliedReportingOverflow(by: type.byteCount)
    let fileByteCount = try file.byteCount
    if overflow || (byteCount >> 27 > 0 && byteCount / 1032 > fileByteCount) {
      throw HDF5Error(
        .tooLarge, "reading \(quotedName)",
        "its dimensions \(shape) mean more data than a file of \(fileByteCount) bytes can hold")
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
    try refuseOtherFiles(context)
    try transfer(buffer.count, region, context) { memorySpace, fileSpace in
      try Library.call("H5Dread", context) {
        H5Dread(
          handle.id, Number.numberType.memoryId, memorySpace, fileSpace, chdf5_default_properties(),
          buffer.baseAddress)
      }
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

  private func transfer(
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
    let start = region.offset.map { hsize_t($0) }
    let extent = region.count.map { hsize_t($0) }
    if !shape.isEmpty {
      try Library.call("H5Sselect_hyperslab", context) {
        H5Sselect_hyperslab(fileSpace.id, H5S_SELECT_SET, start, nil, extent, nil)
      }
    }
    let memorySpace = try Dataspace.make(shape: [count], context)
    try body(memorySpace.id, fileSpace.id)
  }
}
