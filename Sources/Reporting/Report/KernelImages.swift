internal import ImageFiles

extension RunReport.Filters {
  /// Kernels of a convolution over the image as pictures, one for each filter.
  ///
  /// Grey stands for 0, and white and black for ± the largest weight of the layer; with three input channels this holds for red,
  /// green and blue separately. For any other number of channels the mean over them is shown.
  /// - Parameters:
  ///   - kernel: the weights [KH, KW, IC, OC], output channels innermost.
  ///   - limit: the largest number of kernels to show; the first ones are taken.
  public init(
    layer: String, kernel: UnsafeBufferPointer<Float>, height: Int, width: Int, channels: Int, filters: Int,
    limit: Int = 128
  ) {
    precondition(
      kernel.count == height * width * channels * filters,
      "a kernel of \(height)×\(width)×\(channels)×\(filters) does not have \(kernel.count) weights")
    let isColour = channels == 3
    let planes = isColour ? 3 : 1
    func weight(_ pixel: Int, _ plane: Int, _ filter: Int) -> Float {
      if isColour { return kernel[(pixel * channels + plane) * filters + filter] }
      let sum = (0..<channels).reduce(Float(0)) { $0 + kernel[(pixel * channels + $1) * filters + filter] }
      return sum / Float(channels)
    }
    let shown = min(filters, limit)
    let pixels = height * width
    var largest: Float = 0
    for filter in 0..<shown {
      for pixel in 0..<pixels {
        for plane in 0..<planes { largest = max(largest, abs(weight(pixel, plane, filter))) }
      }
    }
    let scale = largest > 0 && largest.isFinite ? 127 / largest : 0
    let images = (0..<shown).map { filter in
      var bytes = [UInt8](repeating: 0, count: pixels * planes)
      for pixel in 0..<pixels {
        for plane in 0..<planes {
          let value = 128 + scale * weight(pixel, plane, filter)
          bytes[pixel * planes + plane] = value.isFinite ? UInt8(max(0, min(255, value.rounded()))) : 0
        }
      }
      return Image(height: height, width: width, channels: isColour ? .rgb : .grey, pixels: bytes)
    }
    let meaning = isColour || channels == 1 ? "" : "; mean over \(channels) input channels"
    let part = shown < filters ? "the first \(shown) of \(filters) filters, " : ""
    self.init(
      layer: layer, images: images,
      legend:
        "\(part)\(height)×\(width); grey is 0, white and black are ±\(NumberText.fixed(Double(largest), 3))\(meaning)"
    )
  }
}
