internal import Foundation
internal import Tensors

/// Images as sums of waves with the coarse ones scaled up; images of three channels also have decorrelated colours.
///
/// With the orthonormal real Fourier basis B of an axis (a constant, then cosine and sine of each frequency) and
/// `s_kl = 1 / (4·max(√(f_k² + f_l²), 1/max(H, W)))`, frequencies in waves a pixel:
/// `u_c = Bᵀ·(s ∘ p_c)·B` for each channel, and `z = M·u` over the channels of a pixel, where M is a square root of the
/// covariance of colours in photographs. A step of equal size in every parameter then changes an image the way photographs
/// differ: most in coarse waves and in brightness. This is Lucid's `fft` image with `decorrelate`, with real waves instead of
/// complex ones.
///
/// Each axis is a fast transform (``WaveTransform``), in fixed order.
/// - SeeAlso: Olah, Mordvintsev & Schubert 2017, "Feature visualization"; <https://github.com/tensorflow/lucid>.
struct FourierImage {
  private let height: Int
  private let width: Int
  private let channels: Int
  private let rows: WaveTransform
  private let columns: WaveTransform
  /// `[H, W]`, by frequency.
  private let scale: [Float]

  /// Columns are the directions in which colours of photographs vary, the longest of length 1.
  private static let colours: [[Double]] = {
    let root = [[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]]
    let longest =
      (0..<3).map { column in
        root.reduce(0.0) { $0 + $1[column] * $1[column] }.squareRoot()
      }.max() ?? 1
    return root.map { $0.map { $0 / longest } }
  }()

  init(height: Int, width: Int, channels: Int) {
    (self.height, self.width, self.channels) = (height, width, channels)
    rows = WaveTransform(height)
    columns = WaveTransform(width)
    let least = 1 / Double(max(height, width))
    var scale: [Float] = []
    for vertical in rows.frequencies {
      for horizontal in columns.frequencies {
        let frequency = (vertical * vertical + horizontal * horizontal).squareRoot()
        scale.append(Float(0.25 / max(frequency, least)))
      }
    }
    self.scale = scale
  }

  /// The image `[H, W, C]` that parameters `[C, H, W]` describe.
  func values(of parameters: [Float]) -> [Float] {
    var planes = scaled(parameters) { $0 * $1 }
    transform(.toValues, &planes)
    return interleaved(mixed(planes, Self.colours))
  }

  /// The gradient with respect to the parameters, from one with respect to the values: the transpose of ``values(of:)``.
  func gradient(of gradient: [Float]) -> [Float] {
    var planes = mixed(planar(gradient), Self.transposed(Self.colours))
    transform(.toWaves, &planes)
    return scaled(planes) { $0 * $1 }
  }

  /// The parameters that give these values.
  func parameters(of values: [Float]) -> [Float] {
    var planes = mixed(planar(values), Self.inverse(Self.colours))
    transform(.toWaves, &planes)
    return scaled(planes) { $0 / $1 }
  }

  /// Both axes of every channel.
  private func transform(_ direction: WaveTransform.Direction, _ planes: inout [Float]) {
    planes.withUnsafeMutableBufferPointer { planes in
      guard let start = planes.baseAddress else { return }
      for channel in 0..<channels {
        let plane = start + channel * height * width
        rows.apply(direction, to: plane, lines: width, step: width, lineStep: 1)
        columns.apply(direction, to: plane, lines: height, step: 1, lineStep: width)
      }
    }
  }

  private func scaled(_ planes: [Float], _ operation: (Float, Float) -> Float) -> [Float] {
    var result = planes
    for channel in 0..<channels {
      let start = channel * scale.count
      for index in scale.indices { result[start + index] = operation(planes[start + index], scale[index]) }
    }
    return result
  }

  // MARK: - Channels

  private func planar(_ values: [Float]) -> [Float] {
    let plane = height * width
    var result = values
    for channel in 0..<channels {
      for pixel in 0..<plane { result[channel * plane + pixel] = values[pixel * channels + channel] }
    }
    return result
  }

  private func interleaved(_ planes: [Float]) -> [Float] {
    let plane = height * width
    var result = planes
    for channel in 0..<channels {
      for pixel in 0..<plane { result[pixel * channels + channel] = planes[channel * plane + pixel] }
    }
    return result
  }

  /// `out_i = Σⱼ matrix[i, j]·plane_j` where there are three planes; unchanged where not.
  private func mixed(_ planes: [Float], _ matrix: [[Double]]) -> [Float] {
    guard channels == 3 else { return planes }
    let plane = height * width
    var result = planes
    for (row, weights) in matrix.enumerated() {
      let (a, b, c) = (Float(weights[0]), Float(weights[1]), Float(weights[2]))
      for pixel in 0..<plane {
        result[row * plane + pixel] =
          a * planes[pixel] + b * planes[plane + pixel] + c * planes[2 * plane + pixel]
      }
    }
    return result
  }

  private static func transposed(_ matrix: [[Double]]) -> [[Double]] {
    (0..<3).map { row in (0..<3).map { matrix[$0][row] } }
  }

  /// The inverse, by cofactors.
  private static func inverse(_ m: [[Double]]) -> [[Double]] {
    func cofactor(_ row: Int, _ column: Int) -> Double {
      let (a, b) = ((row + 1) % 3, (row + 2) % 3)
      let (c, d) = ((column + 1) % 3, (column + 2) % 3)
      return m[a][c] * m[b][d] - m[a][d] * m[b][c]
    }
    let determinant = (0..<3).reduce(0.0) { $0 + m[0][$1] * cofactor(0, $1) }
    return (0..<3).map { row in (0..<3).map { cofactor($0, row) / determinant } }
  }
}
