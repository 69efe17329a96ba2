internal import Foundation
public import Networks
public import Tensors

// MARK: - Images in other places and sizes

extension ReferenceKernels {
  /// The image at another place in one of another size: `dst[n, y + top, x + left, c] = src[n, y, x, c]` where both exist, 0
  /// elsewhere.
  ///
  /// Padding has positive margins, cropping negative ones; the gradient is the same with opposite margins.
  public static func moved(_ src: ReferenceTensor, _ margins: Margins2D, sign: Int) -> ReferenceTensor {
    let (top, left) = (sign * margins.top, sign * margins.left)
    let height = src.shape[1] + top + sign * margins.bottom
    let width = src.shape[2] + left + sign * margins.right
    var dst = ReferenceTensor([src.shape[0], height, width, src.shape[3]])
    for n in 0..<src.shape[0] {
      for y in 0..<src.shape[1] where (0..<height).contains(y + top) {
        for x in 0..<src.shape[2] where (0..<width).contains(x + left) {
          for c in 0..<src.shape[3] { dst[n, y + top, x + left, c] = src[n, y, x, c] }
        }
      }
    }
    return dst
  }

  /// Enlarges images by whole factors.
  public static func upSampled(
    _ src: ReferenceTensor, _ size: Size2D, _ interpolation: Interpolation
  ) -> ReferenceTensor {
    var dst = ReferenceTensor([
      src.shape[0], src.shape[1] * size.height, src.shape[2] * size.width, src.shape[3],
    ])
    forEachShare(src.shape, size, interpolation) { from, to, share in
      for n in 0..<src.shape[0] {
        for c in 0..<src.shape[3] { dst[n, to.y, to.x, c] += share * src[n, from.y, from.x, c] }
      }
    }
    return dst
  }

  /// The gradient of enlarging with respect to the smaller images.
  public static func upSampledGradient(
    _ diffDst: ReferenceTensor, srcShape: Shape, _ size: Size2D, _ interpolation: Interpolation
  ) -> ReferenceTensor {
    var diffSrc = ReferenceTensor(srcShape)
    forEachShare(srcShape, size, interpolation) { from, to, share in
      for n in 0..<srcShape[0] {
        for c in 0..<srcShape[3] { diffSrc[n, from.y, from.x, c] += share * diffDst[n, to.y, to.x, c] }
      }
    }
    return diffSrc
  }

  /// Calls `body` for each pixel of the source that a pixel of the result takes a share of.
  private static func forEachShare(
    _ src: Shape, _ size: Size2D, _ interpolation: Interpolation,
    _ body: (_ from: (y: Int, x: Int), _ to: (y: Int, x: Int), Double) -> Void
  ) {
    for y in 0..<src[1] * size.height {
      for x in 0..<src[2] * size.width {
        for (fromY, shareY) in shares(y, size.height, src[1], interpolation) {
          for (fromX, shareX) in shares(x, size.width, src[2], interpolation) {
            body((fromY, fromX), (y, x), shareY * shareX)
          }
        }
      }
    }
  }

  /// The one or two places along an axis that a place of the result comes from.
  private static func shares(
    _ place: Int, _ factor: Int, _ extent: Int, _ interpolation: Interpolation
  ) -> [(Int, Double)] {
    guard interpolation == .bilinear else { return [(place / factor, 1)] }
    // Pixel centres lie at half pixels; beyond the outermost ones the edge goes on.
    let centre = (Double(place) + 0.5) / Double(factor) - 0.5
    let first = centre.rounded(.down)
    let share = centre - first
    func inside(_ index: Int) -> Int { min(max(index, 0), extent - 1) }
    return [(inside(Int(first)), 1 - share), (inside(Int(first) + 1), share)]
  }
}

// MARK: - Transposed convolution

extension ReferenceKernels {
  /// `dst[n, y·S + ky − P, x·S + kx − P, o] += src[n,y,x,i] · kernel[ky,kx,o,i]`, and the bias everywhere.
  ///
  /// `src`: [N, H, W, IC]; `kernel`: [KH, KW, OC, IC].
  public static func transposedConvolution(
    _ src: ReferenceTensor, kernel: ReferenceTensor, bias: ReferenceTensor?, _ conv: Conv2DTranspose
  ) -> ReferenceTensor {
    var dst = ReferenceTensor(transposedShape(src.shape, conv))
    forEachTransposedTap(src.shape, conv) { n, y, x, ky, kx, h, w in
      for o in 0..<conv.filters {
        for i in 0..<src.shape[3] { dst[n, h, w, o] += src[n, y, x, i] * kernel[ky, kx, o, i] }
      }
    }
    if let bias {
      for index in dst.values.indices { dst.values[index] += bias.values[index % conv.filters] }
    }
    return dst
  }

  /// The gradients of a transposed convolution.
  public static func transposedConvolutionGradient(
    _ diffDst: ReferenceTensor, src: ReferenceTensor, kernel: ReferenceTensor, _ conv: Conv2DTranspose
  ) -> (diffSrc: ReferenceTensor, diffKernel: ReferenceTensor) {
    var diffSrc = ReferenceTensor(src.shape)
    var diffKernel = ReferenceTensor(kernel.shape)
    forEachTransposedTap(src.shape, conv) { n, y, x, ky, kx, h, w in
      for o in 0..<conv.filters {
        for i in 0..<src.shape[3] {
          diffSrc[n, y, x, i] += diffDst[n, h, w, o] * kernel[ky, kx, o, i]
          diffKernel[ky, kx, o, i] += diffDst[n, h, w, o] * src[n, y, x, i]
        }
      }
    }
    return (diffSrc, diffKernel)
  }

  /// Output shape as Keras's documentation gives it.
  private static func transposedShape(_ src: Shape, _ conv: Conv2DTranspose) -> Shape {
    func extent(_ input: Int, _ window: Int, _ stride: Int) -> Int {
      conv.padding == .same ? input * stride : input * stride + max(window - stride, 0)
    }
    return [
      src[0], extent(src[1], conv.kernel.height, conv.stride.height),
      extent(src[2], conv.kernel.width, conv.stride.width), conv.filters,
    ]
  }

  private static func forEachTransposedTap(
    _ src: Shape, _ conv: Conv2DTranspose,
    _ body: (_ n: Int, _ y: Int, _ x: Int, _ ky: Int, _ kx: Int, _ h: Int, _ w: Int) -> Void
  ) {
    let dst = transposedShape(src, conv)
    // The windows of the convolution that leads from dst back to src.
    let rows = ReferenceWindow(
      extent: dst[1], size: conv.kernel.height, stride: conv.stride.height, padding: conv.padding)
    let columns = ReferenceWindow(
      extent: dst[2], size: conv.kernel.width, stride: conv.stride.width, padding: conv.padding)
    for n in 0..<src[0] {
      for y in 0..<src[1] {
        for x in 0..<src[2] {
          for ky in 0..<conv.kernel.height {
            let h = rows.element(ky, at: y)
            guard (0..<dst[1]).contains(h) else { continue }
            for kx in 0..<conv.kernel.width {
              let w = columns.element(kx, at: x)
              guard (0..<dst[2]).contains(w) else { continue }
              body(n, y, x, ky, kx, h, w)
            }
          }
        }
      }
    }
  }
}

// MARK: - Words

extension ReferenceKernels {
  /// `src`: [N, T] word numbers; `table`: [words, D]; result: [N, T, D].
  public static func embedding(_ src: ReferenceTensor, table: ReferenceTensor) -> ReferenceTensor {
    let dimension = table.shape[1]
    return ReferenceTensor(
      [src.shape[0], src.shape[1], dimension],
      src.values.flatMap { word in (0..<dimension).map { table[Int(word), $0] } })
  }

  /// The gradient of an embedding with respect to its table.
  public static func embeddingGradient(
    _ diffDst: ReferenceTensor, src: ReferenceTensor, _ embedding: Embedding
  ) -> ReferenceTensor {
    var diff = ReferenceTensor([embedding.vocabulary, embedding.dimension])
    for (index, word) in src.values.enumerated() where !embedding.isFrozen {
      for element in 0..<embedding.dimension where Int(word) != embedding.paddingWord {
        diff[Int(word), element] += diffDst.values[index * embedding.dimension + element]
      }
    }
    return diff
  }
}
