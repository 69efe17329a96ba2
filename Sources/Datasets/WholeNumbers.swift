internal import HDF5

/// Whole numbers of any number type.
enum WholeNumbers {
  /// A number that has a fraction, or is beyond 64 bits with a sign; libhdf5 would take the nearest that is not.
  struct NotWhole: Error {
    let index: Int
    /// As people write it.
    let number: String
  }

  /// - Throws: ``NotWhole``, and what reading throws.
  static func read(_ dataset: Dataset) throws -> [Int64] {
    switch dataset.type.class {
    case .float: try exact(try dataset.read(Double.self)) { Int64(exactly: $0) }
    case .integer(signed: false): try exact(try dataset.read(UInt64.self)) { Int64(exactly: $0) }
    default: try dataset.read(Int64.self)
    }
  }

  private static func exact<Number>(_ numbers: [Number], _ whole: (Number) -> Int64?) throws -> [Int64] {
    try numbers.enumerated().map { index, number in
      guard let value = whole(number) else { throw NotWhole(index: index, number: "\(number)") }
      return value
    }
  }
}
