internal import CHDF5

/// The strings of a file as the process read them that looked into it; see ``Isolation``.
///
/// A string of any length lies in a heap of the file, at a place and with a length that other bytes of the file name. libhdf5 follows them
/// beyond its own memory, where it finds one thing in one process and another in the next. So they are read once, by the process that may
/// die of it, and what that one has read is what there is.
struct SurveyedTexts: Sendable {
  /// Where strings stand.
  struct Place: Hashable, Sendable {
    /// What tells the object from all others of its file.
    let address: UInt64
    /// The attribute's name; nil for the elements of a dataset.
    let attribute: String?
  }

  /// What came of reading them.
  enum Reading: Sendable {
    case texts([[UInt8]])
    /// They were read, and are too long to be told.
    case tooLong
    /// The reason why they cannot be read.
    case failure(String)
  }

  private var readings: [Place: Reading] = [:]
  /// Whether damage kept the process that looked from some of the file.
  var areCutShort = false

  mutating func add(_ reading: Reading, at place: Place) { readings[place] = reading }

  mutating func merge(_ other: SurveyedTexts) {
    readings.merge(other.readings) { $1 }
    areCutShort = areCutShort || other.areCutShort
  }

  /// The strings at a place; nil where this process may read them.
  ///
  /// - Throws: ``HDF5Error`` of kind `library` where they could not be read.
  func texts(at place: Place, _ context: String) throws(HDF5Error) -> [[UInt8]]? {
    switch readings[place] {
    case nil where areCutShort:
      throw HDF5Error(
        .library, context, "libhdf5 did not come so far when it went through the file, which is damaged")
    case nil, .tooLong: nil
    case .texts(let texts): texts
    case .failure(let reason): throw HDF5Error(.library, context, reason)
    }
  }
}

/// Tells a process that waits what the one that looks has found, by a pipe.
///
/// The pipe holds one message after another: a byte for its kind, and for strings the place and what was read. The last one may be cut:
/// nothing is known of the file but that reading it ended there.
enum SurveyMessage {
  /// The survey has begun.
  case hasBegun
  /// It came to its end.
  case isDone
  /// It came to its end, but the library wanted more memory than there was.
  case outOfMemory
  /// An error kept it from some of the file.
  case cutShort
  case reading(SurveyedTexts.Reading, SurveyedTexts.Place)

  private enum Kind: UInt8 {
    case hasBegun, isDone, outOfMemory, texts, failure, tooLong, cutShort
  }

  // MARK: - Writing

  /// The bytes of the message.
  var bytes: [UInt8] {
    switch self {
    case .hasBegun: return [Kind.hasBegun.rawValue]
    case .isDone: return [Kind.isDone.rawValue]
    case .outOfMemory: return [Kind.outOfMemory.rawValue]
    case .cutShort: return [Kind.cutShort.rawValue]
    case .reading(.tooLong, let place): return Self.start(.tooLong, place)
    case .reading(.texts(let texts), let place):
      var bytes = Self.start(.texts, place)
      Self.append(UInt64(texts.count), to: &bytes)
      for text in texts { Self.append(text, to: &bytes) }
      return bytes
    case .reading(.failure(let reason), let place):
      var bytes = Self.start(.failure, place)
      Self.append(Array(reason.utf8), to: &bytes)
      return bytes
    }
  }

  private static func start(_ kind: Kind, _ place: SurveyedTexts.Place) -> [UInt8] {
    var bytes = [kind.rawValue]
    append(place.address, to: &bytes)
    append(place.attribute == nil ? 0 : 1, to: &bytes)
    append(Array((place.attribute ?? "").utf8), to: &bytes)
    return bytes
  }

  private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
  }

  private static func append(_ text: [UInt8], to bytes: inout [UInt8]) {
    append(UInt64(text.count), to: &bytes)
    bytes.append(contentsOf: text)
  }

  // MARK: - Reading

  /// All messages that arrived whole.
  static func all(in bytes: [UInt8]) -> [SurveyMessage] {
    var reader = Reader(bytes: bytes)
    var messages: [SurveyMessage] = []
    while let message = next(&reader) { messages.append(message) }
    return messages
  }

  private static func next(_ reader: inout Reader) -> SurveyMessage? {
    guard let kind = reader.byte().flatMap(Kind.init) else { return nil }
    switch kind {
    case .hasBegun: return .hasBegun
    case .isDone: return .isDone
    case .outOfMemory: return .outOfMemory
    case .cutShort: return .cutShort
    case .texts, .failure, .tooLong:
      guard let address = reader.number(), let isAttribute = reader.number(), let name = reader.text()
      else { return nil }
      let place = SurveyedTexts.Place(
        address: address, attribute: isAttribute == 0 ? nil : String(decoding: name, as: UTF8.self))
      if kind == .tooLong { return .reading(.tooLong, place) }
      guard kind == .texts else {
        return reader.text().map { .reading(.failure(String(decoding: $0, as: UTF8.self)), place) }
      }
      return texts(&reader).map { .reading(.texts($0), place) }
    }
  }

  private static func texts(_ reader: inout Reader) -> [[UInt8]]? {
    guard let count = reader.number() else { return nil }
    var texts: [[UInt8]] = []
    while UInt64(texts.count) < count {
      guard let text = reader.text() else { return nil }
      texts.append(Array(text))
    }
    return texts
  }

  private struct Reader {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func byte() -> UInt8? {
      guard position < bytes.count else { return nil }
      position += 1
      return bytes[position - 1]
    }

    mutating func number() -> UInt64? {
      guard bytes.count - position >= 8 else { return nil }
      let number = (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[position + $1]) << (8 * UInt64($1)) }
      position += 8
      return number
    }

    mutating func text() -> ArraySlice<UInt8>? {
      guard let count = number(), count <= UInt64(bytes.count - position) else { return nil }
      defer { position += Int(count) }
      return bytes[position..<(position + Int(count))]
    }
  }
}

extension Handle {
  /// What tells this object from all others of its file.
  func address(_ context: String) throws -> UInt64 {
    var address: haddr_t = 0
    try Library.call("H5Oget_info2", context) { chdf5_address(id, &address) }
    return UInt64(address)
  }
}
