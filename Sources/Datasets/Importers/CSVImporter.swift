public import Tensors

/// Tables of numbers with a column of labels, or some of targets, plain or gzip: one sample in each row.
///
/// Values that are all whole numbers from 0 to 255 become bytes, others float32. Labels that are all whole numbers from 0
/// are classes; otherwise each text is a class, in the order of their bytes. The files are read twice: to check and
/// count, and to write.
public struct CSVImporter: DatasetImporter {
  /// One group of the dataset file and where it comes from.
  public struct Split: Sendable {
    public let name: String
    public let path: String

    public init(name: String, path: String) {
      self.name = name
      self.path = path
    }
  }

  public var splits: [Split]
  /// The labels' column: its name in the first row, or its place from 1.
  ///
  /// Empty where there are targets.
  public var label: String
  /// The columns of targets, numbers of any size; likewise.
  public var targets: [String]
  /// The column of the samples' weights; nil for none.
  public var weight: String?
  /// `[H, W, C]` with as many numbers as there are other columns; nil for features `[F]`.
  public var sampleShape: Shape?
  public var delimiter: Character
  /// Whether the first row has names; nil to find out.
  public var hasHeader: Bool?

  public init(
    splits: [Split], label: String = "", targets: [String] = [], weight: String? = nil,
    sampleShape: Shape? = nil, delimiter: Character = ",", hasHeader: Bool? = nil
  ) {
    precondition(label.isEmpty != targets.isEmpty, "a table has either a column of labels or some of targets")
    self.targets = targets
    self.weight = weight
    precondition(delimiter.isASCII, "the delimiter must be one byte")
    self.splits = splits
    self.label = label
    self.sampleShape = sampleShape
    self.delimiter = delimiter
    self.hasHeader = hasHeader
  }

  public func write(to output: DatasetOutput, progress: (Double) throws -> Void) throws -> ImportSummary {
    precondition(!splits.isEmpty, "an import needs at least one split")
    var done = 0.0
    func step(_ share: Double) throws { try progress(done + share / Double(2 * splits.count)) }
    var tables: [CSVTable] = []
    for split in splits {
      tables.append(
        try CSVTable(
          split.path, delimiter: delimiter, roles: CSVRoles(label: label, targets: targets, weight: weight),
          hasHeader: hasHeader, check: output.check, progress: step))
      done += 1 / Double(2 * splits.count)
    }
    let columns = tables[0].valueColumns.count
    for table in tables where table.valueColumns.count != columns {
      throw DatasetError(
        .badData,
        "\(table.path) has \(table.valueColumns.count) columns of values, but \(tables[0].path) has \(columns)"
      )
    }
    let shape = sampleShape ?? [columns]
    guard shape.elementCount == columns else {
      throw DatasetError(
        .badData,
        "\(tables[0].path) has \(columns) columns of values, but samples of \(shape) need \(shape.elementCount)"
      )
    }
    let classes = try targets.isEmpty ? CSVClasses(tables) : nil
    let names = classes?.names ?? tables[0].targetNames
    let pixelType: PixelType = tables.allSatisfy(\.isBytes) ? .uint8 : .float32
    let writer = try DatasetWriter(output)
    for (split, table) in zip(splits, tables) {
      let reader = try table.open()
      try writer.writeSplit(
        split.name, sampleShape: shape, pixelType: pixelType,
        targets: try classes.map { .labels(try $0.labels(of: table), classNames: names) }
          ?? .values(table.targets, width: names.count, names: names),
        weights: table.weights.isEmpty ? nil : table.weights, progress: step
      ) { range, memory in
        var place = 0
        for _ in range {
          guard try reader.next(), reader.fields.count == table.columnCount else {
            throw DatasetError(.badData, "\(table.path) changed while it was read")
          }
          for column in table.valueColumns {
            guard let value = reader.number(column), pixelType == .float32 || (0...255).contains(value) else {
              throw DatasetError(.badData, "\(table.path) changed while it was read")
            }
            switch pixelType {
            case .uint8: memory[place] = UInt8(value)
            case .float32: memory.storeBytes(of: Float(value), toByteOffset: 4 * place, as: Float.self)
            }
            place += 1
          }
        }
      }
      done += 1 / Double(2 * splits.count)
    }
    try writer.finish()
    return ImportSummary(
      path: output.path, counts: zip(splits, tables).map { ($0.name, $1.count) },
      sampleShape: shape, classNames: names, hasTargets: classes == nil)
  }
}

/// What the columns of a table are that are no values.
private struct CSVRoles {
  /// Empty where there are targets.
  let label: String
  let targets: [String]
  let weight: String?
}

/// What the first reading of a table finds.
private struct CSVTable {
  let path: String
  let delimiter: UInt8
  let columnCount: Int
  let valueColumns: [Int]
  let hasHeader: Bool
  /// Whether all values are whole numbers from 0 to 255.
  let isBytes: Bool
  let count: Int
  /// Row by row; none where there are labels.
  let targets: [Float]
  /// The columns' names, or places from 1.
  let targetNames: [String]
  /// Empty where there is no such column.
  let weights: [Float]
  /// The different labels, in the order in which they come.
  let labels: [String]
  /// For each row the place of its label in `labels`.
  let rowLabels: [Int32]

  init(
    _ path: String, delimiter: Character, roles: CSVRoles, hasHeader: Bool?, check: () throws -> Void,
    progress: (Double) throws -> Void
  ) throws {
    self.path = path
    self.delimiter = delimiter.asciiValue ?? UInt8(ascii: ",")
    let reader = try CSVReader(path, delimiter: self.delimiter)
    guard try reader.next() else { throw DatasetError(.badData, "\(path) is empty") }
    columnCount = reader.fields.count
    guard columnCount > 1 else {
      throw DatasetError(
        .badData, "\(path) has one column; is its delimiter \"\(delimiter)\"? --delimiter names another")
    }
    let names = (0..<columnCount).map { reader.text($0) }
    var isNamed = false
    func find(_ name: String) throws -> Int {
      let named = names.firstIndex(of: name)
      if named != nil { isNamed = true }
      guard let column = named ?? Int(name).flatMap({ $0 > 0 ? $0 - 1 : nil }), names.indices.contains(column)
      else {
        throw DatasetError(
          .badData,
          "\(path) has no column \"\(name)\": there are \(names.prefix(8).joined(separator: ", "))\(names.count > 8 ? ", …" : "")"
        )
      }
      return column
    }
    let labelColumn = try roles.label.isEmpty ? nil : find(roles.label)
    let targetColumns = try roles.targets.map(find)
    let weightColumn = try roles.weight.map(find)
    let others = Set(targetColumns + [labelColumn, weightColumn].compactMap(\.self))
    guard others.count == targetColumns.count + (labelColumn == nil ? 0 : 1) + (weightColumn == nil ? 0 : 1)
    else {
      throw DatasetError(.badData, "\(path): a column is named for two things, or twice")
    }
    valueColumns = names.indices.filter { !others.contains($0) }
    guard !valueColumns.isEmpty else {
      throw DatasetError(.badData, "\(path) has no columns besides those of labels, targets and weights")
    }
    let looksLikeHeader = isNamed || !valueColumns.allSatisfy { reader.number($0) != nil }
    let startsWithNames = hasHeader ?? looksLikeHeader
    self.hasHeader = startsWithNames
    targetNames = targetColumns.map { startsWithNames ? names[$0] : "\($0 + 1)" }
    var targets: [Float] = []
    var weights: [Float] = []
    var count = 0
    var isBytes = true
    var labels: [String] = []
    var places: [String: Int32] = [:]
    var rowLabels: [Int32] = []
    var isRow = self.hasHeader ? try reader.next() : true
    while isRow {
      guard reader.fields.count == columnCount else {
        throw DatasetError(
          .badData,
          "\(path), line \(reader.line): it has \(reader.fields.count) columns, but the first line has \(columnCount)"
        )
      }
      for column in valueColumns {
        guard let value = reader.number(column), value.isFinite else {
          throw DatasetError(
            .badData,
            "\(path), line \(reader.line), column \(column + 1): \"\(reader.text(column))\" is no finite number"
          )
        }
        if isBytes { isBytes = value >= 0 && value <= 255 && value == value.rounded(.down) }
      }
      if let column = labelColumn {
        let text = reader.text(column)
        guard !text.isEmpty else {
          throw DatasetError(
            .badData, "\(path), line \(reader.line), column \(column + 1): the label is empty")
        }
        if let place = places[text] {
          rowLabels.append(place)
        } else {
          places[text] = Int32(labels.count)
          rowLabels.append(Int32(labels.count))
          labels.append(text)
        }
      }
      for column in targetColumns + (weightColumn.map { [$0] } ?? []) {
        let isWeight = column == weightColumn
        guard let value = reader.number(column).map({ Float($0) }), value.isFinite, !isWeight || value >= 0
        else {
          throw DatasetError(
            .badData,
            "\(path), line \(reader.line), column \(column + 1): \"\(reader.text(column))\" is no "
              + (isWeight ? "weight, which is a number from 0 up" : "finite number"))
        }
        if isWeight { weights.append(value) } else { targets.append(value) }
      }
      count += 1
      if count % 1024 == 0 {
        try check()
        try progress(reader.progress)
      }
      isRow = try reader.next()
    }
    guard count > 0 else { throw DatasetError(.badData, "\(path) has no rows of values") }
    self.isBytes = isBytes
    self.count = count
    self.targets = targets
    self.weights = weights
    self.labels = labels
    self.rowLabels = rowLabels
  }

  /// A reader before the first row of values.
  func open() throws -> CSVReader {
    let reader = try CSVReader(path, delimiter: delimiter)
    if hasHeader { _ = try reader.next() }
    return reader
  }
}

/// The classes that labels mean.
private struct CSVClasses {
  let names: [String]
  private let places: [String: Int32]

  /// - Throws: ``DatasetError`` where the tables have more different labels than classes make sense.
  init(_ tables: [CSVTable]) throws {
    let texts = Set(tables.flatMap(\.labels))
    let numbers = texts.compactMap { Int($0) }
    let largest = numbers.max() ?? 0
    guard texts.count <= 100_000, numbers.count != texts.count || largest < 1_000_000 else {
      throw DatasetError(
        .badData,
        "\(tables[0].path) has \(texts.count) different labels; is the column of labels the right one?")
    }
    if numbers.count == texts.count, numbers.allSatisfy({ $0 >= 0 }) {
      names = (0...largest).map { "\($0)" }
      places = Dictionary(uniqueKeysWithValues: texts.map { ($0, Int32(Int($0) ?? 0)) })
    } else {
      let sorted = texts.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      names = sorted
      places = Dictionary(uniqueKeysWithValues: sorted.enumerated().map { ($0.element, Int32($0.offset)) })
    }
  }

  func labels(of table: CSVTable) throws -> [Int32] {
    let map = table.labels.map { places[$0] ?? 0 }
    return table.rowLabels.map { map[Int($0)] }
  }
}
