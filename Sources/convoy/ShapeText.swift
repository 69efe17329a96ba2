internal import ArgumentParser

/// Shapes as people write them: `32x48`.
enum ShapeText {
  static func parse(_ text: String, option: String) throws -> [Int] {
    let parts = text.split(omittingEmptySubsequences: false) { "x×,".contains($0) }
    let sides = parts.compactMap { Int($0) }
    guard sides.count == parts.count, sides.allSatisfy({ $0 > 0 && $0 <= 1 << 24 }) else {
      throw ValidationError(
        "\(option) takes numbers above 0 with 'x' between them, such as 28x28, not '\(text)'")
    }
    // The product of many sides may exceed 64 bits.
    guard sides.reduce(1.0, { $0 * Double($1) }) <= 0x1p31 else {
      throw ValidationError("\(option) \(text) has more than 2^31 elements")
    }
    return sides
  }
}
