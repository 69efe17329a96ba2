internal import CKernels

// The factors are tuples, which have no code of their own: what a type's values are copied by would be shared with other modules.

/// A matrix in memory: element (row, depth) of the left factor lies at `row · rowStride + depth · depthStride`.
typealias LeftFactor = (base: UnsafePointer<Float>, rowStride: Int, depthStride: Int)

/// The right factor, its columns in panels of 32 (the last one of 16 where that is enough): row after row within a panel.
///
/// `panelStride` leads from a panel to the next, `rowStride` from a row of a panel of 32 columns to the next, `narrowRowStride` from a
/// row of a panel of 16 columns.
typealias RightFactor = (
  base: UnsafePointer<Float>, panelStride: Int, rowStride: Int, narrowRowStride: Int
)

/// The product's rows, columns side by side.
typealias ProductTarget = (base: UnsafeMutablePointer<Float>, rowStride: Int)

#if WIDE
  /// Rows whose sums stay in registers: 12 rows of two vectors leave eight of 32 registers to the factors.
  private let mostRows = 12
  /// Rows by which a right factor from beyond the second-level cache is fetched before it is multiplied: some thousand cycles.
  private let rowsAhead = 96
#else
  /// Rows whose sums stay in registers: six rows of one vector (two registers) leave four of 16 registers to the factors.
  private let mostRows = 6
  /// Rows by which a right factor from beyond the second-level cache is fetched before it is multiplied: some thousand cycles.
  private let rowsAhead = 192
#endif

/// `target (+)= left · right`, each element one chain of fused multiply-adds in the order of the depth.
///
/// The order does not depend on how rows and columns are cut into tiles, nor on whether the depth comes in several calls.
/// - Parameters:
///   - columns: a multiple of 16.
///   - adds: whether the chains go on from what the target holds.
///   - streams: whether the right factor is read once, panel after panel, and may come from beyond the second-level cache.
@inline(__always)
func multiply(
  rows: Int, columns: Int, depth: Int, _ left: LeftFactor, _ right: RightFactor, _ target: ProductTarget,
  adds: Bool, streams: Bool = false
) {
  let tiles = (rows + mostRows - 1) / mostRows
  var column = 0
  while column < columns {
    let isPair = columns - column >= 32
    let panel = right.base + column / 32 * right.panelStride
    let rowStride = isPair ? right.rowStride : right.narrowRowStride
    let ahead = streams ? rowsAhead * rowStride : 0
    var row = 0
    var tile = 0
    while tile < tiles {
      // Tiles of about the same height: a last one of a row or two would leave the multipliers waiting.
      let height = (rows - row + tiles - tile - 1) / (tiles - tile)
      let factor = (
        base: left.base + row * left.rowStride, rowStride: left.rowStride, depthStride: left.depthStride
      )
      let sums = (
        base: target.base + row * target.rowStride + column, rowStride: target.rowStride
      )
      #if WIDE
        if isPair {
          multiplyPair(height, factor, panel, rowStride, sums, depth, adds, ahead)
        } else {
          multiplySingle(height, factor, panel, rowStride, sums, depth, adds, ahead)
        }
      #else
        multiplySingle(height, factor, panel, rowStride, sums, depth, adds, ahead)
        if isPair {
          multiplySingle(
            height, factor, panel + 16, rowStride,
            (base: sums.base + 16, rowStride: sums.rowStride),
            depth, adds, ahead)
        }
      #endif
      row += height
      tile += 1
    }
    column += 32
  }
}

/// A tile of up to 12 rows and 16 columns.
@inline(never)
private func multiplySingle(
  _ rows: Int, _ left: LeftFactor, _ right: UnsafePointer<Float>, _ rightStride: Int, _ target: ProductTarget,
  _ depth: Int, _ adds: Bool, _ ahead: Int
) {
  switch rows {
  case 1: tile(1, 1, left, right, rightStride, target, depth, adds, ahead)
  case 2: tile(2, 1, left, right, rightStride, target, depth, adds, ahead)
  case 3: tile(3, 1, left, right, rightStride, target, depth, adds, ahead)
  case 4: tile(4, 1, left, right, rightStride, target, depth, adds, ahead)
  case 5: tile(5, 1, left, right, rightStride, target, depth, adds, ahead)
  case 6: tile(6, 1, left, right, rightStride, target, depth, adds, ahead)
  #if WIDE
    case 7: tile(7, 1, left, right, rightStride, target, depth, adds, ahead)
    case 8: tile(8, 1, left, right, rightStride, target, depth, adds, ahead)
    case 9: tile(9, 1, left, right, rightStride, target, depth, adds, ahead)
    case 10: tile(10, 1, left, right, rightStride, target, depth, adds, ahead)
    case 11: tile(11, 1, left, right, rightStride, target, depth, adds, ahead)
    default: tile(12, 1, left, right, rightStride, target, depth, adds, ahead)
  #else
    default: break
  #endif
  }
}

#if WIDE
  /// A tile of up to 12 rows and 32 columns.
  @inline(never)
  private func multiplyPair(
    _ rows: Int, _ left: LeftFactor, _ right: UnsafePointer<Float>, _ rightStride: Int,
    _ target: ProductTarget,
    _ depth: Int, _ adds: Bool, _ ahead: Int
  ) {
    switch rows {
    case 1: tile(1, 2, left, right, rightStride, target, depth, adds, ahead)
    case 2: tile(2, 2, left, right, rightStride, target, depth, adds, ahead)
    case 3: tile(3, 2, left, right, rightStride, target, depth, adds, ahead)
    case 4: tile(4, 2, left, right, rightStride, target, depth, adds, ahead)
    case 5: tile(5, 2, left, right, rightStride, target, depth, adds, ahead)
    case 6: tile(6, 2, left, right, rightStride, target, depth, adds, ahead)
    case 7: tile(7, 2, left, right, rightStride, target, depth, adds, ahead)
    case 8: tile(8, 2, left, right, rightStride, target, depth, adds, ahead)
    case 9: tile(9, 2, left, right, rightStride, target, depth, adds, ahead)
    case 10: tile(10, 2, left, right, rightStride, target, depth, adds, ahead)
    case 11: tile(11, 2, left, right, rightStride, target, depth, adds, ahead)
    default: tile(12, 2, left, right, rightStride, target, depth, adds, ahead)
    }
  }
#endif

/// A tile whose rows and vectors of columns are constants where it is inlined, so that its sums live in registers.
///
/// - Parameter ahead: floats from a row of the right factor to the one that is fetched with it; 0 for none.
@inline(__always)
private func tile(
  _ rows: Int, _ vectors: Int, _ left: LeftFactor, _ right: UnsafePointer<Float>, _ rightStride: Int,
  _ target: ProductTarget, _ depth: Int, _ adds: Bool, _ ahead: Int
) {
  let zero = Vector.zero
  // Not by `repeating`, a generic function that the compiler may leave as one.
  var sums: InlineArray<24, Vector> = [
    zero, zero, zero, zero, zero, zero, zero, zero, zero, zero, zero, zero,
    zero, zero, zero, zero, zero, zero, zero, zero, zero, zero, zero, zero,
  ]
  if adds {
    for row in 0..<rows {
      for vector in 0..<vectors {
        sums[unchecked: row * vectors + vector] = target.base.vector(row * target.rowStride + vector * 16)
      }
    }
  }
  var a = left.base
  var b = right
  var step = 0
  while step < depth {
    // The CPU by itself fetches too late: a panel's rows are read half by half.
    kernels_fetch(b + ahead)
    if vectors > 1 { kernels_fetch(b + ahead + 16) }
    let first = b.vector(0)
    let second = vectors > 1 ? b.vector(16) : first
    for row in 0..<rows {
      let factor = Vector(repeating: a[row * left.rowStride])
      sums[unchecked: row * vectors] = fused(factor, first, sums[unchecked: row * vectors])
      if vectors > 1 {
        sums[unchecked: row * vectors + 1] = fused(factor, second, sums[unchecked: row * vectors + 1])
      }
    }
    a += left.depthStride
    b += rightStride
    step += 1
  }
  for row in 0..<rows {
    for vector in 0..<vectors {
      target.base.store(sums[unchecked: row * vectors + vector], row * target.rowStride + vector * 16)
    }
  }
}
