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
/// It takes two matrix products, H·W·(H + W) multiplications for each channel, in fixed order.
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

  /// The image `[H, W, C]` that parameters `[C, H, W]` describe.
  func values(of parameters: [Float]) -> [Float] {
    let plane = height * width
    var planes: [Float] = []
    for channel in 0..<channels {
      let scaled = zip(parameters[channel * plane..<(channel + 1) * plane], scale).map { $0 * $1 }
      planes += product(scaled, rows.transposed, columns.waves)
    }
    return interleaved(mixed(planes, Self.colours))
  }

  /// The gradient with respect to the parameters, from one with respect to the values: the transpose of ``values(of:)``.
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
    Self.multiply(values, right, inner: width, columns: width, into: &half)
    Self.multiply(left, half, inner: height, columns: width, into: &result)
    return result
  }

  /// `target[r, c] = Σᵢ left[r, i]·right[i, c]`, i in ascending order.
  ///
  /// Four rows by two groups of lanes stay in registers, so that memory is read once for eight multiplications; each element is
  /// the same sum in the same order wherever it lies.
  private static func multiply(
    _ left: [Float], _ right: [Float], inner: Int, columns: Int, into target: inout [Float]
  ) {
    let rows = left.count / inner
    let wide = 2 * Lanes.scalarCount
    target.withUnsafeMutableBufferPointer { target in
      left.withUnsafeBufferPointer { left in
        right.withUnsafeBufferPointer { right in
          guard let target = target.baseAddress, let left = left.baseAddress, let right = right.baseAddress
          else {
            return
          }
          let (fullRows, fullColumns) = (rows / 4 * 4, columns / wide * wide)
          for row in stride(from: 0, to: fullRows, by: 4) {
            for column in stride(from: 0, to: fullColumns, by: wide) {
              block(left + row * inner, right + column, inner, columns, target + row * columns + column)
            }
          }
          for row in 0..<rows {
            for column in (row < fullRows ? fullColumns : 0)..<columns {
              var sum: Float = 0
              for index in 0..<inner { sum += left[row * inner + index] * right[index * columns + column] }
              target[row * columns + column] = sum
            }
          }
        }
      }
    }
  }

  /// Four rows of `left` by two groups of columns of `right`.
  private static func block(
    _ left: UnsafePointer<Float>, _ right: UnsafePointer<Float>, _ inner: Int, _ columns: Int,
    _ target: UnsafeMutablePointer<Float>
  ) {
    var (a0, a1) = (Lanes.zero, Lanes.zero)
    var (b0, b1) = (Lanes.zero, Lanes.zero)
    var (c0, c1) = (Lanes.zero, Lanes.zero)
    var (d0, d1) = (Lanes.zero, Lanes.zero)
    for index in 0..<inner {
      let from = right + index * columns
      let (first, second) = (from.lanes(at: 0), from.lanes(at: Lanes.scalarCount))
      let (a, b) = (left[index], left[inner + index])
      let (c, d) = (left[2 * inner + index], left[3 * inner + index])
      a0 += a * first
      a1 += a * second
      b0 += b * first
      b1 += b * second
      c0 += c * first
      c1 += c * second
      d0 += d * first
      d1 += d * second
    }
    for (row, sums) in [(a0, a1), (b0, b1), (c0, c1), (d0, d1)].enumerated() {
      target.store(sums.0, at: row * columns)
      target.store(sums.1, at: row * columns + Lanes.scalarCount)
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

/// The orthonormal real waves of one axis.
private struct Basis {
  /// `[wave, place]`.
  let waves: [Float]
  /// `[place, wave]`.
  let transposed: [Float]
  /// The frequency of each wave, in waves per pixel.
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
