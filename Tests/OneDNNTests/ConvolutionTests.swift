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

  @Test(
    "layouts left to the kernel give a compiled kernel, and it computes what plain loops compute",
    arguments: ConvolutionAlgorithm.allCases)
  func forward(algorithm: ConvolutionAlgorithm) throws {
    ThreadConfinement.confine()
    let candidates = try Self.shape().forward(algorithm, training: true, activation: nil)
    // Not every CPU has a Winograd kernel; every CPU has a direct one.
    guard let descriptor = candidates.first(where: { !$0.isReference }) else {
      #expect(algorithm == .winograd, "no compiled kernel among \(candidates.map(\.implementation))")
      return
    }
    let (src, kernel, bias) = Self.tensors()
    let expected = ReferenceKernels.convolution(src, kernel: kernel, bias: bias, Self.conv)
    let result = try Self.run(descriptor, Primitive(descriptor))
    // F(4×4, 3×3) rounds about ten times as coarsely as a direct sum.
    expectClose(
      result, expected.values, shape: Self.dstShape, ofLargest: algorithm == .direct ? 2e-6 : 1e-4)
  }

  @Test("an activation after the convolution clamps its result before it is stored")
  func activation() throws {
    ThreadConfinement.confine()
    let plain = try #require(
      Self.shape().forward(.direct, training: true, activation: nil).first { !$0.isReference })
    let clamped = try #require(
      Self.shape().forward(.direct, training: true, activation: .plainReLU).first { !$0.isReference })
    let expected = try Self.run(plain, Primitive(plain)).map { max($0, 0) }
    #expect(try Self.run(clamped, Primitive(clamped)) == expected)
    #expect(expected.contains(0), "nothing was clamped")
  }

  @Test(
    "one primitive on many threads at once gives the same bytes, whatever its scratchpad held",
    arguments: ConvolutionAlgorithm.allCases)
  func sharedPrimitive(algorithm: ConvolutionAlgorithm) throws {
    ThreadConfinement.confine()
    let candidates = try Self.shape().forward(algorithm, training: true, activation: nil)
    guard let descriptor = candidates.first(where: { !$0.isReference }) else { return }
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
