import KernelShapes
import Kernels
import Tensors
import TestSupport
import Testing

@Suite("Maxima over windows against plain loops, on every instruction set of this CPU")
struct MaxPoolTests {
  /// What the shape's planes are made of: maps of one channel, 16 to a pair of planes of 8 or to one of 16.
  struct Case: Sendable, CustomStringConvertible {
    let maps: Int
    let height: Int
    let width: Int
    let window: [Int]
    let stride: [Int]
    let padding: [Int]
    let output: [Int]

    var description: String {
      "\(maps) of \(height)×\(width), window \(window), step \(stride), padding \(padding), to \(output)"
    }

    func shape(_ block: Int) -> MaxPoolShape {
      MaxPoolShape(
        planes: maps / block,
        windows: WindowShape(
          image: (height, width), output: (output[0], output[1]), window: (window[0], window[1]),
          stride: (stride[0], stride[1]), padding: (padding[0], padding[1])))
    }
  }

  /// The usual windows, and forty that are drawn: with padding, gaps, overlaps, and images that no window fits into.
  static let cases: [Case] = {
    var result = [
      Case(
        maps: 32, height: 28, width: 28, window: [2, 2], stride: [2, 2], padding: [0, 0], output: [14, 14]),
      Case(
        maps: 16, height: 7, width: 5, window: [2, 2], stride: [2, 2], padding: [0, 0], output: [3, 2]),
      Case(
        maps: 16, height: 13, width: 13, window: [3, 3], stride: [2, 2], padding: [0, 0], output: [6, 6]),
      Case(
        maps: 16, height: 12, width: 9, window: [3, 3], stride: [3, 3], padding: [0, 0], output: [4, 3]),
      Case(
        maps: 16, height: 8, width: 8, window: [3, 3], stride: [2, 2], padding: [1, 1], output: [4, 4]),
      Case(
        maps: 16, height: 16, width: 16, window: [16, 16], stride: [1, 1], padding: [0, 0], output: [1, 1]),
      Case(
        maps: 16, height: 56, width: 1, window: [56, 1], stride: [1, 1], padding: [0, 0], output: [1, 1]),
    ]
    var random = SplitMix64(seed: 3)
    while result.count < 47 {
      let (height, width) = (1 + random.next(below: 12), 1 + random.next(below: 12))
      let window = [1 + random.next(below: 5), 1 + random.next(below: 5)]
      let stride = [1 + random.next(below: 4), 1 + random.next(below: 4)]
      let padding = window.map { random.next(below: $0) }
      // Windows may reach beyond the end, too, but must meet the image.
      let most = [
        (height + padding[0] - 1) / stride[0] + 1, (width + padding[1] - 1) / stride[1] + 1,
      ]
      result.append(
        Case(
          maps: 16 * (1 + random.next(below: 3)), height: height, width: width, window: window,
          stride: stride, padding: padding, output: most.map { 1 + random.next(below: $0) }))
    }
    return result
  }()

  @Test("both passes agree with the loops in every bit", arguments: cases)
  func passes(_ item: Case) {
    var random = SplitMix64(seed: UInt64(item.height * 100 + item.width))
    // Few different values, so that many are equal and half are below zero.
    let src = (0..<item.maps * item.height * item.width).map { _ in Float(random.next(below: 7)) - 3 }
    let count = item.output[0] * item.output[1]
    let diffDst = (0..<item.maps * count).map { _ in Float(random.nextUnit() * 2 - 1) }
    for ceiling: Float? in [nil, .infinity, 2] {
      let expected = Self.loops(item, src, diffDst, ceiling: ceiling)
      for set in KernelSet.available {
        let result = Self.run(set, item, src, diffDst, ceiling: ceiling)
        let name = "\(set.instructions.rawValue), ReLU to \(ceiling.map { "\($0)" } ?? "nothing")"
        #expect(result.dst == expected.dst, "output, \(name)")
        #expect(result.diffSrc == expected.diffSrc, "gradient, \(name)")
      }
    }
  }

  @Test("what is not a number comes through, with ReLU, too, and takes the gradient")
  func notANumber() {
    let item = Case(
      maps: 16, height: 2, width: 4, window: [2, 2], stride: [2, 2], padding: [0, 0], output: [1, 2])
    var src = [Float](repeating: 5, count: 16 * 8)
    src[2 * 8 + 1] = .nan
    for set in KernelSet.available {
      let result = Self.run(set, item, src, [Float](repeating: 1, count: 32), ceiling: .infinity)
      #expect(result.dst[4].isNaN && result.dst.filter(\.isNaN).count == 1)
      #expect(Self.run(set, item, src, [Float](repeating: 1, count: 32), ceiling: nil).diffSrc[17] == 1)
    }
  }

  /// The definition; gradients are added in the order of the windows.
  private static func loops(
    _ item: Case, _ src: [Float], _ diffDst: [Float], ceiling: Float?
  ) -> (dst: [Float], diffSrc: [Float]) {
    var dst: [Float] = []
    var diffSrc = [Float](repeating: 0, count: src.count)
    for map in 0..<item.maps {
      for y in 0..<item.output[0] {
        for x in 0..<item.output[1] {
          var best: Int?
          for i in 0..<item.window[0] {
            for j in 0..<item.window[1] {
              let (row, column) = (
                y * item.stride[0] + i - item.padding[0], x * item.stride[1] + j - item.padding[1]
              )
              guard (0..<item.height).contains(row), (0..<item.width).contains(column) else { continue }
              let place = (map * item.height + row) * item.width + column
              if best.map({ src[place] > src[$0] }) ?? true { best = place }
            }
          }
          guard let best else { continue }
          let isCut = ceiling.map { !(src[best] > 0) || src[best] >= $0 } ?? false
          if !isCut { diffSrc[best] += diffDst[dst.count] }
          dst.append(ceiling.map { min(max(src[best], 0), $0) } ?? src[best])
        }
      }
    }
    return (dst, diffSrc)
  }

  /// Both passes, into memory full of NaN, so that what is not written shows.
  private static func run(
    _ set: KernelSet, _ item: Case, _ src: [Float], _ diffDst: [Float], ceiling: Float?
  ) -> (dst: [Float], diffSrc: [Float]) {
    let block = set.channelBlock
    let shape = item.shape(block)
    let source = AlignedBuffer(packed(src, block, item.maps))
    let diff = AlignedBuffer(packed(diffDst, block, item.maps))
    let dst = AlignedBuffer([Float](repeating: .nan, count: diffDst.count))
    let diffSrc = AlignedBuffer([Float](repeating: .nan, count: src.count))
    let places = AlignedBuffer<UInt8>(count: diffDst.count)
    set.maxPoolForward(
      shape, source.baseAddress, ceiling: ceiling, into: dst.baseAddress, places: places.baseAddress)
    set.maxPoolBackward(
      shape, diff.baseAddress, places: places.baseAddress, output: ceiling == nil ? nil : dst.baseAddress,
      ceiling: ceiling ?? .infinity,
      into: diffSrc.baseAddress)
    // Without places the output is the same.
    let alone = AlignedBuffer([Float](repeating: .nan, count: diffDst.count))
    set.maxPoolForward(
      shape, source.baseAddress, ceiling: ceiling, into: alone.baseAddress, places: nil)
    #expect(alone.array().map(\.bitPattern) == dst.array().map(\.bitPattern))
    return withExtendedLifetime((source, diff)) {
      (unpacked(dst.array(), block, item.maps), unpacked(diffSrc.array(), block, item.maps))
    }
  }

  private static func packed(_ maps: [Float], _ block: Int, _ count: Int) -> [Float] {
    let positions = maps.count / count
    return (0..<maps.count).map { index in
      let (plane, rest) = index.quotientAndRemainder(dividingBy: positions * block)
      return maps[(plane * block + rest % block) * positions + rest / block]
    }
  }

  private static func unpacked(_ planes: [Float], _ block: Int, _ count: Int) -> [Float] {
    let positions = planes.count / count
    return (0..<planes.count).map { index in
      let (map, position) = index.quotientAndRemainder(dividingBy: positions)
      return planes[(map / block * positions + position) * block + map % block]
    }
  }
}
