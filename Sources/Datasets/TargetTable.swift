public import Tensors

/// The name of the dataset that holds the right answer for each sample.
public enum TargetName: Hashable, Sendable {
  /// Classes: whole numbers from 0, `[N]` or `[N, 1]`.
  case labels(String)
  /// Vectors of numbers: `[N, K]`, or `[N]` for one number each, or `[N, H, W]` and `[N, H, W, K]` for
  /// numbers that lie on a sample, whose vector goes row by row, channels innermost.
  case values(String)

  /// The name of the dataset.
  public var name: String {
    switch self {
    case .labels(let name), .values(let name): name
    }
  }
}

/// A vector of numbers for each sample of a dataset, in memory.
public final class TargetTable: Sendable {
  /// How many samples there are.
  public let count: Int
  /// How many numbers each sample has.
  public let width: Int
  /// The numbers, row by row; all are finite.
  public let values: AlignedBuffer<Float>

  init(_ values: [Float], width: Int) {
    precondition(
      width > 0 && values.count.isMultiple(of: width), "\(values.count) numbers in rows of \(width)")
    self.width = width
    count = values.count / width
    self.values = AlignedBuffer(values)
  }

  /// The column with a sample's largest number, the first of equal ones.
  public func mainColumn(ofRow row: Int) -> Int {
    let values = self[row]
    var best = 0
    for column in values.indices where values[column] > values[best] { best = column }
    return best
  }

  /// A sample's vector; valid as long as the table lives.
  public subscript(row: Int) -> UnsafeBufferPointer<Float> {
    precondition(row >= 0 && row < count, "there is no row \(row) of \(count)")
    return UnsafeBufferPointer(start: values.baseAddress + row * width, count: width)
  }
}
