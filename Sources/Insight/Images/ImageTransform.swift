internal import Foundation
internal import Tensors

/// What is done to an image before the network sees it, so that an ascent finds shapes and not single pixels.
///
/// Each step draws a placement of its own, a function of (seed, target, attempt, step).
/// - SeeAlso: Mordvintsev et al. 2015 (jitter); Olah, Mordvintsev & Schubert 2017 (scale and rotation).
public struct ImageTransform: Hashable, Sendable {
  /// Largest shift each way, in pixels.
  public var jitter: Int
  /// Sizes from 1 − this to 1 + this.
  public var scale: Double
  /// Largest angle each way, in degrees.
  public var rotation: Double

  public init(jitter: Int = 0, scale: Double = 0, rotation: Double = 0) {
    (self.jitter, self.scale, self.rotation) = (jitter, scale, rotation)
  }

  func placement(stream: UInt64, seed: UInt64, target: UInt64) -> ImagePlacement {
    guard self != ImageTransform() else { return .unmoved }
    var random = RandomStream(seed: seed, purpose: .insight, a: target, b: stream)
    var placement = ImagePlacement.unmoved
    if jitter > 0 {
      placement.down = random.nextInteger(below: 2 * jitter + 1) - jitter
      placement.right = random.nextInteger(below: 2 * jitter + 1) - jitter
    }
    if scale > 0 { placement.size = 1 + scale * (2 * random.nextUniformDouble() - 1) }
    if rotation > 0 { placement.degrees = rotation * (2 * random.nextUniformDouble() - 1) }
    return placement
  }
}

/// An image moved in a circle, then enlarged and turned about its middle; what lies beyond an edge comes from the opposite one.
///
/// Linear in the image (mixtures of four pixels where it is turned or enlarged), with its transpose for the way back.
public struct ImagePlacement: Hashable, Sendable {
  public var down: Int
  public var right: Int
  public var size: Double
  /// Clockwise.
  public var degrees: Double

  public init(down: Int = 0, right: Int = 0, size: Double = 1, degrees: Double = 0) {
    (self.down, self.right, self.size, self.degrees) = (down, right, size, degrees)
  }

  public static let unmoved = ImagePlacement()

  func apply(_ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, _ shape: Shape) {
    guard size != 1 || degrees != 0 else {
      return Self.roll(source, to: target, shape, down: down, right: right)
    }
    let channels = shape[2]
    forEachMixture(shape) { place, corners, weights in
      for channel in 0..<channels {
        var sum: Float = 0
        for corner in 0..<4 { sum += weights[corner] * source[corners[corner] + channel] }
        target[place + channel] = sum
      }
    }
  }

  /// The transpose of ``apply(_:to:_:)``.
  func pullBack(_ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, _ shape: Shape) {
    guard size != 1 || degrees != 0 else {
      return Self.roll(source, to: target, shape, down: -down, right: -right)
    }
    let channels = shape[2]
    target.update(repeating: 0, count: shape.elementCount)
    forEachMixture(shape) { place, corners, weights in
      for channel in 0..<channels {
        for corner in 0..<4 { target[corners[corner] + channel] += weights[corner] * source[place + channel] }
      }
    }
  }

  /// Tells where each pixel comes from: four places with weights that add up to 1.
  private func forEachMixture(_ shape: Shape, _ body: (Int, SIMD4<Int>, SIMD4<Float>) -> Void) {
    let (height, width, channels) = (shape[0], shape[1], shape[2])
    let angle = degrees * .pi / 180
    let (along, across) = (cos(angle) / size, sin(angle) / size)
    let middle = (row: Double(height - 1) / 2, column: Double(width - 1) / 2)
    func around(_ index: Int, _ count: Int) -> Int { (index % count + count) % count }
    for row in 0..<height {
      for column in 0..<width {
        let (v, u) = (Double(row) - middle.row, Double(column) - middle.column)
        let y = middle.row + along * v - across * u - Double(down)
        let x = middle.column + across * v + along * u - Double(right)
        let (top, left) = (y.rounded(.down), x.rounded(.down))
        let (lower, further) = (Float(y - top), Float(x - left))
        let rows = (around(Int(top), height) * width, around(Int(top) + 1, height) * width)
        let columns = (around(Int(left), width), around(Int(left) + 1, width))
        body(
          (row * width + column) * channels,
          SIMD4(
            (rows.0 + columns.0) * channels, (rows.0 + columns.1) * channels, (rows.1 + columns.0) * channels,
            (rows.1 + columns.1) * channels),
          SIMD4(
            (1 - lower) * (1 - further), (1 - lower) * further, lower * (1 - further), lower * further))
      }
    }
  }

  /// `target[(r + down) mod H, (c + right) mod W] = source[r, c]`; the adjoint is the opposite shift.
  static func roll(
    _ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, _ shape: Shape, down: Int,
    right: Int
  ) {
    let (height, width, channels) = (shape[0], shape[1], shape[2])
    func place(_ index: Int, _ count: Int) -> Int { (index % count + count) % count }
    let shift = place(right, width) * channels
    let stride = width * channels
    for row in 0..<height {
      let (from, to) = (source + row * stride, target + place(row + down, height) * stride)
      (to + shift).update(from: from, count: stride - shift)
      to.update(from: from + stride - shift, count: shift)
    }
  }
}

/// A Gaussian blur with edges repeated, `[H, W, C]`, in two passes; weights up to three deviations away.
struct GaussianBlur {
  private let weights: [Float]
  private var reach: Int { weights.count / 2 }

  /// - Parameter sigma: standard deviation in pixels, above 0.
  init(sigma: Double) {
    let reach = max(1, Int((3 * sigma).rounded(.up)))
    let raw = (-reach...reach).map { exp(-Double($0 * $0) / (2 * sigma * sigma)) }
    let sum = raw.reduce(0, +)
    weights = raw.map { Float($0 / sum) }
  }

  func apply(to image: inout [Float], shape: Shape) {
    let (height, width, channels) = (shape[0], shape[1], shape[2])
    var half = image
    for row in 0..<height {
      for column in 0..<width {
        for channel in 0..<channels {
          var sum: Float = 0
          for (index, weight) in weights.enumerated() {
            let source = min(max(column + index - reach, 0), width - 1)
            sum += weight * image[(row * width + source) * channels + channel]
          }
          half[(row * width + column) * channels + channel] = sum
        }
      }
    }
    for row in 0..<height {
      for column in 0..<width {
        for channel in 0..<channels {
          var sum: Float = 0
          for (index, weight) in weights.enumerated() {
            let source = min(max(row + index - reach, 0), height - 1)
            sum += weight * half[(source * width + column) * channels + channel]
          }
          image[(row * width + column) * channels + channel] = sum
        }
      }
    }
  }
}
