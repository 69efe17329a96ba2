internal import Paths

/// How a table is written.
public struct CSVFormat: Sendable, Hashable {
  /// What stands between columns, one byte.
  public var delimiter: Character
  /// What stands before the fraction of a number: a point or a comma.
  public var decimal: Character
  /// The encoding of the file; nil for UTF-8, or what its byte order mark says.
  public var encoding: TextEncoding?
  /// Whether the first row has names; nil to judge by what it holds.
  public var hasHeader: Bool?

  /// The usual format: commas, points, and a first row that may have names.
  public init(
    delimiter: Character = ",", decimal: Character = ".", encoding: TextEncoding? = nil,
    hasHeader: Bool? = nil
  ) {
    precondition(delimiter.isASCII, "the delimiter must be one byte")
    precondition(decimal.isASCII && decimal != delimiter, "columns and fractions cannot have the same mark")
    self.delimiter = delimiter
    self.decimal = decimal
    self.encoding = encoding
    self.hasHeader = hasHeader
  }
}

/// Rows of comma-separated values, read from the beginning on with the memory of one row.
///
/// Fields in double quotes may hold the delimiter, line breaks and, doubled, quotes (RFC 4180); a quote
/// inside a field that does not begin with one is an ordinary character. Lines end as on Linux, Windows or
/// old Macs; blank ones do not count.
final class CSVReader {
  let path: String
  /// The line on which the present row begins, from 1.
  private(set) var line = 0
  /// The present row's fields, by their place in `row`.
  private(set) var fields: [Range<Int>] = []
  private var row: [UInt8] = []
  private let stream: TextStream
  private let delimiter: UInt8
  private let decimal: UInt8
  private var block = [UInt8](repeating: 0, count: 1 << 18)
  private var position = 0
  private var end = 0
  private var nextLine = 1
  private var wasReturn = false

  private static let longestRow = 1 << 26

  init(_ path: String, _ format: CSVFormat) throws {
    self.path = path
    delimiter = format.delimiter.asciiValue ?? UInt8(ascii: ",")
    decimal = format.decimal.asciiValue ?? UInt8(ascii: ".")
    stream = try TextStream(path, encoding: format.encoding)
  }

  /// The share of the file that has been read.
  var progress: Double { stream.progress }

  // MARK: - Rows

  /// Where the reader is in a field.
  private enum State {
    /// Nothing but blanks so far.
    case start
    case plain
    case quoted
    /// After a quote that ends the field, or is the first of two.
    case quote
  }

  /// Reads the next row; false at the end.
  func next() throws -> Bool {
    while true {
      fields.removeAll(keepingCapacity: true)
      row.removeAll(keepingCapacity: true)
      line = nextLine
      guard try readRow() else { return false }
      // A line of nothing, or of blanks alone, is no row.
      if fields.count > 1 || row.contains(where: { $0 != 32 && $0 != 9 }) { return true }
    }
  }

  /// - Returns: false where there was nothing more.
  private func readRow() throws -> Bool {
    let (quote, newline, carriageReturn) = (UInt8(ascii: "\""), UInt8(ascii: "\n"), UInt8(ascii: "\r"))
    var state = State.start
    var start = 0
    var isAnything = false
    while true {
      guard try position < end || refill() else {
        guard state != .quoted else {
          throw DatasetError(.badData, "\(path), line \(line): a quoted field has no end")
        }
        fields.append(start..<row.count)
        return isAnything
      }
      let byte = block[position]
      position += 1
      // A line may end in two bytes, which are one end.
      let isSecond = byte == newline && wasReturn
      wasReturn = byte == carriageReturn
      if (byte == newline && !isSecond) || byte == carriageReturn { nextLine += 1 }
      if state == .quoted {
        isAnything = true
        if byte == quote { state = .quote } else { row.append(byte) }
        continue
      }
      if isSecond { continue }
      isAnything = true
      switch byte {
      case newline, carriageReturn:
        fields.append(start..<row.count)
        return true
      case delimiter:
        fields.append(start..<row.count)
        start = row.count
        state = .start
      case quote where state == .start:
        row.removeSubrange(start...)
        state = .quoted
      case quote where state == .quote:
        row.append(quote)
        state = .quoted
      case _ where state == .quote:
        if byte == 32 || byte == 9 { continue }
        // A quote that nobody closed would swallow rows up to the next one.
        throw DatasetError(
          .badData,
          "\(path), line \(nextLine): text after the quote that ends a field, which began in line \(line) or behind it; a quote within a "
            + "quoted field is written twice, and fields that begin with a quote must end with one")
      case 0:
        throw DatasetError(
          .badData, "\(path), line \(line): a zero byte; is it a table? UTF-16 is read with --encoding utf-16"
        )
      default:
        row.append(byte)
        if state != .start || (byte != 32 && byte != 9) { state = .plain }
      }
      guard row.count < Self.longestRow else {
        throw DatasetError(.badData, "\(path), line \(line): the row has no end; is it a CSV file?")
      }
    }
  }

  private func refill() throws -> Bool {
    do { end = try block.withUnsafeMutableBytes { try stream.read(into: $0) } } catch let failure
      as TextStream.Failure
    {
      let bytes = failure.bytes.map { String($0, radix: 16) }.joined(separator: " ")
      throw DatasetError(
        .badData,
        "\(path), line \(nextLine): the bytes \(bytes) are not \(failure.encoding.name); --encoding names the file's encoding"
      )
    }
    position = 0
    return end > 0
  }

  // MARK: - Fields

  /// A field's bytes without the blanks around them.
  private func trimmed(_ field: Int) -> Range<Int> {
    var range = fields[field]
    while let first = range.first, row[first] == 32 || row[first] == 9 {
      range = first + 1..<range.upperBound
    }
    while let last = range.last, row[last] == 32 || row[last] == 9 { range = range.lowerBound..<last }
    return range
  }

  /// A field as the bytes of its text.
  func bytes(_ field: Int) -> ArraySlice<UInt8> { row[trimmed(field)] }

  /// A field as text; bytes that are not UTF-8 are made readable: `B\xE4r`.
  func readable(_ field: Int) -> String { PathText.readable(PathText.text(of: bytes(field))) }

  /// A field as text.
  ///
  /// - Throws: ``DatasetError`` with the place where it is not UTF-8: if it were taken for text, different
  ///   words could become the same.
  func text(_ field: Int) throws -> String {
    guard let text = String(validating: bytes(field), as: UTF8.self) else {
      throw DatasetError(
        .badData,
        "\(path), line \(line), column \(field + 1): \"\(readable(field))\" is not UTF-8; --encoding names the file's encoding, such as Excel's windows-1252"
      )
    }
    return text
  }

  /// The number in a field, as decimal digits with or without fraction and exponent; nil where there is none.
  func number(_ field: Int) -> Double? {
    let range = trimmed(field)
    // Most fields are short whole numbers.
    if !range.isEmpty, range.count < 16 {
      var value = 0
      for index in range {
        let digit = row[index] &- 48
        if digit > 9 { return Self.decimal(row[range], mark: decimal) }
        value = value &* 10 &+ Int(digit)
      }
      return Double(value)
    }
    return Self.decimal(row[range], mark: decimal)
  }

  /// The number that a text writes; nil for anything that is not decimal, such as hexadecimal, infinity and
  /// "not a number".
  static func decimal(_ text: ArraySlice<UInt8>, mark: UInt8 = UInt8(ascii: ".")) -> Double? {
    let (plus, minus, point) = (UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."))
    var plain: [UInt8] = []
    plain.reserveCapacity(text.count + 2)
    var rest = text
    func takeDigits() -> Int {
      let digits = rest.prefix { $0 >= 48 && $0 <= 57 }
      plain += digits
      rest = rest.dropFirst(digits.count)
      return digits.count
    }
    if rest.first == plus || rest.first == minus { plain.append(rest.removeFirst()) }
    var count = takeDigits()
    if count == 0 { plain.append(48) }
    if rest.first == mark {
      rest.removeFirst()
      plain.append(point)
      let fraction = takeDigits()
      if fraction == 0 { plain.append(48) }
      count += fraction
    }
    guard count > 0 else { return nil }
    if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
      plain.append(rest.removeFirst())
      if rest.first == plus || rest.first == minus { plain.append(rest.removeFirst()) }
      guard takeDigits() > 0 else { return nil }
    }
    // The standard library's parser follows no locale.
    return rest.isEmpty ? Double(String(decoding: plain, as: UTF8.self)) : nil
  }
}
