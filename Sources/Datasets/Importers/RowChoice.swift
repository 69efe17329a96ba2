/// Which samples of an array are taken.
public struct RowChoice: Sendable, Hashable {
  /// A run of rows, or every `step`-th of them; without an end where that is nil.
  struct Slice: Sendable, Hashable {
    let first: Int
    let end: Int?
    let step: Int
  }

  enum Kind: Sendable, Hashable {
    case slices([Slice])
    /// A dataset of row numbers from 0, or with a truth value for each row.
    case dataset(String)
  }

  let kind: Kind

  /// Rows from 0, written as Python's slices with commas between them (`0:800`, `5,7,10:20:2`), or else the
  /// name of a dataset.
  ///
  /// - Returns: nil for slices that make no sense.
  public init?(_ text: String) {
    guard !text.isEmpty else { return nil }
    guard text.allSatisfy({ "0123456789:,".contains($0) }) else {
      kind = .dataset(text)
      return
    }
    var slices: [Slice] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let sides = part.split(separator: ":", omittingEmptySubsequences: false)
      let numbers = sides.map { Int($0) }
      guard (1...3).contains(sides.count), zip(sides, numbers).allSatisfy({ $0.isEmpty || $1 != nil }) else {
        return nil
      }
      guard sides.count > 1 else {
        guard let row = numbers[0], row < Int.max else { return nil }
        slices.append(Slice(first: row, end: row + 1, step: 1))
        continue
      }
      let step = sides.count == 3 ? numbers[2] ?? 1 : 1
      guard step > 0 else { return nil }
      slices.append(Slice(first: numbers[0] ?? 0, end: numbers[1], step: step))
    }
    kind = .slices(slices)
  }

  /// The rows in rising order, each once.
  ///
  /// - Parameters:
  ///   - count: how many there are; a row beyond them is an error, the open end of a slice is not.
  ///   - read: gives the elements of a dataset.
  ///   - name: what the rows are of, for messages.
  func rows(of count: Int, name: String, read: (String) throws -> [Int64]) throws -> [Int] {
    func checked(_ row: Int) throws -> Int {
      guard row >= 0, row < count else {
        throw DatasetError(.badData, "there is no row \(row) in \(name): it has \(count), counted from 0")
      }
      return row
    }
    var chosen: [Int]
    switch kind {
    case .slices(let slices):
      chosen = []
      for slice in slices {
        let end = slice.end ?? count
        if slice.first < end {
          _ = try checked(end - 1)
          chosen += stride(from: slice.first, to: end, by: slice.step)
        } else if slice.end != nil {
          throw DatasetError(.badData, "the rows \(slice.first):\(end) of \(name) are empty")
        }
      }
    case .dataset(let dataset):
      let numbers = try read(dataset)
      if numbers.count == count, numbers.allSatisfy({ $0 == 0 || $0 == 1 }) {
        chosen = numbers.indices.filter { numbers[$0] == 1 }
      } else {
        chosen = try numbers.map { try checked(Int($0)) }
      }
    }
    chosen.sort()
    if let double = zip(chosen, chosen.dropFirst()).first(where: { $0 == $1 }) {
      throw DatasetError(.badData, "row \(double.0) of \(name) is chosen twice")
    }
    guard !chosen.isEmpty else { throw DatasetError(.badData, "no row of \(name) is chosen") }
    return chosen
  }
}
