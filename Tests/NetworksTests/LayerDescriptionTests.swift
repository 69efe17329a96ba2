import Networks
import Settings
import TestSupport
import Testing

@Suite("Descriptions of layers")
struct LayerDescriptionTests {
  @Test(
    "each kind has examples, and each layer the description of its own kind", arguments: LayerKind.allCases)
  func kinds(_ kind: LayerKind) {
    #expect(!kind.examples.isEmpty)
    for example in kind.examples { #expect(example.spec.kind == kind) }
    #expect(typedKind(kind.description) == kind)
  }

  private func typedKind(_ description: some AnyLayerDescription) -> LayerKind { description.typed.kind }

  @Test("every word stands for one layer, and is that layer's word")
  func words() throws {
    let words = LayerForm.all.map(\.word)
    #expect(Set(words).count == words.count)
    for example in LayerExample.all {
      let form = try #require(LayerForm(example.spec.word))
      #expect(form.inputCount == example.spec.inputCount)
    }
    #expect(LayerForm("activation") == nil)
  }

  @Test("what the keys say of a layer is all there is to say of it", arguments: LayerExample.all)
  func everySetting(_ example: LayerExample) throws {
    try expectRoundTrip(example.spec.described, example.spec)
  }

  private func expectRoundTrip(_ layer: some AnyDescribedLayer, _ spec: LayerSpec) throws {
    let settings = layer.description.settings
    let map = ResolvedValue(settings.map(of: layer.settings), .builtIn)
    // A function's word is its setting.
    if spec.kind != .activation { #expect(try #require(LayerForm(spec.word)).spec(map) == spec) }
    #expect(layer.description.make(layer.settings) == spec)
    #expect(map.members?.count == settings.keys.count)
  }

  @Test("the examples have every setting away from its default", arguments: LayerKind.allCases)
  func unusual(_ kind: LayerKind) {
    let usual = kind.examples.reduce(Set(keys(kind.description))) {
      $0.intersection(usualKeys($1.spec.described))
    }
    #expect(usual.isEmpty, "\(usual.sorted())")
  }

  private func keys(_ description: some AnyLayerDescription) -> [String] {
    description.typed.settings.keys.map(\.name)
  }

  private func usualKeys(_ layer: some AnyDescribedLayer) -> [String] {
    let settings = layer.description.settings
    return settings.keys.filter { $0.content(of: layer.settings) == $0.content(of: settings.prototype) }
      .map(\.name)
  }

  @Test("bare words and numbers in configurations make the layers of that name")
  func bareWords() {
    let empty = ResolvedValue(.map([]), .builtIn)
    #expect(LayerForm("gelu")?.spec(empty) == .activation(.gelu))
    #expect(LayerForm("flatten")?.spec(empty) == .flatten)
    // Required settings are missing.
    #expect(LayerForm("dense")?.spec(empty) == nil)
  }
}
