internal import CImageCodecs

/// PNG through libpng's simplified interface.
public enum PNG {
  /// Decodes to 8 bits: grey files give grey, palettes and colours RGB, anything transparent RGBA.
  ///
  /// Of 16 bits the upper ones are kept, rounded. Where a file says that its values are not sRGB, they are converted.
  /// - Parameter name: of the file, for messages.
  public static func decode(
    _ bytes: [UInt8], name: String, pixelLimit: Int = ImageFile.defaultPixelLimit
  ) throws(ImageError) -> Image {
    var image = png_image()
    image.version = png_uint_32(PNG_IMAGE_VERSION)
    defer { png_image_free(&image) }
    let result: Result<Image, ImageError> = bytes.withUnsafeBytes { bytes in
      Result { () throws(ImageError) in try decode(bytes, &image, name: name, pixelLimit: pixelLimit) }
    }
    return try result.get()
  }

  private static func decode(
    _ bytes: UnsafeRawBufferPointer, _ image: inout png_image, name: String, pixelLimit: Int
  ) throws(ImageError) -> Image {
    guard let start = bytes.baseAddress, png_image_begin_read_from_memory(&image, start, bytes.count) != 0
    else { throw failure(image, name) }
    let (width, height) = (Int(image.width), Int(image.height))
    try ImageFile.checkSize(width: width, height: height, limit: pixelLimit, name: name)
    let isColored = image.format & PNG_FORMAT_FLAG_COLOR != 0
    let isTransparent = image.format & PNG_FORMAT_FLAG_ALPHA != 0
    let channels: Image.Channels = isTransparent ? .rgba : isColored ? .rgb : .grey
    image.format =
      (channels == .grey ? 0 : PNG_FORMAT_FLAG_COLOR) | (isTransparent ? PNG_FORMAT_FLAG_ALPHA : 0)
    // Without this, 16-bit values would be taken for linear light and come out brighter than other readers show them.
    image.flags |= png_uint_32(PNG_IMAGE_FLAG_16BIT_sRGB)
    var pixels = [UInt8](repeating: 0, count: width * height * channels.rawValue)
    let status = pixels.withUnsafeMutableBytes {
      png_image_finish_read(&image, nil, $0.baseAddress, png_int_32(width * channels.rawValue), nil)
    }
    guard status != 0 else { throw failure(image, name) }
    return Image(height: height, width: width, channels: channels, pixels: pixels)
  }

  private static func failure(_ image: png_image, _ name: String) -> ImageError {
    var image = image
    let reason = String(cString: cimagecodecs_png_message(&image))
    return ImageError(.badData, "\(name) is a damaged or truncated PNG file (\(reason))")
  }

  /// Encodes without loss.
  public static func encode(_ image: Image) throws(ImageError) -> [UInt8] {
    var header = png_image()
    header.version = png_uint_32(PNG_IMAGE_VERSION)
    header.width = png_uint_32(image.width)
    header.height = png_uint_32(image.height)
    header.format =
      (image.channels == .grey ? 0 : PNG_FORMAT_FLAG_COLOR)
      | (image.channels == .rgba ? PNG_FORMAT_FLAG_ALPHA : 0)
    let stride = png_int_32(image.width * image.channels.rawValue)
    // Incompressible pixels with their filters and headers stay below this.
    let bound = image.pixels.count + image.pixels.count / 8 + image.height + 4096
    var bytes = [UInt8](repeating: 0, count: bound)
    var count = bytes.count
    let status = bytes.withUnsafeMutableBytes { target in
      image.pixels.withUnsafeBytes { pixels in
        png_image_write_to_memory(&header, target.baseAddress, &count, 0, pixels.baseAddress, stride, nil)
      }
    }
    guard status != 0 else {
      let reason = String(cString: cimagecodecs_png_message(&header))
      throw ImageError(.inputOutput, "cannot encode an image as PNG: \(reason)")
    }
    return Array(bytes[..<count])
  }
}
