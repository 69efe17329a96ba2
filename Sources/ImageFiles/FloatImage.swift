/// An image in single precision, rows from the top, channels innermost: what is computed on, between reading and writing.
///
/// Values are those of pixels, 0…255, and may leave that range until they are written.
public struct FloatImage: Hashable, Sendable {
  /// Rows.
  public let height: Int
  /// Columns.
  public let width: Int
  /// Numbers per pixel.
  public let channels: Int
  /// The numbers, `[height, width, channels]`.
  public var values: [Float]

  /// An image of these values, `[height, width, channels]`.
  public init(height: Int, width: Int, channels: Int, values: [Float]) {
    precondition(height > 0 && width > 0 && channels > 0, "an image of \(height)×\(width) has no pixels")
    precondition(
      values.count == height * width * channels,
      "expected \(height * width * channels) values for \(height)×\(width)×\(channels), got \(values.count)")
    self.height = height
    self.width = width
    self.channels = channels
    self.values = values
  }

  /// The pixels of an image as floats, 0…255.
  public init(_ image: Image) {
    self.init(
      height: image.height, width: image.width, channels: image.channels.rawValue,
      values: image.pixels.map(Float.init))
  }

  /// The image in bytes: rounded, and clamped to 0…255; NaN becomes 0.
  ///
  /// - Returns: nil where no ``Image`` has as many channels.
  public var image: Image? {
    guard let kind = Image.Channels(rawValue: channels) else { return nil }
    let pixels = values.map { value in value > 0 ? UInt8(min(value.rounded(), 255)) : 0 }
    return Image(height: height, width: width, channels: kind, pixels: pixels)
  }

  /// The image at another size: means over areas where an axis shrinks, linear between pixel centres where it grows.
  public func resized(height newHeight: Int, width newWidth: Int) -> FloatImage {
    precondition(newHeight > 0 && newWidth > 0, "cannot resize to \(newHeight)×\(newWidth)")
    if newHeight == height && newWidth == width { return self }
    let columns = AxisWeights(from: width, to: newWidth)
    let rows = AxisWeights(from: height, to: newHeight)
    var narrow = [Float](repeating: 0, count: height * newWidth * channels)
    var result = [Float](repeating: 0, count: newHeight * newWidth * channels)
    values.withUnsafeBufferPointer { source in
      narrow.withUnsafeMutableBufferPointer { narrow in
        for row in 0..<height {
          for column in 0..<newWidth {
            let target = (row * newWidth + column) * channels
            for (offset, weight) in columns.weights[column].enumerated() {
              let place = (row * width + columns.starts[column] + offset) * channels
              for channel in 0..<channels { narrow[target + channel] += weight * source[place + channel] }
            }
          }
        }
        result.withUnsafeMutableBufferPointer { result in
          let stride = newWidth * channels
          for row in 0..<newHeight {
            for (offset, weight) in rows.weights[row].enumerated() {
              let (target, place) = (row * stride, (rows.starts[row] + offset) * stride)
              for index in 0..<stride { result[target + index] += weight * narrow[place + index] }
            }
          }
        }
      }
    }
    return FloatImage(height: newHeight, width: newWidth, channels: channels, values: result)
  }

  /// The image shifted by pixels, in either direction: what leaves at one edge comes in at the opposite one.
  public func rolled(down: Int, right: Int) -> FloatImage {
    var result = self
    func place(_ index: Int, _ count: Int) -> Int { (index % count + count) % count }
    values.withUnsafeBufferPointer { source in
      result.values.withUnsafeMutableBufferPointer { target in
        let shift = place(right, width) * channels
        let stride = width * channels
        for row in 0..<height {
          let (from, to) = (row * stride, place(row + down, height) * stride)
          for index in 0..<stride - shift { target[to + shift + index] = source[from + index] }
          for index in 0..<shift { target[to + index] = source[from + stride - shift + index] }
        }
      }
    }
    return result
  }
}
