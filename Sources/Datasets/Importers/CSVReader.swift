internal import Glibc

/// Rows of comma-separated values, read from the beginning on with the memory of one row.
///
/// Fields in double quotes may hold the delimiter, line breaks and, doubled, quotes (RFC 4180). Empty lines do not count.
final class CSVReader {
  let path: String
  /// The line on which the present row begins, from 1.
  private(set) var line = 0
  /// The present row's fields, by their place in `row`.
  private(set) var fields: [Range<Int>] = []
  private var row: [UInt8] = []
  private let stream: ByteStream
  private let delimiter: UInt8
  private var block = [UInt8](repeating: 0, count: 1 << 18)
  private var position = 0
  private var end = 0
  private var nextLine = 1

  private static let longestRow = 1 << 26

  init(_ path: String, delimiter: UInt8) throws {
    self.path = path
    self.delimiter = delimiter
    stream = try ByteStream(path)
  }

  /// The share of the file that has been read.
  var progress: Double { Double(stream.storedPosition) / Double(max(1, stream.storedByteCount)) }

  /// Reads the next row; false at the end.
  func next() throws -> Bool {
    let (quote, newline, carriageReturn) = (UInt8(ascii: "\""), UInt8(ascii: "\n"), UInt8(ascii: "\r"))
    while true {
      fields.removeAll(keepingCapacity: true)
      row.removeAll(keepingCapacity: true)
      line = nextLine
      var start = 0
      var isQuoted = false
      var wasQuote = false
      var isAnything = false
      while true {
        if position == end {
          end = try block.withUnsafeMutableBytes { try stream.read(into: $0) }
          position = 0
          if nextLine == 1, row.isEmpty, end >= 3, block[0] == 0xef, block[1] == 0xbb, block[2] == 0xbf {
            position = 3  // A byte order mark.
          }
          if end == 0 {
            guard !isQuoted else {
              throw DatasetError(.badData, "\(path), line \(line): a quoted field has no end")
            }
            guard isAnything else { return false }
            fields.append(start..<row.count)
            return true
          }
        }
        let byte = block[position]
        position += 1
        if byte == newline { nextLine += 1 }
        if isQuoted {
          if byte == quote { (isQuoted, wasQuote) = (false, true) } else { row.append(byte) }
          continue
        }
        switch byte {
        case delimiter:
          fields.append(start..<row.count)
          start = row.count
          isAnything = true
        case newline:
          if isAnything {
            fields.append(start..<row.count)
            return true
          }
        case carriageReturn: break
        case quote:
          // Doubled inside quotes: one of them is meant.
          if wasQuote { row.append(quote) }
          (isQuoted, isAnything) = (true, true)
        default:
          row.append(byte)
          isAnything = true
        }
        wasQuote = false
        if byte == newline { break }
        guard row.count < Self.longestRow else {
          throw DatasetError(.badData, "\(path), line \(line): the row has no end; is it a CSV file?")
        }
      }
    }
  }

  func text(_ field: Int) -> String {
    String(decoding: row[fields[field]], as: UTF8.self).trimmingBlanks
  }

  /// The number in a field; nil where there is none.
  func number(_ field: Int) -> Double? {
    var range = fields[field]
    while let first = range.first, row[first] == 32 || row[first] == 9 {
      range = first + 1..<range.upperBound
    }
    while let last = range.last, row[last] == 32 || row[last] == 9 { range = range.lowerBound..<last }
    guard !range.isEmpty else { return nil }
    // Most fields are short whole numbers.
    if range.count < 16 {
      var value = 0
      for index in range {
        let digit = row[index] &- 48
        if digit > 9 { return decimal(range) }
        value = value &* 10 &+ Int(digit)
      }
      return Double(value)
    }
    return decimal(range)
  }

  private func decimal(_ range: Range<Int>) -> Double? {
    // The standard library's parser follows no locale.
    Double(String(decoding: row[range], as: UTF8.self))
  }
}

extension String {
  fileprivate var trimmingBlanks: String {
    var text = self[...]
    while text.first == " " || text.first == "\t" { text = text.dropFirst() }
    while text.last == " " || text.last == "\t" { text = text.dropLast() }
    return String(text)
  }
}
