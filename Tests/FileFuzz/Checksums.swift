import Digests

/// Puts checksums right that damage has made wrong, so that what they guard is read.
enum Checksums {
  /// A checkpoint's header: the length of what follows it, the SHA-256 of that, and its own.
  static func sealingCheckpoint(_ bytes: [UInt8]) -> [UInt8] {
    let header = 512
    guard bytes.count > header else { return bytes }
    var sealed = bytes
    put(UInt64(bytes.count - header), 8, &sealed, 16)
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
      let sum = Packing.crc(sealed[place + 4..<end])
      for index in 0..<4 { sealed[end + index] = UInt8(truncatingIfNeeded: sum >> UInt32(24 - 8 * index)) }
      place = end + 4
    }
    return sealed
  }

  /// The sum of each header of a tar archive, as far as the members' sizes lead.
  static func sealingTar(_ bytes: [UInt8]) -> [UInt8] {
    var sealed = bytes
    var place = 0
    while place + 512 <= sealed.count, sealed[place] != 0 {
      sealed.replaceSubrange(place + 148..<place + 156, with: repeatElement(UInt8(ascii: " "), count: 8))
      let sum = sealed[place..<place + 512].reduce(0) { $0 + Int($1) }
      let digits = String(sum, radix: 8)
      let field = String(repeating: "0", count: 6 - digits.count) + digits + "\0 "
      sealed.replaceSubrange(place + 148..<place + 156, with: Array(field.utf8))
      let size = String(decoding: sealed[place + 124..<place + 135], as: UTF8.self)
      guard let length = Int(size.trimmingPrefix("0"), radix: 8) ?? (size.allSatisfy { $0 == "0" } ? 0 : nil)
      else { break }
      guard length < sealed.count else { break }
      place += 512 + (length + 511) / 512 * 512
    }
    return sealed
  }

  static func put(_ number: UInt64, _ width: Int, _ bytes: inout [UInt8], _ place: Int) {
    for index in 0..<width { bytes[place + index] = UInt8(truncatingIfNeeded: number >> UInt64(8 * index)) }
  }
}

/// The checksums of HDF5's newer structures (version 2 of headers, trees and heaps), which are found in the sound file.
///
/// How long a structure is follows from others in many ways; but where its checksum stands, the bytes before it give it.
struct MetadataChecksums {
  /// From a structure's signature to its checksum.
  private let ranges: [Range<Int>]

  private static let signatures = [
    "OHDR", "OCHK", "BTHD", "BTLF", "BTIN", "FRHP", "FHIB", "FHDB", "FSHD", "FSSE", "SMTB", "EAHD", "EAIB",
    "EASB",
    "EADB", "FAHD", "FADB",
  ].map { Array($0.utf8) }

  init(_ sound: [UInt8]) {
    var ranges: [Range<Int>] = []
    let magic = Array("\u{89}HDF".unicodeScalars.map { UInt8($0.value) })
    for start in sound.indices.dropLast(48) {
      let head = Array(sound[start..<start + 4])
      // The superblock of version 2 and 3 has 44 bytes.
      let isSuperblock = head == magic && sound[start + 8] >= 2
      guard isSuperblock || Self.signatures.contains(head) else { continue }
      let longest = min(sound.count - 4, start + (isSuperblock ? 44 : 2100))
      let ends = (start + (isSuperblock ? 44 : 8))...max(longest, start + 44)
      if let end = ends.first(where: { $0 + 4 <= sound.count && Self.stands(sound, start..<$0) }) {
        ranges.append(start..<end)
      }
    }
    self.ranges = ranges
  }

  /// - Returns: the bytes, with the checksums of all structures that still stand where they stood.
  func sealing(_ bytes: [UInt8], as sound: [UInt8]) -> [UInt8] {
    var sealed = bytes
    for range in ranges where range.upperBound + 4 <= bytes.count {
      guard bytes[range.lowerBound..<range.lowerBound + 4] == sound[range.lowerBound..<range.lowerBound + 4]
      else { continue }
      Checksums.put(UInt64(Self.sum(sealed[range])), 4, &sealed, range.upperBound)
    }
    return sealed
  }

  private static func stands(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
    let found = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[range.upperBound + $1]) << UInt32(8 * $1) }
    return sum(bytes[range]) == found
  }

  /// Bob Jenkins's lookup3, which HDF5 takes for metadata, <https://burtleburtle.net/bob/c/lookup3.c>.
  private static func sum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    bytes.withUnsafeBufferPointer { bytes in
      let start = 0xdead_beef &+ UInt32(bytes.count)
      var (a, b, c) = (start, start, start)
      func word(_ place: Int) -> UInt32 {
        var value: UInt32 = 0
        for index in 0..<4 where place + index < bytes.count {
          value |= UInt32(bytes[place + index]) << UInt32(8 * index)
        }
        return value
      }
      func turned(_ value: UInt32, _ count: UInt32) -> UInt32 { value << count | value >> (32 - count) }
      var place = 0
      while bytes.count - place > 12 {
        a &+= word(place)
        b &+= word(place + 4)
        c &+= word(place + 8)
        a &-= c; a ^= turned(c, 4); c &+= b
        b &-= a; b ^= turned(a, 6); a &+= c
        c &-= b; c ^= turned(b, 8); b &+= a
        a &-= c; a ^= turned(c, 16); c &+= b
        b &-= a; b ^= turned(a, 19); a &+= c
        c &-= b; c ^= turned(b, 4); b &+= a
        place += 12
      }
      guard place < bytes.count else { return c }
      a &+= word(place)
      b &+= word(place + 4)
      c &+= word(place + 8)
      c ^= b; c &-= turned(b, 14)
      a ^= c; a &-= turned(c, 11)
      b ^= a; b &-= turned(a, 25)
      c ^= b; c &-= turned(b, 16)
      a ^= c; a &-= turned(c, 4)
      b ^= a; b &-= turned(a, 14)
      c ^= b; c &-= turned(b, 24)
      return c
    }
  }
}
