import OneDNN
import Tensors
import TestSupport
import Testing

@Suite("Memory descriptors and reorders")
struct MemoryDescriptorTests {
  @Test("a layout's name says the order of its axes and its blocks")
  func layoutNames() throws {
    #expect(try MemoryDescriptor.any([2, 3, 4, 5], .f32).layout == .any)
    #expect(try MemoryDescriptor.dense([2, 3, 4, 5], .f32).layout.description == "abcd")
    #expect(try channelsLast([2, 3, 4, 5]).layout.description == "acdb")
  }

  @Test("dimensions, number format and size in bytes are those asked for")
  func sizes() throws {
    let descriptor = try MemoryDescriptor.dense([2, 3, 4, 5], .bf16)
    #expect(descriptor.rank == 4)
    #expect(descriptor.dimensions == [2, 3, 4, 5])
    #expect(descriptor.dataType == .bf16)
    #expect(descriptor.byteCount == 2 * 3 * 4 * 5 * 2)
    #expect(descriptor.plainStrides == [60, 20, 5, 1])
    #expect(descriptor.with(.f32).byteCount == 2 * descriptor.byteCount)
    #expect(try descriptor.reshaped(to: [2, 60]).dimensions == [2, 60])
  }

  @Test("descriptors are equal when dimensions, format and layout are")
  func equality() throws {
    let plain = try MemoryDescriptor.dense([2, 3, 4, 5], .f32)
    #expect(try plain == MemoryDescriptor.dense([2, 3, 4, 5], .f32))
    #expect(try plain != MemoryDescriptor.dense([2, 3, 5, 4], .f32))
    #expect(try plain != MemoryDescriptor.dense([2, 3, 4, 5], .bf16))
    #expect(try plain != channelsLast([2, 3, 4, 5]))
  }

  @Test("a size that does not fit the dimensions is an error that names the call")
  func impossibleReshape() throws {
    let descriptor = try MemoryDescriptor.dense([2, 3], .f32)
    let error = #expect(throws: OneDNNError.self) { try descriptor.reshaped(to: [7]) }
    #expect(error?.description.contains("dnnl_memory_desc_reshape") == true)
    #expect(error?.isUnimplemented == false)
  }

  @Test(
    "a reorder moves every element to its place, there and back",
    arguments: [[1, 1, 1, 1], [2, 25, 13, 11]])
  func reorders(dimensions: [Int]) throws {
    let plain = try MemoryDescriptor.dense(dimensions, .f32)
    let last = try channelsLast(dimensions)
    let source = ReferenceTensor.random(Shape(dimensions), seed: 7).floats
    let moved = try reorder(source, from: plain, to: last)
    let (n, c, h, w) = (dimensions[0], dimensions[1], dimensions[2], dimensions[3])
    for index in 0..<n * c * h * w {
      let (x, y, channel, sample) = (index % w, index / w % h, index / (w * h) % c, index / (w * h * c))
      #expect(moved[((sample * h + y) * w + x) * c + channel] == source[index])
    }
    #expect(try reorder(moved, from: last, to: plain) == source)
  }

  @Test("bf16 keeps the eight leading bits of a significand, rounded to nearest even")
  func roundsToBF16() throws {
    let plain = try MemoryDescriptor.dense([4], .f32)
    let half = try MemoryDescriptor.dense([4], .bf16)
    // Between 1 and 1 + 2⁻⁷ lie 1 + 2⁻⁸, a tie that goes to the even 1, and 1 + 2⁻⁸ + 2⁻²⁰, which goes up.
    let values: [Float] = [1, 1 + 0x1p-8, 1 + 0x1p-8 + 0x1p-20, -3.140625]
    let source = AlignedBuffer<Float>(values)
    let rounded = AlignedBuffer<UInt16>(count: 4)
    let back = AlignedBuffer<Float>(count: 4)
    try run(.reorder(from: plain, to: half), source.baseAddress, rounded.baseAddress)
    try run(.reorder(from: half, to: plain), rounded.baseAddress, back.baseAddress)
    #expect(Array(back.elements) == [1, 1, 1 + 0x1p-7, -3.140625])
  }
}

/// [N, C, H, W] with the channels of a pixel side by side.
func channelsLast(_ dimensions: [Int]) throws -> MemoryDescriptor {
  let (c, h, w) = (dimensions[1], dimensions[2], dimensions[3])
  return try .strided(dimensions, .f32, strides: [h * w * c, 1, w * c, c])
}

extension PrimitiveDescriptor {
  static func reorder(from src: MemoryDescriptor, to dst: MemoryDescriptor) throws -> PrimitiveDescriptor {
    try Elementwise.reorder(from: src, to: dst)
  }
}

/// Runs a primitive with one source and one destination on the calling thread.
func run(
  _ descriptor: PrimitiveDescriptor, _ src: UnsafeMutableRawPointer, _ dst: UnsafeMutableRawPointer
) throws {
  try run(descriptor, [(.src, src), (.dst, dst)])
}

/// Runs a primitive over memory in the layouts that it wants; its scratchpad begins with garbage.
func run(
  _ descriptor: PrimitiveDescriptor, primitive: Primitive? = nil,
  _ tensors: [(Argument, UnsafeMutableRawPointer)]
) throws {
  ThreadConfinement.confine()
  let scratchpad = AlignedBuffer<UInt8>(count: descriptor.scratchpad.byteCount)
  // Large numbers in both formats: whoever sums what nobody wrote shows it.
  for index in 0..<scratchpad.count { scratchpad.baseAddress[index] = 0x7F }
  var arguments = try tensors.map { ($0.0, try Memory(descriptor.descriptor(of: $0.0), at: $0.1)) }
  arguments.append((.scratchpad, try Memory(descriptor.scratchpad, at: scratchpad.baseAddress)))
  let execution = Execution(try primitive ?? Primitive(descriptor), on: try Stream(), arguments)
  try withExtendedLifetime(scratchpad) { try execution.run() }
}

/// Values in another layout.
func reorder(_ values: [Float], from src: MemoryDescriptor, to dst: MemoryDescriptor) throws -> [Float] {
  let source = AlignedBuffer<Float>(count: src.byteCount / 4)
  _ = source.elements.update(fromContentsOf: values)
  let target = AlignedBuffer<Float>(count: dst.byteCount / 4)
  try run(.reorder(from: src, to: dst), source.baseAddress, target.baseAddress)
  return Array(target.elements)
}
