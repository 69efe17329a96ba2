import KernelShapes
import Kernels
import Tensors
import TestSupport
import Testing

@Suite("Winograd's convolution against plain loops in Double, on every instruction set of this CPU")
struct WinogradTests {
  /// Sizes that hurt, and thirty that are drawn: images smaller than a tile, all paddings, channels around whole blocks.
  static let shapes: [WinogradShape] = {
    var result = [
      shape(samples: 1, inputs: 1, outputs: 1, height: 1, width: 1, padding: (1, 1, 1, 1)),
      shape(samples: 3, inputs: 25, outputs: 50, height: 13, width: 13, padding: (0, 0, 0, 0)),
      shape(samples: 2, inputs: 64, outputs: 80, height: 4, width: 5, padding: (2, 0, 1, 2)),
      shape(samples: 1, inputs: 48, outputs: 16, height: 3, width: 11, padding: (0, 2, 0, 0)),
      shape(samples: 2, inputs: 100, outputs: 90, height: 2, width: 2, padding: (1, 1, 1, 1)),
      shape(samples: 9, inputs: 16, outputs: 32, height: 20, width: 17, padding: (1, 1, 1, 1)),
    ]
    var random = SplitMix64(seed: 19)
    while result.count < 36 {
      let padding = (
        random.next(below: 3), random.next(below: 3), random.next(below: 3), random.next(below: 3)
      )
      let (height, width) = (1 + random.next(below: 12), 1 + random.next(below: 12))
      guard height + padding.0 + padding.1 >= 3, width + padding.2 + padding.3 >= 3 else { continue }
      result.append(
        shape(
          samples: 1 + random.next(below: 3), inputs: 1 + random.next(below: 50),
          outputs: 1 + random.next(below: 70), height: height, width: width, padding: padding))
    }
    return result
  }()

  /// - Parameter padding: above, below, before, behind.
  static func shape(
    samples: Int, inputs: Int, outputs: Int, height: Int, width: Int, padding: (Int, Int, Int, Int)
  ) -> WinogradShape {
    WinogradShape(
      samples: samples, inputs: inputs, outputs: outputs, height: height, width: width, paddingTop: padding.0,
      paddingLeft: padding.2, outputHeight: height + padding.0 + padding.1 - 2,
      outputWidth: width + padding.2 + padding.3 - 2)
  }

  @Test("all passes agree with the loops, and all instruction sets in every bit", arguments: shapes)
  func passes(_ shape: WinogradShape) {
    let problem = Problem(shape)
    let expected = problem.loops()
    let results = KernelSet.available.map { problem.run($0) }
    for (set, result) in zip(KernelSet.available, results) {
      let name = set.instructions.rawValue
      // Winograd's sums cancel: errors are a share of the largest element. One pass stays below 4·10⁻⁶.
      expectClose(result.dst, expected.dst, absolute: 1e-7, ofLargest: 4e-6, "output, \(name)")
      expectClose(
        result.rectified, expected.dst.map { max($0, 0) }, absolute: 1e-7, ofLargest: 4e-6, "ReLU, \(name)")
      #expect(
        zip(result.rectified, result.dst).allSatisfy { $0 == max($1, 0) },
        "tiles in parts have other bits than all at once, \(name)")
      expectClose(
        result.diffSrc, expected.diffSrc, absolute: 1e-7, ofLargest: 4e-6, "image's gradient, \(name)")
      expectClose(
        result.diffWeights, expected.diffWeights, absolute: 1e-7, ofLargest: 4e-6,
        "weights' gradient, \(name)")
      expectClose(
        result.diffBias, expected.diffBias, absolute: 1e-6, ofLargest: 4e-6, "bias's gradient, \(name)")
      #expect(
        result.bits == results[0].bits, "\(name) has other bits than \(KernelSet.available[0].instructions)")
    }
  }

  @Test("weights that are transformed panel by panel are those that are transformed at once")
  func panels() {
    let problem = Problem(
      Self.shape(samples: 1, inputs: 70, outputs: 100, height: 4, width: 4, padding: (1, 1, 1, 1)))
    for set in KernelSet.available {
      #expect(
        problem.transformedWeights(set, inPanels: true) == problem.transformedWeights(set, inPanels: false))
    }
  }

  @Test("a NaN in the image comes out of ReLU as a NaN")
  func notANumber() {
    var problem = Problem(
      Self.shape(samples: 1, inputs: 16, outputs: 16, height: 4, width: 4, padding: (1, 1, 1, 1)))
    problem.src[5 * Problem.block + 3] = .nan
    for set in KernelSet.available {
      let finite = problem.run(set).rectified.filter { !$0.isNaN }
      #expect(finite.isEmpty)
    }
  }
}

/// A convolution with its numbers, images in blocks of 16 channels.
private struct Problem {
  static let block = 16

  let shape: WinogradShape
  var src: [Float]
  let weights: [Float]
  let bias: [Float]
  let diffDst: [Float]

  struct Result {
    var dst: [Float] = []
    var rectified: [Float] = []
    var diffSrc: [Float] = []
    var diffWeights: [Float] = []
    var diffBias: [Float] = []

    var bits: [[UInt32]] { [dst, rectified, diffSrc, diffWeights, diffBias].map { $0.map(\.bitPattern) } }
  }

  init(_ shape: WinogradShape) {
    self.shape = shape
    var random = SplitMix64(seed: UInt64(shape.inputs * 1000 + shape.outputs))
    func number() -> Float { Float(random.nextUnit() * 2 - 1) }
    var src = [Float](
      repeating: 0, count: shape.samples * shape.inputBlocks * 16 * shape.height * shape.width)
    var diffDst = [Float](
      repeating: 0, count: shape.samples * shape.outputBlocks * 16 * shape.outputHeight * shape.outputWidth)
    for n in 0..<shape.samples {
      for y in 0..<shape.height {
        for x in 0..<shape.width {
          for c in 0..<shape.inputs { src[Self.source(shape, n, c, y, x)] = number() }
        }
      }
      for y in 0..<shape.outputHeight {
        for x in 0..<shape.outputWidth {
          for k in 0..<shape.outputs { diffDst[Self.destination(shape, n, k, y, x)] = number() }
        }
      }
    }
    (self.src, self.diffDst) = (src, diffDst)
    weights = (0..<9 * shape.inputs * shape.outputs).map { _ in number() }
    bias = (0..<shape.outputs).map { _ in number() }
  }

  private static func source(_ shape: WinogradShape, _ n: Int, _ c: Int, _ y: Int, _ x: Int) -> Int {
    (((n * shape.inputBlocks + c / 16) * shape.height + y) * shape.width + x) * 16 + c % 16
  }

  private static func destination(_ shape: WinogradShape, _ n: Int, _ k: Int, _ y: Int, _ x: Int) -> Int {
    (((n * shape.outputBlocks + k / 16) * shape.outputHeight + y) * shape.outputWidth + x) * 16 + k % 16
  }

  /// The definition of the convolution and of its gradients.
  func loops() -> (dst: [Double], diffSrc: [Double], diffWeights: [Double], diffBias: [Double]) {
    var dst = [Double](repeating: 0, count: diffDst.count)
    var diffSrc = [Double](repeating: 0, count: src.count)
    var diffWeights = [Double](repeating: 0, count: weights.count)
    var diffBias = [Double](repeating: 0, count: bias.count)
    for n in 0..<shape.samples {
      for y in 0..<shape.outputHeight {
        for x in 0..<shape.outputWidth {
          for k in 0..<shape.outputs {
            let to = Self.destination(shape, n, k, y, x)
            let gradient = Double(diffDst[to])
            var sum = Double(bias[k])
            diffBias[k] += gradient
            for i in 0..<3 {
              for j in 0..<3 {
                let (h, w) = (y + i - shape.paddingTop, x + j - shape.paddingLeft)
                guard (0..<shape.height).contains(h), (0..<shape.width).contains(w) else { continue }
                for c in 0..<shape.inputs {
                  let (from, weight) = (
                    Self.source(shape, n, c, h, w), ((i * 3 + j) * shape.inputs + c) * shape.outputs + k
                  )
                  sum += Double(src[from]) * Double(weights[weight])
                  diffSrc[from] += gradient * Double(weights[weight])
                  diffWeights[weight] += gradient * Double(src[from])
                }
              }
            }
            dst[to] = sum
          }
        }
      }
    }
    return (dst, diffSrc, diffWeights, diffBias)
  }

  /// Forward and backward weights, one after the other.
  func transformedWeights(_ set: KernelSet, inPanels: Bool) -> [Float] {
    let weights = AlignedBuffer(weights)
    let forward = AlignedBuffer<Float>(count: shape.forwardWeightsCount)
    let backward = AlignedBuffer<Float>(count: shape.backwardWeightsCount)
    let scratch = AlignedBuffer<Float>(count: WinogradShape.weightsScratchCount)
    func slices(_ channels: Int) -> [Range<Int>] {
      let panels = (channels + 31) / 32
      return inPanels ? (0..<panels).map { $0..<$0 + 1 } : [0..<panels]
    }
    for panels in slices(shape.outputs) {
      set.transformWeightsForward(
        inputs: shape.inputs, outputs: shape.outputs, panels: panels, weights.baseAddress,
        into: forward.baseAddress)
    }
    for panels in slices(shape.inputs) {
      set.transformWeightsBackward(
        inputs: shape.inputs, outputs: shape.outputs, panels: panels, weights.baseAddress,
        into: backward.baseAddress, scratch: scratch.baseAddress)
    }
    return withExtendedLifetime((weights, scratch)) { forward.array() + backward.array() }
  }

  /// All passes, into memory full of NaN, so that what is not written shows.
  func run(_ set: KernelSet) -> Result {
    let transformed = transformedWeights(set, inPanels: false)
    let forward = AlignedBuffer(Array(transformed[..<shape.forwardWeightsCount]))
    let backward = AlignedBuffer(Array(transformed[shape.forwardWeightsCount...]))
    func floats(_ count: Int) -> AlignedBuffer<Float> {
      AlignedBuffer([Float](repeating: .nan, count: count))
    }
    let inputs = Reblocking(shape.inputs, shape.height * shape.width, set)
    let outputs = Reblocking(shape.outputs, shape.outputHeight * shape.outputWidth, set)
    let (src, diffDst) = (AlignedBuffer(inputs.packed(src)), AlignedBuffer(outputs.packed(diffDst)))
    let bias = AlignedBuffer(bias)
    let scratch = floats(max(shape.scratchCount, shape.weightsGradientScratchCount))
    let (dst, rectified) = (floats(diffDst.count), floats(diffDst.count))
    let (diffSrc, diffWeights, diffBias) = (floats(src.count), floats(weights.count), floats(bias.count))
    set.winogradForward(
      shape, src.baseAddress, weights: forward.baseAddress, bias: bias.baseAddress, isRectified: false,
      into: dst.baseAddress, scratch: scratch.baseAddress)
    // In parts, as workers share an image.
    let cuts = [0, shape.tiles / 3, shape.tiles - shape.tiles / 4, shape.tiles]
    let panels = shape.outputPanels
    for (part, (from, to)) in zip(cuts, cuts.dropFirst()).enumerated() {
      let middle = panels * part / 2
      for panels in [0..<middle, middle..<panels] where !panels.isEmpty {
        set.winogradForward(
          shape, tiles: from..<to, panels: panels, src.baseAddress, weights: forward.baseAddress,
          bias: bias.baseAddress,
          isRectified: true, into: rectified.baseAddress, scratch: scratch.baseAddress)
      }
    }
    set.winogradBackwardData(
      shape, diffDst.baseAddress, weights: backward.baseAddress, into: diffSrc.baseAddress,
      scratch: scratch.baseAddress)
    set.winogradBackwardWeights(
      shape, src.baseAddress, diffDst.baseAddress, into: diffWeights.baseAddress,
      diffBias: diffBias.baseAddress, scratch: scratch.baseAddress)
    return withExtendedLifetime((src, diffDst, bias, forward, backward, scratch)) {
      Result(
        dst: outputs.unpacked(dst.array()), rectified: outputs.unpacked(rectified.array()),
        diffSrc: inputs.unpacked(diffSrc.array()),
        diffWeights: diffWeights.array(),
        diffBias: diffBias.array())
    }
  }
}

/// Between images in blocks of 16 channels and in those that a set reads and writes.
private struct Reblocking {
  private let channels: Int
  private let positions: Int
  private let block: Int

  init(_ channels: Int, _ positions: Int, _ set: KernelSet) {
    (self.channels, self.positions) = (channels, positions)
    block = set.channelBlock
  }

  private func index(_ block: Int, _ sample: Int, _ channel: Int, _ position: Int) -> Int {
    let blocks = (channels + block - 1) / block
    return ((sample * blocks + channel / block) * positions + position) * block + channel % block
  }

  private func count(_ block: Int) -> Int { (channels + block - 1) / block * block * positions }

  private func moved(_ image: [Float], from: Int, to: Int) -> [Float] {
    let samples = image.count / count(from)
    var result = [Float](repeating: 0, count: samples * count(to))
    for sample in 0..<samples {
      for channel in 0..<min(count(from), count(to)) / positions {
        for position in 0..<positions {
          result[index(to, sample, channel, position)] = image[index(from, sample, channel, position)]
        }
      }
    }
    return result
  }

  func packed(_ image: [Float]) -> [Float] { moved(image, from: Problem.block, to: block) }
  func unpacked(_ image: [Float]) -> [Float] { moved(image, from: block, to: Problem.block) }
}
