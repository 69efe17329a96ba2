internal import CHDF5
internal import Glibc
internal import Paths

/// The attributes of a group or a dataset: small named values.
///
/// Strings are written as variable-length UTF-8, which may be longer than the 64 KiB of a fixed-length attribute, and
/// read in both forms.
///
/// The header of an object takes less than 64 KiB of one attribute, which is 4,095 strings. A longer list is written as Keras writes it, as several
/// attributes `name0`, `name1`, …, and read from them as one.
public struct Attributes: Sendable {
  let owner: Handle
  let ownerName: String
  /// The strings of the file that another process has read already; nil where ``Isolation`` is off.
  let surveyed: SurveyedTexts?

  /// The bytes of a list's elements in one attribute: as many as in Keras, which leaves room for what describes them.
  private static let mostBytes = 64_512
  /// The bytes of a string of any length in an object's header, which only says where the string lies.
  private static let bytesOfString = 16

  /// The names, in the order of their names.
  public func names() throws -> [String] {
    final class Names {
      var list: [String] = []
    }
    let names = Names()
    var index: hsize_t = 0
    try withExtendedLifetime(names) {
      _ = try Library.call("H5Aiterate2", "listing the attributes of \(ownerName)") {
        H5Aiterate2(
          owner.id, H5_INDEX_NAME, H5_ITER_INC, &index,
          { _, name, _, data in
            guard let name, let data else { return 0 }
            Unmanaged<Names>.fromOpaque(data).takeUnretainedValue().list.append(PathText.text(of: name))
            return 0
          }, Unmanaged.passUnretained(names).toOpaque())
      }
    }
    return names.list
  }

  /// Whether there is an attribute of this name, in one piece or several.
  public func contains(_ name: String) throws -> Bool {
    try isWhole(name) || isWhole(Self.piece(0, of: name))
  }

  private func isWhole(_ name: String) throws -> Bool {
    try Library.call("H5Aexists", describe("looking up", name)) { H5Aexists(owner.id, name.systemPath) } > 0
  }

  /// The dimensions of an attribute in one piece; empty for a single value.
  public func shape(_ name: String) throws -> [Int] {
    try open(name).shape
  }

  // MARK: - Pieces of long lists

  private static func piece(_ number: Int, of name: String) -> String { "\(name)\(number)" }

  /// The names under which an attribute is stored: its own, or those of its pieces.
  private func pieces(of name: String) throws -> [String] {
    guard try !isWhole(name), try isWhole(Self.piece(0, of: name)) else { return [name] }
    var names: [String] = []
    while try isWhole(Self.piece(names.count, of: name)) { names.append(Self.piece(names.count, of: name)) }
    return names
  }

  /// Writes a list in place of an attribute of that name, in as many pieces as it takes.
  ///
  /// - Parameter bytes: of an element in the object's header.
  private func writeList<Element>(
    _ name: String, _ elements: [Element], bytes: Int, _ write: (String, [Element]) throws -> Void
  ) throws {
    for former in try pieces(of: name) where try isWhole(former) { try delete(former) }
    let most = Self.mostBytes / bytes
    guard elements.count > most else { return try write(name, elements) }
    for (number, start) in stride(from: 0, to: elements.count, by: most).enumerated() {
      try write(Self.piece(number, of: name), Array(elements[start..<min(start + most, elements.count)]))
    }
  }

  private func delete(_ name: String) throws {
    try Library.call("H5Adelete", describe("writing", name)) { H5Adelete(owner.id, name.systemPath) }
  }

  // MARK: - Strings

  /// A single string; also the only element of an array of one.
  public func string(_ name: String) throws -> String {
    let strings = try strings(name)
    guard let first = strings.first, strings.count == 1 else {
      throw HDF5Error(
        .mismatch, describe("reading", name), "expected one string, found \(strings.count)")
    }
    return first
  }

  /// All strings of an attribute, one for a scalar; none for an attribute of no elements, whatever its type.
  ///
  /// - Throws: ``HDF5Error`` of kind `mismatch` for what is not UTF-8: with bytes replaced, different names could be the same.
  public func strings(_ name: String) throws -> [String] {
    try pieces(of: name).flatMap { try strings(inPiece: $0) }
  }

  private func strings(inPiece name: String) throws -> [String] {
    let context = describe("reading", name)
    let (attribute, type, shape) = try open(name)
    let count = shape.reduce(1, *)
    if count == 0 { return [] }
    guard case .string(let variableLength) = Datatype(describing: type.id).class else {
      throw HDF5Error(
        .mismatch, context,
        "it is not a string but \(Datatype(describing: type.id)); write it anew as strings, as h5py does for a list of str"
      )
    }
    guard variableLength else { return try fixedLengthStrings(attribute, type, count, context) }
    let texts =
      try surveyed?.texts(at: place(name, context), context)
      ?? variableLengthTexts(attribute, type, count, context)
    return try texts.enumerated().map { try text($1[...], $0, context) }
  }

  /// Where the strings of an attribute in one piece stand.
  func place(_ name: String, _ context: String) throws -> SurveyedTexts.Place {
    SurveyedTexts.Place(address: try owner.address(context), attribute: name)
  }

  /// The bytes of the strings of an attribute in one piece, which this process reads; nil for one of another type.
  func variableLengthTexts(_ name: String) throws -> [[UInt8]]? {
    let (attribute, type, shape) = try open(name)
    guard case .string(true) = Datatype(describing: type.id).class else { return nil }
    let count = shape.reduce(1, *)
    return count == 0 ? [] : try variableLengthTexts(attribute, type, count, describe("reading", name))
  }

  private func variableLengthTexts(
    _ attribute: Handle, _ type: Handle, _ count: Int, _ context: String
  ) throws -> [[UInt8]] {
    let space = try Handle("H5Aget_space", context) { H5Aget_space(attribute.id) }
    return try Library.withLock {
      // The file's own type says the character set, which the library does not convert.
      let memoryType = try Handle("H5Tcopy", context) { H5Tcopy(type.id) }
      var pointers = [UnsafeMutablePointer<CChar>?](repeating: nil, count: count)
      defer {
        // The library allocated each string; it frees what it gave, also after half a read.
        _ = H5Dvlen_reclaim(memoryType.id, space.id, chdf5_default_properties(), &pointers)
      }
      try Library.call("H5Aread", context) { H5Aread(attribute.id, memoryType.id, &pointers) }
      return pointers.map { pointer in
        guard let pointer else { return [] }
        return UnsafeBufferPointer(start: pointer, count: strlen(pointer)).map { UInt8(bitPattern: $0) }
      }
    }
  }

  private func fixedLengthStrings(
    _ attribute: Handle, _ type: Handle, _ count: Int, _ context: String
  ) throws -> [String] {
    let length = Library.withLock { Int(H5Tget_size(type.id)) }
    guard let byteCount = checkedProduct([count, length]) else {
      throw HDF5Error(.tooLarge, context, "\(count) strings of \(length) bytes are larger than any memory")
    }
    var bytes = [UInt8](repeating: 0, count: byteCount)
    try Library.call("H5Aread", context) { H5Aread(attribute.id, type.id, &bytes) }
    let padding = Library.withLock { FixedTextPadding(type.id) }
    return try (0..<count).map { index in
      try text(padding.text(of: bytes[(index * length)..<((index + 1) * length)]), index, context)
    }
  }

  private func text(_ bytes: ArraySlice<UInt8>, _ index: Int, _ context: String) throws -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw HDF5Error(
        .mismatch, context,
        "string \(index) of it, \"\(PathText.readable(PathText.text(of: bytes.prefix(40))))\", is not UTF-8; write the attribute "
          + "anew as UTF-8, which h5py does for a str")
    }
    return text
  }

  /// Writes a single string, of any length, in place of an attribute of that name.
  public func write(_ name: String, _ string: String) throws {
    try write(name, [string], shape: [])
  }

  /// Writes an array of strings, possibly empty, in place of an attribute of that name.
  public func write(_ name: String, _ strings: [String]) throws {
    try check(strings, of: name)
    try writeList(name, strings, bytes: Self.bytesOfString) { try write($0, $1, shape: [$1.count]) }
  }

  private func write(_ name: String, _ strings: [String], shape: [Int]) throws {
    let context = describe("writing", name)
    try check(strings, of: name)
    let type = try Handle("H5Tcopy", context) { H5Tcopy(chdf5_c_string()) }
    try Library.call("H5Tset_size", context) { H5Tset_size(type.id, chdf5_variable_size()) }
    try Library.call("H5Tset_cset", context) { H5Tset_cset(type.id, H5T_CSET_UTF8) }
    let attribute = try make(name, type.id, shape, context)
    if strings.isEmpty { return }
    var pointers = strings.map { UnsafePointer(strdup($0)) }
    defer { pointers.forEach { free(UnsafeMutablePointer(mutating: $0)) } }
    try Library.call("H5Awrite", context) { H5Awrite(attribute.id, type.id, &pointers) }
  }

  private func check(_ strings: [String], of name: String) throws(HDF5Error) {
    for string in strings where string.utf8.contains(0) {
      throw HDF5Error(
        .mismatch, describe("writing", name),
        "a string holds a zero byte, which would end it: \(string.prefix(40))")
    }
  }

  // MARK: - Numbers

  /// A single number, converted; also the only element of an array of one.
  public func number<Number: HDF5Number>(_ name: String, as number: Number.Type = Number.self) throws
    -> Number
  {
    let numbers = try numbers(name, as: Number.self)
    guard let first = numbers.first, numbers.count == 1 else {
      throw HDF5Error(.mismatch, describe("reading", name), "expected one number, found \(numbers.count)")
    }
    return first
  }

  /// All numbers of an attribute, outermost dimension first, converted; one for a scalar.
  public func numbers<Number: HDF5Number>(
    _ name: String, as number: Number.Type = Number.self
  ) throws -> [Number] {
    try pieces(of: name).flatMap { try numbers(inPiece: $0, as: number) }
  }

  private func numbers<Number: HDF5Number>(
    inPiece name: String, as number: Number.Type
  ) throws -> [Number] {
    let context = describe("reading", name)
    let (attribute, type, shape) = try open(name)
    let stored = Datatype(describing: type.id)
    let count = shape.reduce(1, *)
    if count == 0 { return [] }
    guard stored.isNumber, stored.class != .bitField else {
      throw HDF5Error(.mismatch, context, "it is not a number but \(stored)")
    }
    var values = [Number](repeating: .zero, count: count)
    try Library.call("H5Aread", context) { H5Aread(attribute.id, Number.numberType.memoryId, &values) }
    return values
  }

  /// Writes a single number in place of an attribute of that name.
  public func write<Number: HDF5Number>(_ name: String, _ number: Number) throws {
    try write(name, [number], shape: [])
  }

  /// Writes an array of numbers in place of an attribute of that name.
  public func write<Number: HDF5Number>(_ name: String, _ numbers: [Number]) throws {
    try writeList(name, numbers, bytes: MemoryLayout<Number>.size) { try write($0, $1, shape: [$1.count]) }
  }

  private func write<Number: HDF5Number>(_ name: String, _ numbers: [Number], shape: [Int]) throws {
    let context = describe("writing", name)
    let type = Number.numberType
    let attribute = try make(name, Library.withLock { type.fileId }, shape, context)
    if numbers.isEmpty { return }
    try Library.call("H5Awrite", context) { H5Awrite(attribute.id, type.memoryId, numbers) }
  }

  // MARK: - Opening and making

  private func open(_ name: String) throws -> (attribute: Handle, type: Handle, shape: [Int]) {
    let context = describe("reading", name)
    guard try isWhole(name) else { throw HDF5Error(.noSuchName, context, "there is no such attribute") }
    let attribute = try Handle("H5Aopen", context) {
      H5Aopen(owner.id, name.systemPath, chdf5_default_properties())
    }
    let type = try Handle("H5Aget_type", context) { H5Aget_type(attribute.id) }
    let space = try Handle("H5Aget_space", context) { H5Aget_space(attribute.id) }
    let shape = try Dataspace.shape(of: space, context)
    // An attribute lies in an object's header; this many elements come from damage only.
    guard shape.reduce(1, *) <= 1 << 24 else {
      throw HDF5Error(.tooLarge, context, "its dimensions \(shape) are larger than any attribute")
    }
    return (attribute, type, shape)
  }

  private func make(_ name: String, _ type: hid_t, _ shape: [Int], _ context: String) throws -> Handle {
    let space = try Dataspace.make(shape: shape, context)
    return try Library.withLock {
      if try isWhole(name) { try delete(name) }
      return try Handle("H5Acreate2", context) {
        H5Acreate2(
          owner.id, name.systemPath, type, space.id, chdf5_default_properties(), chdf5_default_properties())
      }
    }
  }

  private func describe(_ action: String, _ name: String) -> String {
    "\(action) the attribute \"\(name)\" of \(ownerName)"
  }
}
