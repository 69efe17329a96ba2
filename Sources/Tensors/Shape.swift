/// The dimensions of a tensor, outermost first, channels last.
///
/// A sample's shape leaves out N: an image is `[H, W, C]`, a vector `[C]`.
public struct Shape: Hashable, Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
  /// The sizes, outermost first; empty for a scalar.
  public let dimensions: [Int]

  /// A shape of these sizes, outermost first.
  public init(_ dimensions: [Int]) { self.dimensions = dimensions }
  /// A shape written as a list: `[28, 28, 1]`.
  public init(arrayLiteral elements: Int...) { self.dimensions = elements }

  /// How many dimensions there are; 0 for a scalar.
  public var rank: Int { dimensions.count }

  /// The product of the dimensions; 1 for a scalar.
  ///
  /// Callers check sizes that come from files before they multiply.
  public var elementCount: Int { dimensions.reduce(1, *) }

  /// The size of one dimension, counted from the outermost, which is 0.
  public subscript(index: Int) -> Int { dimensions[index] }

  /// The shape as people write it: `28×28×1`.
  public var description: String {
    dimensions.isEmpty ? "scalar" : dimensions.map(String.init).joined(separator: "×")
  }
}

extension Shape: Codable {
  /// Reads the dimensions from a list.
  public init(from decoder: any Decoder) throws {
    dimensions = try [Int](from: decoder)
  }

  /// Writes the dimensions as a list.
  public func encode(to encoder: any Encoder) throws {
    try dimensions.encode(to: encoder)
  }
}
