/// The numbers between which the pixels of some samples lie, and the type that holds them.
public struct PixelSpan: Hashable, Sendable {
  /// How the pixels are held.
  public let type: PixelType
  /// The least number; finite.
  public let low: Float
  /// The largest number; finite and at least `low`.
  public let high: Float

  /// The span between two numbers.
  ///
  /// - Parameters:
  ///   - low: the least number, finite.
  ///   - high: the largest one, finite and at least `low`.
  public init(_ type: PixelType, low: Float, high: Float) {
    precondition(low <= high, "no number lies from \(low) to \(high)")
    (self.type, self.low, self.high) = (type, low, high)
  }

  /// The span of pictures: bytes from 0 to 255.
  public static let bytes = PixelSpan(.uint8, low: 0, high: 255)

  /// What black and white probably are, where pictures have such numbers; nil where the numbers do not tell.
  ///
  /// Bytes have their own range unless all of them are small. Floats have the usual range that they fill: 0…1, 0…255, −1…1 or
  /// −½…½; standardised numbers, and measurements, fill none of these.
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

  /// Whether these numbers are so much larger or smaller than others, over 16 times, that both can hardly
  /// mean the same.
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

  /// A number with four significant digits, without a point where nothing follows it.
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
  /// The span of the pixels of some samples that are spread over the dataset, the same ones at each call.
  public func pixelSpan() throws -> PixelSpan { try samples(spreadRows).pixelSpan }

  /// At most 64 rows, the first and the last among them.
  var spreadRows: [Int] {
    let sampled = min(64, count)
    return (0..<sampled).map { sampled == 1 ? 0 : $0 * (count - 1) / (sampled - 1) }
  }
}

extension Minibatch {
  /// The span of the finite numbers of all samples; 0 to 0 where there are none.
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
