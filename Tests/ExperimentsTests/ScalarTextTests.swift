import Settings
import Testing

@testable import Experiments

@Suite struct ScalarTextTests {
  @Test("whole numbers are decimal digits, whatever YAML would make of them")
  func integers() {
    for (text, value) in [("10", 10), ("010", 10), ("-3", -3), ("+7", 7), ("0", 0)] {
      #expect(ScalarText.integer(text) == value)
    }
    for text in ["", "-", "1.0", "1e3", "0x10", "1_000", " 1", "１", "1:30", "9223372036854775808"] {
      #expect(ScalarText.integer(text) == nil, "\(text)")
    }
  }

  @Test("numbers are decimal, with exponents and fractions, and finite")
  func numbers() {
    for (text, value) in [
      ("1/255", 1.0 / 255), ("1e-3", 1e-3), (".5", 0.5), ("5.", 5), ("-2", -2), ("+1.5E2", 150),
      ("-1/4", -0.25),
    ] {
      #expect(ScalarText.number(text) == value)
    }
    for text in [
      "", ".", "1/0", "1//2", "1/2/3", "nan", "inf", ".inf", "0x1p3", "1e", "e3", "1e999", "1 / 2", "0,5",
    ] {
      #expect(ScalarText.number(text) == nil, "\(text)")
    }
  }

  @Test("byte sizes have a unit, and their text reads back as the same size")
  func byteSizes() {
    for (text, value) in [("512 MiB", 512 << 20), ("1.5GiB", 3 << 29), ("1 GB", 1_000_000_000), ("7 B", 7)] {
      #expect(ScalarText.byteCount(text) == value)
    }
    for text in ["512", "MiB", "1 Mib", "-1 B", "1e3 B", "9999999999 TiB", "1 .5 B"] {
      #expect(ScalarText.byteCount(text) == nil, "\(text)")
    }
    for count in [0, 1, 1023, 1024, 1536, 1 << 20, (1 << 20) + 1, 3 << 30, 1 << 50] {
      #expect(ScalarText.byteCount(ScalarText.byteText(count)) == count)
    }
  }
}
