public import ImageFiles
internal import Networks

extension Image {
  /// A sample of a sound, whose rows are time and whose columns are frequency from the lowest, as people draw it: time to the
  /// right, and frequency upwards.
  public var asSpectrum: Image {
    var turned = [UInt8](repeating: 0, count: pixels.count)
    let size = channels.rawValue
    for row in 0..<height {
      for column in 0..<width {
        for channel in 0..<size {
          turned[((width - 1 - column) * height + row) * size + channel] =
            pixels[(row * width + column) * size + channel]
        }
      }
    }
    return Image(height: width, width: height, channels: channels, pixels: turned)
  }
}

extension Subject {
  /// A picture of a sample, of its kernels or its maps, as people look at it: a sound's time goes to the right, its frequency upwards.
  public func oriented(_ image: Image) -> Image { drawsSpectra ? image.asSpectrum : image }
}

extension Explanation.Map {
  /// The map turned as ``/ImageFiles/Image/asSpectrum`` turns its picture.
  public var asSpectrum: Explanation.Map {
    var turned = [Float](repeating: 0, count: values.count)
    for row in 0..<height {
      for column in 0..<width { turned[(width - 1 - column) * height + row] = values[row * width + column] }
    }
    var map = Explanation.Map(height: width, width: height, values: turned)
    map.places = places.map { places in
      Places(
        rows: places.columns.reversed().map { Float(places.size.width - 1) - $0 }, columns: places.rows,
        size: Size2D(places.size.width, places.size.height))
    }
    return map
  }
}
