internal import Glibc

/// Where each pixel of a turned, enlarged, slanted and shifted sample comes from.
///
/// Forward: `p' = c + t + R(θ)·S·K·(p − c)`, with the centre c, the shift t, the turn R (counter-clockwise as one looks at the
/// picture), the enlargement S and the slant K along rows; this type keeps the inverse. Coordinates are (x, y), y downwards.
struct AffineMap: Sendable {
  /// `x = xx·x' + xy·y' + x0` and `y = yx·x' + yy·y' + y0`.
  let xx: Double, xy: Double, x0: Double
  let yx: Double, yy: Double, y0: Double

  /// - Parameters:
  ///   - degrees, shear: angles.
  ///   - scale: above 0.
  ///   - down, right: in pixels.
  init(_ grid: PixelGrid, degrees: Double, scale: Double, shear: Double, down: Double, right: Double) {
    let (angle, slant) = (degrees * .pi / 180, tan(shear * .pi / 180))
    let (cosine, sine) = (cos(angle), sin(angle))
    // Of R·S·K, y downwards: [[cos, sin], [−sin, cos]]·s·[[1, k], [0, 1]]; the inverse is K⁻¹·R⁻¹/s.
    xx = (cosine - slant * sine) / scale
    xy = (-sine - slant * cosine) / scale
    yx = sine / scale
    yy = cosine / scale
    let (centreX, centreY) = (Double(grid.width - 1) / 2, Double(grid.height - 1) / 2)
    x0 = centreX - xx * (centreX + right) - xy * (centreY + down)
    y0 = centreY - yx * (centreX + right) - yy * (centreY + down)
  }

  /// Fills `target` with the sample seen through this map: bilinear, with what `border` says outside the
  /// sample.
  func warp<T: PixelValue>(
    _ grid: PixelGrid, _ source: UnsafePointer<T>, _ target: UnsafeMutablePointer<T>, border: Border
  ) {
    // Coordinates in 2⁻³² of a pixel: sums are exact, and the whole part is a shift.
    let (xStep, yStep) = (fixed(xx), fixed(yx))
    for row in 0..<grid.height {
      var (x, y) = (fixed(xy * Double(row) + x0), fixed(yy * Double(row) + y0))
      for column in 0..<grid.width {
        let (i, j) = (Int(y >> 32), Int(x >> 32))
        let (u, v) = (fraction(x), fraction(y))
        x &+= xStep
        y &+= yStep
        let to = target + (row &* grid.stride &+ column &* grid.channels)
        if i >= 0 && j >= 0 && i < grid.height &- 1 && j < grid.width &- 1 {
          let from = source + (i &* grid.stride &+ j &* grid.channels)
          for channel in 0..<grid.channels {
            let above = from[channel].float * (1 - u) + from[channel &+ grid.channels].float * u
            let below =
              from[channel &+ grid.stride].float * (1 - u)
              + from[channel &+ grid.stride &+ grid.channels].float * u
            to[channel] = T(nearest: above * (1 - v) + below * v)
          }
        } else {
          edge(grid, source, to, border, i, j, u, v)
        }
      }
    }
  }

  @inline(__always)
  private func fixed(_ value: Double) -> Int64 {
    // No sample is so large that values beyond this would make a difference.
    Int64(min(max(value, -1e6), 1e6) * 0x1p32)
  }

  @inline(__always)
  private func fraction(_ fixed: Int64) -> Float {
    Float(Int32(truncatingIfNeeded: fixed >> 8) & 0xff_ffff) * 0x1p-24
  }

  private func edge<T: PixelValue>(
    _ grid: PixelGrid, _ source: UnsafePointer<T>, _ to: UnsafeMutablePointer<T>, _ border: Border,
    _ i: Int, _ j: Int, _ u: Float, _ v: Float
  ) {
    let rows = (border.resolve(i, grid.height), border.resolve(i + 1, grid.height))
    let columns = (border.resolve(j, grid.width), border.resolve(j + 1, grid.width))
    func value(_ row: Int?, _ column: Int?, _ channel: Int) -> Float {
      guard let row, let column else { return 0 }
      return source[row * grid.stride + column * grid.channels + channel].float
    }
    for channel in 0..<grid.channels {
      let above = value(rows.0, columns.0, channel) * (1 - u) + value(rows.0, columns.1, channel) * u
      let below = value(rows.1, columns.0, channel) * (1 - u) + value(rows.1, columns.1, channel) * u
      to[channel] = T(nearest: above * (1 - v) + below * v)
    }
  }
}
