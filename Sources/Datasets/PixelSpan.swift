/// Between which numbers the pixels of some samples lie, and as what they are held.
public struct PixelSpan: Hashable, Sendable {
  public let type: PixelType
  public let low: Float
  /// At least `low`.
  public let high: Float

  /// - Parameters:
  ///   - low: the least number, finite.
  ///   - high: the largest one, finite and at least `low`.
  public init(_ type: PixelType, low: Float, high: Float) {
    precondition(low <= high, "no number lies from \(low) to \(high)")
    (self.type, self.low, self.high) = (type, low, high)
  }

  /// Those of pictures: bytes from 0 to 255.
  public static let bytes = PixelSpan(.uint8, low: 0, high: 255)

  /// What black and white are to whoever made such numbers of pictures; nil where they do not tell.
  ///
  /// Bytes are taken as they are unless all of them are small, floats for the usual range that they fill: 0…1, 0…255, −1…1 or
  /// −½…½. Standardised numbers, and those of measurements, fill none of them.
  public var pictureRange: ClosedRange<Float>? {
    switch type {
    case .uint8:
      if high <= 1 { return high > 0 ? 0...1 : nil }
      return high >= 64 ? 0...255 : nil
    case .float32:
      if low >= 0, high <= 1 { return high > 0.5 ? 0...1 : nil }
      if low >= 0, high <= 255 { return high > 127.5 ? 0...255 : nil }
      for bound: Float in [0.5, 1] where max(-low, high) <= bound {
        return min(-low, high) >= 0.9 * bound ? -bound...bound : nil
      }
      return nil
    }
  }

  /// The largest distance from 0.
  public var reach: Float { max(abs(low), abs(high)) }

  /// Whether numbers like these are so much larger or smaller than others that both can hardly mean the same.
  public func isUnlike(_ other: PixelSpan) -> Bool {
    let (least, most) = (min(reach, other.reach), max(reach, other.reach))
    return least > 0 && most / least > 16
  }
}

extension PixelSpan: CustomStringConvertible {
  /// `bytes from 0 to 255`, `floats from -0.4242 to 2.821`.
  public var description: String {
    "\(type == .uint8 ? "bytes" : "floats") from \(Self.text(low)) to \(Self.text(high))"
  }

  /// Four significant digits, without a point where there is nothing behind it.
  public static func text(_ value: Float) -> String {
    guard value.isFinite, value != 0 else { return value == 0 ? "0" : "\(value)" }
    var scale = 1.0
    var size = Double(abs(value))
    while size >= 10_000 { (size, scale) = (size / 10, scale / 10) }
    while size < 1000 { (size, scale) = (size * 10, scale * 10) }
    let rounded = (Double(value) * scale).rounded() / scale
    return rounded == rounded.rounded() && abs(rounded) < 1e7 ? "\(Int(rounded))" : "\(Float(rounded))"
  }
}

extension ImageDataset {
  /// Between which numbers the pixels of some samples lie that are spread over the dataset, the same ones at each call.
  public func pixelSpan() throws -> PixelSpan { try samples(spreadRows).pixelSpan }

  /// At most 64 rows, the first and the last among them.
  var spreadRows: [Int] {
    let sampled = min(64, count)
    return (0..<sampled).map { sampled == 1 ? 0 : $0 * (count - 1) / (sampled - 1) }
  }
}

extension Minibatch {
  /// Between which numbers the pixels of all samples lie; 0 to 0 without samples.
  public var pixelSpan: PixelSpan {
    var low = Float.infinity
    var high = -Float.infinity
    for index in 0..<count {
      withSample(index) { bytes in
        switch pixelType {
        case .uint8:
          low = min(low, Float(bytes.min() ?? 0))
          high = max(high, Float(bytes.max() ?? 0))
        case .float32:
          for value in bytes.assumingMemoryBound(to: Float.self) where value.isFinite {
            (low, high) = (min(low, value), max(high, value))
          }
        }
      }
    }
    return low <= high
      ? PixelSpan(pixelType, low: low, high: high) : PixelSpan(pixelType, low: 0, high: 0)
  }
}
