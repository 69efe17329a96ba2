/// What a Python pickle holds, as far as data files need it: numbers, texts, lists, dictionaries and plain arrays of bytes.
///
/// A pickle is a program; this reader runs only the instructions that build such values. It calls nothing: the few
/// global names that NumPy's arrays need are recognised by their text, and every other one is refused.
///
/// - SeeAlso: Python's `pickletools`, whose opcodes these are.
final class PickleValue {
  enum Content {
    case none
    case integer(Int)
    case text(String)
    /// Bytes by their place in the file.
    case bytes(Range<Int>)
    case list([PickleValue])
    case tuple([PickleValue])
    case dictionary([(PickleValue, PickleValue)])
    /// `module.name`.
    case global(String)
    /// NumPy's element type: `u1`.
    case elementType(String)
    /// A NumPy array; `data` is nil until its state is set.
    case array(shape: [Int], elementType: String, data: Range<Int>?)
  }

  var content: Content
  init(_ content: Content) { self.content = content }

  /// The value of a dictionary's key, whether it is text or bytes in the file.
  func value(_ key: String, in bytes: [UInt8]) -> PickleValue? {
    guard case .dictionary(let entries) = content else { return nil }
    return entries.first { $0.0.text(in: bytes) == key }?.1
  }

  /// Text, or bytes that are text.
  func text(in bytes: [UInt8]) -> String? {
    switch content {
    case .text(let text): text
    case .bytes(let range): String(validating: bytes[range], as: UTF8.self)
    default: nil
    }
  }

  var integers: [Int]? {
    guard case .list(let values) = content else { return nil }
    return Self.integers(values)
  }

  static func integers(_ values: [PickleValue]) -> [Int]? {
    var result: [Int] = []
    for value in values {
      guard case .integer(let number) = value.content else { return nil }
      result.append(number)
    }
    return result
  }

  func texts(in bytes: [UInt8]) -> [String]? {
    guard case .list(let values) = content else { return nil }
    let texts = values.compactMap { $0.text(in: bytes) }
    return texts.count == values.count ? texts : nil
  }
}

/// All the values of a pickle.
///
/// They may hold one another as deeply as the file is long, and in circles. This is a second owner of each,
/// so that they are freed one by one: to free the outermost, and all the others through it, would take a
/// stack as deep.
final class Pickle {
  /// What the pickle is.
  fileprivate(set) var root = PickleValue(.none)
  private var values: [PickleValue] = []

  /// The labels and file names of the largest such file, 50,000 images with two labels each, take a third of
  /// this.
  static let mostValues = 500_000

  fileprivate func add(_ content: PickleValue.Content) -> PickleValue? {
    guard values.count < Self.mostValues else { return nil }
    let value = PickleValue(content)
    values.append(value)
    return value
  }

  deinit {
    for value in values { value.content = .none }
  }
}

/// Reads a pickle of protocol 0 to 5 from memory.
struct PickleReader {
  private let bytes: [UInt8]
  private let name: String
  private let pickle = Pickle()
  private var position = 0
  private var stack: [PickleValue] = []
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]
  private var memberCount = 0

  /// Reads a pickle, whose values are there until `body` returns.
  ///
  /// - Parameters:
  ///   - name: the file's name, for messages.
  ///   - body: takes from the outermost value what is needed.
  static func read<Result>(
    _ bytes: [UInt8], name: String, _ body: (PickleValue) throws -> Result
  ) throws -> Result {
    var reader = PickleReader(bytes: bytes, name: name)
    try reader.run()
    return try withExtendedLifetime(reader.pickle) { try body(reader.pickle.root) }
  }

  /// Whether a file's first bytes are those of a pickle of protocol 2 to 5; earlier ones have no mark.
  static func begins(_ bytes: some Collection<UInt8>) -> Bool {
    guard bytes.first == 0x80, let version = bytes.dropFirst().first else { return false }
    return (2...5).contains(version)
  }

  private init(bytes: [UInt8], name: String) {
    self.bytes = bytes
    self.name = name
  }

  // MARK: - Input

  private func damaged(_ what: String) -> DatasetError {
    DatasetError(.badData, "\(name) is not a pickle that can be read: \(what), at byte \(position)")
  }

  private mutating func take(_ count: Int) throws -> Range<Int> {
    guard count >= 0, count <= bytes.count - position else { throw damaged("it ends early") }
    defer { position += count }
    return position..<position + count
  }

  /// A little-endian number of this many bytes.
  private mutating func number(_ count: Int) throws -> Int {
    var value: UInt64 = 0
    for (place, index) in try take(count).enumerated() { value |= UInt64(bytes[index]) << UInt64(8 * place) }
    guard let result = Int(exactly: value) else { throw damaged("a length is too large") }
    return result
  }

  private mutating func line() throws -> String {
    guard let end = bytes[position...].firstIndex(of: 10) else { throw damaged("it ends early") }
    defer { position = end + 1 }
    return String(decoding: bytes[position..<end], as: UTF8.self)
  }

  private mutating func text(_ count: Int) throws -> PickleValue.Content {
    guard let text = String(validating: bytes[try take(count)], as: UTF8.self) else {
      throw damaged("a text is not UTF-8")
    }
    return .text(text)
  }

  // MARK: - Stack

  private mutating func push(_ content: PickleValue.Content) throws {
    guard let value = pickle.add(content) else { throw tooMuch }
    try push(value)
  }

  private mutating func push(_ value: PickleValue) throws {
    guard stack.count < Pickle.mostValues else { throw tooMuch }
    stack.append(value)
  }

  private mutating func mark() throws {
    guard marks.count < Pickle.mostValues else { throw tooMuch }
    marks.append(stack.count)
  }

  private mutating func remember(_ index: Int) throws {
    guard memo.count < Pickle.mostValues else { throw tooMuch }
    memo[index] = try top()
  }

  private var tooMuch: DatasetError { damaged("it has more than \(Pickle.mostValues) values") }

  private mutating func pop() throws -> PickleValue {
    guard stack.count > (marks.last ?? 0), let value = stack.popLast() else {
      throw damaged("its stack is empty")
    }
    return value
  }

  private mutating func pop(_ count: Int) throws -> [PickleValue] {
    var values: [PickleValue] = []
    for _ in 0..<count { values.append(try pop()) }
    return values.reversed()
  }

  private mutating func popToMark() throws -> [PickleValue] {
    guard let mark = marks.popLast(), mark <= stack.count else { throw damaged("a mark is missing") }
    defer { stack.removeSubrange(mark...) }
    return Array(stack[mark...])
  }

  private func top() throws -> PickleValue {
    guard let value = stack.last else { throw damaged("its stack is empty") }
    return value
  }

  // MARK: - Instructions

  private mutating func run() throws {
    while true {
      let code = bytes[try take(1).lowerBound]
      if code == UInt8(ascii: ".") {
        pickle.root = try pop()
        return
      }
      try run(code)
    }
  }

  private mutating func run(_ code: UInt8) throws {
    switch code {
    case 0x80:
      guard try number(1) <= 5 else { throw damaged("its protocol is newer than 5") }
    case 0x95: _ = try take(8)
    case UInt8(ascii: "("): try mark()
    case UInt8(ascii: "N"): try push(.none)
    case 0x88: try push(.integer(1))
    case 0x89: try push(.integer(0))
    case UInt8(ascii: "K"): try push(.integer(try number(1)))
    case UInt8(ascii: "M"): try push(.integer(try number(2)))
    case UInt8(ascii: "J"): try push(.integer(Int(Int32(truncatingIfNeeded: try number(4)))))
    case UInt8(ascii: "I"):
      let line = try line()
      guard let value = Int(line) else { throw damaged("\"\(line)\" is not a number") }
      try push(.integer(value))
    case 0x8a:
      let range = try take(try number(1))
      guard range.count <= 8 else { throw damaged("a number is too large") }
      var value: UInt64 = range.last.map { bytes[$0] >= 0x80 ? UInt64.max : 0 } ?? 0
      for index in range.reversed() { value = value << 8 | UInt64(bytes[index]) }
      try push(.integer(Int(Int64(bitPattern: value))))
    case UInt8(ascii: "U"), UInt8(ascii: "C"): try push(.bytes(try take(try number(1))))
    case UInt8(ascii: "T"), UInt8(ascii: "B"): try push(.bytes(try take(try number(4))))
    case 0x8e, 0x96: try push(.bytes(try take(try number(8))))
    case 0x8c: try push(try text(try number(1)))
    case UInt8(ascii: "X"): try push(try text(try number(4)))
    case 0x8d: try push(try text(try number(8)))
    case UInt8(ascii: "]"): try push(.list([]))
    case UInt8(ascii: "}"): try push(.dictionary([]))
    case UInt8(ascii: ")"): try push(.tuple([]))
    case 0x85, 0x86, 0x87: try push(.tuple(try pop(Int(code) - 0x84)))
    case UInt8(ascii: "t"): try push(.tuple(try popToMark()))
    case UInt8(ascii: "l"): try push(.list(try popToMark()))
    case UInt8(ascii: "d"): try pushDictionary(try popToMark())
    case UInt8(ascii: "a"): try append([try pop()])
    case UInt8(ascii: "e"): try append(try popToMark())
    case UInt8(ascii: "s"): try setItems(try pop(2))
    case UInt8(ascii: "u"): try setItems(try popToMark())
    case UInt8(ascii: "q"): try remember(try number(1))
    case UInt8(ascii: "r"): try remember(try number(4))
    case 0x94: try remember(memo.count)
    case UInt8(ascii: "h"): try recall(try number(1))
    case UInt8(ascii: "j"): try recall(try number(4))
    case UInt8(ascii: "c"): try pushGlobal(try line(), try line())
    case 0x93:
      let parts = try pop(2).compactMap { $0.text(in: bytes) }
      guard parts.count == 2 else { throw damaged("a global name is not text") }
      try pushGlobal(parts[0], parts[1])
    case UInt8(ascii: "R"): try call()
    case UInt8(ascii: "b"): try setState()
    default: throw damaged("instruction \(code) is not allowed in a data file")
    }
  }

  private mutating func recall(_ index: Int) throws {
    guard let value = memo[index] else { throw damaged("it refers to a value that is not there") }
    try push(value)
  }

  private mutating func append(_ values: [PickleValue]) throws {
    let target = try top()
    guard case .list(var list) = target.content else { throw damaged("it appends to what is not a list") }
    // With one owner the list grows in its place: otherwise each of many elements would copy all those before
    // it.
    target.content = .none
    list += values
    target.content = .list(list)
    try count(values)
  }

  private mutating func pushDictionary(_ values: [PickleValue]) throws {
    try push(.dictionary([]))
    try setItems(values)
  }

  private mutating func setItems(_ values: [PickleValue]) throws {
    let target = try top()
    guard case .dictionary(var entries) = target.content, values.count.isMultiple(of: 2) else {
      throw damaged("it sets items of what is not a dictionary")
    }
    target.content = .none
    for index in stride(from: 0, to: values.count, by: 2) {
      entries.append((values[index], values[index + 1]))
    }
    target.content = .dictionary(entries)
    try count(values)
  }

  /// Counts members of lists, because one value may be in them again and again.
  private mutating func count(_ members: [PickleValue]) throws {
    memberCount += members.count
    guard memberCount <= 2 * Pickle.mostValues else { throw tooMuch }
  }

  // MARK: - NumPy

  private mutating func pushGlobal(_ module: String, _ name: String) throws {
    let whole = "\(module).\(name)".replacing("numpy._core", with: "numpy.core")
    let known = [
      "numpy.core.multiarray._reconstruct", "numpy.ndarray", "numpy.dtype", "numpy.core.numeric._frombuffer",
    ]
    guard known.contains(whole) else {
      let hint =
        whole == "_codecs.encode"
        ? "it was written by Python 3 in protocol 2; write protocol 3 or later"
        : "\"\(module).\(name)\" is not allowed in a data file"
      throw damaged(hint)
    }
    try push(.global(whole))
  }

  private mutating func call() throws {
    let values = try pop(2)
    guard case .global(let name) = values[0].content, case .tuple(let arguments) = values[1].content else {
      throw damaged("it calls an unknown function")
    }
    switch (name, arguments.first?.content) {
    case ("numpy.core.multiarray._reconstruct", _): try push(.array(shape: [], elementType: "", data: nil))
    case ("numpy.dtype", .text?), ("numpy.dtype", .bytes?):
      try push(.elementType(arguments[0].text(in: bytes) ?? ""))
    case ("numpy.core.numeric._frombuffer", .bytes(let data)?):
      guard arguments.count == 4, case .elementType(let type) = arguments[1].content,
        let shape = integers(arguments[2]), arguments[3].text(in: bytes) == "C"
      else { throw damaged("an array is not stored row by row") }
      try push(.array(shape: shape, elementType: type, data: data))
    default: throw damaged("it calls \(name) in an unknown way")
    }
  }

  private mutating func setState() throws {
    let state = try pop()
    let target = try top()
    switch (target.content, state.content) {
    case (.elementType, _): return  // Byte order and fields; bytes have neither.
    case (.array, .tuple(let parts)) where parts.count == 5:
      guard let shape = integers(parts[1]), case .elementType(let type) = parts[2].content,
        case .integer(0) = parts[3].content, case .bytes(let data) = parts[4].content
      else { throw damaged("an array is not stored row by row as bytes") }
      target.content = .array(shape: shape, elementType: type, data: data)
    default: throw damaged("it sets the state of an unknown object")
    }
  }

  private func integers(_ value: PickleValue) -> [Int]? {
    guard case .tuple(let values) = value.content else { return nil }
    return PickleValue.integers(values)
  }
}
