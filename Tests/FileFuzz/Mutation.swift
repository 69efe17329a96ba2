import TestSupport

/// What damage does to bytes: single ones, numbers that lie, pieces that are lost, doubled or moved, a file that is cut, names that lead
/// elsewhere.
enum Mutation {
  static func damaged(_ sound: [UInt8], isText: Bool = false, _ dice: inout SplitMix64) -> [UInt8] {
    var bytes = sound
    // Mostly one change: what is damaged in many places is refused at the first.
    let count = [1, 1, 1, 2, 3, 6][dice.next(below: 6)]
    for _ in 0..<count {
      if isText, dice.next(below: 3) > 0 {
        TextMutation.change(&bytes, &dice)
      } else {
        change(&bytes, &dice)
      }
    }
    return bytes
  }

  private static func change(_ bytes: inout [UInt8], _ dice: inout SplitMix64) {
    guard !bytes.isEmpty else { return bytes.append(0) }
    let place = place(in: bytes, &dice)
    switch dice.next(below: 28) {
    case 0...4: bytes[place] = UInt8(dice.next(below: 256))
    case 5...7: bytes[place] ^= 1 << UInt8(dice.next(below: 8))
    case 8...13: put(number(bytes.count, &dice), &bytes, place, &dice)
    case 14, 15: shift(&bytes, place, &dice)
    case 16, 17: pointElsewhere(&bytes, place, &dice)
    case 18, 19: overwriteWord(&bytes, place, &dice)
    case 20: bytes.removeSubrange(place..<min(bytes.count, place + 1 + dice.next(below: 40)))
    case 21:
      let piece = bytes[place..<min(bytes.count, place + 1 + dice.next(below: 64))]
      bytes.insert(contentsOf: piece, at: dice.next(below: bytes.count + 1))
    case 22:
      let piece = Array(bytes[place..<min(bytes.count, place + 1 + dice.next(below: 64))])
      let target = dice.next(below: bytes.count - piece.count + 1)
      bytes.replaceSubrange(target..<target + piece.count, with: piece)
    case 23:
      bytes.insert(
        contentsOf: (0...dice.next(below: 20)).map { _ in UInt8(dice.next(below: 256)) }, at: place)
    case 24: enlarge(&bytes, place, &dice)
    case 25:
      bytes.replaceSubrange(
        place..<min(bytes.count, place + 1 + dice.next(below: 64)), with: repeatElement(0, count: 8))
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
      UInt64(byteCount / 2), 1 << 20, 1 << 28, 1 << 31, 1 << 40, 1 << 61, 1 << 62, (1 << 62) + 1,
      0x5555_5555_5555_5556,
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

  /// A number that is a little larger or smaller than it was, or many times as large.
  private static func shift(_ bytes: inout [UInt8], _ place: Int, _ dice: inout SplitMix64) {
    let width = min([1, 2, 4, 8][dice.next(below: 4)], bytes.count - place)
    let old = (0..<width).reduce(UInt64(0)) { $0 | UInt64(bytes[place + $1]) << UInt64(8 * $1) }
    let step = UInt64(1 + dice.next(below: 16))
    let new = [old &+ step, old &- step, old &* 2, old &* 4096, old / 2][dice.next(below: 5)]
    for index in 0..<width { bytes[place + index] = UInt8(truncatingIfNeeded: new >> UInt64(8 * index)) }
  }

  /// An offset that becomes another one of the file: two things in one place, and circles.
  private static func pointElsewhere(_ bytes: inout [UInt8], _ place: Int, _ dice: inout SplitMix64) {
    let width = dice.next(below: 3) == 0 ? 4 : 8
    guard bytes.count >= 2 * width else { return }
    let source = dice.next(below: (bytes.count - width) / width + 1) * width
    let target = min(place / width * width, bytes.count - width)
    bytes.replaceSubrange(target..<target + width, with: Array(bytes[source..<source + width]))
  }

  /// A word in the file becomes another one of the same length.
  private static func overwriteWord(_ bytes: inout [UInt8], _ place: Int, _ dice: inout SplitMix64) {
    func isPrintable(_ byte: UInt8) -> Bool { (0x20...0x7e).contains(byte) }
    guard let start = bytes[place...].firstIndex(where: isPrintable) else { return }
    let end = bytes[start...].firstIndex { !isPrintable($0) } ?? bytes.count
    let word = TextMutation.word(&dice)
    bytes.replaceSubrange(start..<min(end, start + word.count), with: word.prefix(end - start))
  }

  /// More than the sound file has, as a bomb does: zeros, or the same bytes again and again.
  private static func enlarge(_ bytes: inout [UInt8], _ place: Int, _ dice: inout SplitMix64) {
    let count = [1 << 12, 1 << 16, 1 << 20, 1 << 24][[0, 0, 0, 1, 1, 1, 1, 2, 2, 3][dice.next(below: 10)]]
    let piece = dice.next(below: 2) == 0 ? [0] : Array(bytes[place..<min(bytes.count, place + 16)])
    let more = (0..<count / piece.count).lazy.flatMap { _ in piece }
    bytes.insert(contentsOf: Array(more), at: dice.next(below: 2) == 0 ? bytes.count : place)
  }
}
