internal import Tensors

/// The shape of a sample: rows × columns × channels, channels innermost.
struct PixelGrid: Hashable, Sendable {
  let height: Int
  let width: Int
  let channels: Int

  /// A vector of features counts as one pixel of as many channels.
  init(_ shape: Shape) {
    (height, width, channels) =
      shape.rank == 3 ? (shape[0], shape[1], shape[2]) : (1, 1, shape.elementCount)
  }

  var pixelCount: Int { height * width }
  var count: Int { height * width * channels }
  /// Elements from one row to the next.
  var stride: Int { width * channels }
}

/// Moves of whole pixels; `source` and `target` do not overlap.
extension PixelGrid {
  func flipHorizontal<T: PixelValue>(_ source: UnsafePointer<T>, _ target: UnsafeMutablePointer<T>) {
    if channels == 1 {
      for row in 0..<height {
        let from = source + row &* width
        let to = target + row &* width
        for column in 0..<width { to[column] = from[width &- 1 &- column] }
      }
    } else if channels == 3 {
      for row in 0..<height {
        var from = source + (row &* stride &+ stride)
        var to = target + row &* stride
        for _ in 0..<width {
          from -= 3
          (to[0], to[1], to[2]) = (from[0], from[1], from[2])
          to += 3
        }
      }
    } else {
      for row in 0..<height {
        for column in 0..<width {
          let from = source + (row &* stride &+ (width &- 1 &- column) &* channels)
          (target + (row &* stride &+ column &* channels)).update(from: from, count: channels)
        }
      }
    }
  }

  func flipVertical<T: PixelValue>(_ source: UnsafePointer<T>, _ target: UnsafeMutablePointer<T>) {
    for row in 0..<height {
      (target + row * stride).update(from: source + (height - 1 - row) * stride, count: stride)
    }
  }

  /// Rows become columns; for squares.
  func transpose<T: PixelValue>(_ source: UnsafePointer<T>, _ target: UnsafeMutablePointer<T>) {
    for row in 0..<height {
      for column in 0..<width {
        let from = source + (column &* stride &+ row &* channels)
        let to = target + (row &* stride &+ column &* channels)
        for channel in 0..<channels { to[channel] = from[channel] }
      }
    }
  }

  /// The part as large as the sample that begins `down` rows and `right` columns after its first pixel.
  func shift<T: PixelValue>(
    _ source: UnsafePointer<T>, _ target: UnsafeMutablePointer<T>, down: Int, right: Int, border: Border,
    zero: T
  ) {
    // Columns of the target whose source lies inside.
    let inside = max(0, min(-right, width))..<max(0, min(width - right, width))
    for row in 0..<height {
      let to = target + row * stride
      guard let line = border.resolve(row + down, height) else {
        to.update(repeating: zero, count: stride)
        continue
      }
      let from = source + line * stride
      if !inside.isEmpty {
        (to + inside.lowerBound * channels).update(
          from: from + (inside.lowerBound + right) * channels, count: inside.count * channels)
      }
      for column in 0..<width where !inside.contains(column) {
        if let place = border.resolve(column + right, width) {
          (to + column * channels).update(from: from + place * channels, count: channels)
        } else {
          (to + column * channels).update(repeating: zero, count: channels)
        }
      }
    }
  }
}

/// One of the eight rotations and reflections of a square: transposed first, then flipped.
struct BoardSymmetry: Hashable, Sendable {
  let isTransposed: Bool
  let isFlippedHorizontally: Bool
  let isFlippedVertically: Bool

  /// - Parameter index: 0...7; 0 changes nothing.
  init(index: Int) {
    isTransposed = index & 4 != 0
    isFlippedVertically = index & 2 != 0
    isFlippedHorizontally = index & 1 != 0
  }
}
