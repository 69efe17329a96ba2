internal import Foundation
internal import Tensors

/// What is done to an image before the network sees it, so that an ascent finds shapes and not single pixels.
///
/// Linear, with its adjoint for the way back. Random choices are a function of (seed, target, attempt, step).
public enum ImageTransform: Hashable, Sendable {
  /// Moves the image in a circle by up to this many pixels each way (Mordvintsev et al. 2015).
  case jitter(Int)

  /// The source row and column offsets of one step.
  func shift(stream: UInt64, seed: UInt64, target: UInt64) -> (down: Int, right: Int) {
    switch self {
    case .jitter(let reach):
      guard reach > 0 else { return (0, 0) }
      var random = RandomStream(seed: seed, purpose: .insight, a: target, b: stream)
      return (
        random.nextInteger(below: 2 * reach + 1) - reach, random.nextInteger(below: 2 * reach + 1) - reach
      )
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
