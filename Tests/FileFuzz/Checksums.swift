import Digests

/// Puts checksums right that damage has made wrong, so that what they guard is read.
enum Checksums {
  /// A checkpoint's header: the length of what follows it, the SHA-256 of that, and its own.
  static func sealingCheckpoint(_ bytes: [UInt8]) -> [UInt8] {
    let header = 512
    guard bytes.count > header else { return bytes }
    var sealed = bytes
    let length = UInt64(bytes.count - header)
    for index in 0..<8 { sealed[16 + index] = UInt8(truncatingIfNeeded: length >> UInt64(8 * index)) }
    sealed.replaceSubrange(64..<96, with: SHA256.digest(of: bytes[header...]).bytes)
    sealed.replaceSubrange(480..<512, with: SHA256.digest(of: sealed[..<480]).bytes)
    return sealed
  }

  /// The CRC of each chunk of a PNG, as far as the chunks' lengths lead.
  static func sealingPNG(_ bytes: [UInt8]) -> [UInt8] {
    var sealed = bytes
    var place = 8
    while place + 12 <= sealed.count {
      let length = sealed[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
      let end = place + 8 + length
      guard end + 4 <= sealed.count else { break }
      let sum = crc(sealed[place + 4..<end])
      for index in 0..<4 { sealed[end + index] = UInt8(truncatingIfNeeded: sum >> UInt32(24 - 8 * index)) }
      place = end + 4
    }
    return sealed
  }

  /// The sum of ISO 3309, which PNG takes.
  private static func crc(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    var sum: UInt32 = .max
    for byte in bytes {
      sum ^= UInt32(byte)
      for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
    }
    return ~sum
  }
}
