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

  /// The gradient of average pooling with respect to its input.
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
    let (rows, columns) = windows(src, pool)
    return [src[0], rows.count, columns.count, src[3]]
  }

  private typealias Place = (h: Int, w: Int)

  /// Calls `body` for each output element with the places inside the image that its window covers.
  private static func forEachWindow(
    _ src: Shape, _ pool: Pool2D, _ body: (_ n: Int, _ y: Int, _ x: Int, _ c: Int, [Place]) -> Void
  ) {
    let (rows, columns) = windows(src, pool)
    for y in 0..<rows.count {
      let covered = (0..<pool.size.height).map { rows.element($0, at: y) }.filter {
        (0..<src[1]).contains($0)
      }
      for x in 0..<columns.count {
        let window = covered.flatMap { h in
          (0..<pool.size.width).map { (h: h, w: columns.element($0, at: x)) }
            .filter { (0..<src[2]).contains($0.w) }
        }
        for n in 0..<src[0] {
          for c in 0..<src[3] { body(n, y, x, c, window) }
        }
      }
    }
  }

  private static func windows(
    _ src: Shape, _ pool: Pool2D
  ) -> (rows: ReferenceWindow, columns: ReferenceWindow) {
    (
      ReferenceWindow(
        extent: src[1], size: pool.size.height, stride: pool.stride.height, padding: pool.padding),
      ReferenceWindow(
        extent: src[2], size: pool.size.width, stride: pool.stride.width, padding: pool.padding)
    )
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
