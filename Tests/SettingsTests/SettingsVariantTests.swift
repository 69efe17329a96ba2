import Foundation
import Settings
import Testing

private struct Slope: Hashable, Sendable {
  var rise = 0.5
  var limit: Double?

  static let settings = SettingsDescription<Slope>(
    "Rises.", Slope(),
    [
      SettingKey("rise_height", \.rise, .number(.positive), keras: "height", "How high."),
      SettingKey(
        "limit", \.limit, .optional("none", .number(.positive)),
        keras: .unlessDefault("maximum"), "At most."),
    ])
}

private enum Curve: Hashable, Sendable, SettingsVariant, Codable {
  case flat
  case longSlope(Slope)
  case power(Double)

  enum Kind: String, CaseIterable {
    case flat
    case longSlope = "long_slope"
    case power
  }

  static let noun = "curve"

  var kind: Kind {
    switch self {
    case .flat: .flat
    case .longSlope: .longSlope
    case .power: .power
    }
  }

  static func description(of kind: Kind) -> SettingsKind<Curve> {
    switch kind {
    case .flat: SettingsKind(kind.rawValue, "Stays.", .flat)
    case .longSlope:
      SettingsKind(kind.rawValue, Slope.settings, wrap: Curve.longSlope) {
        if case .longSlope(let slope) = $0 { slope } else { nil }
      }
    case .power:
      SettingsKind(kind.rawValue, "A power.", .number(.positive), wrap: Curve.power) {
        if case .power(let exponent) = $0 { exponent } else { nil }
      }
    }
  }

  init(from decoder: any Decoder) throws { try self.init(variantFrom: decoder) }
  func encode(to encoder: any Encoder) throws { try encodeVariant(to: encoder) }
}

/// A curve with a setting of its own behind the curve's word.
private struct Path: Hashable, Sendable {
  var curve = Curve.flat
  var width = 3

  static let width = SettingKey<Path>("width", \.width, .integer(1...9), "How wide.")

  static func kind(_ kind: Curve.Kind, with keys: [SettingKey<Path>]) -> SettingsKind<Path> {
    Curve.description(of: kind).part(of: Path(), at: \.curve, with: keys)
  }
}

@Suite("a variant of settings")
struct SettingsVariantTests {
  private func map(_ members: [(String, ResolvedValue.Content)]) -> ResolvedValue {
    ResolvedValue(
      .map(
        members.map { ResolvedValue.Member(key: $0.0, value: ResolvedValue($0.1, .builtIn)) }), .builtIn)
  }

  @Test("has a description for each of its words, and each describes the values of its word")
  func kinds() {
    #expect(Curve.settings.kinds.map(\.name) == ["flat", "long_slope", "power"])
    for curve in [Curve.flat, .longSlope(Slope(rise: 2, limit: 7)), .power(1.5)] {
      let content = Curve.settings.content(of: curve)
      #expect(Curve.settings.value(of: ResolvedValue(content, .builtIn)) == curve)
      guard case .kind(curve.word, _) = content else { Issue.record("\(content)"); continue }
    }
  }

  @Test("as a part of a larger value: further keys stand behind the same word")
  func part() {
    let flat = Path.kind(.flat, with: [Path.width])
    guard case .object(let object) = flat.payload else { Issue.record("flat takes no keys"); return }
    #expect(object.keys.map(\.name) == ["width"])
    let slope = Path.kind(.longSlope, with: [Path.width])
    guard case .object(let both) = slope.payload else { Issue.record("a slope takes no keys"); return }
    #expect(both.keys.map(\.name) == ["rise_height", "limit", "width"])
    let union = SettingsUnion("path", [flat, slope, Path.kind(.power, with: [])])
    for path in [
      Path(curve: .flat, width: 5), Path(curve: .longSlope(Slope(rise: 2)), width: 8), Path(curve: .power(4)),
    ] {
      #expect(union.value(of: ResolvedValue(union.content(of: path), .builtIn)) == path)
    }
    #expect(
      union.content(of: Path(curve: .longSlope(Slope(rise: 2)), width: 8))
        == .kind(
          "long_slope", map([("rise_height", .number(2)), ("limit", .text("none")), ("width", .integer(8))])))
  }

  @Test("without further keys, a word stays a word")
  func bare() {
    let flat = Path.kind(.flat, with: [])
    #expect(flat.payload == nil)
    #expect(SettingsUnion("path", [flat]).content(of: Path()) == .kind("flat", nil))
  }

  @Test("Keras's words are written, but for those that stand for what Keras means without them")
  func keras() {
    #expect(Slope.settings.kerasSettings(of: Slope()) == ["height": .number(0.5)])
    #expect(
      Slope.settings.kerasSettings(of: Slope(rise: 0, limit: 4))
        == ["height": .number(0), "maximum": .number(4)])
  }

  @Test("in files, words are in camel case, as Swift codes the enum")
  func coding() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    for (curve, text) in [
      (Curve.flat, #"{"flat":{}}"#),
      (.longSlope(Slope(rise: 0.1)), #"{"longSlope":{"limit":"none","riseHeight":0.1}}"#),
      (.longSlope(Slope(rise: 3, limit: 2.5)), #"{"longSlope":{"limit":2.5,"riseHeight":3}}"#),
    ] {
      #expect(String(decoding: try encoder.encode(curve), as: UTF8.self) == text)
      #expect(try JSONDecoder().decode(Curve.self, from: Data(text.utf8)) == curve)
    }
    let older = #"{"longSlope":{"riseHeight":3}}"#
    #expect(try JSONDecoder().decode(Curve.self, from: Data(older.utf8)) == .longSlope(Slope(rise: 3)))
    for wrong in [#"{"steep":{}}"#, "{}", #"{"flat":{},"power":{}}"#, #"{"longSlope":{"riseHeight":"x"}}"#] {
      #expect(throws: DecodingError.self) { try JSONDecoder().decode(Curve.self, from: Data(wrong.utf8)) }
    }
  }
}
