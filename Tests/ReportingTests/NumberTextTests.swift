import Testing

@testable import Reporting

@Suite struct NumberTextTests {
  @Test(
    "a fixed number of digits, whatever is no such number in a word, and what is too long for a line by a power of ten",
    arguments: [
      (0.29312, "0.2931"), (-1.0, "-1.0000"), (999_999_999, "999999999.0000"), (1e9, "1.0000e+09"),
      (-3.25e30, "-3.2500e+30"), (.infinity, "inf"), (-.infinity, "-inf"), (.nan, "nan"),
    ] as [(Double, String)])
  func fixed(number: Double, text: String) { #expect(NumberText.fixed(number, 4) == text) }

  @Test(
    "four significant digits or so",
    arguments: [
      (0, "0.0000"), (0.0001234, "1.23e-04"), (0.29312, "0.2931"), (12.314, "12.31"), (1234.5, "1234"),
      (12_345_678, "1.2e+07"),
    ] as [(Double, String)])
  func short(number: Double, text: String) { #expect(NumberText.short(number) == text) }

  @Test(
    "sizes in bytes and numbers in decimal steps, never 1024 of one unit",
    arguments: [
      (0, "0 bytes", "0"), (1023, "1023 bytes", "1.02 k"), (1024, "1.0 KiB", "1.02 k"),
      (1_048_064, "1.0 MiB", "1.05 M"), (999_500, "976 KiB", "1.00 M"), (104_857_600, "100 MiB", "105 M"),
    ] as [(Int, String, String)])
  func steps(number: Int, bytes: String, scaled: String) {
    #expect(NumberText.bytes(number) == bytes && NumberText.scaled(Double(number)) == scaled)
  }

  @Test(
    "thousands are set apart",
    arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "-1,234,567")])
  func grouped(number: Int, text: String) { #expect(NumberText.grouped(number) == text) }
}
