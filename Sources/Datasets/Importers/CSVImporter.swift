public import Tensors

/// Tables of numbers with a column of labels, or columns of targets, plain or gzip: one sample in each row.
///
/// Values that are all whole numbers from 0 to 255 become bytes, others float32. Labels that are all whole numbers from 0
/// are the classes' numbers; otherwise each different text is a class, in the order of the texts' bytes.
/// Columns of a second table are taken by their names where both tables have the same names. The files are
/// read twice: to check and count, and to write.
public struct CSVImporter: DatasetImporter {
  /// One group of the dataset file and where it comes from.
  public struct Split: Sendable {
    /// The name of the group: `train`.
    public let name: String
    /// The table.
    public let path: String

    /// A group and its table.
    public init(name: String, path: String) {
      self.name = name
      self.path = path
    }
  }

  /// The groups in the order of the file; at least one.
  public var splits: [Split]
  /// The labels' column: its name in the first row, or its place from 1.
  ///
  /// Empty where there are targets.
  public var label: String
  /// The columns of targets, numbers of any size, by names or places; empty where there are labels.
  public var targets: [String]
  /// The column of the samples' weights; nil for none.
  public var weight: String?
  /// Columns that are left out.
  public var dropped: [String]
  /// `[H, W, C]` with as many numbers as there are other columns; nil for features `[F]`.
  public var sampleShape: Shape?
  /// How the tables are written down.
  public var format: CSVFormat

  /// An importer of tables that have either a label or targets.
  public init(
    splits: [Split], label: String = "", targets: [String] = [], weight: String? = nil,
    dropped: [String] = [],
    sampleShape: Shape? = nil, format: CSVFormat = CSVFormat()
  ) {
    precondition(label.isEmpty != targets.isEmpty, "a table has either a column of labels or some of targets")
    self.splits = splits
    self.label = label
    self.targets = targets
    self.weight = weight
    self.dropped = dropped
    self.sampleShape = sampleShape
    self.format = format
  }

  /// Reads everything and writes the dataset.
  public func write(to output: DatasetOutput, progress: (Double) throws -> Void) throws -> ImportSummary {
    precondition(!splits.isEmpty, "an import needs at least one split")
    var done = 0.0
    func step(_ share: Double) throws { try progress(done + share / Double(2 * splits.count)) }
    let roles = CSVRoles(label: label, targets: targets, weight: weight, dropped: dropped)
    var tables: [CSVTable] = []
    for split in splits {
      tables.append(
        try CSVTable(split.path, format, roles, following: tables.first, check: output.check, progress: step))
      done += 1 / Double(2 * splits.count)
    }
    let columns = tables[0].columns.values.count
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
        targets: classes.map { .labels($0.labels(of: table), classNames: names) }
          ?? .values(table.targets, width: names.count, names: names),
        weights: table.weights.isEmpty ? nil : table.weights, progress: step
      ) { range, memory in try fill(range, memory, pixelType, table, reader) }
      done += 1 / Double(2 * splits.count)
    }
    try writer.finish()
    return ImportSummary(
      path: output.path, counts: zip(splits, tables).map { ($0.name, $1.count) },
      sampleShape: shape, classNames: names, hasTargets: classes == nil,
      notes: tables.flatMap(\.notes) + (classes?.notes ?? []))
  }

  /// Reads the values of the next rows.
  private func fill(
    _ rows: Range<Int>, _ memory: UnsafeMutableRawBufferPointer, _ pixelType: PixelType, _ table: CSVTable,
    _ reader: CSVReader
  ) throws {
    var place = 0
    for _ in rows {
      guard try reader.next(), reader.fields.count == table.columns.count else { throw changed(table) }
      for column in table.columns.values {
        guard let value = reader.number(column), pixelType == .float32 || (0...255).contains(value) else {
          throw changed(table)
        }
        switch pixelType {
        case .uint8: memory[place] = UInt8(value)
        case .float32: memory.storeBytes(of: Float(value), toByteOffset: 4 * place, as: Float.self)
        }
        place += 1
      }
    }
  }

  private func changed(_ table: CSVTable) -> DatasetError {
    DatasetError(.badData, "\(table.path) changed while it was read")
  }
}
