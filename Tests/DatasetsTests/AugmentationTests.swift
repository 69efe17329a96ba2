import Foundation
import Tensors
import Testing

@testable import Datasets

/// Sizes that hurt: odd, one row, one pixel; grey and colour.
private let shapes: [Shape] = [
  [5, 7, 1], [7, 4, 3], [1, 6, 3], [6, 1, 1], [1, 1, 3], [9, 9, 2], [28, 28, 1],
]

/// A sample whose numbers all differ where bytes allow.
private func sample<T: PixelValue>(_ shape: Shape, _: T.Type, salt: Int = 0) -> [T] {
  (0..<shape.elementCount).map { T(nearest: Float(($0 &* 37 &+ $0 / 11 &+ salt &* 91) % 256)) }
}

/// Runs a kernel that writes elsewhere.
private func moved<T: PixelValue>(
  _ source: [T], _ body: (UnsafePointer<T>, UnsafeMutablePointer<T>) -> Void
) -> [T] {
  var target = source.map { _ in T(nearest: 77) }
  source.withUnsafeBufferPointer { source in
    target.withUnsafeMutableBufferPointer { target in
      guard let from = source.baseAddress, let to = target.baseAddress else { return }
      body(from, to)
    }
  }
  return target
}

private func changed<T: PixelValue>(_ source: [T], _ body: (UnsafeMutablePointer<T>) -> Void) -> [T] {
  var target = source
  target.withUnsafeMutableBufferPointer { target in target.baseAddress.map(body) }
  return target
}

/// The sample rearranged pixel by pixel: `place` says where the pixel of (row, column) comes from, nil for zeros.
private func rearranged<T: PixelValue>(
  _ source: [T], _ shape: Shape, _ place: (Int, Int) -> (Int, Int)?
) -> [T] {
  (0..<shape[0]).flatMap { row in
    (0..<shape[1]).flatMap { column in
      (0..<shape[2]).map { channel in
        guard let (i, j) = place(row, column) else { return T(nearest: 0) }
        return source[(i * shape[1] + j) * shape[2] + channel]
      }
    }
  }
}

/// The border's meaning in the dullest words: walk back to the inside step by step.
private func walked(_ index: Int, _ count: Int, _ border: Border) -> Int? {
  var (place, direction) = (0, 1)
  if index >= 0 && index < count { return index }
  switch border {
  case .zero: return nil
  case .edge: return index < 0 ? 0 : count - 1
  case .reflect:
    if count == 1 { return 0 }
    for _ in 0..<abs(index) {
      if place + direction < 0 || place + direction >= count { direction = -direction }
      place += direction
    }
    return place
  }
}

@Suite("augmentation: moves of pixels")
struct PixelMoveTests {
  private func check<T: PixelValue>(_ shape: Shape, _: T.Type) {
    let grid = PixelGrid(shape)
    let (h, w) = (shape[0], shape[1])
    let source = sample(shape, T.self)
    let flipped = moved(source, grid.flipHorizontal)
    #expect(flipped == rearranged(source, shape) { ($0, w - 1 - $1) })
    #expect(moved(flipped, grid.flipHorizontal) == source)
    let turned = moved(source, grid.flipVertical)
    #expect(turned == rearranged(source, shape) { (h - 1 - $0, $1) })
    #expect(moved(turned, grid.flipVertical) == source)
    for border in Border.allCases {
      for (down, right) in [(0, 0), (1, -2), (-3, 4), (h, 1), (-h, -w), (2, w + 1), (-2 * h - 1, 3 * w)] {
        let result = moved(source) {
          grid.shift($0, $1, down: down, right: right, border: border, zero: T(nearest: 0))
        }
        let expected = rearranged(source, shape) { row, column in
          guard let i = walked(row + down, h, border), let j = walked(column + right, w, border) else {
            return nil
          }
          return (i, j)
        }
        #expect(result == expected, "\(shape) \(border) by (\(down), \(right))")
      }
    }
  }

  @Test("flips and shifts agree with a rearrangement pixel by pixel", arguments: shapes)
  func moves(shape: Shape) {
    check(shape, UInt8.self)
    check(shape, Float.self)
  }

  @Test("the eight symmetries of a square are the dihedral group", arguments: [1, 3])
  func symmetries(channels: Int) {
    let shape: Shape = [5, 5, channels]
    let grid = PixelGrid(shape)
    let source = sample(shape, UInt8.self)
    func apply(_ index: Int, _ pixels: [UInt8]) -> [UInt8] {
      let symmetry = BoardSymmetry(index: index)
      var result = pixels
      if symmetry.isTransposed { result = moved(result, grid.transpose) }
      if symmetry.isFlippedVertically { result = moved(result, grid.flipVertical) }
      if symmetry.isFlippedHorizontally { result = moved(result, grid.flipHorizontal) }
      return result
    }
    let images = (0..<8).map { apply($0, source) }
    #expect(Set(images).count == 8)
    #expect(images[0] == source)
    #expect(images[4] == rearranged(source, shape) { ($1, $0) })
    // Closed under composition, and each has its inverse.
    for first in 0..<8 {
      let products = (0..<8).map { apply($0, images[first]) }
      #expect(Set(products) == Set(images))
      #expect(products.contains(source))
    }
    // A quarter turn has order 4.
    let quarter = 5
    #expect(apply(quarter, apply(quarter, source)) != source)
    #expect(apply(quarter, apply(quarter, apply(quarter, apply(quarter, source)))) == source)
  }
}

@Suite("augmentation: turning and shifting between pixels")
struct AffineMapTests {
  /// Bilinear interpolation in Double, from the definition `p' = c + t + R·S·K·(p − c)` inverted by Cramer's rule.
  private func reference(
    _ source: [Float], _ shape: Shape, degrees: Double, scale: Double, shear: Double, down: Double,
    right: Double, _ border: Border
  ) -> [Double] {
    let (h, w, channels) = (shape[0], shape[1], shape[2])
    let (angle, k) = (degrees / 180 * .pi, tan(shear / 180 * .pi))
    let (a, b) = (cos(angle) * scale, (cos(angle) * k + sin(angle)) * scale)
    let (c, d) = (-sin(angle) * scale, (-sin(angle) * k + cos(angle)) * scale)
    let determinant = a * d - b * c
    func pixel(_ row: Int, _ column: Int, _ channel: Int) -> Double {
      guard let i = walked(row, h, border), let j = walked(column, w, border) else { return 0 }
      return Double(source[(i * w + j) * channels + channel])
    }
    var result: [Double] = []
    for row in 0..<h {
      for column in 0..<w {
        let x = Double(column) - Double(w - 1) / 2 - right
        let y = Double(row) - Double(h - 1) / 2 - down
        let fromX = (d * x - b * y) / determinant + Double(w - 1) / 2
        let fromY = (-c * x + a * y) / determinant + Double(h - 1) / 2
        let (i, j) = (Int(floor(fromY)), Int(floor(fromX)))
        let (v, u) = (fromY - floor(fromY), fromX - floor(fromX))
        for channel in 0..<channels {
          result.append(
            (1 - v) * ((1 - u) * pixel(i, j, channel) + u * pixel(i, j + 1, channel))
              + v * ((1 - u) * pixel(i + 1, j, channel) + u * pixel(i + 1, j + 1, channel)))
        }
      }
    }
    return result
  }

  @Test("a warp agrees with bilinear interpolation in Double", arguments: shapes)
  func warp(shape: Shape) {
    let grid = PixelGrid(shape)
    let floats = sample(shape, Float.self)
    let bytes = sample(shape, UInt8.self)
    let cases: [(Double, Double, Double, Double, Double)] = [
      (0, 1, 0, 0, 0), (30, 1, 0, 0, 0), (-17, 1.3, 9, 0.7, -1.2), (180, 0.6, 0, 2, 1), (90, 1, 0, 0, 0),
    ]
    for (degrees, scale, shear, down, right) in cases {
      let map = AffineMap(grid, degrees: degrees, scale: scale, shear: shear, down: down, right: right)
      for border in Border.allCases {
        let expected = reference(
          floats, shape, degrees: degrees, scale: scale, shear: shear, down: down, right: right, border)
        let warped = moved(floats) { map.warp(grid, $0, $1, border: border) }
        let warpedBytes = moved(bytes) { map.warp(grid, $0, $1, border: border) }
        for index in expected.indices {
          // Coordinates are Float: 1e-6 of a pixel's place, times steps of up to 255 from one pixel to the next.
          #expect(abs(Double(warped[index]) - expected[index]) < 0.01, "\(shape) \(border) at \(index)")
          #expect(abs(Double(warpedBytes[index]) - expected[index]) < 0.52, "\(shape) \(border) at \(index)")
        }
      }
    }
  }

  @Test("no change is no change, and four quarter turns are none")
  func identities() {
    let shape: Shape = [7, 7, 3]
    let grid = PixelGrid(shape)
    let source = sample(shape, UInt8.self)
    let identity = AffineMap(grid, degrees: 0, scale: 1, shear: 0, down: 0, right: 0)
    #expect(moved(source) { identity.warp(grid, $0, $1, border: .zero) } == source)
    let quarter = AffineMap(grid, degrees: 90, scale: 1, shear: 0, down: 0, right: 0)
    var turned = source
    for turn in 0..<4 {
      turned = moved(turned) { quarter.warp(grid, $0, $1, border: .edge) }
      if turn == 0 {
        // Counter-clockwise: the right edge becomes the top.
        #expect(turned == rearranged(source, shape) { ($1, 6 - $0) })
      }
    }
    #expect(turned == source)
  }
}

@Suite("augmentation: colours and mixtures")
struct PixelValueTests {
  private func nearest(_ value: Double) -> UInt8 { UInt8(min(max(floor(value + 0.5), 0), 255)) }

  @Test("scaling agrees with exact arithmetic on 65536ths", arguments: [0, 0.31, 1, 1.5, 11.0])
  func scale(factor: Double) {
    let source = (0...255).map { UInt8($0) } + [3, 200, 7]
    for offset in [0, -40.25, 99.5, 3000] {
      let (f, o) = ((factor * 65536).rounded() / 65536, (offset * 65536).rounded() / 65536)
      let bytes = changed(source) { UInt8.scale($0, count: source.count, factor: factor, offset: offset) }
      #expect(bytes == source.map { nearest(Double($0) * f + o) })
      let floats = changed(source.map { Float($0) / 7 - 9 }) {
        Float.scale($0, count: source.count, factor: factor, offset: offset)
      }
      #expect(floats == source.map { (Float($0) / 7 - 9) * Float(factor) + Float(offset) })
    }
  }

  @Test("mixing and saturation agree with exact arithmetic", arguments: [0, 0.25, 0.7, 1])
  func blend(share: Double) {
    let shape: Shape = [7, 5, 3]
    let (own, other) = (sample(shape, UInt8.self), sample(shape, UInt8.self, salt: 3))
    let units = Double(MixShare(share).units) / 65536
    let mixed = changed(own) { UInt8.mix($0, other, count: own.count, share: MixShare(share)) }
    #expect(mixed == zip(own, other).map { nearest(units * Double($0) + (1 - units) * Double($1)) })
    let floats = changed(own.map(\.float)) {
      Float.mix($0, other.map(\.float), count: own.count, share: MixShare(share))
    }
    for (index, value) in floats.enumerated() {
      #expect(abs(Double(value) - (units * Double(own[index]) + (1 - units) * Double(other[index]))) < 1e-4)
    }
    for factor in [0, 0.5, 1, 2.5] {
      let result = changed(own) { UInt8.saturate($0, count: 35, factor: factor) }
      let floats = changed(own.map(\.float)) { Float.saturate($0, count: 35, factor: factor) }
      for pixel in 0..<35 {
        let rgb = (0..<3).map { Double(own[3 * pixel + $0]) }
        let grey = (19595 * rgb[0] + 38470 * rgb[1] + 7471 * rgb[2]) / 65536
        for channel in 0..<3 {
          let expected = factor * rgb[channel] + (1 - factor) * grey
          let rounded = factor * rgb[channel] + (1 - factor) * floor(grey + 0.5)
          #expect(result[3 * pixel + channel] == nearest(rounded))
          #expect(abs(Double(floats[3 * pixel + channel]) - expected) < 1e-3)
        }
      }
    }
  }

  @Test("the mean grey weighs colours as ITU-R BT.601 does")
  func meanGrey() {
    let pixels: [UInt8] = [255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 10, 10]
    let expected = (255 * 65536.0 + 10 * 65536) / 65536 / 4
    #expect(abs(UInt8.meanGrey(pixels, count: 4, channels: 3) - expected) < 1e-9)
    #expect(abs(Float.meanGrey(pixels.map(\.float), count: 4, channels: 3) - expected) < 1e-9)
    #expect(UInt8.meanGrey([1, 2, 6], count: 3, channels: 1) == 3)
    #expect(Float.meanGrey([1, 2, 6, 7], count: 2, channels: 2) == 4)
  }

  @Test("Beta(a, a) has mean 1/2 and variance 1/(4(2a + 1))", arguments: [0.01, 0.2, 1, 3.5])
  func beta(shape: Double) {
    var random = RandomStream(seed: 5, purpose: .augmentation)
    let draws = (0..<4000).map { _ in random.nextBeta(shape) }
    let mean = draws.reduce(0, +) / 4000
    let variance = draws.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 4000
    let expected = 1 / (4 * (2 * shape + 1))
    // Four standard errors.
    #expect(abs(mean - 0.5) < 4 * (expected / 4000).squareRoot())
    #expect(abs(variance - expected) < 0.08 * expected)
    #expect(draws.allSatisfy { (0...1).contains($0) })
  }
}

/// A minibatch in memory.
private func minibatch<T: PixelValue>(
  _ samples: [[T]], _ shape: Shape, rows: [Int32]? = nil, epoch: Int = 0, position: Int = 0
) -> Minibatch {
  let bytes = samples.flatMap { sample in sample.withUnsafeBytes { Array($0) } }
  return Minibatch(
    epoch: epoch, position: position, isLastOfEpoch: true,
    pixelType: T.self == UInt8.self ? .uint8 : .float32, sampleShape: shape,
    sampleIndices: rows ?? samples.indices.map { Int32($0) },
    labels: samples.indices.map { Int32($0 % 10) },
    sampleByteCount: shape.elementCount * MemoryLayout<T>.stride, pixels: .own(AlignedBuffer(bytes)))
}

private func varied<T: PixelValue>(
  _ augmenter: Augmenter, _ minibatch: Minibatch, _ index: Int, _: T.Type
) -> [T] {
  let pixels = augmenter.pixels(index, of: minibatch).assumingMemoryBound(to: T.self)
  return Array(UnsafeBufferPointer(start: pixels, count: minibatch.sampleShape.elementCount))
}

@Suite("augmentation: whole samples")
struct AugmenterTests {
  private let everything = Augmentation([
    .flipHorizontal(probability: 0.5), .flipVertical(probability: 0.3),
    .padAndCrop(padding: .init(rows: 2, columns: 3), border: .reflect),
    .affine(RandomAffine(degrees: 20, translate: 0.1, scale: 0.8...1.2, shear: 5, border: .edge)),
    .brightness(strength: 0.3), .contrast(strength: 0.3), .saturation(strength: 0.5), .boardSymmetry,
    .mixup(alpha: 0.4, probability: 0.5), .cutmix(alpha: 1, probability: 0.7),
    .cutout(size: .init(rows: 3, columns: 2), fill: 9, probability: 0.5), .randomErasing(RandomErasing()),
  ])

  private func checkPure<T: PixelValue>(_: T.Type) {
    let shape: Shape = [9, 9, 3]
    let samples = (0..<7).map { sample(shape, T.self, salt: $0) }
    let batch = minibatch(samples, shape, rows: [40, 3, 999, 7, 8, 100_000, 1], epoch: 5, position: 14)
    let (one, two) = (
      Augmenter(everything, sampleShape: shape, seed: 3), Augmenter(everything, sampleShape: shape, seed: 3)
    )
    let forward = (0..<7).map { varied(one, batch, $0, T.self) }
    let backward = (0..<7).reversed().map { varied(two, batch, $0, T.self) }
    #expect(forward == backward.reversed())
    #expect(zip(forward, samples).allSatisfy { $0 != $1 })
    for index in 0..<7 {
      let (mine, other) = (one.mixture(index, of: batch), two.mixture(index, of: batch))
      #expect(mine?.partner == other?.partner && mine?.share == other?.share)
    }
    let otherSeed = Augmenter(everything, sampleShape: shape, seed: 4)
    #expect(varied(otherSeed, batch, 0, T.self) != forward[0])
    let nextEpoch = minibatch(samples, shape, rows: [40, 3, 999, 7, 8, 100_000, 1], epoch: 6, position: 14)
    #expect(varied(one, nextEpoch, 0, T.self) != forward[0])
    // The minibatch itself is never changed.
    #expect(batch.bytes == samples.flatMap { sample in sample.withUnsafeBytes { Array($0) } })
  }

  @Test("a varied sample is a pure function of seed, epoch and sample, whoever asks and when")
  func pure() {
    checkPure(UInt8.self)
    checkPure(Float.self)
  }

  @Test("where a sample stands in the order changes nothing unless it is mixed")
  func rowKeyed() {
    let shape: Shape = [6, 6, 1]
    let augmentation = Augmentation([
      .flipHorizontal(probability: 0.5), .padAndCrop(padding: .init(rows: 2, columns: 2), border: .zero),
      .randomErasing(RandomErasing()),
    ])
    let augmenter = Augmenter(augmentation, sampleShape: shape, seed: 0)
    let samples = (0..<20).map { sample(shape, UInt8.self, salt: $0) }
    let straight = minibatch(samples, shape)
    let turned = minibatch(
      samples.reversed(), shape, rows: (0..<20).reversed().map { Int32($0) }, position: 60)
    for index in 0..<20 {
      #expect(
        varied(augmenter, straight, index, UInt8.self) == varied(augmenter, turned, 19 - index, UInt8.self))
    }
  }

  @Test("crop offsets are uniform and steps draw independently of each other")
  func offsets() {
    // One bright pixel in the middle tells the offset; the flip mirrors it first.
    let shape: Shape = [7, 7, 1]
    let samples = [[UInt8](repeating: 0, count: 24) + [200] + [UInt8](repeating: 0, count: 24)]
    let augmentation = Augmentation([.padAndCrop(padding: .init(rows: 2, columns: 1), border: .zero)])
    let augmenter = Augmenter(augmentation, sampleShape: shape, seed: 9)
    var counts: [Int: Int] = [:]
    let draws = 15 * 200
    for row in 0..<draws {
      let batch = minibatch(samples, shape, rows: [Int32(row)])
      counts[varied(augmenter, batch, 0, UInt8.self).firstIndex(of: 200) ?? -1, default: 0] += 1
    }
    #expect(
      Set(counts.keys) == Set((1...5).flatMap { row in (2...4).map { row * 7 + $0 } }))
    // Chi-squared with 14 degrees of freedom: above 36.1 once in a thousand.
    let chi = counts.values.reduce(0.0) { $0 + pow(Double($1 - 200), 2) / 200 }
    #expect(chi < 36.1)
  }

  @Test("a flip happens as often as its probability says", arguments: [0, 0.25, 1])
  func probability(probability: Double) {
    let shape: Shape = [1, 2, 1]
    let augmenter = Augmenter(
      Augmentation([.flipHorizontal(probability: probability)]), sampleShape: shape, seed: 1)
    let flips = (0..<2000).count { row in
      varied(augmenter, minibatch([[UInt8(1), 2]], shape, rows: [Int32(row)]), 0, UInt8.self) == [2, 1]
    }
    let spread = 4 * (probability * (1 - probability) * 2000).squareRoot()
    #expect(abs(Double(flips) - probability * 2000) <= spread)
  }

  @Test("erasing fills one rectangle of the asked area and proportions, and nothing else", arguments: [1, 3])
  func erasing(channels: Int) {
    let shape: Shape = [20, 24, channels]
    let erasing = RandomErasing(probability: 1, area: 0.1...0.2, aspect: 0.5...2, fill: .value(255))
    let augmenter = Augmenter(Augmentation([.randomErasing(erasing)]), sampleShape: shape, seed: 2)
    let source = [UInt8](repeating: 1, count: shape.elementCount)
    for row in 0..<50 {
      let result = varied(augmenter, minibatch([source], shape, rows: [Int32(row)]), 0, UInt8.self)
      let filled = result.indices.filter { result[$0] == 255 }
      let rows = Set(filled.map { $0 / (24 * channels) })
      let columns = Set(filled.map { $0 / channels % 24 })
      #expect(filled.count == rows.count * columns.count * channels)
      #expect(result.count { $0 == 1 } + filled.count == result.count)
      let (height, width) = (Double(rows.count), Double(columns.count))
      // Sides are rounded to whole pixels.
      #expect((height - 0.5) * (width - 0.5) <= 0.2 * 480 && (height + 0.5) * (width + 0.5) >= 0.1 * 480)
      #expect((height - 0.5) / (width + 0.5) <= 2 && (height + 0.5) / (width - 0.5) >= 0.5)
    }
  }

  @Test("random filling stays in the sample's range and differs from pixel to pixel")
  func randomFill() {
    let shape: Shape = [16, 16, 1]
    let erasing = RandomErasing(probability: 1, area: 0.3...0.3, aspect: 1...1, fill: .random)
    let augmenter = Augmenter(Augmentation([.randomErasing(erasing)]), sampleShape: shape, seed: 2)
    let floats = (0..<256).map { Float($0) / 64 - 2 }
    let result = varied(augmenter, minibatch([floats], shape), 0, Float.self)
    let new = zip(result, floats).filter { $0 != $1 }.map(\.0)
    #expect(new.count == 81 && Set(new).count > 75)
    #expect(new.allSatisfy { $0 >= -2 && $0 <= 2 })
    let bytes = varied(augmenter, minibatch([[UInt8](repeating: 0, count: 256)], shape), 0, UInt8.self)
    #expect(Set(bytes).count > 50 && (bytes.max() ?? 0) > 200)
  }

  @Test("cutout's square lies around every pixel alike and is cut off at the edges")
  func cutout() {
    let shape: Shape = [5, 4, 1]
    let augmenter = Augmenter(
      Augmentation([.cutout(size: .init(rows: 3, columns: 2), fill: 0, probability: 1)]), sampleShape: shape,
      seed: 2)
    let source = [UInt8](repeating: 8, count: 20)
    var seen = Set<[UInt8]>()
    for row in 0..<600 {
      seen.insert(varied(augmenter, minibatch([source], shape, rows: [Int32(row)]), 0, UInt8.self))
    }
    var expected = Set<[UInt8]>()
    for centreRow in 0..<5 {
      for centreColumn in 0..<4 {
        var image = source
        for row in max(0, centreRow - 1)...min(4, centreRow + 1) {
          for column in max(0, centreColumn - 1)...centreColumn { image[4 * row + column] = 0 }
        }
        expected.insert(image)
      }
    }
    #expect(seen == expected)
  }

  @Test(
    "partners are another sample each, and every sample is the partner of one", arguments: [2, 3, 8, 128])
  func partners(count: Int) {
    for position in 0..<6 {
      let offset = Augmentation.partnerOffset(seed: 1, epoch: 2, position: position, count: count)
      #expect(Set((0..<count).map { ($0 + offset) % count }).count == count)
      #expect((1..<count).contains(offset))
    }
    #expect(Augmentation.partnerOffset(seed: 1, epoch: 2, position: 0, count: 1) == 0)
  }

  @Test("mixup blends the sample and its partner, each varied on its own, by the share that it reports")
  func mixup() throws {
    let shape: Shape = [4, 4, 3]
    let samples = (0..<6).map { sample(shape, UInt8.self, salt: $0) }
    let batch = minibatch(samples, shape, rows: [10, 11, 12, 13, 14, 15], epoch: 1, position: 6)
    let flip = AugmentationStep.flipHorizontal(probability: 0.5)
    let alone = Augmenter(Augmentation([flip]), sampleShape: shape, seed: 7)
    let mixer = Augmenter(
      Augmentation([flip, .mixup(alpha: 1, probability: 1)]), sampleShape: shape, seed: 7)
    let single = (0..<6).map { varied(alone, batch, $0, UInt8.self) }
    for index in 0..<6 {
      let (partner, share) = try #require(mixer.mixture(index, of: batch))
      let expected = zip(single[index], single[partner]).map { own, other in
        UInt8(floor(Double(share) * Double(own) + (1 - Double(share)) * Double(other) + 0.5))
      }
      #expect(varied(mixer, batch, index, UInt8.self) == expected)
    }
    #expect(mixer.mixture(0, of: minibatch([samples[0]], shape)) == nil)
  }

  @Test("cutmix takes a rectangle of the partner and reports the share of area that is left")
  func cutmix() {
    let shape: Shape = [8, 6, 1]
    let samples = (0..<5).map { [UInt8](repeating: UInt8($0), count: 48) }
    let mixer = Augmenter(Augmentation([.cutmix(alpha: 1, probability: 0.8)]), sampleShape: shape, seed: 7)
    var mixed = 0
    for position in 0..<40 {
      let batch = minibatch(
        samples, shape, rows: (0..<5).map { Int32($0 + 5 * position) }, position: position)
      for index in 0..<5 {
        let result = varied(mixer, batch, index, UInt8.self)
        guard let (partner, share) = mixer.mixture(index, of: batch) else {
          #expect(result == samples[index])
          continue
        }
        mixed += 1
        let taken = result.indices.filter { result[$0] == UInt8(partner) }
        let (rows, columns) = (Set(taken.map { $0 / 6 }), Set(taken.map { $0 % 6 }))
        #expect(taken.count == rows.count * columns.count)
        #expect(abs(Double(share) - (1 - Double(taken.count) / 48)) < 1e-4)
        #expect(result.count { $0 == UInt8(index) } + taken.count == 48)
      }
    }
    #expect((140...180).contains(mixed))
  }

  @Test("a sample is mixed at most once, by the first step that is admitted")
  func mixedOnce() {
    let shape: Shape = [4, 4, 1]
    let samples = (0..<4).map { [UInt8](repeating: UInt8(60 * $0), count: 16) }
    let batch = minibatch(samples, shape)
    let both = Augmenter(
      Augmentation([.mixup(alpha: 1, probability: 1), .cutmix(alpha: 1, probability: 1)]), sampleShape: shape,
      seed: 7)
    let first = Augmenter(Augmentation([.mixup(alpha: 1, probability: 1)]), sampleShape: shape, seed: 7)
    for index in 0..<4 {
      #expect(varied(both, batch, index, UInt8.self) == varied(first, batch, index, UInt8.self))
    }
  }

  @Test("steps say why samples do not fit them")
  func problems() {
    #expect(Augmentation.problem(of: .boardSymmetry, for: [19, 18, 48])?.contains("as many rows") == true)
    #expect(Augmentation.problem(of: .boardSymmetry, for: [19, 19, 48]) == nil)
    #expect(
      Augmentation.problem(of: .saturation(strength: 1), for: [4, 4, 1])?.contains("3 channels") == true)
    #expect(Augmentation.problem(of: .flipHorizontal(probability: 1), for: [7])?.contains("images") == true)
    #expect(Augmentation.problem(of: .mixup(alpha: 1, probability: 1), for: [7]) == nil)
  }
}
