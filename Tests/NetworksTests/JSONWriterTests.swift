import Foundation
import Networks
import Testing

@Suite("Writing JSON")
struct JSONWriterTests {
  private struct Figures: Codable, Equatable {
    var bestEpoch = 3
    @NullIfMissing var best: Double?
    var left: Int?
    var path = "a/b"
    var curve: [Double] = [0.1, 2]
  }

  @Test("keys are sorted, numbers are as short as they read back, and what is missing is null or left out")
  func text() throws {
    #expect(
      try JSONWriter().text(Figures(best: nil))
        == #"{"best":null,"bestEpoch":3,"curve":[0.1,2],"path":"a/b"}"#)
    #expect(
      try JSONWriter(hasSnakeCaseKeys: true).text(Figures(best: 1e-7, left: 1))
        == #"{"best":1e-07,"best_epoch":3,"curve":[0.1,2],"left":1,"path":"a/b"}"#)
    #expect(try JSONWriter(isPretty: true).text([1, 2]) == "[\n  1,\n  2\n]")
  }

  @Test("what is null where it is missing reads back")
  func readsBack() throws {
    for figures in [Figures(best: nil), Figures(best: 0.25)] {
      let text = try JSONWriter().text(figures)
      #expect(try JSONDecoder().decode(Figures.self, from: Data(text.utf8)) == figures)
    }
  }

  @Test("numbers that are not finite are refused, become null, or become words")
  func notFinite() throws {
    let figures = Figures(best: .infinity, curve: [.nan, 1, -.infinity])
    #expect(throws: EncodingError.self) { try JSONWriter().text(figures) }
    #expect(
      try JSONWriter(nonFinite: .null).text(figures)
        == #"{"best":null,"bestEpoch":3,"curve":[null,1,null],"path":"a/b"}"#)
    #expect(
      try JSONWriter(nonFinite: .text).text(figures)
        == #"{"best":"inf","bestEpoch":3,"curve":["nan",1,"-inf"],"path":"a/b"}"#)
  }

  @Test("a key that is known only now is written as it is")
  func namedKeys() throws {
    struct Named: Encodable {
      func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: NamedKey.self)
        try container.encode(1, forKey: NamedKey("top_5_accuracy"))
      }
    }
    #expect(try JSONWriter(hasSnakeCaseKeys: true).text(Named()) == #"{"top_5_accuracy":1}"#)
  }
}
