internal import Foundation
internal import Tensors

/// Random changes of an image before the network sees it, so that an ascent finds shapes and not single pixels.
///
/// Each step draws a placement of its own, a function of (seed, target, attempt, step).
/// - SeeAlso: Mordvintsev et al. 2015 (jitter); Olah, Mordvintsev & Schubert 2017 (scale and rotation).
struct ImageTransform: Hashable, Sendable {
  /// The largest shift each way, in pixels.
  var jitter = 0
  /// The largest change of size: sizes lie between 1 − this and 1 + this.
  var scale = 0.0
  /// The largest angle each way, in degrees.
  var rotation = 0.0

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

/// An image shifted in a circle, then enlarged and turned about its middle; beyond an edge lies the opposite one.
///
/// The placement is linear in the image (a mixture of four pixels where it is turned or enlarged), and its transpose leads back.
public struct ImagePlacement: Hashable, Sendable {
  /// The shift downwards, in pixels.
  public var down: Int
  /// The shift to the right, in pixels.
  public var right: Int
  /// The factor by which the image is enlarged.
  public var size: Double
  /// The angle by which the image is turned clockwise, in degrees.
  public var degrees: Double

  /// A placement; without arguments the image stays as it is.
  public init(down: Int = 0, right: Int = 0, size: Double = 1, degrees: Double = 0) {
    (self.down, self.right, self.size, self.degrees) = (down, right, size, degrees)
  }

  /// The image as it is.
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

  /// Gives the origin of each pixel: four places, with weights that add up to 1.
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

/// A Gaussian blur with edges repeated, `[H, W, C]`, in two passes; its weights reach three standard deviations far.
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
