internal import OneDNN

/// Copies an image to another place in a larger or smaller one; what it does not cover is zero.
struct MoveImageStep: CustomStep {
  /// Images that lie one behind the other: samples times blocks of channels.
  let images: Int
  /// Height and width of the source and the target.
  let from: (height: Int, width: Int)
  let to: (height: Int, width: Int)
  /// Where the source's first pixel goes; negative where it is cut off.
  let down: Int
  let right: Int
  let pixelByteCount: Int
  let src: Operand
  let dst: Operand

  var name: String { "move" }
  var operands: [Operand] { [src, dst] }
  var results: [Operand] { [dst] }

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) {
    guard let source = memory.address(of: src), let target = memory.address(of: dst) else { return }
    let rows = max(down, 0)..<min(from.height + down, to.height)
    let columns = max(right, 0)..<min(from.width + right, to.width)
    if rows.count < to.height || columns.count < to.width {
      target.initializeMemory(
        as: UInt8.self, repeating: 0, count: images * to.height * to.width * pixelByteCount)
    }
    for image in 0..<images {
      for row in rows {
        let fromPixel = (image * from.height + row - down) * from.width + columns.lowerBound - right
        let toPixel = (image * to.height + row) * to.width + columns.lowerBound
        (target + toPixel * pixelByteCount).copyMemory(
          from: source + fromPixel * pixelByteCount, byteCount: columns.count * pixelByteCount)
      }
    }
  }
}
