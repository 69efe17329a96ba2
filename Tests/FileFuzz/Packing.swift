import CLibdeflate

/// Formats that hold others compressed: damage inside of them is packed again, with right lengths and checksums.
enum Packing {
  case gzip, tar, tarGzip, zip, png

  /// A file whose contents were changed, packed as it was; nil where it is not what it should be.
  func repacked(_ file: [UInt8], _ change: (inout [UInt8]) -> Void) -> [UInt8]? {
    switch self {
    case .gzip:
      guard var inner = Self.inflated(file, libdeflate_gzip_decompress) else { return nil }
      change(&inner)
      return Self.deflated(inner, libdeflate_gzip_compress)
    case .tar:
      var inner = file
      change(&inner)
      return Checksums.sealingTar(inner)
    case .tarGzip:
      guard var inner = Self.inflated(file, libdeflate_gzip_decompress) else { return nil }
      change(&inner)
      return Self.deflated(Checksums.sealingTar(inner), libdeflate_gzip_compress)
    case .zip: return Self.zip(file, change)
    case .png: return Self.png(file, change)
    }
  }

  // MARK: - Deflate

  private typealias Inflating = (
    OpaquePointer?, UnsafeRawPointer?, Int, UnsafeMutableRawPointer?, Int, UnsafeMutablePointer<Int>?
  ) -> libdeflate_result
  private typealias Deflating = (
    OpaquePointer?, UnsafeRawPointer?, Int, UnsafeMutableRawPointer?, Int
  ) -> Int

  private static func inflated(_ bytes: [UInt8], _ inflate: Inflating) -> [UInt8]? {
    let machine = libdeflate_alloc_decompressor()
    defer { libdeflate_free_decompressor(machine) }
    var target = [UInt8](repeating: 0, count: 1 << 20)
    var count = 0
    let result = inflate(machine, bytes, bytes.count, &target, target.count, &count)
    return result == LIBDEFLATE_SUCCESS ? Array(target[..<count]) : nil
  }

  private static func deflated(_ bytes: [UInt8], _ deflate: Deflating) -> [UInt8] {
    let machine = libdeflate_alloc_compressor(3)
    defer { libdeflate_free_compressor(machine) }
    var target = [UInt8](repeating: 0, count: bytes.count + bytes.count / 8 + 256)
    let count = deflate(machine, bytes, bytes.count, &target, target.count)
    return Array(target[..<count])
  }

  /// The sum of ISO 3309, which PNG and ZIP take.
  static func crc(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    bytes.withUnsafeBufferPointer { libdeflate_crc32(0, $0.baseAddress, $0.count) }
  }

  // MARK: - ZIP

  /// The members' headers and contents as one; what comes back of it is cut at the same places.
  private static func zip(_ file: [UInt8], _ change: (inout [UInt8]) -> Void) -> [UInt8]? {
    var members: [(name: [UInt8], isDeflated: Bool, contents: [UInt8])] = []
    var place = 0
    while let header = field(file, place, 4), header == 0x0403_4b50 {
      guard let method = field(file, place + 8, 2), let packed = field(file, place + 18, 4),
        let nameLength = field(file, place + 26, 2), let extra = field(file, place + 28, 2)
      else { return nil }
      let start = place + 30 + nameLength + extra
      guard start + packed <= file.count else { return nil }
      let name = Array(file[place + 30..<place + 30 + nameLength])
      let data = Array(file[start..<start + packed])
      guard let contents = method == 0 ? data : inflated(data, libdeflate_deflate_decompress) else {
        return nil
      }
      members.append((name, method != 0, contents))
      place = start + packed
    }
    guard !members.isEmpty else { return nil }
    // The change chooses the member by where it strikes.
    var joined = members.flatMap { $0.name + $0.contents }
    let lengths = members.map { ($0.name.count, $0.contents.count) }
    change(&joined)
    var rest = joined[...]
    for index in members.indices {
      let isLast = index == members.count - 1
      members[index].name = Array(rest.prefix(lengths[index].0))
      rest = rest.dropFirst(lengths[index].0)
      members[index].contents = Array(isLast ? rest : rest.prefix(lengths[index].1))
      rest = rest.dropFirst(lengths[index].1)
    }
    return zip(members)
  }

  private static func zip(_ members: [(name: [UInt8], isDeflated: Bool, contents: [UInt8])]) -> [UInt8] {
    var (file, directory): ([UInt8], [UInt8]) = ([], [])
    for member in members {
      let data =
        member.isDeflated ? deflated(member.contents, libdeflate_deflate_compress) : member.contents
      let shared =
        little(20, 2) + little(0, 2) + little(member.isDeflated ? 8 : 0, 2) + little(0, 4)
        + little(Int(crc(member.contents[...])), 4) + little(data.count, 4) + little(member.contents.count, 4)
        + little(member.name.count, 2) + little(0, 2)
      directory +=
        little(0x0201_4b50, 4) + little(20, 2) + shared + little(0, 10) + little(file.count, 4) + member.name
      file += little(0x0403_4b50, 4) + shared + member.name + data
    }
    let end =
      little(0x0605_4b50, 4) + little(0, 4) + little(members.count, 2) + little(members.count, 2)
      + little(directory.count, 4) + little(file.count, 4) + little(0, 2)
    return file + directory + end
  }

  private static func field(_ bytes: [UInt8], _ place: Int, _ width: Int) -> Int? {
    guard place + width <= bytes.count else { return nil }
    return (0..<width).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) }
  }

  private static func little(_ number: Int, _ width: Int) -> [UInt8] {
    (0..<width).map { UInt8(truncatingIfNeeded: $0 < 8 ? number >> (8 * $0) : 0) }
  }

  // MARK: - PNG

  /// The rows of pixels, with their filters, in one chunk.
  private static func png(_ file: [UInt8], _ change: (inout [UInt8]) -> Void) -> [UInt8]? {
    var (head, data, tail): ([UInt8], [UInt8], [UInt8]) = (Array(file.prefix(8)), [], [])
    var place = 8
    while place + 12 <= file.count {
      let length = file[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
      guard place + 12 + length <= file.count else { return nil }
      let chunk = Array(file[place..<place + 12 + length])
      if chunk[4..<8].elementsEqual("IDAT".utf8) {
        data += chunk[8..<8 + length]
      } else if data.isEmpty {
        head += chunk
      } else {
        tail += chunk
      }
      place += 12 + length
    }
    guard var rows = inflated(data, libdeflate_zlib_decompress) else { return nil }
    change(&rows)
    let packed = deflated(rows, libdeflate_zlib_compress)
    let chunk = little(packed.count, 4).reversed() + Array("IDAT".utf8) + packed + [0, 0, 0, 0]
    return Checksums.sealingPNG(head + chunk + tail)
  }
}
