import KernelShapes
import Kernels
import OneDNN
import Tensors
import TestSupport
import Testing

/// Trainings that began with the library's maxima go on with ours, to the same bits, unless windows overlap.
@Suite("Maxima over windows beside the library's")
struct MaxPoolLibraryTests {
  /// As many windows as the library has: it pads on both sides, and has every window that then fits.
  static let cases = MaxPoolTests.cases.compactMap { item -> MaxPoolTests.Case? in
    let size = [item.height, item.width]
    let reach = [0, 1].map { size[$0] + 2 * item.padding[$0] - item.window[$0] }
    guard reach.allSatisfy({ $0 >= 0 }) else { return nil }
    return MaxPoolTests.Case(
      maps: item.maps, height: item.height, width: item.width, window: item.window, stride: item.stride,
      padding: item.padding, output: [0, 1].map { reach[$0] / item.stride[$0] + 1 })
  }

  @Test("most of the drawn windows fit into their image")
  func count() {
    #expect(Self.cases.count >= 30)
  }

  @Test(
    "maxima have the library's bits, and so have gradients where windows do not overlap",
    arguments: cases)
  func bits(_ item: MaxPoolTests.Case) throws {
    ThreadConfinement.confine()
    for set in KernelSet.available where set.instructions != .baseline {
      let block = set.channelBlock
      let shape = item.shape(block)
      let src = try MemoryDescriptor.channelBlocks(of: block, [1, item.maps, item.height, item.width], .f32)
      let dst = try MemoryDescriptor.channelBlocks(
        of: block, [1, item.maps, item.output[0], item.output[1]], .f32)
      let pool = PoolingShape(
        .max, src: src, dst: dst, kernel: item.window, strides: item.stride, paddingBefore: item.padding,
        paddingAfter: item.padding)
      let forward = try #require(try pool.forward(training: true, activation: nil).first)
      let backward = try #require(try pool.backward(hint: forward).first)

      var random = SplitMix64(seed: UInt64(item.height * 100 + item.width))
      let count = item.maps * item.height * item.width
      let image = AlignedBuffer((0..<count).map { _ in Float(random.next(below: 9)) - 4 })
      let diff = AlignedBuffer(
        (0..<item.maps * item.output[0] * item.output[1]).map { _ in Float(random.nextUnit() * 2 - 1) })
      func floats(_ count: Int) -> AlignedBuffer<Float> {
        AlignedBuffer([Float](repeating: .nan, count: count))
      }
      let (theirs, theirGradient) = (floats(diff.count), floats(count))
      let record = AlignedBuffer<UInt8>(count: max(64, forward.descriptor(of: .workspace).byteCount))
      func run(
        _ kernel: PrimitiveDescriptor, _ tensors: [(Argument, MemoryDescriptor, UnsafeMutableRawPointer)]
      )
        throws
      {
        let memories = try tensors.map { ($0.0, try Memory($0.1, at: $0.2)) }
        try Execution(try Primitive(kernel), on: try Stream(), memories).run()
      }
      let workspace = (
        Argument.workspace, forward.descriptor(of: .workspace), UnsafeMutableRawPointer(record.baseAddress)
      )
      try run(
        forward,
        [
          (.src, src, UnsafeMutableRawPointer(image.baseAddress)),
          (.dst, dst, UnsafeMutableRawPointer(theirs.baseAddress)), workspace,
        ])
      try run(
        backward,
        [
          (.diffDst, dst, UnsafeMutableRawPointer(diff.baseAddress)),
          (.diffSrc, src, UnsafeMutableRawPointer(theirGradient.baseAddress)), workspace,
        ])

      let (ours, ourGradient, places) = (
        floats(diff.count), floats(count), AlignedBuffer<UInt8>(count: diff.count)
      )
      set.maxPoolForward(
        shape, image.baseAddress, ceiling: nil, into: ours.baseAddress, places: places.baseAddress)
      set.maxPoolBackward(
        shape, diff.baseAddress, places: places.baseAddress, output: nil, ceiling: .infinity,
        into: ourGradient.baseAddress)
      // Zeros may differ in sign.
      let name = set.instructions.rawValue
      #expect(ours.array() == theirs.array(), "\(name)")
      if zip(item.window, item.stride).allSatisfy(<=) {
        #expect(ourGradient.array() == theirGradient.array(), "\(name)")
      } else {
        // Sums of several gradients, in another order.
        expectClose(ourGradient.array(), theirGradient.array(), absolute: 1e-5, "gradient, \(name)")
      }
    }
  }
}
