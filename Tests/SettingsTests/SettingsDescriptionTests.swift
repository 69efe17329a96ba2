import Settings
import Testing

/// Something with a setting of each sort.
private struct Filter: Hashable, Sendable {
  enum Edge: String, SettingWord { case valid, same }

  var count = 0
  var rate: Float = 0.1
  var edge = Edge.same
  var limit: Int?
  var names: [String] = ["a"]

  static let settings = SettingsDescription(
    "A filter.", Filter(),
    [
      SettingKey("count", \.count, .integer(1...9), default: .required, keras: "filters", "How many."),
      SettingKey("rate", \.rate, .number(.positive), "How fast."),
      SettingKey("edge", \.edge, .word, "Which edge."),
      SettingKey("limit", \.limit, .optional("none", .integer(1...5)), "At most."),
      SettingKey("names", \.names, .list(.text, count: 1...3), "What they are called."),
    ])
}

private enum Shape: Hashable, Sendable {
  case plain
  case filter(Filter)
  case width(Int)

  static let settings = SettingsUnion<Shape>(
    "shape",
    [
      SettingsKind("plain", "Nothing.", .plain),
      SettingsKind("filter", Filter.settings, wrap: Shape.filter) {
        if case .filter(let filter) = $0 { filter } else { nil }
      },
      SettingsKind("width", "A width.", .integer(1...3), wrap: Shape.width) {
        if case .width(let width) = $0 { width } else { nil }
      },
    ])
}

@Suite("a description of settings")
struct SettingsDescriptionTests {
  private func map(_ members: [(String, ResolvedValue.Content)]) -> ResolvedValue {
    ResolvedValue(
      .map(
        members.map { ResolvedValue.Member(key: $0.0, value: ResolvedValue($0.1, .builtIn)) }), .builtIn)
  }

  @Test("takes defaults from the prototype, and required keys from nowhere")
  func defaults() {
    let object = Filter.settings.object
    #expect(object.keys.map(\.name) == ["count", "rate", "edge", "limit", "names"])
    guard case .required = object.keys[0].fallback else { Issue.record("count is not required"); return }
    let expected: [ResolvedValue.Content] = [
      .number(0.1), .text("same"), .text("none"), .list([ResolvedValue(.text("a"), .builtIn)]),
    ]
    for (key, content) in zip(object.keys.dropFirst(), expected) {
      guard case .value(let found) = key.fallback else { Issue.record("\(key.name) has no default"); return }
      #expect(found == content, "\(key.name)")
    }
    #expect(Filter.settings.keys[0].kerasName == "filters")
  }

  @Test("reads what it writes, for every setting away from its default")
  func roundTrip() {
    let filter = Filter(count: 7, rate: 0.3, edge: .valid, limit: 4, names: ["x", "y"])
    #expect(Filter.settings.value(of: ResolvedValue(Filter.settings.map(of: filter), .builtIn)) == filter)
  }

  @Test("a key takes a value alone, and none of another form")
  func singleKeys() {
    var filter = Filter()
    let count = Filter.settings.keys[0]
    #expect(count.isRequired && count.keras?.names == ["filters"])
    #expect(count.take(.integer(3), into: &filter) && filter.count == 3)
    #expect(count.content(of: filter) == .integer(3))
    #expect(!count.take(.text("three"), into: &filter) && filter.count == 3)
  }

  @Test("refuses a missing key and a value of another form")
  func refusals() {
    #expect(Filter.settings.value(of: map([("rate", .number(1))])) == nil)
    let whole = Filter.settings.map(of: Filter(count: 1))
    guard case .map(let members) = whole else { Issue.record("no map"); return }
    let wrong = members.map {
      ResolvedValue.Member(
        key: $0.key, value: $0.key == "edge" ? ResolvedValue(.text("round"), .builtIn) : $0.value)
    }
    #expect(Filter.settings.value(of: ResolvedValue(.map(wrong), .builtIn)) == nil)
  }

  @Test(
    "a union reads what it writes, for every kind",
    arguments: [
      Shape.plain, .filter(Filter(count: 2)), .width(3),
    ])
  private func unions(shape: Shape) {
    let content = Shape.settings.content(of: shape)
    #expect(Shape.settings.value(of: ResolvedValue(content, .builtIn)) == shape)
    #expect(Shape.settings.schema.kinds.map(\.name) == ["plain", "filter", "width"])
  }

  @Test("a union knows no other kinds, and no kind without its payload")
  func unknownKinds() {
    #expect(Shape.settings.value(of: ResolvedValue(.kind("round", nil), .builtIn)) == nil)
    #expect(Shape.settings.value(of: ResolvedValue(.kind("width", nil), .builtIn)) == nil)
  }

  @Test("a key at a path is the same key of what holds its value")
  func keysAtPaths() {
    struct Outer: Sendable {
      var filter = Filter(count: 1, edge: .valid)
    }
    let outer = SettingsDescription("", Outer(), Filter.settings.keys.map { $0.at(\.filter) })
    guard case .value(let edge) = outer.object.keys[2].fallback else { Issue.record("no default"); return }
    #expect(edge == .text("valid"))
    let other = Outer(filter: Filter(count: 7, limit: 4))
    #expect(outer.map(of: other) == Filter.settings.map(of: other.filter))
    let read = outer.value(of: ResolvedValue(outer.map(of: other), .builtIn))
    #expect(read?.filter == other.filter)
  }

  @Test("the meaning of a value names its files by their contents, and tells apart what differs")
  func meaning() {
    struct Look: Sendable, DescribedSettings {
      var file = "a.png"
      var names = ["a", "b"]
      var shape = Shape.plain
      var often = 1
      static let settings = SettingsDescription(
        "", Look(),
        [
          SettingKey("file", \.file, .path, "A file."),
          SettingKey("names", \.names, .list(.text, count: 1...3), "Names."),
          SettingKey("shape", \.shape, Shape.settings.form, "A shape."),
          SettingKey("often", \.often, .integer(1...9), change: .free, "How often."),
        ])
    }
    func meaning(_ look: Look) -> String { Look.settings.meaning(of: look) { "<\($0.count)>" } }
    #expect(meaning(Look()) == "file file <5>, names [\"a\", \"b\"], shape plain")
    #expect(meaning(Look(file: "b.png", often: 2)) == meaning(Look()))
    let others = [
      Look(file: "bb.png"), Look(names: ["a\", \"b"]), Look(shape: .width(2)), Look(shape: .width(3)),
      Look(shape: .filter(Filter(count: 1))),
    ]
    #expect(Set(others.map(meaning)).union([meaning(Look())]).count == 6)
  }

  @Test("text of a form of its own is read and written by that form")
  func formatted() {
    let form = SettingForm<Int>.formatted("stars", read: { $0.allSatisfy { $0 == "*" } ? $0.count : nil }) {
      String(repeating: "*", count: $0)
    }
    #expect(form.encode(3) == .text("***"))
    #expect(form.decode(ResolvedValue(.text("**"), .builtIn)) == 2)
    #expect(form.decode(ResolvedValue(.text("*x"), .builtIn)) == nil)
    guard case .formatted(let format) = form.schema else { Issue.record("not formatted"); return }
    #expect(format.expectation == "stars" && format.accepts("*") && !format.accepts("x"))
  }
}
