public import Networks
public import Tensors

/// Layers and losses written as the textbook writes them: plain loops over `Double`, channels last.
///
/// They are the oracle of kernel tests, so nothing here is clever: each forward and backward is written from its formula
/// alone. Gradients are sums over the samples given, not means.
public enum ReferenceKernels {}

// MARK: - Convolution

extension ReferenceKernels {
  /// The cross-correlation, without activation.
  ///
  /// `dst[n,y,x,o] = bias[o] + Σ src[n, y·S + ky·D − P, x·S + kx·D − P, g + i] · kernel[ky,kx,i,o]`, where `g` is the
  /// first input channel of the group of `o`.
  ///
  /// - `src`: [N, H, W, IC]; `kernel`: [KH, KW, IC / groups, OC]; `bias`: [OC]; result: [N, OH, OW, OC].
  public static func convolution(
    _ src: ReferenceTensor, kernel: ReferenceTensor, bias: ReferenceTensor?, _ conv: Conv2D
  ) -> ReferenceTensor {
    var dst = ReferenceTensor(convolutionShape(src.shape, conv))
    forEachTap(src.shape, conv) { tap in
      dst[tap.n, tap.y, tap.x, tap.o] +=
        src[tap.n, tap.h, tap.w, tap.c] * kernel[tap.ky, tap.kx, tap.i, tap.o]
    }
    if let bias {
      for index in dst.values.indices { dst.values[index] += bias.values[index % conv.filters] }
    }
    return dst
  }

  /// `diffSrc[n,h,w,c] = Σ diffDst[n,y,x,o] · kernel[ky,kx,i,o]` over all windows that read `src[n,h,w,c]`.
  public static func convolutionGradientToSource(
    _ diffDst: ReferenceTensor, kernel: ReferenceTensor, srcShape: Shape, _ conv: Conv2D
  ) -> ReferenceTensor {
    var diffSrc = ReferenceTensor(srcShape)
    forEachTap(srcShape, conv) { tap in
      diffSrc[tap.n, tap.h, tap.w, tap.c] +=
        diffDst[tap.n, tap.y, tap.x, tap.o] * kernel[tap.ky, tap.kx, tap.i, tap.o]
    }
    return diffSrc
  }

  /// `diffKernel[ky,kx,i,o] = Σ diffDst[n,y,x,o] · src[n, y·S + ky·D − P, x·S + kx·D − P, g + i]`.
  public static func convolutionGradientToKernel(
    _ diffDst: ReferenceTensor, src: ReferenceTensor, _ conv: Conv2D
  ) -> ReferenceTensor {
    let groupChannels = src.shape[3] / conv.groups
    var diffKernel = ReferenceTensor([
      conv.kernel.height, conv.kernel.width, groupChannels, conv.filters,
    ])
    forEachTap(src.shape, conv) { tap in
      diffKernel[tap.ky, tap.kx, tap.i, tap.o] +=
        diffDst[tap.n, tap.y, tap.x, tap.o] * src[tap.n, tap.h, tap.w, tap.c]
    }
    return diffKernel
  }

  /// `diffBias[o] = Σ diffDst[…, o]`; for dense layers too.
  public static func biasGradient(_ diffDst: ReferenceTensor) -> ReferenceTensor {
    let channels = diffDst.shape[diffDst.shape.rank - 1]
    var diffBias = ReferenceTensor([channels])
    for index in diffDst.values.indices { diffBias.values[index % channels] += diffDst.values[index] }
    return diffBias
  }

  /// Output shape with N.
  public static func convolutionShape(_ src: Shape, _ conv: Conv2D) -> Shape {
    let (rows, columns) = windows(src, conv)
    return [src[0], rows.count, columns.count, conv.filters]
  }

  /// One multiply-add of a convolution: where it reads, which weight it uses, where it writes.
  private struct Tap {
    var n = 0
    var y = 0
    var x = 0
    var o = 0
    var ky = 0
    var kx = 0
    /// Input channel within the group, and in the image.
    var i = 0
    var c = 0
    var h = 0
    var w = 0
  }

  /// Calls `body` for every pair of output and input that a weight connects; padding connects nothing.
  private static func forEachTap(_ src: Shape, _ conv: Conv2D, _ body: (Tap) -> Void) {
    let (rows, columns) = windows(src, conv)
    let groupInputs = src[3] / conv.groups
    let groupOutputs = conv.filters / conv.groups
    var tap = Tap()
    for n in 0..<src[0] {
      tap.n = n
      for y in 0..<rows.count {
        tap.y = y
        for x in 0..<columns.count {
          tap.x = x
          for ky in 0..<conv.kernel.height {
            tap.ky = ky
            tap.h = rows.element(ky, at: y)
            guard tap.h >= 0, tap.h < src[1] else { continue }
            for kx in 0..<conv.kernel.width {
              tap.kx = kx
              tap.w = columns.element(kx, at: x)
              guard tap.w >= 0, tap.w < src[2] else { continue }
              for o in 0..<conv.filters {
                tap.o = o
                for i in 0..<groupInputs {
                  tap.i = i
                  tap.c = o / groupOutputs * groupInputs + i
                  body(tap)
                }
              }
            }
          }
        }
      }
    }
  }

  private static func windows(
    _ src: Shape, _ conv: Conv2D
  ) -> (rows: ReferenceWindow, columns: ReferenceWindow) {
    (
      ReferenceWindow(
        extent: src[1], size: conv.kernel.height, stride: conv.stride.height,
        dilation: conv.dilation.height, padding: conv.padding),
      ReferenceWindow(
        extent: src[2], size: conv.kernel.width, stride: conv.stride.width, dilation: conv.dilation.width,
        padding: conv.padding)
    )
  }
}

// MARK: - Dense

extension ReferenceKernels {
  /// `dst = src · kernel + bias`, without activation.
  ///
  /// `src`: [N, IC]; `kernel`: [IC, OC]; `bias`: [OC]; result: [N, OC].
  public static func dense(
    _ src: ReferenceTensor, kernel: ReferenceTensor, bias: ReferenceTensor?
  ) -> ReferenceTensor {
    let (n, ic, oc) = (src.shape[0], kernel.shape[0], kernel.shape[1])
    var dst = ReferenceTensor([n, oc])
    for row in 0..<n {
      for o in 0..<oc {
        var sum = bias?.values[o] ?? 0
        for i in 0..<ic { sum += src[row, i] * kernel[i, o] }
        dst[row, o] = sum
      }
    }
    return dst
  }

  /// `diffSrc = diffDst · kernelᵀ`.
  public static func denseGradientToSource(
    _ diffDst: ReferenceTensor, kernel: ReferenceTensor
  ) -> ReferenceTensor {
    let (n, ic, oc) = (diffDst.shape[0], kernel.shape[0], kernel.shape[1])
    var diffSrc = ReferenceTensor([n, ic])
    for row in 0..<n {
      for i in 0..<ic {
        for o in 0..<oc { diffSrc[row, i] += diffDst[row, o] * kernel[i, o] }
      }
    }
    return diffSrc
  }

  /// `diffKernel = srcᵀ · diffDst`.
  public static func denseGradientToKernel(
    _ diffDst: ReferenceTensor, src: ReferenceTensor
  ) -> ReferenceTensor {
    let (n, ic, oc) = (src.shape[0], src.shape[1], diffDst.shape[1])
    var diffKernel = ReferenceTensor([ic, oc])
    for row in 0..<n {
      for i in 0..<ic {
        for o in 0..<oc { diffKernel[i, o] += src[row, i] * diffDst[row, o] }
      }
    }
    return diffKernel
  }
}
