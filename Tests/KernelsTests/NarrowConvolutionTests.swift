import KernelShapes
import Kernels
import Tensors
import TestSupport
import Testing

@Suite(
  "The gradient of weights that read few channels against plain loops in Double, on every instruction set")
struct NarrowConvolutionTests {
  /// The usual ones, and forty that are drawn: any step and padding, rows of one pixel, channels around whole blocks.
  static let shapes: [NarrowConvolutionShape] = {
    var result = [
      shape(1, 1, 1, [1, 1], [1, 1], [1, 1], [0, 0], [1, 1]),
      shape(3, 1, 32, [28, 28], [28, 28], [3, 3], [1, 1], [1, 1]),
      shape(2, 1, 50, [28, 28], [24, 24], [5, 5], [0, 0], [1, 1]),
      shape(2, 3, 64, [19, 17], [5, 4], [11, 11], [2, 2], [4, 4]),
      shape(4, 1, 17, [200, 1], [198, 1], [3, 1], [0, 0], [1, 1]),
    ]
    var random = SplitMix64(seed: 5)
    while result.count < 45 {
      let window = [1 + random.next(below: 7), 1 + random.next(below: 7)]
      let padding = window.map { random.next(below: $0) }
      let stride = [1 + random.next(below: 3), 1 + random.next(below: 3)]
      let size = [1 + random.next(below: 12), 1 + random.next(below: 12)]
      // Windows may reach beyond the end of the image.
      let output = (0..<2).map { 1 + random.next(below: (size[$0] + padding[$0] - 1) / stride[$0] + 1) }
      result.append(
        shape(
          1 + random.next(below: 3), 1 + random.next(below: 3), 1 + random.next(below: 80), size, output,
          window, padding, stride))
    }
    return result
  }()

  private static func shape(
    _ samples: Int, _ inputs: Int, _ outputs: Int, _ size: [Int], _ output: [Int], _ window: [Int],
    _ padding: [Int], _ stride: [Int]
  ) -> NarrowConvolutionShape {
    NarrowConvolutionShape(
      samples: samples, inputs: inputs, outputs: outputs,
      windows: WindowShape(
        image: (size[0], size[1]), output: (output[0], output[1]), window: (window[0], window[1]),
        stride: (stride[0], stride[1]), padding: (padding[0], padding[1])))
  }

  @Test("it agrees with the loops, and all instruction sets in every bit", arguments: shapes)
  func passes(_ shape: NarrowConvolutionShape) {
    var random = SplitMix64(seed: UInt64(shape.outputs))
    func numbers(_ count: Int) -> [Float] { (0..<count).map { _ in Float(random.nextUnit() * 2 - 1) } }
    let src = numbers(shape.samples * shape.inputs * shape.windows.height * shape.windows.width)
    let diffDst = numbers(
      shape.samples * shape.outputs * shape.windows.outputHeight * shape.windows.outputWidth)
    let expected = Self.loops(shape, src, diffDst)
    let results = KernelSet.available.map { Self.run($0, shape, src, diffDst) }
    for (set, result) in zip(KernelSet.available, results) {
      let name = set.instructions.rawValue
      expectClose(
        result.weights, expected.weights, absolute: 1e-6, ofLargest: 1e-6, "weights' gradient, \(name)")
      expectClose(result.bias, expected.bias, absolute: 1e-6, ofLargest: 1e-6, "bias's gradient, \(name)")
      #expect(
        result.weights.map(\.bitPattern) == results[0].weights.map(\.bitPattern)
          && result.bias.map(\.bitPattern) == results[0].bias.map(\.bitPattern),
        "\(name) has other bits than \(KernelSet.available[0].instructions)")
    }
  }

  private static func loops(
    _ shape: NarrowConvolutionShape, _ src: [Float], _ diffDst: [Float]
  ) -> (weights: [Double], bias: [Double]) {
    let (inputs, outputs) = (shape.inputs, shape.outputs)
    var weights = [Double](repeating: 0, count: shape.weightCount)
    var bias = [Double](repeating: 0, count: outputs)
    for n in 0..<shape.samples {
      for k in 0..<outputs {
        for y in 0..<shape.windows.outputHeight {
          for x in 0..<shape.windows.outputWidth {
            let gradient = Double(
              diffDst[((n * outputs + k) * shape.windows.outputHeight + y) * shape.windows.outputWidth + x])
            bias[k] += gradient
            for i in 0..<shape.windows.windowHeight {
              for j in 0..<shape.windows.windowWidth {
                let (row, column) = (
                  y * shape.windows.strideDown + i - shape.windows.paddingTop,
                  x * shape.windows.strideAcross + j - shape.windows.paddingLeft
                )
                guard (0..<shape.windows.height).contains(row), (0..<shape.windows.width).contains(column)
                else { continue }
                for c in 0..<inputs {
                  let pixel = src[
                    ((n * inputs + c) * shape.windows.height + row) * shape.windows.width + column]
                  weights[((i * shape.windows.windowWidth + j) * inputs + c) * outputs + k] +=
                    gradient * Double(pixel)
                }
              }
            }
          }
        }
      }
    }
    return (weights, bias)
  }

  /// Into memory full of NaN, so that what is not written shows; so are the channels that fill the last block.
  private static func run(
    _ set: KernelSet, _ shape: NarrowConvolutionShape, _ src: [Float], _ diffDst: [Float]
  ) -> (weights: [Float], bias: [Float]) {
    let block = set.channelBlock
    let blocks = (shape.outputs + block - 1) / block
    let positions = shape.windows.outputHeight * shape.windows.outputWidth
    var packed = [Float](repeating: .nan, count: shape.samples * blocks * positions * block)
    for n in 0..<shape.samples {
      for k in 0..<shape.outputs {
        for position in 0..<positions {
          packed[((n * blocks + k / block) * positions + position) * block + k % block] =
            diffDst[(n * shape.outputs + k) * positions + position]
        }
      }
    }
    func floats(_ count: Int) -> AlignedBuffer<Float> {
      AlignedBuffer([Float](repeating: .nan, count: count))
    }
    let (source, diff) = (AlignedBuffer(src), AlignedBuffer(packed))
    let weights = floats(shape.weightCount)
    let (bias, scratch) = (floats(shape.outputs), floats(shape.scratchCount))
    set.narrowBackwardWeights(
      shape, source.baseAddress, diff.baseAddress, into: weights.baseAddress, diffBias: bias.baseAddress,
      scratch: scratch.baseAddress)
    return withExtendedLifetime((source, diff, scratch)) { (weights.array(), bias.array()) }
  }
}
