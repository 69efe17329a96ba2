/// How a picture is brought to other proportions.
public enum ImageFit: String, Sendable, CaseIterable {
  /// What is too long is cut off, half at each end.
  case crop
  /// Both sides are scaled on their own.
  case stretch
  /// The whole picture is scaled to fit, and centred on black.
  case pad
}

extension Image {
  /// Whether a picture of this size shows the whole image without stretching it, whatever the fit.
  public func hasProportions(height newHeight: Int, width newWidth: Int) -> Bool {
    let part = partFilling(height: newHeight, width: newWidth)
    return part.height == height && part.width == width
  }

  /// The image at another size.
  public func fitted(_ fit: ImageFit, height newHeight: Int, width newWidth: Int) -> Image {
    switch fit {
    case .crop: filling(height: newHeight, width: newWidth)
    case .stretch: resized(height: newHeight, width: newWidth)
    case .pad: padded(height: newHeight, width: newWidth)
    }
  }

  /// The whole image, scaled until it touches two sides, in the middle of black.
  private func padded(height newHeight: Int, width newWidth: Int) -> Image {
    let scale = min(Double(newHeight) / Double(height), Double(newWidth) / Double(width))
    let inner = resized(
      height: min(newHeight, max(1, Int((Double(height) * scale).rounded()))),
      width: min(newWidth, max(1, Int((Double(width) * scale).rounded()))))
    var pixels = [UInt8](repeating: 0, count: newHeight * newWidth * channels.rawValue)
    let (top, left) = ((newHeight - inner.height) / 2, (newWidth - inner.width) / 2)
    let row = inner.width * channels.rawValue
    for y in 0..<inner.height {
      let start = ((top + y) * newWidth + left) * channels.rawValue
      pixels.replaceSubrange(start..<start + row, with: inner.pixels[y * row..<(y + 1) * row])
    }
    return Image(height: newHeight, width: newWidth, channels: channels, pixels: pixels)
  }
}
