import Settings

@testable import Experiments

/// Every place of a configuration where a number may stand, found by walking the schema.
struct SchemaWalk {
  /// A number's place.
  struct Place: CustomStringConvertible {
    /// The key that an override names, and the value around the number, in which `§` stands for it.
    let key: String
    let template: String
    /// What may stand there.
    let schema: Schema

    func override(_ number: String) -> String { "\(key)=\(template.replacing("§", with: number))" }

    var description: String { "\(key)=\(template)" }
  }

  /// Files that are there, for keys that need one: by the key's name.
  let files: [String: String]

  /// The places under keys that an override can name by themselves.
  func places(_ object: ObjectSchema, under path: String = "") -> [Place] {
    object.keys.flatMap { key -> [Place] in
      let path = path.isEmpty ? key.name : "\(path).\(key.name)"
      if case .object(let inner) = key.schema { return places(inner, under: path) }
      return forms(key.schema, inLayers: false).map { Place(key: path, template: $0.text, schema: $0.leaf) }
    }
  }

  private typealias Form = (text: String, leaf: Schema)

  private func forms(_ schema: Schema, inLayers: Bool) -> [Form] {
    switch schema {
    case .integer, .number, .size, .formatted: return [("§", schema)]
    case .byteSize: return [("§ B", schema), ("§ TiB", schema)]
    case .boolean, .text, .name, .choice, .path, .layerNames, .names, .blocks: return []
    case .optional(_, let inner): return forms(inner, inLayers: inLayers)
    case .list(let element, let count):
      return forms(element, inLayers: inLayers).map { form in
        let items = Array(repeating: form.text, count: max(count.lowerBound, 1))
        return ("[\(items.joined(separator: ", "))]", form.leaf)
      }
    case .object(let object):
      return object.keys.flatMap { key in
        forms(key.schema, inLayers: inLayers).map {
          (map(object, with: key.name, $0.text), $0.leaf)
        }
      }
    case .union(let union):
      return union.kinds.flatMap { kind in
        (kind.payload.map { forms($0, inLayers: inLayers) } ?? []).map {
          ("{\(kind.name): \($0.text)}", $0.leaf)
        }
      }
    case .layers:
      guard !inLayers else { return [] }
      let kinds = forms(.union(LayerSchema.union), inLayers: true)
      let repetition = forms(.object(LayerSchema.repetition), inLayers: true).map {
        ("{\(LayerSchema.repetitionWord): \($0.text)}", $0.leaf)
      }
      return (kinds + repetition).flatMap { form in
        ["[\(form.0), flatten, dense: {units: 3}]", "[flatten, \(form.0), dense: {units: 3}]"].map {
          ($0, form.1)
        }
      }
    case .sweep:
      return [
        ("{random: {runs: §, keys: {seed: [1, 2]}}}", .integer(1...100)),
        ("{random: {runs: 2, seed: §, keys: {seed: [1, 2]}}}", .integer(0...Int.max)),
        ("{random: {runs: 2, keys: {training.batch: {uniform: [1, §]}}}}", .integer(1...100)),
        ("{grid: {training.batch: [1, §]}}", .integer(1...100)),
      ]
    }
  }

  /// A map with one key and those that must be there.
  private func map(_ object: ObjectSchema, with name: String, _ text: String) -> String {
    let required = object.keys.filter { key in
      if key.name == name { return false }
      if case .required = key.fallback { return true }
      return false
    }
    let entries = required.map { "\($0.name): \(least($0))" } + ["\(name): \(text)"]
    return "{\(entries.joined(separator: ", "))}"
  }

  /// A value that may stand at a key.
  private func least(_ key: Key) -> String { files[key.name] ?? least(key.schema) }

  private func least(_ schema: Schema) -> String {
    switch schema {
    case .integer(let range): "\(max(range.lowerBound, min(1, range.upperBound)))"
    case .number(let range): range.contains(0.5) ? "0.5" : range.contains(1) ? "1" : "\(range.maximum)"
    case .boolean: "true"
    case .text: "a"
    case .formatted: "0"
    case .name: "a"
    case .choice(let choices): choices[0].word
    case .byteSize: "1 MiB"
    case .path: "a.png"
    case .size: "1"
    case .list(let element, let count):
      "[\(Array(repeating: least(element), count: max(count.lowerBound, 1)).joined(separator: ", "))]"
    case .layerNames: "input"
    case .names: "{a: b}"
    case .object(let object):
      "{\(object.keys.filter { if case .required = $0.fallback { true } else { false } }.map { "\($0.name): \(least($0))" }.joined(separator: ", "))}"
    case .union(let union):
      union.kinds[0].canBeBare
        ? union.kinds[0].name : "{\(union.kinds[0].name): \(union.kinds[0].payload.map(least) ?? "")}"
    case .optional(let word, _): word
    case .layers: "[relu]"
    case .blocks: "{}"
    case .sweep: "{grid: {seed: [1]}}"
    }
  }
}

extension Schema {
  /// The ends of what is allowed, and what lies just beyond.
  var ends: [String] {
    switch self {
    case .integer(let range), .size(let range):
      [
        "\(range.lowerBound)", "\(range.upperBound)", "\(range.lowerBound.subtractingReportingOverflow(1).0)",
        "\(range.upperBound.addingReportingOverflow(1).0)",
      ]
    case .number(let range): ["\(range.minimum)", "\(range.maximum)"]
    default: []
    }
  }
}
