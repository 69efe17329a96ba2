/// The one thing that is read from a camera's notes in a picture: how the picture lies.
///
/// - SeeAlso: Exif 2.32 (CIPA DC-008) and TIFF 6.0, whose directories it is made of.
enum Exif {
  /// The orientation that a picture's file notes; upright where it notes none, or one that does not exist.
  static func orientation(in file: [UInt8], format: ImageFile.Format) -> PictureOrientation {
    let block =
      switch format {
      case .jpeg: jpegBlock(file)
      case .png: pngBlock(file)
      }
    return block.flatMap { orientation(in: file[$0]) } ?? .upright
  }

  /// The orientation in a TIFF directory, which is what Exif's notes are.
  static func orientation(in tiff: ArraySlice<UInt8>) -> PictureOrientation? {
    let bytes = Bytes(tiff)
    let isLittle: Bool
    switch bytes.text(0, 2) {
    case "II": isLittle = true
    case "MM": isLittle = false
    default: return nil
    }
    guard bytes.number(2, 2, isLittle) == 42, let first = bytes.number(4, 4, isLittle),
      let count = bytes.number(first, 2, isLittle)
    else { return nil }
    for index in 0..<count {
      let entry = first + 2 + 12 * index
      guard let tag = bytes.number(entry, 2, isLittle), let type = bytes.number(entry + 2, 2, isLittle) else {
        return nil
      }
      guard tag == 0x0112 else { continue }
      // A number of two bytes by the standard; some programs write one of four.
      let value = bytes.number(entry + 8, type == 4 ? 4 : 2, isLittle)
      return value.flatMap(PictureOrientation.init(rawValue:))
    }
    return nil
  }

  /// The place of the first segment APP1 with Exif's name in a JPEG file, before its pixels begin.
  private static func jpegBlock(_ file: [UInt8]) -> Range<Int>? {
    let bytes = Bytes(file[...])
    var position = 2
    while let marker = bytes.number(position, 2, false), marker & 0xFF00 == 0xFF00 {
      switch marker {
      case 0xFFFF: position += 1  // Padding.
      case 0xFFD8, 0xFF01, 0xFFD0...0xFFD7: position += 2
      case 0xFFDA, 0xFFD9: return nil
      default:
        guard let length = bytes.number(position + 2, 2, false), length >= 2,
          position + 2 + length <= file.count
        else { return nil }
        let data = position + 4..<position + 2 + length
        if marker == 0xFFE1, length >= 8, bytes.text(data.lowerBound, 6) == "Exif\0\0" {
          return data.lowerBound + 6..<data.upperBound
        }
        position = data.upperBound
      }
    }
    return nil
  }

  /// The place of the chunk `eXIf` in a PNG file; it may also come after the pixels.
  private static func pngBlock(_ file: [UInt8]) -> Range<Int>? {
    let bytes = Bytes(file[...])
    var position = 8
    while let length = bytes.number(position, 4, false), let type = bytes.text(position + 4, 4) {
      let data = position + 8
      guard length <= file.count - data else { return nil }
      if type == "eXIf" {
        // Some programs put JPEG's name there, too.
        let name = length >= 6 && bytes.text(data, 6) == "Exif\0\0" ? 6 : 0
        return data + name..<data + length
      }
      if type == "IEND" { return nil }
      position = data + length + 4
    }
    return nil
  }

  /// Numbers and texts in bytes; nil beyond their end.
  private struct Bytes {
    private let bytes: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    private func part(_ offset: Int, _ count: Int) -> ArraySlice<UInt8>? {
      guard offset >= 0, offset <= bytes.count - count else { return nil }
      return bytes[bytes.startIndex + offset..<bytes.startIndex + offset + count]
    }

    func number(_ offset: Int, _ count: Int, _ isLittle: Bool) -> Int? {
      part(offset, count).map { part in
        (isLittle ? Array(part.reversed()) : Array(part)).reduce(0) { $0 << 8 | Int($1) }
      }
    }

    func text(_ offset: Int, _ count: Int) -> String? {
      part(offset, count).map { String(decoding: $0, as: UTF8.self) }
    }
  }
}
