internal import Foundation

/// Images as sums of waves, the coarse ones scaled up, and of three channels in decorrelated colours.
///
/// With the orthonormal real Fourier basis B of an axis (a constant, then cosine and sine of each frequency) and
/// `s_kl = 1 / (4·max(√(f_k² + f_l²), 1/max(H, W)))`, frequencies in waves a pixel:
/// `u_c = Bᵀ·(s ∘ p_c)·B` for each channel, and `z = M·u` over the channels of a pixel, where M is a square root of the
/// covariance of colours in photographs. A step of equal size in every parameter then changes an image as photographs
/// differ: most in coarse waves and in brightness. This is Lucid's `fft` image with `decorrelate`, with real waves instead of
/// complex ones.
///
/// Two matrix products, H·W·(H + W) multiplications a channel, in fixed order.
/// - SeeAlso: Olah, Mordvintsev & Schubert 2017, "Feature visualization"; <https://github.com/tensorflow/lucid>.
struct FourierImage {
  private let height: Int
  private let width: Int
  private let channels: Int
  private let rows: Basis
  private let columns: Basis
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
    rows = Basis(height)
    columns = Basis(width)
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

  /// `[H, W, C]` of parameters `[C, H, W]`.
  func values(of parameters: [Float]) -> [Float] {
    let plane = height * width
    var planes: [Float] = []
    for channel in 0..<channels {
      let scaled = zip(parameters[channel * plane..<(channel + 1) * plane], scale).map { $0 * $1 }
      planes += product(scaled, rows.transposed, columns.waves)
    }
    return interleaved(mixed(planes, Self.colours))
  }

  /// The gradient with respect to the parameters, of one with respect to the values: the transpose of ``values(of:)``.
  func gradient(of gradient: [Float]) -> [Float] {
    analysed(mixed(planar(gradient), Self.transposed(Self.colours))) { $0 * $1 }
  }

  /// The parameters that give these values.
  func parameters(of values: [Float]) -> [Float] {
    analysed(mixed(planar(values), Self.inverse(Self.colours))) { $0 / $1 }
  }

  private func analysed(_ planes: [Float], _ scaled: (Float, Float) -> Float) -> [Float] {
    let plane = height * width
    var result: [Float] = []
    for channel in 0..<channels {
      let waves = product(
        Array(planes[channel * plane..<(channel + 1) * plane]), rows.waves, columns.transposed)
      result += zip(waves, scale).map(scaled)
    }
    return result
  }

  /// `left·values·right`.
  private func product(_ values: [Float], _ left: [Float], _ right: [Float]) -> [Float] {
    var half = [Float](repeating: 0, count: height * width)
    var result = half
    Self.accumulate(&half, values, right, inner: width, columns: width)
    Self.accumulate(&result, left, half, inner: height, columns: width)
    return result
  }

  /// `target[r, c] += Σᵢ left[r, i]·right[i, c]`, i in ascending order.
  private static func accumulate(
    _ target: inout [Float], _ left: [Float], _ right: [Float], inner: Int, columns: Int
  ) {
    target.withUnsafeMutableBufferPointer { target in
      right.withUnsafeBufferPointer { right in
        for row in 0..<left.count / inner {
          for index in 0..<inner {
            let factor = left[row * inner + index]
            if factor == 0 { continue }
            let (to, from) = (row * columns, index * columns)
            for column in 0..<columns { target[to + column] += factor * right[from + column] }
          }
        }
      }
    }
  }

  // MARK: - Channels

  private func planar(_ values: [Float]) -> [Float] {
    let plane = height * width
    return (0..<values.count).map { values[$0 % plane * channels + $0 / plane] }
  }

  private func interleaved(_ planes: [Float]) -> [Float] {
    let plane = height * width
    return (0..<planes.count).map { planes[$0 % channels * plane + $0 / channels] }
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

  /// By cofactors.
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

/// The orthonormal real waves of one axis.
private struct Basis {
  /// `[wave, place]`.
  let waves: [Float]
  /// `[place, wave]`.
  let transposed: [Float]
  /// Waves a pixel.
  let frequencies: [Double]

  init(_ count: Int) {
    let n = Double(count)
    var waves: [Float] = []
    var frequencies: [Double] = []
    for wave in 0..<count {
      let turns = (wave + 1) / 2
      frequencies.append(Double(turns) / n)
      // The constant and, of an even count, the fastest cosine have no sine beside them.
      let isAlone = turns == 0 || 2 * turns == count
      let height = ((isAlone ? 1 : 2) / n).squareRoot()
      for place in 0..<count {
        let angle = 2 * Double.pi * Double(turns * place % count) / n
        waves.append(Float(height * (wave.isMultiple(of: 2) && turns > 0 ? sin(angle) : cos(angle))))
      }
    }
    self.waves = waves
    self.frequencies = frequencies
    transposed = (0..<count * count).map { waves[$0 % count * count + $0 / count] }
  }
}
