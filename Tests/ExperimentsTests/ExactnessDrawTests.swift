import Settings
import Testing

@testable import ExactnessFuzz
@testable import Experiments

/// Whether `Scripts/exactness-fuzz` draws all that a configuration can say.
@Suite("Drawn trainings")
struct ExactnessDrawTests {
  /// What is not drawn, and why.
  static let exceptions: Set<String> = [
    // Other ways to write the same configuration.
    "extends", "network.from", "network.until",
    // Families of runs are trained by another command.
    "sweep",
    // The drawn data has no vectors of words.
    "pretrained=true",
  ]

  @Test("every word of the schema is drawn, and no other")
  func complete() {
    var wanted = SchemaWords()
    wanted.note(.object(RunSchema.root), "")
    var missing = wanted.words.subtracting(Self.exceptions)
    var unknown: Set<String> = []
    var number = 0
    while number < 6000, !missing.isEmpty || number < 200 {
      let draw = Draw(seed: 1, number: number, attempt: 0, hasBF16: true)
      var found = SchemaWords()
      found.note(draw.whole, .object(RunSchema.root), "")
      missing.subtract(found.words)
      unknown.formUnion(found.unknown)
      number += 1
    }
    #expect(missing.isEmpty, "\(number) draws have not had \(missing.sorted())")
    #expect(unknown.isEmpty, "the schema does not know \(unknown.sorted())")
  }

  @Test("nearly all that is drawn is a configuration without errors")
  func valid() {
    var refusals: [String] = []
    for number in 0..<200 {
      let draw = Draw(seed: 2, number: number, attempt: 0, hasBF16: true)
      do throws(ConfigurationErrors) {
        _ = try ConfigurationFile.load(text: draw.yaml, path: "/fuzz.yaml")
      } catch {
        refusals.append("\(number): \(error)")
      }
    }
    #expect(refusals.count <= 6, "\(refusals.joined(separator: "\n"))")
  }

  @Test("the same numbers draw the same")
  func repeatable() {
    for number in 0..<20 {
      let draws = (0..<2).map { _ in Draw(seed: 3, number: number, attempt: 1, hasBF16: true) }
      #expect(draws[0] == draws[1])
      #expect(draws[0] != Draw(seed: 4, number: number, attempt: 1, hasBF16: true))
    }
  }

  @Test("what makes a training fail is found among much else")
  func shrinking() throws {
    /// Fails where a convolution of 24 filters meets a shard that does not divide the batch.
    func fails(_ draw: Draw) -> Bool {
      guard let batch = draw.training["batch"]?.integer, let shard = draw.training["shard"]?.integer,
        batch % shard != 0, batch > 5
      else { return false }
      return draw.yaml.contains("filters: 24") && draw.interrupted.contains { $0.count > 1 }
    }
    let draw = try #require(
      (0..<500).lazy.map { Draw(seed: 5, number: $0, attempt: 0, hasBF16: true) }.first(where: fails))
    let small = try Shrinker(fails: fails, tries: 5000).shrink(draw)
    #expect(fails(small))
    #expect(small.configuration["network"]?["layers"]?.items?.count == 1)
    #expect((6...11).contains(small.training["batch"]?.integer ?? 0))
    #expect(small.interrupted.map(\.count) == [2] && small.otherWorkers == nil)
    #expect(small.data.samples <= 3 && small.data.testSamples == 0)
  }
}

/// The words of a schema, and which of them a configuration has.
///
/// Kinds and keys stand with their path. Words of a choice stand with the key's own name: an activation is one wherever it is written.
private struct SchemaWords {
  private(set) var words: Set<String> = []
  /// What the schema does not know.
  private(set) var unknown: Set<String> = []

  private static func join(_ path: String, _ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  private mutating func noteChoice(_ path: String, _ word: String) {
    words.insert("\(path.split(separator: ".").last ?? "")=\(word)")
  }

  // MARK: - Of the schema

  mutating func note(_ schema: Schema, _ path: String) {
    switch schema {
    case .object(let object):
      for key in object.keys {
        words.insert(Self.join(path, key.name))
        note(key.schema, Self.join(path, key.name))
      }
    case .union(let union): note(union, path)
    case .optional(let word, let inner):
      noteChoice(path, word)
      note(inner, path)
    case .list(let element, _): note(element, path)
    case .choice(let choices): for choice in choices { noteChoice(path, choice.word) }
    case .boolean: for word in ["true", "false"] { noteChoice(path, word) }
    case .layers where path == "network.layers":
      note(LayerSchema.union, path)
      // The layers inside are those of the network.
      for key in LayerSchema.repetition.keys {
        words.insert("\(path).\(LayerSchema.repetitionWord).\(key.name)")
      }
      words.formUnion(placement(path))
    case .integer, .number, .text, .formatted, .name, .byteSize, .path, .size, .layerNames, .names, .layers,
      .blocks, .sweep:
      break
    }
    words.subtract(Self.placementOfKinds(words))
  }

  private mutating func note(_ union: UnionSchema, _ path: String) {
    for kind in union.kinds {
      words.insert(Self.join(path, kind.name))
      if let payload = kind.payload { note(payload, Self.join(path, kind.name)) }
    }
  }

  /// Every layer takes a name and inputs: once is enough.
  private func placement(_ path: String) -> Set<String> { ["\(path).any.name", "\(path).any.inputs"] }

  private static func placementOfKinds(_ words: Set<String>) -> Set<String> {
    words.filter { word in
      let parts = word.split(separator: ".")
      return parts.count == 4 && word.hasPrefix("network.layers.") && parts[2] != "any"
        && ["name", "inputs"].contains(parts[3])
    }
  }

  // MARK: - Of a configuration

  mutating func note(_ node: Node, _ schema: Schema, _ path: String) {
    switch schema {
    case .object(let object): note(node, object, path)
    case .union(let union): note(node, union, path)
    case .optional(let word, let inner):
      if node.word == word { noteChoice(path, word) } else { note(node, inner, path) }
    case .list(let element, _): for item in node.items ?? [] { note(item, element, path) }
    case .choice, .boolean: noteChoice(path, node.word ?? "")
    case .layers: for item in node.items ?? [] { noteLayer(item) }
    case .integer, .number, .text, .formatted, .name, .byteSize, .path, .size, .layerNames, .names, .blocks,
      .sweep:
      break
    }
  }

  private mutating func note(_ node: Node, _ object: ObjectSchema, _ path: String) {
    for entry in node.entries ?? [] {
      guard let key = object.key(entry.key) else {
        unknown.insert(Self.join(path, entry.key))
        continue
      }
      words.insert(Self.join(path, entry.key))
      note(entry.value, key.schema, Self.join(path, entry.key))
    }
  }

  private mutating func note(_ node: Node, _ union: UnionSchema, _ path: String) {
    guard let word = node.kind, let kind = union.kind(word) else {
      unknown.insert(Self.join(path, node.kind ?? "?"))
      return
    }
    words.insert(Self.join(path, word))
    if let payload = kind.payload, let own = node.payload { note(own, payload, Self.join(path, word)) }
  }

  private mutating func noteLayer(_ node: Node) {
    let path = "network.layers"
    guard let word = node.kind else { return }
    for key in ["name", "inputs"] where node.payload?[key] != nil { words.insert("\(path).any.\(key)") }
    if word == LayerSchema.repetitionWord, let payload = node.payload {
      note(payload, LayerSchema.repetition, "\(path).\(word)")
    } else if LayerSchema.union.kind(word) != nil {
      note(node, LayerSchema.union, path)
    } else {
      // The use of a block.
      words.insert("network.blocks")
    }
  }
}
