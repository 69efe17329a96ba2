import TestSupport

/// What damage does to bytes: single ones, numbers that lie, pieces that are lost, doubled or moved, a file that is cut.
enum Mutation {
  static func damaged(_ sound: [UInt8], _ dice: inout SplitMix64) -> [UInt8] {
    var bytes = sound
    // Mostly one change: what is damaged in many places is refused at the first.
    let count = [1, 1, 1, 2, 3, 6][dice.next(below: 6)]
    for _ in 0..<count { change(&bytes, &dice) }
    return bytes
  }

  private static func change(_ bytes: inout [UInt8], _ dice: inout SplitMix64) {
    guard !bytes.isEmpty else { return bytes.append(0) }
    let place = place(in: bytes, &dice)
    switch dice.next(below: 20) {
    case 0...4: bytes[place] = UInt8(dice.next(below: 256))
    case 5...7: bytes[place] ^= 1 << UInt8(dice.next(below: 8))
    case 8...14: put(number(bytes.count, &dice), &bytes, place, &dice)
    case 15: bytes.removeSubrange(place..<min(bytes.count, place + 1 + dice.next(below: 40)))
    case 16:
      let piece = bytes[place..<min(bytes.count, place + 1 + dice.next(below: 64))]
      bytes.insert(contentsOf: piece, at: dice.next(below: bytes.count + 1))
    case 17:
      let piece = Array(bytes[place..<min(bytes.count, place + 1 + dice.next(below: 64))])
      let target = dice.next(below: bytes.count - piece.count + 1)
      bytes.replaceSubrange(target..<target + piece.count, with: piece)
    case 18:
      bytes.insert(
        contentsOf: (0...dice.next(below: 20)).map { _ in UInt8(dice.next(below: 256)) }, at: place)
    default: bytes.removeSubrange(place...)
    }
  }

  /// Headers and tables are at the beginning or spread over the file.
  private static func place(in bytes: [UInt8], _ dice: inout SplitMix64) -> Int {
    dice.next(below: dice.next(below: 3) == 0 ? min(bytes.count, 128) : bytes.count)
  }

  /// A number such as break sizes, counts and offsets.
  private static func number(_ byteCount: Int, _ dice: inout SplitMix64) -> UInt64 {
    let numbers: [UInt64] = [
      0, 1, 2, 7, 255, 256, 65535, 65536, 0x7fff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1 << 33,
      1_000_000_000_000,
      UInt64(Int64.max), 1 << 63, .max, .max - 1, UInt64(byteCount), UInt64(byteCount + 1),
      UInt64(byteCount / 2),
    ]
    return numbers[dice.next(below: numbers.count)]
  }

  private static func put(_ number: UInt64, _ bytes: inout [UInt8], _ place: Int, _ dice: inout SplitMix64) {
    let width = [1, 2, 4, 8][dice.next(below: 4)]
    let isBigEndian = dice.next(below: 2) == 0
    for index in 0..<width where place + index < bytes.count {
      let shift = UInt64(8 * (isBigEndian ? width - 1 - index : index))
      bytes[place + index] = UInt8(truncatingIfNeeded: number >> shift)
    }
  }
}
