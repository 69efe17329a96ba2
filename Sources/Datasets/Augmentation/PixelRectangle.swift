internal import Glibc
internal import Tensors

/// A part of a sample, inside it.
struct PixelRectangle: Hashable, Sendable {
  let rows: Range<Int>
  let columns: Range<Int>

  var area: Int { rows.count * columns.count }

  /// A rectangle around a pixel, cut off at the edges.
  init(around row: Int, _ column: Int, height: Int, width: Int, in grid: PixelGrid) {
    let (top, left) = (row - height / 2, column - width / 2)
    rows = min(max(top, 0), grid.height)..<max(0, min(top + height, grid.height))
    columns = min(max(left, 0), grid.width)..<max(0, min(left + width, grid.width))
  }

  init(rows: Range<Int>, columns: Range<Int>) {
    self.rows = rows
    self.columns = columns
  }

  func fill<T: PixelValue>(_ grid: PixelGrid, _ pixels: UnsafeMutablePointer<T>, with value: T) {
    for row in rows {
      (pixels + row * grid.stride + columns.lowerBound * grid.channels).update(
        repeating: value, count: columns.count * grid.channels)
    }
  }

  func copy<T: PixelValue>(
    _ grid: PixelGrid, from source: UnsafePointer<T>, to target: UnsafeMutablePointer<T>
  ) {
    for row in rows {
      let start = row * grid.stride + columns.lowerBound * grid.channels
      (target + start).update(from: source + start, count: columns.count * grid.channels)
    }
  }
}

extension RandomErasing {
  /// The rectangle to fill in a sample; nil when it stays whole.
  func draw(_ grid: PixelGrid, _ random: inout RandomStream) -> PixelRectangle? {
    guard random.nextUniformDouble() < probability else { return nil }
    let logarithms = (log(aspect.lowerBound), log(aspect.upperBound))
    for _ in 0..<10 {
      let wanted = Double(grid.pixelCount) * random.uniform(area.lowerBound, area.upperBound)
      let ratio = exp(random.uniform(logarithms.0, logarithms.1))
      let height = Int((wanted * ratio).squareRoot().rounded())
      let width = Int((wanted / ratio).squareRoot().rounded())
      guard (1...grid.height).contains(height), (1...grid.width).contains(width) else { continue }
      let top = random.nextInteger(below: grid.height - height + 1)
      let left = random.nextInteger(below: grid.width - width + 1)
      return PixelRectangle(rows: top..<top + height, columns: left..<left + width)
    }
    return nil
  }
}

extension RandomStream {
  /// Uniform between two numbers.
  mutating func uniform(_ low: Double, _ high: Double) -> Double {
    low + (high - low) * nextUniformDouble()
  }
}
