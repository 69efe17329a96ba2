import OneDNN
import Tensors
import TestSupport
import Testing

@Suite("Gradients of convolutions' weights")
struct WeightsGradientTests {
  /// A convolution of drawn sizes: small images, of which a window may reach beyond both sides.
  private struct Draw {
    let samples, inputs, outputs: Int
    let image, kernel, strides, output, before, after: [Int]

    init(_ random: inout SplitMix64) {
      func number(_ range: ClosedRange<Int>) -> Int { range.lowerBound + random.next(below: range.count) }
      (samples, inputs, outputs) = (number(1...3), number(1...50), number(1...40))
      let (size, window, step) = (
        [number(1...5), number(1...6)], [number(1...4), number(1...5)], [number(1...3), number(1...4)]
      )
      // As `same` pads.
      let places = zip(size, step).map { ($0 + $1 - 1) / $1 }
      let padding = (0..<2).map { max((places[$0] - 1) * step[$0] + window[$0] - size[$0], 0) }
      (image, kernel, strides, output) = (size, window, step, places)
      before = padding.map { $0 / 2 }
      after = padding.map { $0 - $0 / 2 }
    }

    /// - Parameter weights: the format of the weights, or of their gradient.
    func shape(_ type: DataType, weights: DataType) throws -> ConvolutionShape {
      ConvolutionShape(
        src: try .any([samples, inputs] + image, type),
        weights: try .any([outputs, inputs] + kernel, weights),
        bias: nil, dst: try .any([samples, outputs] + output, type), strides: strides, dilations: [1, 1],
        paddingBefore: before, paddingAfter: after)
    }

    /// The gradient by plain loops, [outputs, inputs, kernel rows, kernel columns].
    func gradient(_ src: [Float], _ diff: [Float]) -> [Double] {
      var result = [Double](repeating: 0, count: outputs * inputs * kernel[0] * kernel[1])
      for sample in 0..<samples {
        for filter in 0..<outputs {
          for row in 0..<output[0] {
            for column in 0..<output[1] {
              let place = ((sample * outputs + filter) * output[0] + row) * output[1] + column
              let value = Double(diff[place])
              for channel in 0..<inputs {
                for y in 0..<kernel[0] {
                  for x in 0..<kernel[1] {
                    let (top, left) = (row * strides[0] + y - before[0], column * strides[1] + x - before[1])
                    guard (0..<image[0]).contains(top), (0..<image[1]).contains(left) else { continue }
                    let pixel = ((sample * inputs + channel) * image[0] + top) * image[1] + left
                    result[((filter * inputs + channel) * kernel[0] + y) * kernel[1] + x] +=
                      value * Double(src[pixel])
                  }
                }
              }
            }
          }
        }
      }
      return result
    }
  }

  @Test("every kernel that is offered sums what there is to sum and nothing else")
  func drawn() throws { try expectRightSums(.f32) }

  @Test(
    "so does every kernel for bf16", .enabled(if: Library.hasBF16, "this CPU does not multiply bf16 natively")
  )
  func drawnBF16() throws { try expectRightSums(.bf16) }

  private func expectRightSums(_ type: DataType) throws {
    ThreadConfinement.confine()
    var random = SplitMix64(seed: 11)
    var tried = 0
    for _ in 0..<250 {
      let draw = Draw(&random)
      let shape = try draw.shape(type, weights: .f32)
      let hint = try #require(
        draw.shape(type, weights: type).forward(.direct, training: true, activation: nil).first)
      // Eight bits, so that bf16 has them as they are.
      func values(_ count: Int) -> [Float] {
        (0..<count).map { _ in Float(random.next(below: 255)) / 128 - 1 }
      }
      let src = values(draw.samples * draw.inputs * draw.image[0] * draw.image[1])
      let diff = values(draw.samples * draw.outputs * draw.output[0] * draw.output[1])
      let expected = draw.gradient(src, diff)
      for kernel in try shape.backwardWeights(.direct, hint: hint) where !kernel.isReference {
        let found = try Self.run(kernel, draw, src, diff)
        tried += 1
        guard
          let place = zip(found, expected).enumerated().first(where: { !(abs(Double($1.0) - $1.1) < 1e-3) })
        else { continue }
        Issue.record("\(kernel.implementation), \(draw): \(place)")
      }
    }
    #expect(tried > 200, "\(tried) kernels")
  }

  /// The gradient in planar order; memory that the kernel does not write is not a number.
  private static func run(
    _ kernel: PrimitiveDescriptor, _ draw: Draw, _ src: [Float], _ diff: [Float]
  ) throws -> [Float] {
    func laidOut(_ values: [Float], _ dimensions: [Int], _ argument: Argument) throws -> AlignedBuffer<UInt8>
    {
      let wanted = kernel.descriptor(of: argument)
      let source = AlignedBuffer<Float>(values)
      let target = AlignedBuffer<UInt8>(count: wanted.byteCount)
      try OneDNNTests.run(
        .reorder(from: .dense(dimensions, .f32), to: wanted), source.baseAddress, target.baseAddress)
      return target
    }
    let source = try laidOut(src, [draw.samples, draw.inputs] + draw.image, .src)
    let gradient = try laidOut(diff, [draw.samples, draw.outputs] + draw.output, .diffDst)
    let layout = kernel.descriptor(of: .diffWeights)
    let weights = AlignedBuffer<Float>(count: layout.byteCount / 4)
    for index in 0..<weights.count { weights.baseAddress[index] = .nan }
    try OneDNNTests.run(
      kernel, primitive: Primitive(kernel),
      [
        (.src, UnsafeMutableRawPointer(source.baseAddress)),
        (.diffDst, UnsafeMutableRawPointer(gradient.baseAddress)),
        (.diffWeights, UnsafeMutableRawPointer(weights.baseAddress)),
      ])
    return try reorder(
      Array(weights.elements), from: layout, to: .dense([draw.outputs, draw.inputs] + draw.kernel, .f32))
  }
}
