/// The roles of columns that are not values, by the columns' names or their places from 1.
struct CSVRoles {
  /// Empty where there are targets.
  let label: String
  let targets: [String]
  let weight: String?
  let dropped: [String]

  var all: [String] { (label.isEmpty ? [] : [label]) + targets + (weight.map { [$0] } ?? []) + dropped }
}

/// Which column of a table is what.
struct CSVColumns {
  let count: Int
  /// The names in the first row; nil where it has values.
  let names: [String]?
  /// The columns of values, in the order in which they are written.
  private(set) var values: [Int]
  let label: Int?
  let targets: [Int]
  let weight: Int?
  private(set) var notes: [String] = []
  private let path: String

  /// - Parameter reader: at the first row.
  init(_ reader: CSVReader, _ roles: CSVRoles, _ format: CSVFormat) throws {
    path = reader.path
    count = reader.fields.count
    guard count > 1 else {
      throw DatasetError(
        .badData,
        "\(path) has one column; is its delimiter \"\(format.delimiter)\"? --delimiter names another")
    }
    let first = try (0..<count).map { try reader.text($0) }
    let hasHeader = try format.hasHeader ?? Self.looksLikeHeader(reader, first, roles)
    let finder = CSVColumnFinder(path: path, first: first, hasHeader: hasHeader)
    names = hasHeader ? first : nil
    label = try roles.label.isEmpty ? nil : finder.column(roles.label)
    targets = try roles.targets.map(finder.column)
    weight = try roles.weight.map(finder.column)
    let named = targets + [label, weight].compactMap(\.self)
    let dropped = try roles.dropped.map(finder.column)
    guard Set(named + dropped).count == named.count + Set(dropped).count else {
      throw DatasetError(.badData, "\(path): a column is given two roles, or is named twice")
    }
    let index =
      hasHeader ? Self.indexColumns(first).filter { !named.contains($0) && !dropped.contains($0) } : []
    for column in index {
      notes.append(
        "\(path): column \(column + 1) has no name of its own, like the index that pandas writes, and was left out; a name in the first line keeps it"
      )
    }
    for text in roles.all where finder.isAmbiguous(text) {
      notes.append(
        "\(path): \"\(text)\" was taken as the name of a column, not as its place")
    }
    values = (0..<count).filter { !named.contains($0) && !dropped.contains($0) && !index.contains($0) }
    guard !values.isEmpty else {
      throw DatasetError(.badData, "\(path) has no columns besides those of labels, targets and weights")
    }
  }

  /// `column 3 ("age")`.
  func title(_ column: Int) -> String {
    guard let names, !names[column].isEmpty else { return "column \(column + 1)" }
    return "column \(column + 1) (\"\(names[column])\")"
  }

  /// Whether the first row has names: a role asks for a name, or something there that should be a value is
  /// not a number.
  ///
  /// - Throws: ``DatasetError`` where it could be either.
  private static func looksLikeHeader(_ reader: CSVReader, _ first: [String], _ roles: CSVRoles) throws
    -> Bool
  {
    let places = roles.all.compactMap { CSVColumnFinder.place($0, of: first.count) }
    guard places.count == roles.all.count else { return true }
    let others = first.indices.filter { !places.contains($0) }
    guard others.allSatisfy({ reader.number($0) != nil }) else { return true }
    let words = ["label", "labels", "class", "classes", "target", "category", "y"]
    if places.contains(where: { words.contains(first[$0].lowercased()) }) { return true }
    // 0, 1, 2, …: what pandas writes for columns without names.
    func count(_ columns: [Int]) -> Bool {
      let numbers = columns.compactMap { reader.number($0) }
      return numbers.count == columns.count && numbers.count > 2 && (0...1).contains(numbers[0])
        && zip(numbers, numbers.dropFirst()).allSatisfy { $0 + 1 == $1 }
    }
    if count(Array(first.indices)) || count(others) {
      throw DatasetError(
        .badData,
        "\(reader.path), line \(reader.line): \(first[0]), \(first[1]), \(first[2]), … may be names of columns or values; --header or --no-header says which"
      )
    }
    return false
  }

  /// The columns that pandas makes of a table's index: the first without a name, or those called `Unnamed: 0`.
  private static func indexColumns(_ names: [String]) -> [Int] {
    names.indices.filter { column in
      (column == 0 && names[0].isEmpty) || names[column] == "Unnamed: 0"
        || names[column].hasPrefix("Unnamed: 0.")
    }
  }

  /// Takes the columns of values in the order in which another table has them, by their names.
  ///
  /// - Throws: ``DatasetError`` where the other table has other columns.
  mutating func follow(_ other: CSVColumns) throws {
    guard values.count == other.values.count else {
      throw DatasetError(
        .badData,
        "\(path) has \(values.count) columns of values, but \(other.path) has \(other.values.count)")
    }
    guard let names, let otherNames = other.names else { return }
    let wanted = other.values.map { otherNames[$0] }
    let own = values.map { names[$0] }
    guard own != wanted else { return }
    guard Set(own).count == own.count, Set(own) == Set(wanted) else {
      let place = zip(own, wanted).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? 0
      return notes.append(
        "\(path) and \(other.path) name their columns of values differently (\"\(own[place])\" and \"\(wanted[place])\"); they were matched by place"
      )
    }
    let places = Dictionary(uniqueKeysWithValues: zip(own, values))
    values = wanted.compactMap { places[$0] }
    notes.append("\(path) has its columns in a different order from \(other.path); they were matched by name")
  }
}

/// Finds columns by their names in the first row, or their places from 1.
struct CSVColumnFinder {
  let path: String
  let first: [String]
  let hasHeader: Bool

  func column(_ text: String) throws -> Int {
    let named = hasHeader ? first.indices.filter { first[$0] == text } : []
    if named.count > 1 {
      throw DatasetError(
        .badData,
        "\(path) has \(named.count) columns \"\(text)\": \(named.map { "\($0 + 1)" }.joined(separator: ", ")); name one by its place, or change a name"
      )
    }
    if let column = named.first ?? Self.place(text, of: first.count) { return column }
    throw DatasetError(
      .badData,
      "\(path) has no column \"\(text)\": there are \(first.prefix(8).joined(separator: ", "))\(first.count > 8 ? ", …" : "")"
    )
  }

  /// Whether a text is the name of one column and the place of another.
  func isAmbiguous(_ text: String) -> Bool {
    guard hasHeader, let named = first.firstIndex(of: text), let place = Self.place(text, of: first.count)
    else { return false }
    return named != place
  }

  /// The column at a place from 1; nil where the text is no number or there are fewer columns.
  static func place(_ text: String, of count: Int) -> Int? {
    Int(text).flatMap { (1...max(1, count)).contains($0) ? $0 - 1 : nil }
  }
}
