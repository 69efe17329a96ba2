public import Networks
public import Tensors

// MARK: - Windows

extension ReferenceKernels {
  /// Maximum over windows; padding never wins.
  ///
  /// `src`: [N, H, W, C]; result: [N, OH, OW, C].
  public static func maxPool(_ src: ReferenceTensor, _ pool: Pool2D) -> ReferenceTensor {
    var dst = ReferenceTensor(poolShape(src.shape, pool))
    forEachWindow(src.shape, pool) { n, y, x, c, window in
      dst[n, y, x, c] = window.map { src[n, $0.h, $0.w, c] }.max() ?? -.infinity
    }
    return dst
  }

  /// Gives each output's gradient to the first maximum of its window in row order.
  public static func maxPoolGradient(
    _ diffDst: ReferenceTensor, src: ReferenceTensor, _ pool: Pool2D
  ) -> ReferenceTensor {
    var diffSrc = ReferenceTensor(src.shape)
    forEachWindow(src.shape, pool) { n, y, x, c, window in
      guard var best = window.first else { return }
      for place in window where src[n, place.h, place.w, c] > src[n, best.h, best.w, c] { best = place }
      diffSrc[n, best.h, best.w, c] += diffDst[n, y, x, c]
    }
    return diffSrc
  }

  /// Mean over the elements of the window that lie inside the image: padding is not counted.
  public static func averagePool(_ src: ReferenceTensor, _ pool: Pool2D) -> ReferenceTensor {
    var dst = ReferenceTensor(poolShape(src.shape, pool))
    forEachWindow(src.shape, pool) { n, y, x, c, window in
      dst[n, y, x, c] = window.reduce(0) { $0 + src[n, $1.h, $1.w, c] } / Double(window.count)
    }
    return dst
  }

  public static func averagePoolGradient(
    _ diffDst: ReferenceTensor, srcShape: Shape, _ pool: Pool2D
  ) -> ReferenceTensor {
    var diffSrc = ReferenceTensor(srcShape)
    forEachWindow(srcShape, pool) { n, y, x, c, window in
      for place in window {
        diffSrc[n, place.h, place.w, c] += diffDst[n, y, x, c] / Double(window.count)
      }
    }
    return diffSrc
  }

  /// Output shape with N.
  public static func poolShape(_ src: Shape, _ pool: Pool2D) -> Shape {
    let geometry = windowGeometry(src, pool)
    return [src[0], geometry.height.output, geometry.width.output, src[3]]
  }

  private typealias Place = (h: Int, w: Int)

  /// Calls `body` for each output element with the places inside the image that its window covers.
  private static func forEachWindow(
    _ src: Shape, _ pool: Pool2D, _ body: (_ n: Int, _ y: Int, _ x: Int, _ c: Int, [Place]) -> Void
  ) {
    let geometry = windowGeometry(src, pool)
    for y in 0..<geometry.height.output {
      let top = y * pool.stride.height - geometry.height.paddingBefore
      let rows = max(top, 0)..<min(top + pool.size.height, src[1])
      for x in 0..<geometry.width.output {
        let left = x * pool.stride.width - geometry.width.paddingBefore
        let columns = max(left, 0)..<min(left + pool.size.width, src[2])
        let window = rows.flatMap { h in columns.map { (h: h, w: $0) } }
        for n in 0..<src[0] {
          for c in 0..<src[3] { body(n, y, x, c, window) }
        }
      }
    }
  }

  private static func windowGeometry(_ src: Shape, _ pool: Pool2D) -> WindowGeometry2D {
    guard let geometry = WindowGeometry2D(height: src[1], width: src[2], pool: pool) else {
      preconditionFailure("a \(pool.size) window does not fit into \(src)")
    }
    return geometry
  }
}

// MARK: - Whole images

extension ReferenceKernels {
  /// Mean of each channel over the image.
  ///
  /// `src`: [N, H, W, C]; result: [N, C].
  public static func globalAveragePool(_ src: ReferenceTensor) -> ReferenceTensor {
    averagePool(src, wholeImage(src.shape)).reshaped(to: [src.shape[0], src.shape[3]])
  }

  /// `diffDst`: [N, C]; result: [N, H, W, C].
  public static func globalAveragePoolGradient(
    _ diffDst: ReferenceTensor, srcShape: Shape
  ) -> ReferenceTensor {
    averagePoolGradient(
      diffDst.reshaped(to: [srcShape[0], 1, 1, srcShape[3]]), srcShape: srcShape, wholeImage(srcShape))
  }

  /// Maximum of each channel over the image.
  ///
  /// `src`: [N, H, W, C]; result: [N, C].
  public static func globalMaxPool(_ src: ReferenceTensor) -> ReferenceTensor {
    maxPool(src, wholeImage(src.shape)).reshaped(to: [src.shape[0], src.shape[3]])
  }

  /// `diffDst`: [N, C]; result: [N, H, W, C].
  public static func globalMaxPoolGradient(
    _ diffDst: ReferenceTensor, src: ReferenceTensor
  ) -> ReferenceTensor {
    maxPoolGradient(
      diffDst.reshaped(to: [src.shape[0], 1, 1, src.shape[3]]), src: src, wholeImage(src.shape))
  }

  private static func wholeImage(_ src: Shape) -> Pool2D { Pool2D(size: Size2D(src[1], src[2])) }
}
