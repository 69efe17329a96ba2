import ImageFiles
import TestSupport
import Testing

@testable import Insight

@Suite("Letters in pictures")
struct BitmapFontTests {
  private func drawn(_ text: String) -> Image {
    var image = Image(height: 16, width: 80, channels: .grey, pixels: [UInt8](repeating: 0, count: 16 * 80))
    BitmapFont.draw(text, at: 2, 0, color: [255], on: &image)
    return image
  }

  @Test("letters of European scripts are drawn as themselves")
  func letters() {
    for letter in "AÀÁÂÃÄÅÇÈÉßñøğşžőбвгжЩшёαβγΩ€–“" {
      #expect(BitmapFont.drawable(String(letter)) == String(letter))
      #expect(drawn(String(letter)).pixels != drawn("?").pixels, "\(letter)")
    }
    // The accent of a capital is above its cell, and the letter below is that without one.
    let (plain, accented) = (drawn("E"), drawn("É"))
    #expect((0..<2).contains { row in (0..<7).contains { accented[row, $0, 0] > 0 } })
    #expect(plain.pixels.dropFirst(2 * 80) == accented.pixels.dropFirst(2 * 80))
  }

  @Test(
    "a letter and its mark in two scalars are one letter; what is unknown loses its marks or is a question mark"
  )
  func others() {
    #expect(drawn("e\u{301}").pixels == drawn("é").pixels)
    #expect(BitmapFont.drawable("ế") == "e")
    #expect(BitmapFont.drawable("ﬁn") == "fn")
    #expect(BitmapFont.drawable("猫") == "?")
    #expect(BitmapFont.canDraw("Pullover") && BitmapFont.canDraw("шапка") && !BitmapFont.canDraw("靴子"))
  }

  @Test("long labels keep their end, where numbers are")
  func shortened() {
    #expect(PictureSheet.shortened("a_layer_with_a_very_long_name 123", to: 20).hasSuffix(" 123"))
    #expect(PictureSheet.shortened("a_layer_with_a_very_long_name 123", to: 20).count == 20)
    #expect(PictureSheet.shortened("short", to: 20) == "short")
    for count in 0...6 { #expect(PictureSheet.shortened("longer", to: count).count <= max(count, 2)) }
  }
}
