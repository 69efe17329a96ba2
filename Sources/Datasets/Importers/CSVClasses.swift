/// The classes that labels stand for.
struct CSVClasses {
  let names: [String]
  let notes: [String]
  private let places: [[UInt8]: Int32]

  /// - Throws: ``DatasetError`` where the tables have too many different labels, or too large ones, to be
  ///   classes.
  init(_ tables: [CSVTable]) throws {
    try self.init(words: tables.flatMap(\.labels), paths: tables.map(\.path).joined(separator: ", "))
  }

  /// - Parameter words: the labels as bytes of UTF-8, in any order.
  init(words: [[UInt8]], paths: String) throws {
    // By bytes: text compares by what it looks like, and what looks alike may be meant to differ.
    let words = Set(words).sorted { $0.lexicographicallyPrecedes($1) }
    let numbers = words.compactMap { CSVReader.decimal($0[...]).flatMap { Int(exactly: $0) } }
    let areNumbers = numbers.count == words.count
    let largest = numbers.max() ?? 0
    guard words.count <= 100_000 else {
      throw DatasetError(
        .badData, "\(paths): there are \(words.count) different labels; is this the column of labels?")
    }
    guard !areNumbers || largest < 1_000_000 else {
      throw DatasetError(
        .badData,
        "\(paths): the largest label is \(largest), and labels count classes from 0; is this the column of labels?"
      )
    }
    if areNumbers, numbers.allSatisfy({ $0 >= 0 }) {
      names = (0...largest).map { "\($0)" }
      places = Dictionary(uniqueKeysWithValues: zip(words, numbers.map { Int32($0) }))
      notes = EmptyClasses.note(present: Set(numbers), count: largest + 1).map { [$0] } ?? []
    } else {
      names = words.map { String(decoding: $0, as: UTF8.self) }
      places = Dictionary(uniqueKeysWithValues: words.enumerated().map { ($0.element, Int32($0.offset)) })
      notes = ClassNaming.doubts(names) + ClassNaming.broken(names)
    }
  }

  /// The class of a label that was among the words.
  func label(of word: [UInt8]) -> Int32 { places[word] ?? 0 }

  func labels(of table: CSVTable) -> [Int32] {
    let map = table.labels.map { places[$0] ?? 0 }
    return table.rowLabels.map { map[Int($0)] }
  }
}
