import Networks
import Tensors
import TestSupport
import Testing

/// The oracle's own oracle: numbers worked out by hand, and backward passes against differences of the forward ones.
@Suite("Reference kernels")
struct ReferenceKernelsTests {
  static let convolutions = [
    Conv2D(filters: 3, kernel: Size2D(3)),
    Conv2D(filters: 3, kernel: Size2D(3, 2), stride: Size2D(2, 3), padding: .same),
    Conv2D(filters: 4, kernel: Size2D(2, 3), dilation: Size2D(2, 1), padding: .same, groups: 2),
    Conv2D(filters: 6, kernel: .one, stride: Size2D(3), groups: 2),
    Conv2D(filters: 2, kernel: Size2D(3), dilation: Size2D(2), padding: .valid),
  ]

  @Test("a convolution of 1…9 with a 2×2 kernel gives the sums worked out by hand")
  func convolutionByHand() {
    let src = ReferenceTensor([1, 3, 3, 1], (1...9).map(Double.init))
    let kernel = ReferenceTensor([2, 2, 1, 1], [1, 2, 3, 4])
    let bias = ReferenceTensor([1], [0.5])
    let valid = ReferenceKernels.convolution(
      src, kernel: kernel, bias: bias, Conv2D(filters: 1, kernel: Size2D(2)))
    #expect(valid == ReferenceTensor([1, 2, 2, 1], [37.5, 47.5, 67.5, 77.5]))
    // An even kernel pads after the image, so the last row and column see zeros.
    let same = ReferenceKernels.convolution(
      src, kernel: kernel, bias: nil, Conv2D(filters: 1, kernel: Size2D(2), padding: .same))
    #expect(same == ReferenceTensor([1, 3, 3, 1], [37, 47, 21, 67, 77, 33, 23, 26, 9]))
  }

  @Test("stride, dilation and padding act along their own axis, as worked out by hand")
  func geometryByHand() {
    // Rows of 10, 20, …, columns of 1, 2, …: a sum says which four elements a window read.
    let rows = (1...4).flatMap { row in (1...5).map { column in Double(10 * row + column) } }
    let src = ReferenceTensor([1, 4, 5, 1], rows)
    func sums(_ conv: Conv2D) -> ReferenceTensor {
      let kernel = ReferenceTensor([2, 2, 1, 1], [1, 1, 1, 1])
      return ReferenceKernels.convolution(src, kernel: kernel, bias: nil, conv)
    }
    let strided = sums(Conv2D(filters: 1, kernel: Size2D(2), stride: Size2D(2, 3)))
    #expect(strided == ReferenceTensor([1, 2, 2, 1], [66, 78, 146, 158]))
    let corners = sums(Conv2D(filters: 1, kernel: Size2D(2), dilation: Size2D(3, 4)))
    #expect(corners == ReferenceTensor([1, 1, 1, 1], [112]))
    // The window spans 3 rows and 4 columns: same padding adds a row on either side, one column before and two after.
    let same = sums(Conv2D(filters: 1, kernel: Size2D(2), dilation: Size2D(2, 3), padding: .same))
    #expect(same.shape == [1, 4, 5, 1])
    #expect(Array(same.values[0..<10]) == [23, 45, 47, 23, 24, 46, 90, 94, 46, 48])
  }

  @Test("groups keep to their own channels")
  func groups() {
    let src = ReferenceTensor([1, 1, 1, 4], [1, 10, 100, 1000])
    let kernel = ReferenceTensor([1, 1, 2, 2], [1, 2, 3, 4])
    let dst = ReferenceKernels.convolution(
      src, kernel: kernel, bias: nil, Conv2D(filters: 2, kernel: .one, groups: 2))
    #expect(dst.values == [1 + 30, 200 + 4000])
  }

  @Test("convolution gradients agree with differences", arguments: convolutions)
  func convolutionGradients(conv: Conv2D) {
    let src = ReferenceTensor.random([2, 7, 6, 4], seed: 1)
    let kernel = ReferenceTensor.random(
      [conv.kernel.height, conv.kernel.width, 4 / conv.groups, conv.filters], seed: 2)
    let bias = ReferenceTensor.random([conv.filters], seed: 3)
    let diffDst = ReferenceTensor.random(ReferenceKernels.convolutionShape(src.shape, conv), seed: 4)
    func value(_ src: ReferenceTensor, _ kernel: ReferenceTensor, _ bias: ReferenceTensor) -> Double {
      ReferenceKernels.convolution(src, kernel: kernel, bias: bias, conv).dot(diffDst)
    }
    let toSource = ReferenceKernels.convolutionGradientToSource(
      diffDst, kernel: kernel, srcShape: src.shape, conv)
    expectGradient(toSource, at: src, "source") { value($0, kernel, bias) }
    let toKernel = ReferenceKernels.convolutionGradientToKernel(diffDst, src: src, conv)
    expectGradient(toKernel, at: kernel, "kernel") { value(src, $0, bias) }
    expectGradient(ReferenceKernels.biasGradient(diffDst), at: bias, "bias") { value(src, kernel, $0) }
  }

  @Test(
    "pooling gradients agree with differences",
    arguments: [
      Pool2D(size: Size2D(2)), Pool2D(size: Size2D(3), stride: Size2D(2), padding: .same),
      Pool2D(size: Size2D(2, 3), stride: Size2D(3, 1), padding: .same),
    ])
  func poolingGradients(pool: Pool2D) {
    let src = ReferenceTensor.shuffled([2, 5, 6, 3], seed: 5)
    let diffDst = ReferenceTensor.random(ReferenceKernels.poolShape(src.shape, pool), seed: 6)
    expectGradient(ReferenceKernels.maxPoolGradient(diffDst, src: src, pool), at: src, "maximum") {
      ReferenceKernels.maxPool($0, pool).dot(diffDst)
    }
    let toAverage = ReferenceKernels.averagePoolGradient(diffDst, srcShape: src.shape, pool)
    expectGradient(toAverage, at: src, "average") { ReferenceKernels.averagePool($0, pool).dot(diffDst) }
  }

  @Test("padding is neither averaged nor a maximum")
  func poolingPadding() {
    let src = ReferenceTensor([1, 3, 3, 1], (1...9).map { -Double($0) })
    let pool = Pool2D(size: Size2D(2), padding: .same)
    #expect(ReferenceKernels.averagePool(src, pool).values == [-3, -4.5, -7.5, -9])
    #expect(ReferenceKernels.maxPool(src, pool).values == [-1, -3, -7, -9])
    #expect(ReferenceKernels.globalAveragePool(src) == ReferenceTensor([1, 1], [-5]))
    #expect(ReferenceKernels.globalMaxPool(src) == ReferenceTensor([1, 1], [-1]))
  }

  @Test("of equal maxima the first in the window takes the gradient")
  func poolingTies() {
    let src = ReferenceTensor([1, 2, 2, 1], repeating: 3)
    let diffDst = ReferenceTensor([1, 1, 1, 1], [2])
    let pool = Pool2D(size: Size2D(2))
    #expect(ReferenceKernels.maxPoolGradient(diffDst, src: src, pool).values == [2, 0, 0, 0])
    #expect(
      ReferenceKernels.globalMaxPoolGradient(diffDst.reshaped(to: [1, 1]), src: src).values == [2, 0, 0, 0])
    #expect(
      ReferenceKernels.globalAveragePoolGradient(diffDst.reshaped(to: [1, 1]), srcShape: src.shape).values
        == [0.5, 0.5, 0.5, 0.5])
  }

  @Test("dense gradients agree with differences")
  func denseGradients() {
    let src = ReferenceTensor.random([3, 5], seed: 7)
    let kernel = ReferenceTensor.random([5, 4], seed: 8)
    let bias = ReferenceTensor.random([4], seed: 9)
    let diffDst = ReferenceTensor.random([3, 4], seed: 10)
    expectGradient(ReferenceKernels.denseGradientToSource(diffDst, kernel: kernel), at: src) {
      ReferenceKernels.dense($0, kernel: kernel, bias: bias).dot(diffDst)
    }
    expectGradient(ReferenceKernels.denseGradientToKernel(diffDst, src: src), at: kernel) {
      ReferenceKernels.dense(src, kernel: $0, bias: bias).dot(diffDst)
    }
    #expect(
      ReferenceKernels.dense(
        ReferenceTensor([1, 2], [1, 10]), kernel: ReferenceTensor([2, 2], [1, 2, 3, 4]),
        bias: ReferenceTensor([2], [100, 200])
      ).values == [131, 242])
  }

  @Test("activation gradients agree with differences", arguments: Activation.allCases)
  func activationGradients(activation: Activation) {
    // Evenly spaced values without zero: away from the kink of relu.
    let src = ReferenceTensor.shuffled([3, 4], seed: 11, scale: 3)
    let diffDst = ReferenceTensor.random([3, 4], seed: 12)
    expectGradient(ReferenceKernels.activationGradient(activation, diffDst, src: src), at: src) {
      ReferenceKernels.activation(activation, $0).dot(diffDst)
    }
  }

  @Test("gradients of products, slopes and shapes agree with differences")
  func movedGradients() {
    let src = ReferenceTensor.shuffled([2, 3, 4, 5], seed: 31)
    let factor = ReferenceTensor.random([2, 5], seed: 32)
    let diffDst = ReferenceTensor.random(src.shape, seed: 33)
    let product = ReferenceKernels.channelProductGradient(diffDst, src: src, factor: factor)
    expectGradient(product.diffSrc, at: src) { ReferenceKernels.channelProduct($0, factor).dot(diffDst) }
    expectGradient(product.diffFactor, at: factor) { ReferenceKernels.channelProduct(src, $0).dot(diffDst) }
    for shape: Shape in [[1, 1, 5], [3, 4, 5]] {
      let alpha = ReferenceTensor.random(shape, seed: 34)
      let result = ReferenceKernels.preluGradient(diffDst, src: src, alpha: alpha)
      expectGradient(result.diffSrc, at: src) { ReferenceKernels.prelu($0, alpha: alpha).dot(diffDst) }
      expectGradient(result.diffAlpha, at: alpha) { ReferenceKernels.prelu(src, alpha: $0).dot(diffDst) }
    }
    expectGradient(ReferenceKernels.leakyReLUGradient(diffDst, src: src, slope: 0.3), at: src) {
      ReferenceKernels.leakyReLU($0, slope: 0.3).dot(diffDst)
    }
    expectGradient(ReferenceKernels.eluGradient(diffDst, src: src, alpha: 0.7), at: src) {
      ReferenceKernels.elu($0, alpha: 0.7).dot(diffDst)
    }
    let margins = Margins2D(top: 1, bottom: 0, left: 0, right: 2)
    for sign in [1, -1] {
      let diff = ReferenceTensor.random(ReferenceKernels.moved(src, margins, sign: sign).shape, seed: 35)
      expectGradient(ReferenceKernels.moved(diff, margins, sign: -sign), at: src) {
        ReferenceKernels.moved($0, margins, sign: sign).dot(diff)
      }
    }
    for interpolation in Interpolation.allCases {
      let diff = ReferenceTensor.random([2, 6, 12, 5], seed: 36)
      expectGradient(
        ReferenceKernels.upSampledGradient(diff, srcShape: src.shape, Size2D(2, 3), interpolation), at: src
      ) { ReferenceKernels.upSampled($0, Size2D(2, 3), interpolation).dot(diff) }
    }
  }

  @Test("gradients of transposed convolutions, embeddings, layer and response norms agree with differences")
  func otherGradients() {
    let src = ReferenceTensor.random([2, 3, 4, 5], seed: 41)
    for conv in [
      Conv2DTranspose(filters: 2, kernel: Size2D(3, 2), stride: Size2D(2, 3), padding: .same),
      Conv2DTranspose(filters: 2, kernel: Size2D(3), stride: Size2D(1, 2)),
    ] {
      let kernel = ReferenceTensor.random([conv.kernel.height, conv.kernel.width, 2, 5], seed: 42)
      let bias = ReferenceTensor.random([2], seed: 43)
      func value(_ src: ReferenceTensor, _ kernel: ReferenceTensor) -> ReferenceTensor {
        ReferenceKernels.transposedConvolution(src, kernel: kernel, bias: bias, conv)
      }
      let diff = ReferenceTensor.random(value(src, kernel).shape, seed: 44)
      let result = ReferenceKernels.transposedConvolutionGradient(diff, src: src, kernel: kernel, conv)
      expectGradient(result.diffSrc, at: src) { value($0, kernel).dot(diff) }
      expectGradient(result.diffKernel, at: kernel) { value(src, $0).dot(diff) }
    }
    let words = ReferenceTensor([2, 3], [0, 4, 2, 2, 1, 0])
    let table = ReferenceTensor.random([5, 3], seed: 45)
    let diffWords = ReferenceTensor.random([2, 3, 3], seed: 46)
    expectGradient(
      ReferenceKernels.embeddingGradient(diffWords, src: words, Embedding(vocabulary: 5, dimension: 3)),
      at: table
    ) { ReferenceKernels.embedding(words, table: $0).dot(diffWords) }
    let diffDst = ReferenceTensor.random(src.shape, seed: 47)
    let gamma = ReferenceTensor.random([5], seed: 48)
    let beta = ReferenceTensor.random([5], seed: 49)
    let layer = ReferenceKernels.layerNormGradient(diffDst, src: src, gamma: gamma, epsilon: 1e-3)
    func normed(_ src: ReferenceTensor, _ gamma: ReferenceTensor, _ beta: ReferenceTensor) -> Double {
      ReferenceKernels.layerNorm(src, gamma: gamma, beta: beta, epsilon: 1e-3).dot(diffDst)
    }
    expectGradient(layer.diffSrc, at: src) { normed($0, gamma, beta) }
    expectGradient(layer.diffGamma, at: gamma) { normed(src, $0, beta) }
    expectGradient(layer.diffBeta, at: beta) { normed(src, gamma, $0) }
    for groups in [1, 5] {
      let group = ReferenceKernels.groupNormGradient(
        diffDst, src: src, groups: groups, gamma: gamma, epsilon: 1e-3)
      func grouped(_ src: ReferenceTensor, _ gamma: ReferenceTensor) -> Double {
        ReferenceKernels.groupNorm(src, groups: groups, gamma: gamma, beta: beta, epsilon: 1e-3).dot(diffDst)
      }
      expectGradient(group.diffSrc, at: src) { grouped($0, gamma) }
      expectGradient(group.diffGamma, at: gamma) { grouped(src, $0) }
    }
    let response = LocalResponseNorm(radius: 1, bias: 1.5, alpha: 0.7, beta: 0.6)
    expectGradient(ReferenceKernels.localResponseNormGradient(diffDst, src: src, response), at: src) {
      ReferenceKernels.localResponseNorm($0, response).dot(diffDst)
    }
  }

  @Test("batch normalisation gives mean beta and deviation gamma, and gradients through its statistics")
  func batchNorm() {
    let src = ReferenceTensor.random([3, 2, 3, 4], seed: 13)
    let gamma = ReferenceTensor.random([4], seed: 14)
    let beta = ReferenceTensor.random([4], seed: 15)
    let diffDst = ReferenceTensor.random(src.shape, seed: 16)
    let epsilon = 1e-3
    func value(_ src: ReferenceTensor, _ gamma: ReferenceTensor, _ beta: ReferenceTensor) -> Double {
      ReferenceKernels.batchNormTraining(src, gamma: gamma, beta: beta, epsilon: epsilon).dst.dot(diffDst)
    }
    let gradients = ReferenceKernels.batchNormTrainingGradient(
      diffDst, src: src, gamma: gamma, epsilon: epsilon)
    expectGradient(gradients.diffSrc, at: src, "source") { value($0, gamma, beta) }
    expectGradient(gradients.diffGamma, at: gamma, "gamma") { value(src, $0, beta) }
    expectGradient(gradients.diffBeta, at: beta, "beta") { value(src, gamma, $0) }

    let result = ReferenceKernels.batchNormTraining(src, gamma: gamma, beta: beta, epsilon: 1e-12)
    let again = ReferenceKernels.batchNormTraining(result.dst, gamma: nil, beta: nil, epsilon: 0)
    expectClose(again.mean, beta, absolute: 1e-12)
    expectClose(again.variance, gamma.map { $0 * $0 }, absolute: 1e-9)
  }

  @Test("joined channels come apart again", arguments: [1, 5])
  func concat(rows: Int) {
    let parts = [1, 3, 2].map { ReferenceTensor.random([rows, 2, 2, $0], seed: UInt64($0)) }
    let joined = ReferenceKernels.concat(parts)
    #expect(joined.shape == [rows, 2, 2, 6])
    #expect(joined[rows - 1, 1, 0, 1] == parts[1][rows - 1, 1, 0, 0])
    #expect(ReferenceKernels.concatGradient(joined, channels: [1, 3, 2]) == parts)
    #expect(ReferenceKernels.add([joined, joined]) == joined.map { 2 * $0 })
  }

  @Test("the loss of equal logits is log(classes), and its gradient agrees with differences")
  func crossEntropy() {
    let equal = ReferenceKernels.softmaxCrossEntropy(
      logits: ReferenceTensor([2, 10], repeating: 800), labels: [0, 9])
    expectClose([equal.lossSum], [2 * 2.302_585_092_994_046], relative: 1e-12)
    for smoothing in [0.0, 0.1] {
      let logits = ReferenceTensor.random([3, 5], seed: 17, scale: 4)
      let loss = ReferenceKernels.softmaxCrossEntropy(
        logits: logits, labels: [4, 0, 2], labelSmoothing: smoothing)
      expectGradient(loss.diffLogits, at: logits) {
        ReferenceKernels.softmaxCrossEntropy(logits: $0, labels: [4, 0, 2], labelSmoothing: smoothing).lossSum
      }
    }
  }
}
