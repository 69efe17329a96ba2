/// What steps do with the numbers of samples, for bytes and for floats.
///
/// Arithmetic on bytes is in 1/65536ths, rounded to the nearest: exact, the same on every machine, and easy to vectorise.
protocol PixelValue: BitwiseCopyable, Sendable, Comparable {
  /// `factor·value + offset` for each element.
  static func scale(
    _ pixels: UnsafeMutablePointer<Self>, count: Int, factor: Double, offset: Double)

  /// `share·own + (1 − share)·other` for each element, in place of `own`.
  static func mix(
    _ own: UnsafeMutablePointer<Self>, _ other: UnsafePointer<Self>, count: Int, share: MixShare)

  /// `factor·value + (1 − factor)·grey` for each of `count` pixels of three channels.
  static func saturate(_ pixels: UnsafeMutablePointer<Self>, count: Int, factor: Double)

  /// The mean grey; where there are not three channels, the mean of all numbers.
  static func meanGrey(_ pixels: UnsafePointer<Self>, count: Int, channels: Int) -> Double

  /// The nearest value.
  init(nearest value: Float)
  var float: Float { get }
}

/// A share of a mixture in 1/65536ths.
struct MixShare: Hashable, Sendable {
  static let one: Int32 = 1 << 16
  let units: Int32

  init(units: Int32) { self.units = units }
  init(_ share: Double) { units = Int32((share * Double(MixShare.one)).rounded()) }

  var float: Float { Float(units) / Float(MixShare.one) }
}

/// Weights of red, green and blue in grey (ITU-R BT.601), in 1/65536ths.
private let greyWeights: (Int32, Int32, Int32) = (19595, 38470, 7471)

@inline(__always)
private func byte(_ units: Int32) -> UInt8 {
  UInt8(truncatingIfNeeded: min(max(units >> 16, 0), 255))
}

extension UInt8: PixelValue {
  static func scale(
    _ pixels: UnsafeMutablePointer<UInt8>, count: Int, factor: Double, offset: Double
  ) {
    // The settings' factors, 0 to 11, and offsets lie inside these bounds, and nothing overflows for them.
    let factor = Int32((Swift.min(Swift.max(factor, -100), 100) * 65536).rounded())
    let offset = Int32((Swift.min(Swift.max(offset, -8192), 8192) * 65536).rounded()) + 32768
    for index in 0..<count { pixels[index] = byte(Int32(pixels[index]) &* factor &+ offset) }
  }

  static func mix(
    _ own: UnsafeMutablePointer<UInt8>, _ other: UnsafePointer<UInt8>, count: Int, share: MixShare
  ) {
    let (first, second) = (share.units, MixShare.one - share.units)
    for index in 0..<count {
      own[index] = byte(Int32(own[index]) &* first &+ Int32(other[index]) &* second &+ 32768)
    }
  }

  static func saturate(_ pixels: UnsafeMutablePointer<UInt8>, count: Int, factor: Double) {
    let units = Int32((Swift.min(Swift.max(factor, 0), 100) * 65536).rounded())
    for pixel in 0..<count {
      let (red, green, blue) = (
        Int32(pixels[3 &* pixel]), Int32(pixels[3 &* pixel &+ 1]), Int32(pixels[3 &* pixel &+ 2])
      )
      let weighted: Int32 = red &* greyWeights.0 &+ green &* greyWeights.1 &+ blue &* greyWeights.2
      let grey: Int32 = (weighted &+ 32768) >> 16
      let rest: Int32 = grey &* (65536 &- units) &+ 32768
      pixels[3 &* pixel] = byte(red &* units &+ rest)
      pixels[3 &* pixel &+ 1] = byte(green &* units &+ rest)
      pixels[3 &* pixel &+ 2] = byte(blue &* units &+ rest)
    }
  }

  static func meanGrey(_ pixels: UnsafePointer<UInt8>, count: Int, channels: Int) -> Double {
    guard channels == 3 else {
      var sum = 0
      for index in 0..<count &* channels { sum &+= Int(pixels[index]) }
      return Double(sum) / Double(count * channels)
    }
    var sums = (0, 0, 0)
    for pixel in 0..<count {
      sums.0 &+= Int(pixels[3 &* pixel])
      sums.1 &+= Int(pixels[3 &* pixel &+ 1])
      sums.2 &+= Int(pixels[3 &* pixel &+ 2])
    }
    return greyMean(Double(sums.0), Double(sums.1), Double(sums.2), count)
  }

  @inline(__always)
  init(nearest value: Float) {
    // From 2²³ on floats are whole numbers, and the last byte is the value: this rounds without a call or a
    // branch.
    self = UInt8(truncatingIfNeeded: (Swift.min(Swift.max(value, 0), 255) + 0x1p23).bitPattern)
  }
  @inline(__always)
  var float: Float { Float(self) }
}

extension Float: PixelValue {
  static func scale(
    _ pixels: UnsafeMutablePointer<Float>, count: Int, factor: Double, offset: Double
  ) {
    let (factor, offset) = (Float(factor), Float(offset))
    for index in 0..<count { pixels[index] = pixels[index] * factor + offset }
  }

  static func mix(
    _ own: UnsafeMutablePointer<Float>, _ other: UnsafePointer<Float>, count: Int, share: MixShare
  ) {
    let (first, second) = (share.float, 1 - share.float)
    for index in 0..<count { own[index] = own[index] * first + other[index] * second }
  }

  static func saturate(_ pixels: UnsafeMutablePointer<Float>, count: Int, factor: Double) {
    let (factor, rest) = (Float(factor), Float(1 - factor))
    let weights = (
      Float(greyWeights.0) / 65536, Float(greyWeights.1) / 65536, Float(greyWeights.2) / 65536
    )
    for pixel in 0..<count {
      let (red, green, blue) = (pixels[3 * pixel], pixels[3 * pixel + 1], pixels[3 * pixel + 2])
      let grey = (red * weights.0 + green * weights.1 + blue * weights.2) * rest
      pixels[3 * pixel] = red * factor + grey
      pixels[3 * pixel + 1] = green * factor + grey
      pixels[3 * pixel + 2] = blue * factor + grey
    }
  }

  static func meanGrey(_ pixels: UnsafePointer<Float>, count: Int, channels: Int) -> Double {
    guard channels == 3 else {
      var sum = 0.0
      for index in 0..<count * channels { sum += Double(pixels[index]) }
      return sum / Double(count * channels)
    }
    var sums = (0.0, 0.0, 0.0)
    for pixel in 0..<count {
      sums.0 += Double(pixels[3 * pixel])
      sums.1 += Double(pixels[3 * pixel + 1])
      sums.2 += Double(pixels[3 * pixel + 2])
    }
    return greyMean(sums.0, sums.1, sums.2, count)
  }

  @inline(__always)
  init(nearest value: Float) { self = value }
  @inline(__always)
  var float: Float { self }
}

private func greyMean(_ red: Double, _ green: Double, _ blue: Double, _ count: Int) -> Double {
  let weighted =
    red * Double(greyWeights.0) + green * Double(greyWeights.1) + blue * Double(greyWeights.2)
  return weighted / 65536 / Double(count)
}
