/// Classes as files have them, on their way to numbers from 0.
struct FoundLabels {
  enum Values {
    case numbers([Int64])
    case text([String])
    /// Where the single 1 is in each row of this many numbers.
    case oneHot([Int64], width: Int)
  }

  var values: Values
  /// What the file calls its classes, in the order of their numbers.
  var names: [String]?
  /// The dataset, for messages: `"y" of a.h5`.
  let name: String
  /// The least and the greatest number of the file, where only some rows are taken; nil for those of ``values``.
  private var extent: ClosedRange<Int64>?

  init(values: Values, names: [String]?, name: String) {
    self.values = values
    self.names = names
    self.name = name
  }

  /// The least and the greatest number of the file, whether or not its sample is taken; nil for words.
  var fileExtent: ClosedRange<Int64>? {
    if let extent { return extent }
    guard case .numbers(let numbers) = values, let low = numbers.min(), let high = numbers.max() else {
      return nil
    }
    return low...high
  }

  var count: Int {
    switch values {
    case .numbers(let numbers), .oneHot(let numbers, _): numbers.count
    case .text(let words): words.count
    }
  }

  func choosing(_ rows: [Int]) -> FoundLabels {
    var chosen = self
    chosen.extent = fileExtent
    switch values {
    case .numbers(let numbers): chosen.values = .numbers(rows.map { numbers[$0] })
    case .text(let words): chosen.values = .text(rows.map { words[$0] })
    case .oneHot(let numbers, let width): chosen.values = .oneHot(rows.map { numbers[$0] }, width: width)
    }
    return chosen
  }

  /// The labels of several files, one after another.
  static func joined(_ parts: [FoundLabels]) throws -> FoundLabels {
    var result = parts[0]
    for part in parts.dropFirst() {
      switch (result.values, part.values) {
      case (.numbers(let a), .numbers(let b)): result.values = .numbers(a + b)
      case (.text(let a), .text(let b)): result.values = .text(a + b)
      case (.oneHot(let a, let width), .oneHot(let b, let other)) where width == other:
        result.values = .oneHot(a + b, width: width)
      default:
        throw DatasetError(
          .badData, "\(part.name) holds labels of a different kind from \(result.name)")
      }
      guard part.names == nil || result.names == nil || part.names == result.names else {
        throw DatasetError(.badData, "\(part.name) names other classes than \(result.name)")
      }
      result.names = result.names ?? part.names
    }
    return result
  }
}

/// How labels of any kind become classes from 0.
public struct LabelReading: Sendable, Hashable {
  /// The number of the first class; nil where that must be 0: labels that seem to count from another are
  /// refused.
  public var firstLabel: Int?
  /// Whether the different values are numbered anew, in rising order.
  public var renumbers: Bool

  /// The usual reading: labels count from 0.
  public init(firstLabel: Int? = nil, renumbers: Bool = false) {
    self.firstLabel = firstLabel
    self.renumbers = renumbers
  }

  static let mostClasses = 1_000_000

  /// Classes of all splits, numbered alike.
  ///
  /// - Parameter given: the classes' names in their order; nil for those of the files.
  func classes(_ splits: [FoundLabels], given: [String]?) throws -> (labels: [[Int32]], names: [String]) {
    if splits.contains(where: { if case .text = $0.values { true } else { false } }) {
      return try classes(ofText: splits, given: given)
    }
    let names = try given ?? Self.commonNames(splits)
    try Self.check(names, splits)
    let numbers = splits.map { split in
      switch split.values {
      case .numbers(let numbers), .oneHot(let numbers, _): numbers
      case .text: [Int64]()
      }
    }
    let isOneHot = splits.contains { if case .oneHot = $0.values { true } else { false } }
    if isOneHot { return try named(numbers, splits, names, least: Self.width(splits)) }
    if renumbers {
      let different = Set(numbers.joined()).sorted()
      guard different.count <= Self.mostClasses else {
        throw DatasetError(
          .badData, "\(splits[0].name) has \(different.count) different labels, too many to be classes")
      }
      let places = Dictionary(uniqueKeysWithValues: different.enumerated().map { ($1, Int64($0)) })
      return try named(
        numbers.map { $0.map { places[$0] ?? 0 } }, splits, given ?? different.map { "\($0)" },
        least: different.count)
    }
    return try named(shifted(numbers, splits), splits, names, least: 0)
  }

  /// Refuses names that do not tell classes apart.
  private static func check(_ names: [String]?, _ splits: [FoundLabels]) throws {
    guard let problem = names.flatMap(ClassNaming.problem) else { return }
    throw DatasetError(
      .badData, "the class names for \(splits[0].name): \(problem); --classes gives others")
  }

  private static func width(_ splits: [FoundLabels]) -> Int {
    splits.map { if case .oneHot(_, let width) = $0.values { width } else { 0 } }.max() ?? 0
  }

  /// Labels, less the number of the first class.
  private func shifted(_ numbers: [[Int64]], _ splits: [FoundLabels]) throws -> [[Int64]] {
    let low = splits.compactMap(\.fileExtent?.lowerBound).min() ?? 0
    let high = splits.compactMap(\.fileExtent?.upperBound).max() ?? 0
    guard let firstLabel else {
      guard low == 0 else {
        let advice =
          low < 0
          ? "classes count from 0; pass --renumber to number the different values from 0"
          : "pass --first-label \(low) if that is the first class, --first-label 0 if it is not, or --renumber to number the "
            + "different values from 0"
        throw DatasetError(
          .badData, "the labels of \(splits[0].name) go from \(low) to \(high): \(advice)")
      }
      return numbers
    }
    for (split, numbers) in zip(splits, numbers) {
      if let bad = numbers.firstIndex(where: { $0 < Int64(firstLabel) }) {
        throw DatasetError(
          .badData,
          "sample \(bad) of \(split.name) has label \(numbers[bad]), which is below --first-label \(firstLabel)"
        )
      }
    }
    // A number that is too large to be shifted is no class either.
    return numbers.map {
      $0.map { number in
        let (shifted, overflow) = number.subtractingReportingOverflow(Int64(firstLabel))
        return overflow ? Int64.max : shifted
      }
    }
  }

  private static func commonNames(_ splits: [FoundLabels]) throws -> [String]? {
    let known = splits.compactMap { split in split.names.map { (split.name, $0) } }
    if let first = known.first, let other = known.first(where: { $0.1 != first.1 }) {
      throw DatasetError(.badData, "\(other.0) names other classes than \(first.0)")
    }
    return known.first?.1
  }

  /// - Parameter least: the least number of classes.
  private func named(
    _ numbers: [[Int64]], _ splits: [FoundLabels], _ names: [String]?, least: Int
  ) throws -> (labels: [[Int32]], names: [String]) {
    let most = names?.count ?? Self.mostClasses
    for (split, numbers) in zip(splits, numbers) {
      if let bad = numbers.firstIndex(where: { $0 < 0 || $0 >= most }) {
        throw DatasetError(
          .badData,
          "sample \(bad) of \(split.name) has class \(numbers[bad]), but "
            + (names == nil ? "classes count from 0 to \(most - 1)" : "there are \(most) class names"))
      }
    }
    let count = max(least, Int(numbers.compactMap { $0.max() }.max() ?? 0) + 1)
    if let names, names.count < count {
      throw DatasetError(
        .badData, "there are \(names.count) class names for \(count) classes of \(splits[0].name)")
    }
    return (numbers.map { $0.map { Int32($0) } }, names ?? (0..<count).map { "\($0)" })
  }

  /// Words in the order of their bytes, unless names are given.
  private func classes(
    ofText splits: [FoundLabels], given: [String]?
  ) throws -> (labels: [[Int32]], names: [String]) {
    if firstLabel != nil {
      throw DatasetError(.badData, "\(splits[0].name) holds words: --first-label is for numbers")
    }
    let words = try splits.map { split in
      guard case .text(let words) = split.values else {
        throw DatasetError(.badData, "\(split.name) holds numbers, but other labels are words")
      }
      return words
    }
    try Self.check(given, splits)
    // By bytes, because strings of different bytes can be equal.
    let different = Set(words.joined().map { Array($0.utf8) }).sorted { $0.lexicographicallyPrecedes($1) }
    try Self.check(given, splits)
    let names = given ?? different.map { String(decoding: $0, as: UTF8.self) }
    guard names.count <= Self.mostClasses else {
      throw DatasetError(
        .badData, "\(splits[0].name) has \(names.count) different words, too many to be classes")
    }
    for (split, words) in zip(splits, words) {
      if let empty = words.firstIndex(where: ClassNaming.isBlank) {
        throw DatasetError(
          .badData, "sample \(empty) of \(split.name) has an empty label; --rows can leave it out")
      }
    }
    let places = Dictionary(
      names.enumerated().map { (Array($1.utf8), Int32($0)) }, uniquingKeysWith: { first, _ in first })
    let labels = try zip(splits, words).map { split, words in
      try words.enumerated().map { row, word in
        guard let place = places[Array(word.utf8)] else {
          throw DatasetError(
            .badData, "sample \(row) of \(split.name) is \"\(word)\", which --classes does not name")
        }
        return place
      }
    }
    return (labels, names)
  }
}
