import Foundation
import OneDNN
import Tensors
import TestSupport
import Testing

@Suite("Sums with a function behind them")
struct ElementwiseTests {
  private static let functions: [Eltwise?] = [nil, .plainReLU, .elu(alpha: 1), .tanh]

  /// A sum of two images in one layout.
  private struct Draw {
    let dimensions: [Int]
    let layout: MemoryDescriptor
    let function: Eltwise?

    init(_ random: inout SplitMix64) throws {
      func number(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(random.next() % UInt64(range.count))
      }
      dimensions = [number(1...3), number(1...40), number(1...6), number(1...6)]
      layout =
        switch number(0...3) {
        case 0: try .dense(dimensions, .f32)
        case 1: try channelsLast(dimensions)
        case 2: try .channelBlocks(of: 8, dimensions, .f32)
        default: try .channelBlocks(of: 16, dimensions, .f32)
        }
      function = ElementwiseTests.functions[number(0...3)]
    }
  }

  @Test("what has a kernel is right in every layout, and nothing is written behind it")
  func drawn() throws {
    ThreadConfinement.confine()
    var random = SplitMix64(seed: 5)
    var withFunction = 0
    for _ in 0..<400 {
      let draw = try Draw(&random)
      let found = try Elementwise.add(draw.layout, draw.layout, activation: draw.function)
      // Without a function there is a kernel for everything, and in plain layouts with one, too.
      guard let kernel = found.first else {
        #expect(draw.function != nil && draw.layout.plainStrides == nil, "\(draw)")
        continue
      }
      withFunction += draw.function == nil ? 0 : 1
      let count = draw.dimensions.reduce(1, *)
      let (left, right) = (random.values(count), random.values(count))
      let expected = zip(left, right).map { Self.apply(draw.function, Double($0) + Double($1)) }
      let result = try Self.run(kernel, draw, left, right)
      for (value, wanted) in zip(result, expected) {
        guard abs(Double(value) - wanted) <= 1e-5 else {
          Issue.record("\(draw): \(value), not \(wanted)")
          break
        }
      }
    }
    #expect(withFunction > 100, "hardly any function had a kernel")
  }

  private static func apply(_ function: Eltwise?, _ x: Double) -> Double {
    switch function {
    case nil: x
    case .plainReLU?: max(x, 0)
    case .tanh?: tanh(x)
    default: x > 0 ? x : expm1(x)
    }
  }

  /// The result in planar order; what lies behind it in memory must be what it was.
  private static func run(
    _ kernel: PrimitiveDescriptor, _ draw: Draw, _ left: [Float], _ right: [Float]
  ) throws -> [Float] {
    let planar = try MemoryDescriptor.dense(draw.dimensions, .f32)
    let sources = try [left, right].map {
      AlignedBuffer<Float>(try reorder($0, from: planar, to: draw.layout))
    }
    let (count, behind) = (draw.layout.byteCount / 4, 4096)
    let result = AlignedBuffer<Float>(count: count + behind)
    for index in 0..<result.count { result.baseAddress[index] = 7 }
    try OneDNNTests.run(
      kernel, primitive: Primitive(kernel),
      [
        (.src, UnsafeMutableRawPointer(sources[0].baseAddress)),
        (.src1, UnsafeMutableRawPointer(sources[1].baseAddress)),
        (.dst, UnsafeMutableRawPointer(result.baseAddress)),
      ])
    #expect((count..<count + behind).allSatisfy { result.baseAddress[$0] == 7 }, "\(draw): written behind")
    return try reorder(Array(result.elements.prefix(count)), from: draw.layout, to: planar)
  }
}

extension SplitMix64 {
  /// Numbers from −1 to 1.
  fileprivate mutating func values(_ count: Int) -> [Float] {
    (0..<count).map { _ in Float(nextUnit() * 2 - 1) }
  }
}
