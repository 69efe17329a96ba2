/// What the first reading of a table finds.
struct CSVTable {
  let path: String
  let format: CSVFormat
  private(set) var columns: CSVColumns
  /// Whether all values are whole numbers from 0 to 255.
  private(set) var isBytes = true
  private(set) var count = 0
  /// The targets row by row; none where there are labels.
  private(set) var targets: [Float] = []
  /// The weight of each row; empty where there is no such column.
  private(set) var weights: [Float] = []
  /// The different labels, as bytes of UTF-8, in the order in which they come.
  private(set) var labels: [[UInt8]] = []
  /// The place in `labels` of each row's label.
  private(set) var rowLabels: [Int32] = []
  private(set) var notes: [String] = []

  /// - Parameter first: a table whose order of columns this one follows; nil for the first one.
  init(
    _ path: String, _ format: CSVFormat, _ roles: CSVRoles, following first: CSVTable?,
    check: () throws -> Void,
    progress: (Double) throws -> Void
  ) throws {
    self.path = path
    self.format = format
    let reader = try CSVReader(path, format)
    guard try reader.next() else { throw DatasetError(.badData, "\(path) is empty") }
    columns = try CSVColumns(reader, roles, format)
    if let first { try columns.follow(first.columns) }
    notes = columns.notes
    var places: [[UInt8]: Int32] = [:]
    var counters: [Int]?
    var isRow = columns.names != nil ? try reader.next() : true
    while isRow {
      try checkWidth(reader)
      let row = try columns.values.map { column in try value(reader, column) }
      if isBytes { isBytes = row.allSatisfy { $0 >= 0 && $0 <= 255 && $0 == $0.rounded(.down) } }
      counters = (counters ?? Array(row.indices)).filter {
        row[$0] == Double(count) || row[$0] == Double(count + 1)
      }
      if let column = columns.label { try addLabel(reader, column, &places) }
      for column in columns.targets { targets.append(Float(try value(reader, column))) }
      if let column = columns.weight {
        let weight = try value(reader, column)
        guard weight >= 0 else { throw problem(reader, column, "is not a weight, which must be at least 0") }
        weights.append(Float(weight))
      }
      count += 1
      if count % 1024 == 0 {
        try check()
        try progress(reader.progress)
      }
      isRow = try reader.next()
    }
    guard count > 0 else { throw DatasetError(.badData, "\(path) has no rows of values") }
    for place in counters ?? [] where count >= 10 {
      let column = columns.values[place]
      notes.append(
        "\(path): \(columns.title(column)) counts the rows; as a value it may give the label away; --drop \(columns.names?[column] ?? "\(column + 1)") leaves it out"
      )
    }
  }

  /// The targets' names, or their places from 1.
  var targetNames: [String] { columns.targets.map { columns.names?[$0] ?? "\($0 + 1)" } }

  /// A reader before the first row of values.
  func open() throws -> CSVReader {
    let reader = try CSVReader(path, format)
    if columns.names != nil { _ = try reader.next() }
    return reader
  }

  // MARK: - One row

  private func checkWidth(_ reader: CSVReader) throws {
    guard reader.fields.count != columns.count else { return }
    throw DatasetError(
      .badData,
      "\(path), line \(reader.line): it has \(reader.fields.count) columns, but the first line has \(columns.count)"
    )
  }

  private mutating func addLabel(_ reader: CSVReader, _ column: Int, _ places: inout [[UInt8]: Int32]) throws
  {
    let bytes = Array(reader.bytes(column))
    guard !bytes.isEmpty else { throw problem(reader, column, nil, "the label is empty") }
    if let place = places[bytes] { return rowLabels.append(place) }
    // Bytes that are not text would make different labels the same.
    _ = try reader.text(column)
    places[bytes] = Int32(labels.count)
    rowLabels.append(Int32(labels.count))
    labels.append(bytes)
  }

  /// A number that float32 can hold.
  private func value(_ reader: CSVReader, _ column: Int) throws -> Double {
    guard let value = reader.number(column) else { throw problem(reader, column, reason(reader, column)) }
    guard Float(value).isFinite else {
      throw problem(reader, column, "is beyond the range of float32 (3.4e38)")
    }
    return value
  }

  // MARK: - What is wrong

  private func problem(_ reader: CSVReader, _ column: Int, _ reason: String?, _ what: String = "")
    -> DatasetError
  {
    DatasetError(
      .badData,
      "\(path), line \(reader.line), \(columns.title(column)): "
        + (reason.map { "\"\(reader.readable(column).prefix(60))\" \($0)" } ?? what))
  }

  /// Why a field is not a number, as far as its text tells.
  private func reason(_ reader: CSVReader, _ column: Int) -> String {
    let bytes = reader.bytes(column)
    let text = String(decoding: bytes, as: UTF8.self).lowercased()
    let leaveOut = "fill it, or leave the column out with --drop"
    if text.isEmpty { return "is not a number: the cell is empty; \(leaveOut)" }
    if CSVMissing.words.contains(text) {
      return "is not a number but stands for a missing one; \(leaveOut)"
    }
    if ["inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"].contains(text) {
      return "is not a finite number"
    }
    let other: Character = format.decimal == "." ? "," : "."
    if CSVReader.decimal(bytes, mark: other.asciiValue ?? 0) != nil {
      return
        "is not a number; --decimal \"\(other)\" reads fractions after a \(other == "," ? "comma" : "point")"
    }
    let digits = bytes.filter { ![UInt8(ascii: "."), UInt8(ascii: ","), UInt8(ascii: "'"), 32].contains($0) }
    if digits.count < bytes.count, CSVReader.decimal(digits[...]) != nil {
      return "is not a number: separators between thousands are not read; remove them"
    }
    return "is not a decimal number; --drop leaves a column out"
  }
}

/// Words that stand for values that are not there.
enum CSVMissing {
  static let words: Set<String> = [
    "nan", "na", "n/a", "#n/a", "<na>", "null", "none", "nil", "-nan", "?", "-", "#na",
  ]
}
