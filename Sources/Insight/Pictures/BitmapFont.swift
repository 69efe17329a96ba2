internal import Foundation
public import ImageFiles

/// Letters for labels in pictures, in cells of 7×12 pixels, in one colour without grey levels, the same on every machine.
///
/// The glyphs are DejaVu Sans Mono at 11 pixels, rendered by FreeType without grey levels; the font's licence allows it.
public enum BitmapFont {
  /// The width of a cell, in pixels.
  public static let width = 7
  /// The height of a cell, in pixels.
  public static let height = 12

  /// Draws a line of text, one cell for each letter of ``drawable(_:)``; letters outside the image are cut off.
  ///
  /// - Parameter color: as many values as the image has channels.
  public static func draw(_ text: String, at row: Int, _ column: Int, color: [UInt8], on image: inout Image) {
    let channels = image.channels.rawValue
    precondition(color.count == channels, "\(color.count) values for \(channels) channels")
    for (place, letter) in drawable(text).unicodeScalars.enumerated() {
      let (glyph, top) = glyph(of: letter) ?? unknown
      for (y, bits) in glyph.enumerated() where (0..<image.height).contains(row + top + y) {
        for x in 0..<width where bits & (1 << (width - 1 - x)) != 0 {
          let target = column + place * width + x
          guard (0..<image.width).contains(target) else { continue }
          let offset = ((row + top + y) * image.width + target) * channels
          for channel in 0..<channels { image.pixels[offset + channel] = color[channel] }
        }
      }
    }
  }

  /// The text in letters that the font has: other letters lose their marks where that helps, and become `?` where it does not.
  ///
  /// Each letter is one scalar, and takes one cell.
  public static func drawable(_ text: String) -> String {
    var result = ""
    for character in text.precomposedStringWithCanonicalMapping {
      if let only = character.unicodeScalars.first, glyph(of: only) != nil {
        // Marks that no letter has are left out.
        result.unicodeScalars.append(only)
      } else if let base = String(character).decomposedStringWithCompatibilityMapping.unicodeScalars.first,
        glyph(of: base) != nil
      {
        result.unicodeScalars.append(base)
      } else {
        result.append("?")
      }
    }
    return result
  }

  /// Whether text can be read in a picture: at least half of its letters can be drawn.
  public static func canDraw(_ text: String) -> Bool {
    let known = text.precomposedStringWithCanonicalMapping.unicodeScalars.filter { glyph(of: $0) != nil }
    return known.count * 2 >= text.precomposedStringWithCanonicalMapping.unicodeScalars.count
  }

  /// A letter's rows, from the top, and the row in which they begin; nil where there is none.
  private static func glyph(of letter: Unicode.Scalar) -> (rows: ArraySlice<UInt8>, top: Int)? {
    let code = Int(letter.value)
    if (32..<127).contains(code) { return (rows[(code - 32) * height..<(code - 31) * height], 0) }
    var first = 0
    for range in Letters.ranges {
      guard range.contains(letter.value) else {
        first += range.count
        continue
      }
      let start = (first + Int(letter.value - range.lowerBound)) * Letters.height
      let glyph = letterRows[start..<start + Letters.height]
      return glyph.allSatisfy { $0 == 0 } ? nil : (glyph, -Letters.rise)
    }
    return nil
  }

  /// `?`.
  private static let unknown = (rows: rows[31 * height..<32 * height], top: 0)

  /// A byte for each row of each glyph, the leftmost pixel in bit 6.
  private static let rows = bytes(glyphs)
  private static let letterRows = bytes(Letters.glyphs)

  private static func bytes(_ hexadecimal: [String]) -> [UInt8] {
    let digits = hexadecimal.joined().utf8.map { $0 <= 57 ? $0 - 48 : $0 - 87 }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }

  private static let glyphs = [
    "000000000000000000000000000808080808080008000000001414140000000000000000000a123f14147e2428000000",
    "00081e28281c0a0a3c080800007050720c106e0a0e000000001c1010182d25221f000000000808080000000000000000",
    "08101010101010101008000010100808080808081010000000082a1c1c2a08000000000000000008083e080800000000",
    "00000000000000080810000000000000001c000000000000000000000000000808000000000204040808081010200000",
    "001e3321252121331e00000000380808080808083e000000001e210103060c103f000000001e21011e0301211e000000",
    "0006060a12323f0202000000003e20203e0301013e000000000f10202e3121211e000000003f02020404080810000000",
    "001e21211e2121211e000000001e2121211f01023c000000000000080800000808000000000000080800000808100000",
    "000000010e301c0300000000000000007e007e0000000000000000201c030e3000000000001c02060c08080008000000",
    "000e13212729292730100e00000c0c0c12121e2121000000003e21213e2121213e000000000e1120202020110e000000",
    "003c2221212121223c000000003f20203f2020203f000000003f20203f20202020000000000e1120202321110e000000",
    "002121213f21212121000000003e0808080808083e000000000e0202020202221c000000002224283028242221000000",
    "00202020202020203f000000002133332d2d212121000000002131292925252321000000001e3321212121331e000000",
    "003e2121213e202020000000001e3321212121331e030000003e2121213e222120000000001e21203c0301211e000000",
    "007f0808080808080800000000212121212121211e0000000021211212120c0c0c000000004149495536362222000000",
    "002112120c0c121221000000006322141c08080808000000003f0202040818103f000000181010101010101010180000",
    "00201010080808040402000018080808080808080818000000182442000000000000000000000000000000000000007f",
    "0804000000000000000000000000003c021e22221e0000002020203c222222223c0000000000001e302020301e000000",
    "0202021e222222221e0000000000001c223e20201e0000000608083e08080808080000000000001e222222221e021c00",
    "2020202c322222222200000008000038080808083e000000080000380808080808083000202020242830282422000000",
    "70101010101010100c0000000000003e2a2a2a2a2a0000000000002c32222222220000000000001c222222221c000000",
    "0000003c222222223c2020000000001e222222221e0202000000001e12101010100000000000001e203806023c000000",
    "0010107c101010101c00000000000022222222221e000000000000222214141408000000000000020254542828000000",
    "0000003614080814360000000000002224141418081030000000003e040c18103e0000000e08080830080808080e0000",
    "080808080808080808080800380808080608080808380000000000000038070000000000",
  ]
}
