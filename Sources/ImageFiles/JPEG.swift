internal import CImageCodecs

/// JPEG through libjpeg(-turbo).
public enum JPEG {
  /// Decodes grey files to grey, others to RGB; the rotation that a camera noted is not applied.
  ///
  /// Printers' four inks (CMYK) become `R = K − (255 − C) · K / 255`, and likewise G and B. The values in
  /// this are the stored ones, which are inverted, as Adobe's programs write them; Pillow and OpenCV do the
  /// same. Colour profiles are ignored.
  ///
  /// - Parameter name: the file's name, for messages.
  /// - Throws: ``ImageError``, also for a file that ends early, of which the library would show a part.
  public static func decode(
    _ bytes: [UInt8], name: String, pixelLimit: Int = ImageFile.defaultPixelLimit
  ) throws(ImageError) -> Image {
    guard let reader = cimagecodecs_jpeg_reader_make() else {
      throw ImageError(.inputOutput, "no memory to read \(name)")
    }
    defer { cimagecodecs_jpeg_reader_free(reader) }
    let result: Result<Image, ImageError> = bytes.withUnsafeBufferPointer { bytes in
      Result { () throws(ImageError) in try decode(bytes, reader, name: name, pixelLimit: pixelLimit) }
    }
    return try result.get()
  }

  private static func decode(
    _ bytes: UnsafeBufferPointer<UInt8>, _ reader: UnsafeMutablePointer<cimagecodecs_jpeg_reader>,
    name: String, pixelLimit: Int
  ) throws(ImageError) -> Image {
    func check(_ status: Int32) throws(ImageError) {
      if status == 0 {
        let reason = String(cString: cimagecodecs_jpeg_reader_message(reader))
        throw ImageError(.badData, "\(name) is a damaged or truncated JPEG file (\(reason))")
      }
    }
    try check(cimagecodecs_jpeg_read_header(reader, bytes.baseAddress, bytes.count))
    let state = reader.pointee.state
    let (width, height) = (Int(state.image_width), Int(state.image_height))
    try ImageFile.checkSize(width: width, height: height, limit: pixelLimit, name: name)
    let isGrey = state.jpeg_color_space == JCS_GRAYSCALE
    let hasInks = state.jpeg_color_space == JCS_CMYK || state.jpeg_color_space == JCS_YCCK
    let channels: Image.Channels = isGrey ? .grey : .rgb
    cimagecodecs_jpeg_set_colors(reader, isGrey ? JCS_GRAYSCALE : hasInks ? JCS_CMYK : JCS_RGB)
    try check(cimagecodecs_jpeg_start_reading(reader))
    let stride = width * channels.rawValue
    var pixels = [UInt8](repeating: 0, count: height * stride)
    var inks = [UInt8](repeating: 0, count: hasInks ? width * 4 : 0)
    for row in 0..<height {
      let status =
        hasInks
        ? inks.withUnsafeMutableBufferPointer { cimagecodecs_jpeg_read_row(reader, $0.baseAddress) }
        : pixels.withUnsafeMutableBufferPointer { pixels in
          cimagecodecs_jpeg_read_row(reader, pixels.baseAddress.map { $0 + row * stride })
        }
      try check(status)
      if hasInks { print(inks, onto: &pixels, at: row * stride) }
    }
    try check(cimagecodecs_jpeg_finish_reading(reader))
    return Image(height: height, width: width, channels: channels, pixels: pixels)
  }

  /// Turns a row of inverted cyan, magenta, yellow and black into red, green and blue.
  private static func print(_ inks: [UInt8], onto pixels: inout [UInt8], at start: Int) {
    for pixel in 0..<inks.count / 4 {
      let black = Int(inks[4 * pixel + 3])
      for channel in 0..<3 {
        // The product divided by 255 and rounded, in Pillow's integers.
        let product = (255 - Int(inks[4 * pixel + channel])) * black + 128
        pixels[start + 3 * pixel + channel] = UInt8(clamping: black - ((product >> 8) + product) >> 8)
      }
    }
  }

  /// Encodes, with loss; alpha is composed on black.
  ///
  /// - Parameter quality: 1 (small) to 100.
  public static func encode(_ image: Image, quality: Int = 90) throws(ImageError) -> [UInt8] {
    precondition((1...100).contains(quality), "JPEG quality \(quality) is not in 1...100")
    let image = image.channels == .rgba ? image.converted(to: .rgb) : image
    guard let writer = cimagecodecs_jpeg_writer_make() else {
      throw ImageError(.inputOutput, "no memory to encode a JPEG")
    }
    defer { cimagecodecs_jpeg_writer_free(writer) }
    func check(_ status: Int32) throws(ImageError) {
      if status == 0 {
        let reason = String(cString: cimagecodecs_jpeg_writer_message(writer))
        throw ImageError(.inputOutput, "cannot encode an image as JPEG: \(reason)")
      }
    }
    try check(
      cimagecodecs_jpeg_start_writing(
        writer, UInt32(image.width), UInt32(image.height), Int32(image.channels.rawValue), Int32(quality)))
    let stride = image.width * image.channels.rawValue
    for row in 0..<image.height {
      let status = image.pixels.withUnsafeBufferPointer { pixels in
        cimagecodecs_jpeg_write_row(writer, pixels.baseAddress.map { $0 + row * stride })
      }
      try check(status)
    }
    try check(cimagecodecs_jpeg_finish_writing(writer))
    return Array(UnsafeBufferPointer(start: writer.pointee.bytes, count: Int(writer.pointee.count)))
  }
}
