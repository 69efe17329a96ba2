internal import CImageCodecs

/// PNG through libpng.
public enum PNG {
  /// Decodes to 8 bits: grey files give grey, palettes and colours RGB, anything transparent RGBA.
  ///
  /// Values are the stored ones, whatever a file says of its gamma, colours or profile, as Pillow, OpenCV and TensorFlow give
  /// them. Of 16 bits the upper 8 count; fewer than 8 bits are spread over 0…255.
  ///
  /// - Parameter name: the file's name, for messages.
  public static func decode(
    _ bytes: [UInt8], name: String, pixelLimit: Int = ImageFile.defaultPixelLimit
  ) throws(ImageError) -> Image {
    let result: Result<Image, ImageError> = bytes.withUnsafeBufferPointer { bytes in
      Result { () throws(ImageError) in try decode(bytes, name: name, pixelLimit: pixelLimit) }
    }
    return try result.get()
  }

  private static func decode(
    _ bytes: UnsafeBufferPointer<UInt8>, name: String, pixelLimit: Int
  ) throws(ImageError) -> Image {
    guard let reader = cimagecodecs_png_reader_make(bytes.baseAddress, bytes.count) else {
      throw ImageError(.inputOutput, "no memory to read \(name)")
    }
    defer { cimagecodecs_png_reader_free(reader) }
    func check(_ status: Int32) throws(ImageError) {
      if status == 0 {
        let reason = String(cString: cimagecodecs_png_reader_message(reader))
        throw ImageError(.badData, "\(name) is a damaged or truncated PNG file (\(reason))")
      }
    }
    try check(cimagecodecs_png_read_header(reader))
    let (width, height) = (Int(cimagecodecs_png_width(reader)), Int(cimagecodecs_png_height(reader)))
    try ImageFile.checkSize(width: width, height: height, limit: pixelLimit, name: name)
    let channels: Image.Channels =
      cimagecodecs_png_is_transparent(reader) != 0
      ? .rgba : cimagecodecs_png_is_colored(reader) != 0 ? .rgb : .grey
    let stride = width * channels.rawValue
    var pixels = [UInt8](repeating: 0, count: height * stride)
    let status = pixels.withUnsafeMutableBufferPointer {
      cimagecodecs_png_read_rows(reader, $0.baseAddress, stride)
    }
    try check(status)
    return Image(height: height, width: width, channels: channels, pixels: pixels)
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
