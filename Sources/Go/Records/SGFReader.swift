/// Game records from the bytes of a file in the Smart Game Format.
///
/// Of each tree it takes the main line. Text is read as UTF-8, or byte by byte where it is not. A file that ends too early gives what it
/// has; other things that are not as the format says are passed over.
public enum SGFReader {
  /// Reads all games of a file, in order.
  public static func games(_ bytes: [UInt8]) -> [GameRecord] {
    bytes.withUnsafeBufferPointer { games($0) }
  }

  /// Reads all games of a file, in order.
  public static func games(_ bytes: UnsafeBufferPointer<UInt8>) -> [GameRecord] {
    var games: [GameRecord] = []
    var scanner = SGFScanner(bytes)
    scanner.hasWideLetters = hasWideLetters(bytes)
    while scanner.skipToTree() { games.append(tree(&scanner, bytes)) }
    return games
  }

  /// Reads a tree after its `(`, up to its `)`.
  private static func tree(
    _ scanner: inout SGFScanner, _ bytes: UnsafeBufferPointer<UInt8>
  ) -> GameRecord {
    var record = GameRecord()
    var builder = NodeBuilder(bytes)
    var depth = 1
    // The main line goes on into the first variation of each node, and ends where the first of all variations does.
    var isMainLine = true
    while depth > 0 {
      guard let token = scanner.next() else {
        record.isCut = true
        break
      }
      switch token {
      case .open: depth += 1
      case .close:
        depth -= 1
        isMainLine = false
      case .node:
        if isMainLine { builder.finish(&record) }
      case .property:
        if isMainLine { builder.begin(scanner.name) }
      case .value(let range):
        if isMainLine { builder.add(range, to: &record) }
      }
    }
    builder.finish(&record)
    // Of a cut record only the main line matters.
    if record.isCut, !isMainLine { record.isCut = false }
    return record
  }

  /// Whether a file says that its text is in an encoding whose letters may end in a byte that looks like a bracket.
  private static func hasWideLetters(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    let start = Array("CA[".utf8)
    let end = min(bytes.count, 4096)
    guard end > 3 else { return false }
    for place in 0..<end - 3 where bytes[place..<place + 3].elementsEqual(start) {
      let name = bytes[(place + 3)..<end].prefix { $0 != UInt8(ascii: "]") }.prefix(32)
      let letters = name.map { $0 | 0x20 }.filter {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (0x30...0x39).contains($0)
      }
      // Records that were converted often keep what they said before.
      return wideEncodings.contains(String(decoding: letters, as: UTF8.self))
        && String(validating: bytes, as: UTF8.self) == nil
    }
    return false
  }

  private static let wideEncodings: Set<String> = [
    "gbk", "gb18030", "cp936", "ms936", "big5", "big5hkscs", "cp950", "shiftjis", "sjis", "cp932", "ms932",
    "windows31j", "uhc", "cp949", "johab",
  ]
}

/// The properties of a node, as they come, and what they make of a record.
private struct NodeBuilder {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var name: UInt32 = 0
  /// Usually one; records that are not as the format says have several, which are made in their order.
  private var moves: [GameRecord.Step] = []
  private var edits: [GameRecord.Edit] = []
  private var turn: Colour?

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  /// The names of properties that count here.
  private enum Name {
    static let black = SGFScanner.name("B")
    static let white = SGFScanner.name("W")
    static let addBlack = SGFScanner.name("AB")
    static let addWhite = SGFScanner.name("AW")
    static let addEmpty = SGFScanner.name("AE")
    static let turn = SGFScanner.name("PL")
    static let kind = SGFScanner.name("GM")
    static let size = SGFScanner.name("SZ")
    static let handicap = SGFScanner.name("HA")
    static let komi = SGFScanner.name("KM")
    static let date = SGFScanner.name("DT")
    static let blackPlayer = SGFScanner.name("PB")
    static let whitePlayer = SGFScanner.name("PW")
    static let result = SGFScanner.name("RE")
    static let rules = SGFScanner.name("RU")
  }

  mutating func begin(_ name: UInt32) { self.name = name }

  mutating func add(_ range: Range<Int>, to record: inout GameRecord) {
    switch name {
    case Name.black: moves.append(.move(.black, place(trimmed(range))))
    case Name.white: moves.append(.move(.white, place(trimmed(range))))
    case Name.addBlack: edit(.black, range)
    case Name.addWhite: edit(.white, range)
    case Name.addEmpty: edit(nil, range)
    case Name.turn:
      switch trimmed(range).first.map({ bytes[$0] | 0x20 }) {
      case UInt8(ascii: "b"), UInt8(ascii: "1"): turn = .black
      case UInt8(ascii: "w"), UInt8(ascii: "2"): turn = .white
      default: break
      }
    default: fact(range, of: &record)
    }
  }

  /// Ends a node.
  mutating func finish(_ record: inout GameRecord) {
    for edit in edits {
      record.edits.append(edit)
      record.steps.append(.edit(record.edits.count - 1))
    }
    if let turn { record.steps.append(.turn(turn)) }
    record.steps += moves.map { resolved($0, record) }
    edits = []
    turn = nil
    moves = []
    name = 0
  }

  /// `tt` is a pass on boards of up to 19 rows.
  private func resolved(_ step: GameRecord.Step, _ record: GameRecord) -> GameRecord.Step {
    if case .move(let colour, let place?) = step, place.x == 19, place.y == 19,
      max(record.size.columns, record.size.rows) <= 19
    {
      return .move(colour, nil)
    }
    return step
  }

  // MARK: - Points

  /// A point of two letters; nil for an empty value, which is a pass.
  private func place(_ range: Range<Int>) -> GameRecord.Place? {
    if range.isEmpty { return nil }
    guard range.count == 2 else { return GameRecord.Place(x: -1, y: -1) }
    return GameRecord.Place(
      x: coordinate(bytes[range.lowerBound]), y: coordinate(bytes[range.lowerBound + 1]))
  }

  /// a to z stand for 0 to 25, A to Z for 26 to 51.
  private func coordinate(_ letter: UInt8) -> Int8 {
    switch letter {
    case UInt8(ascii: "a")...UInt8(ascii: "z"): Int8(letter - UInt8(ascii: "a"))
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int8(26 + letter - UInt8(ascii: "A"))
    default: -1
    }
  }

  private mutating func edit(_ colour: Colour?, _ range: Range<Int>) {
    let range = trimmed(range)
    var places: [GameRecord.Place] = []
    if range.count == 5, bytes[range.lowerBound + 2] == UInt8(ascii: ":"),
      let first = place(range.lowerBound..<range.lowerBound + 2),
      let last = place(range.upperBound - 2..<range.upperBound), first.x >= 0, first.y >= 0
    {
      // All points of a rectangle.
      for y in first.y...max(first.y, last.y) {
        for x in first.x...max(first.x, last.x) { places.append(GameRecord.Place(x: x, y: y)) }
      }
    } else if let place = place(range) {
      places = [place]
    }
    if let last = edits.indices.last, edits[last].colour == colour {
      edits[last].places += places
    } else {
      edits.append(GameRecord.Edit(colour: colour, places: places))
    }
  }

  private func trimmed(_ range: Range<Int>) -> Range<Int> {
    var (start, end) = (range.lowerBound, range.upperBound)
    while start < end, bytes[start] <= 32 { start += 1 }
    while start < end, bytes[end - 1] <= 32 { end -= 1 }
    return start..<end
  }

  // MARK: - Facts

  private func fact(_ range: Range<Int>, of record: inout GameRecord) {
    switch name {
    case Name.kind: if let kind = Int(text(range)) { record.kind = kind }
    case Name.size:
      let sides = text(range).split(separator: ":", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
      if let first = sides.first { record.size = (first, sides.count == 2 ? sides[1] : first) }
    case Name.handicap: record.handicap = Int(text(range)) ?? record.handicap
    case Name.komi: record.komi = Komi.points(text(range))
    case Name.date: record.date = GameDate.first(in: text(range))
    case Name.blackPlayer: record.black = text(range)
    case Name.whitePlayer: record.white = text(range)
    case Name.result: record.result = text(range)
    case Name.rules: record.rules = text(range)
    default: break
    }
  }

  /// A value as text, without blanks around it and without the backslashes before protected letters.
  private func text(_ range: Range<Int>) -> String {
    var plain: [UInt8] = []
    var isProtected = false
    for byte in bytes[trimmed(range)] {
      if byte == UInt8(ascii: "\\"), !isProtected {
        isProtected = true
      } else {
        plain.append(byte)
        isProtected = false
      }
    }
    if let text = String(validating: plain, as: UTF8.self) { return text }
    return String(String.UnicodeScalarView(plain.map { Unicode.Scalar($0) }))
  }
}

/// The points that White gets, as records write them.
enum Komi {
  /// Points: some servers write them a hundredfold, and Chinese records in stones, of which each is worth two points.
  ///
  /// 375 and 3.75 both stand for 7.5 points, 650 for 6.5 and 0 for none. Nil for what is no number.
  static func points(_ text: String) -> Double? {
    guard var number = Double(text), number.isFinite, abs(number) < 100_000 else { return nil }
    if abs(number) >= 100 { number /= 100 }
    // Points come in halves; quarters are stones.
    return (number * 2).rounded() == number * 2 ? number : number * 2
  }
}

/// The days of games, as records write them.
enum GameDate {
  /// The first day of a list of days, `YYYY-MM-DD`, or a month or year; nil for other forms.
  static func first(in text: String) -> String? {
    let digits = Array(text.utf8.prefix(10))
    func number(_ range: Range<Int>) -> Bool {
      range.upperBound <= digits.count
        && digits[range].allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
    func dash(_ place: Int) -> Bool { place < digits.count && digits[place] == UInt8(ascii: "-") }
    func value(_ range: Range<Int>) -> Int {
      digits[range].reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }
    guard number(0..<4) else { return nil }
    guard dash(4), number(5..<7), (1...12).contains(value(5..<7)) else { return String(text.prefix(4)) }
    guard dash(7), number(8..<10), (1...31).contains(value(8..<10)) else { return String(text.prefix(7)) }
    return String(text.prefix(10))
  }
}
