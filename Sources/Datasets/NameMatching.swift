internal import Tensors

extension ImageDataset {
  /// The same samples, with classes or columns of targets in the order in which a network names them.
  ///
  /// A name means the same class on both sides, whatever its number. Labels stay as they are where one side has no names, or
  /// names that are only the numbers from 0.
  ///
  /// - Parameters:
  ///   - names: the names of the network's classes or outputs.
  ///   - role: what messages call the dataset: `data.test`; nil for its path.
  ///   - owner: what messages call that which has the names.
  /// - Returns: the dataset, and a line about what was moved or is missing; nil where both name the same.
  /// - Throws: ``DatasetError`` of kind `badData` that lists the names of samples that the network does not have.
  public func matched(
    to names: [String], role: String? = nil, owner: String = "the network"
  ) throws(DatasetError) -> (dataset: ImageDataset, note: String?) {
    guard let own = classNames, own != names, !Self.areNumbers(own), !Self.areNumbers(names) else {
      return (self, nil)
    }
    let title = role.map { "\($0): \(path)" } ?? path
    // One output tells classes apart by its value, and its name is none of theirs.
    guard targets == nil else { return try matchedColumns(own, names, title, owner) }
    return names.count > 1 ? try matchedLabels(own, names, title, owner) : (self, nil)
  }

  private static func areNumbers(_ names: [String]) -> Bool {
    names.enumerated().allSatisfy { $1 == "\($0)" }
  }

  private func matchedLabels(
    _ own: [String], _ names: [String], _ title: String, _ owner: String
  ) throws(DatasetError) -> (dataset: ImageDataset, note: String?) {
    let counts = classCounts()
    let used = own.indices.filter { counts[$0] > 0 }
    let places = try places(of: used.map { own[$0] }, in: names, title, owner, noun: "classes")
    let moves = Array(zip(used, places))
    let numbers = Dictionary(uniqueKeysWithValues: moves.map { (Int32($0), Int32($1)) })
    let dataset = ImageDataset(
      self, labels: labels.map { numbers[$0] ?? $0 }, targets: nil, classNames: names)
    let missing = names.filter { !own.contains($0) }
    let note =
      moveNote(moves, names, title, owner, "labels")
      ?? (missing.isEmpty
        ? nil : "\(title) does not name all classes of \(owner): it is without \(Self.list(missing))")
    return (dataset, note)
  }

  private func matchedColumns(
    _ own: [String], _ names: [String], _ title: String, _ owner: String
  ) throws(DatasetError) -> (dataset: ImageDataset, note: String?) {
    // Another number of columns is refused for its shape, or has one output for two classes.
    guard let targets, own.count == names.count else { return (self, nil) }
    let places = try places(of: own, in: names, title, owner, noun: "outputs")
    let dataset = ImageDataset(self, labels: [], targets: targets.moved(to: places), classNames: names)
    return (dataset, moveNote(Array(zip(own.indices, places)), names, title, owner, "targets"))
  }

  /// Where the network has each of these names.
  private func places(
    of wanted: [String], in names: [String], _ title: String, _ owner: String, noun: String
  ) throws(DatasetError) -> [Int] {
    let places = Dictionary(names.enumerated().map { ($1, $0) }) { first, _ in first }
    let unknown = wanted.filter { places[$0] == nil }
    guard unknown.isEmpty else {
      throw DatasetError(
        .badData,
        "\(title) has \(noun) that \(owner) does not have: \(Self.list(unknown)); it has "
          + "\(Self.list(names, atMost: 12)). Where they mean the same, import the samples again with these names, or write "
          + "them to the attribute \(targets == nil ? "class_names" : "target_names") of \"\(targetName)\""
      )
    }
    for (list, owner) in [(wanted, title), (names, owner)] {
      var seen: Set<String> = []
      if let twin = list.first(where: { !seen.insert($0).inserted }) {
        throw DatasetError(
          .badData,
          "\(title): \(noun) are matched by name, but \(owner) has two called '\(twin)'; name them differently"
        )
      }
    }
    return wanted.compactMap { places[$0] }
  }

  private func moveNote(
    _ moves: [(from: Int, to: Int)], _ names: [String], _ title: String, _ owner: String, _ noun: String
  ) -> String? {
    let moved = moves.filter { $0.from != $0.to }
    guard !moved.isEmpty else { return nil }
    return "\(title) counts its names in another order than \(owner), so its \(noun) are taken by name: "
      + Self.list(moved.map { "\(names[$0.to]) \($0.from) → \($0.to)" })
  }

  private static func list(_ names: [String], atMost count: Int = 5) -> String {
    names.prefix(count).joined(separator: ", ") + (names.count > count ? ", …" : "")
  }
}

extension TargetTable {
  /// The same rows, with each column in another place.
  ///
  /// - Parameter places: the new place of each column, each once.
  func moved(to places: [Int]) -> TargetTable {
    var moved = [Float](repeating: 0, count: count * width)
    for row in 0..<count {
      for (column, value) in self[row].enumerated() { moved[row * width + places[column]] = value }
    }
    return TargetTable(moved, width: width)
  }
}
