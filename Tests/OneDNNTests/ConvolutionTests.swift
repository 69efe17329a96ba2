import Networks
import OneDNN
import Parallel
import Synchronization
import Tensors
import TestSupport
import Testing

@Suite("Convolution primitives")
struct ConvolutionTests {
  /// 3×3 kernels over 25 channels of 13×11 pixels, which no block size divides.
  private static let samples = 2
  private static let conv = Conv2D(filters: 50, kernel: Size2D(3), useBias: true)
  private static let srcShape: Shape = [samples, 13, 11, 25]
  private static let dstShape: Shape = [samples, 11, 9, 50]

  @Test("layouts left to the kernel give a compiled kernel, and it computes what plain loops compute")
  func forward() throws { try expectMatchesLoops(.direct, ofLargest: 2e-6) }

  @Test("so does Winograd's, about ten times as coarsely", .enabled(if: hasWinograd, noWinograd))
  func winograd() throws { try expectMatchesLoops(.winograd, ofLargest: 1e-4) }

  private func expectMatchesLoops(_ algorithm: ConvolutionAlgorithm, ofLargest: Double) throws {
    ThreadConfinement.confine()
    let descriptor = try Self.compiled(algorithm)
    let (src, kernel, bias) = Self.tensors()
    let expected = ReferenceKernels.convolution(src, kernel: kernel, bias: bias, Self.conv)
    let result = try Self.run(descriptor, Primitive(descriptor))
    expectClose(result, expected.values, shape: Self.dstShape, ofLargest: ofLargest)
  }

  @Test("an activation after the convolution clamps its result before it is stored")
  func activation() throws {
    ThreadConfinement.confine()
    let plain = try Self.compiled(.direct)
    let clamped = try #require(
      Self.shape().forward(.direct, training: true, activation: .plainReLU).first { !$0.isReference })
    let expected = try Self.run(plain, Primitive(plain)).map { max($0, 0) }
    #expect(try Self.run(clamped, Primitive(clamped)) == expected)
    #expect(expected.contains(0), "nothing was clamped")
  }

  @Test("one primitive on many threads at once gives the same bytes, whatever its scratchpad held")
  func sharedPrimitive() throws { try expectShared(.direct) }

  @Test("so does a primitive of Winograd's", .enabled(if: hasWinograd, noWinograd))
  func sharedWinograd() throws { try expectShared(.winograd) }

  private func expectShared(_ algorithm: ConvolutionAlgorithm) throws {
    ThreadConfinement.confine()
    let descriptor = try Self.compiled(algorithm)
    let primitive = try Primitive(descriptor)
    let expected = try Self.run(descriptor, primitive)
    let different = Atomic(0)
    try WorkerPool(workers: 8).forEach(count: 24) { _, _ in
      if try Self.run(descriptor, primitive) != expected { different.add(1, ordering: .relaxed) }
    }
    #expect(different.load(ordering: .relaxed) == 0)
  }

  @Test("confining a thread makes its parallel regions one wide")
  func confinement() {
    ThreadConfinement.widen(to: 4)
    #expect(ThreadConfinement.width == 4)
    ThreadConfinement.confine()
    #expect(ThreadConfinement.width == 1)
  }

  @Test("dimensions that contradict each other are an error that names the call")
  func contradiction() throws {
    var shape = try Self.shape()
    shape.dst = try .any([Self.samples, 50, 99, 9], .f32)
    let error = #expect(throws: OneDNNError.self) {
      try shape.forward(.direct, training: true, activation: nil)
    }
    #expect(error?.description.contains("dnnl_dilated_convolution_forward_desc_init") == true)
  }

  // MARK: - One convolution

  /// The compiled kernel of an algorithm.
  private static func compiled(_ algorithm: ConvolutionAlgorithm) throws -> PrimitiveDescriptor {
    let candidates = try shape().forward(algorithm, training: true, activation: nil)
    return try #require(
      candidates.first { !$0.isReference }, "no compiled kernel among \(candidates.map(\.implementation))")
  }

  private static let hasWinograd =
    (try? shape().forward(.winograd, training: true, activation: nil).contains { !$0.isReference }) == true
  private static let noWinograd: Comment = "this CPU has no compiled Winograd kernel"

  private static func shape() throws -> ConvolutionShape {
    ConvolutionShape(
      src: try .any([samples, 25, 13, 11], .f32), weights: try .any([50, 25, 3, 3], .f32),
      bias: try .dense([50], .f32), dst: try .any([samples, 50, 11, 9], .f32), strides: [1, 1],
      dilations: [1, 1], paddingBefore: [0, 0], paddingAfter: [0, 0])
  }

  private static func tensors() -> (ReferenceTensor, ReferenceTensor, ReferenceTensor) {
    (.random(srcShape, seed: 1), .random([3, 3, 25, 50], seed: 2), .random([50], seed: 3))
  }

  /// The result in channels-last order.
  private static func run(_ descriptor: PrimitiveDescriptor, _ primitive: Primitive) throws -> [Float] {
    let (src, kernel, bias) = tensors()
    let source = try laidOut(
      src.floats, channelsLast([samples, 25, 13, 11]), as: descriptor.descriptor(of: .src))
    // [KH, KW, IC, OC] seen as [OC, IC, KH, KW].
    let weights = try laidOut(
      kernel.floats, .strided([50, 25, 3, 3], .f32, strides: [1, 50, 3 * 25 * 50, 25 * 50]),
      as: descriptor.descriptor(of: .weights))
    let biases = AlignedBuffer<Float>(bias.floats)
    let dst = descriptor.descriptor(of: .dst)
    let result = AlignedBuffer<Float>(count: dst.byteCount / 4)
    for index in 0..<result.count { result.baseAddress[index] = .nan }
    try OneDNNTests.run(
      descriptor, primitive: primitive,
      [
        (.src, UnsafeMutableRawPointer(source.baseAddress)),
        (.weights, UnsafeMutableRawPointer(weights.baseAddress)),
        (.bias, UnsafeMutableRawPointer(biases.baseAddress)),
        (.dst, UnsafeMutableRawPointer(result.baseAddress)),
      ])
    return try reorder(Array(result.elements), from: dst, to: channelsLast([samples, 50, 11, 9]))
  }

  private static func laidOut(
    _ values: [Float], _ layout: MemoryDescriptor, as wanted: MemoryDescriptor
  ) throws -> AlignedBuffer<Float> {
    AlignedBuffer(try reorder(values, from: layout, to: wanted))
  }
}
