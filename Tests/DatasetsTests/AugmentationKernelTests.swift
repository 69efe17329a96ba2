import Foundation
import Tensors
import Testing

@testable import Datasets

/// Sizes that hurt: odd, one row, one pixel; grey and colour.
private let shapes: [Shape] = [
  [5, 7, 1], [7, 4, 3], [1, 6, 3], [6, 1, 1], [1, 1, 3], [9, 9, 2], [28, 28, 1],
]

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
    let units = (share * 65536).rounded() / 65536
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
