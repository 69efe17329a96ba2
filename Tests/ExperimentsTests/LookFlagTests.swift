import Experiments
import Insight
import Settings
import Testing

/// Looks from what was typed after options.
@Suite("Flags of looks")
struct LookFlagTests {
  private let checkpoint = SettingFlag(["checkpoint"], option: "<checkpoint>", text: "run")
  private let image = SettingFlag(["image"], option: "<image>", text: "a.png")

  private func dream(_ flags: [(String, String)], request: [SettingFlag] = []) throws -> DreamLook {
    let settings = flags.map { name, text in
      SettingFlag([name], option: "--" + name.replacing("_", with: "-"), text: text)
    }
    let made = try LookConfiguration("dream", settings: [image] + settings, request: [checkpoint] + request)
    guard case .dream(let look) = made.request.look else { throw Unexpected() }
    return look
  }

  private struct Unexpected: Error {}

  private func errors(_ flags: [(String, String)], request: [SettingFlag] = []) -> [String] {
    do {
      _ = try dream(flags, request: request)
      return []
    } catch let error as ConfigurationErrors {
      #expect(error.isUsage)
      return error.errors.map(\.description)
    } catch { return ["\(error)"] }
  }

  @Test("flags give the look that a configuration gives, with paths as they were typed")
  func same() throws {
    var expected = DreamLook(image: ImageSource("a.png"))
    expected.guide = ImageSource("some: strange #name.png")
    expected.dream.layers = [WeightedLayer("block4_conv3", 1), WeightedLayer("block5_conv1", 0.5)]
    (expected.dream.tile, expected.dream.rate, expected.size) = (64, 1.0 / 3, 200)
    let flags = [
      ("guide", "some: strange #name.png"), ("layers", "block4_conv3, block5_conv1:0.5"), ("tile", "64"),
      ("rate", "1/3"), ("size", "200"),
    ]
    #expect(try dream(flags) == expected)
    let none = [("guide", "none"), ("layers", "auto"), ("size", "auto")]
    #expect(try dream(none) == DreamLook(image: ImageSource("a.png")))
  }

  @Test("every mistake is named by its option, with what was found and what is expected, all at once")
  func mistakes() {
    #expect(
      errors([("tile", "5"), ("zoom", "nan"), ("steps", ""), ("frames", "9223372036854775808")]) == [
        "--steps: found nothing, expected a whole number from 1 to 1000000",
        "--tile 5: found '5', expected a whole number from 32 to 100000",
        "--frames 9223372036854775808: found '9223372036854775808', expected a whole number from 1 to 1000000",
        "--zoom nan: found 'nan', expected a number at least 1 and at most 10",
      ])
    #expect(errors([("layers", "a:b:c")]) == ["--layers a:b:c: found 'a:b:c', expected name:weight"])
    #expect(errors([("layers", "a:x")]) == ["--layers a:x: found 'x', expected a number"])
    #expect(errors([("layers", "")]) == ["--layers: found nothing, expected name:weight,…"])
    #expect(
      errors([("guide", "")]) == ["--guide: found nothing, expected none, or the path of a file"])
    let black = SettingFlag(["black"], option: "--black", text: "300")
    #expect(
      errors([], request: [black, SettingFlag(["white"], option: "--white", text: "255")]) == [
        "--white 255: found '255', expected more than black, 300"
      ])
  }

  @Test("a setting of a kind that is not chosen is refused, one of the chosen kind is taken")
  func kinds() throws {
    func style(_ flags: [([String], String, String)]) throws -> Look {
      let settings = ["content", "style"].map { SettingFlag([$0], option: "--\($0)", text: "\($0).png") }
      return try LookConfiguration(
        "style", settings: settings + flags.map { SettingFlag($0.0, option: $0.1, text: $0.2) },
        request: [checkpoint]
      ).request.look
    }
    var expected = StyleLook(content: ImageSource("content.png"), style: ImageSource("style.png"))
    expected.rule = .adam(rate: 5)
    expected.start = .image(ImageSource("lbfgs"))
    let rate = (["optimizer", "adam", "rate"], "--rate", "5")
    let start = (["start"], "--start", "lbfgs")
    #expect(try style([(["optimizer"], "--optimizer", "adam"), rate, start]) == .style(expected))
    (expected.rule, expected.start) = (.adam(rate: 2), .noise)
    #expect(
      try style([(["optimizer"], "--optimizer", "adam"), (["start"], "--start", "noise")]) == .style(expected)
    )
    let error = #expect(throws: ConfigurationErrors.self) { try style([rate]) }
    #expect(
      error?.description
        == "--rate 5: belongs to the optimizer adam, and the optimizer here is lbfgs")
  }

  @Test("help says what may be written and the default")
  func help() {
    let tile = SettingHelp(DreamLook.tile.key)
    #expect(
      tile.text
        == "Longest side of a tile, in pixels; it bounds the memory. (a whole number from 32 to 100000; default: 512)"
    )
    #expect(tile.valueName == "n")
    #expect(SettingHelp(DreamLook.layers.key).valueName == "auto|name:weight,…")
    #expect(SettingHelp(StyleLook.start.key).valueName == "content|noise|file")
    #expect(
      SettingHelp(AscentSettings.rate.key).text
        == "Size of a step; auto is 0.05 for adam and 0.02 for sgd. (auto, or a number above 0; default: auto)"
    )
    #expect(SettingHelp(DreamLook.image.key).text == "A PNG or JPEG file.")
  }
}
