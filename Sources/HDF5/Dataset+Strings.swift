internal import CHDF5
internal import Glibc

/// Datasets of text.
extension Dataset {
  /// All elements as bytes, without what pads them; they are UTF-8 or ASCII in a sound file, which is not checked.
  ///
  /// - Throws: ``HDF5Error`` of kind `mismatch` when the elements are not text.
  public func readText() throws -> [[UInt8]] {
    let context = "reading \(quotedName)"
    guard case .string(let isVariable) = type.class else {
      throw HDF5Error(.mismatch, context, "its elements are not text but \(type)")
    }
    try checkPlausibleSize()
    try checkOtherFiles(context)
    if elementCount == 0 { return [] }
    guard isVariable else { return try readFixedText(context) }
    return try file.surveyed?.texts(at: place(context), context) ?? readVariableText(context)
  }

  /// Where the strings of this dataset stand.
  func place(_ context: String) throws -> SurveyedTexts.Place {
    SurveyedTexts.Place(address: try handle.address(context), attribute: nil)
  }

  private func readVariableText(_ context: String) throws -> [[UInt8]] {
    let type = try storedType(context)
    let space = try Handle("H5Dget_space", context) { H5Dget_space(handle.id) }
    return try Library.withLock {
      var pointers = [UnsafeMutablePointer<CChar>?](repeating: nil, count: elementCount)
      defer {
        // The library allocated each string; it frees what it gave, also after half a read.
        _ = H5Dvlen_reclaim(type.id, space.id, chdf5_default_properties(), &pointers)
      }
      try read(elementCount, nil, context) { memorySpace, fileSpace in
        try readingPacked {
          try Library.call("H5Dread", context) {
            H5Dread(handle.id, type.id, memorySpace, fileSpace, chdf5_default_properties(), &pointers)
          }
        }
      }
      return pointers.map { pointer in
        guard let pointer else { return [] }
        return UnsafeBufferPointer(start: pointer, count: strlen(pointer)).map { UInt8(bitPattern: $0) }
      }
    }
  }

  /// Reads the first strings of one length, some megabytes at most, for whatever filters make of the file.
  func tryFixedText(elements: Int) throws {
    let context = "reading \(quotedName)"
    guard let rows = shape.first, rows > 0, type.byteCount > 0 else { return }
    let rowBytes = max(1, elementCount / rows) * type.byteCount
    let count = min(rows, max(1, min(elements, (4 << 20) / rowBytes)))
    guard rowBytes <= 64 << 20 else { return }
    let region = Region(offset: shape.map { _ in 0 }, count: [count] + shape.dropFirst())
    let type = try storedType(context)
    var bytes = [UInt8](repeating: 0, count: count * rowBytes)
    try read(region.elementCount, region, context) { memorySpace, fileSpace in
      try readingPacked {
        try Library.call("H5Dread", context) {
          H5Dread(handle.id, type.id, memorySpace, fileSpace, chdf5_default_properties(), &bytes)
        }
      }
    }
  }

  private func readFixedText(_ context: String) throws -> [[UInt8]] {
    let type = try storedType(context)
    let length = self.type.byteCount
    var bytes = [UInt8](repeating: 0, count: elementCount * length)
    try read(elementCount, nil, context) { memorySpace, fileSpace in
      try readingPacked {
        try Library.call("H5Dread", context) {
          H5Dread(handle.id, type.id, memorySpace, fileSpace, chdf5_default_properties(), &bytes)
        }
      }
    }
    let padding = Library.withLock { FixedTextPadding(type.id) }
    return (0..<elementCount).map { index in
      Array(padding.text(of: bytes[(index * length)..<((index + 1) * length)]))
    }
  }

  private func storedType(_ context: String) throws -> Handle {
    try Handle("H5Dget_type", context) { H5Dget_type(handle.id) }
  }
}

/// How strings shorter than their type end.
enum FixedTextPadding {
  /// With the first zero byte.
  case terminated
  /// With zero bytes to the end; others before them belong to the string.
  case zeros
  case spaces

  /// That of a type of the library; its lock must be held.
  init(_ type: hid_t) {
    self =
      switch H5Tget_strpad(type) {
      case H5T_STR_SPACEPAD: .spaces
      case H5T_STR_NULLPAD: .zeros
      default: .terminated
      }
  }

  /// A string without what fills its place.
  func text(of place: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var text = place
    switch self {
    case .terminated: text = text.firstIndex(of: 0).map { text[..<$0] } ?? text
    case .zeros: while text.last == 0 { text.removeLast() }
    case .spaces: while text.last == UInt8(ascii: " ") { text.removeLast() }
    }
    return text
  }
}

extension Group {
  /// Makes a dataset of variable-length UTF-8 strings, as h5py's `string_dtype()` does, and writes all of it.
  ///
  /// - Throws: ``HDF5Error`` of kind `mismatch` for a string with a zero byte, which would end it.
  @discardableResult
  public func write(_ path: String, _ strings: [String]) throws -> Dataset {
    let context = "writing the dataset \"\(path)\" of \(file.name)"
    for string in strings where string.utf8.contains(0) {
      throw HDF5Error(
        .mismatch, context, "a string holds a zero byte, which would end it: \(string.prefix(40))")
    }
    let type = try Handle("H5Tcopy", context) { H5Tcopy(chdf5_c_string()) }
    try Library.call("H5Tset_size", context) { H5Tset_size(type.id, chdf5_variable_size()) }
    try Library.call("H5Tset_cset", context) { H5Tset_cset(type.id, H5T_CSET_UTF8) }
    let dataset = try makeDataset(path, typeID: type.id, shape: [strings.count], context)
    if strings.isEmpty { return dataset }
    // One block of memory for all: there may be many words.
    var bytes: [CChar] = []
    bytes.reserveCapacity(strings.reduce(0) { $0 + $1.utf8.count + 1 })
    var offsets: [Int] = []
    for string in strings {
      offsets.append(bytes.count)
      bytes.append(contentsOf: string.utf8.lazy.map { CChar(bitPattern: $0) })
      bytes.append(0)
    }
    try bytes.withUnsafeBufferPointer { memory in
      let pointers = offsets.map { memory.baseAddress?.advanced(by: $0) }
      try Library.call("H5Dwrite", context) {
        H5Dwrite(
          dataset.handle.id, type.id, chdf5_whole_space(), chdf5_whole_space(), chdf5_default_properties(),
          pointers)
      }
    }
    return dataset
  }
}
