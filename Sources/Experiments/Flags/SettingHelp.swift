public import Settings

/// The help of a command's option that is a setting.
public struct SettingHelp {
  /// What the setting is, what may be written, and the default.
  public let text: String
  /// A placeholder for the value: `n`, `adam|sgd`, `name:weight,…`.
  public let valueName: String

  /// The help that follows from a key's description.
  public init(_ key: Key) {
    var notes = [key.schema.note].filter { !$0.isEmpty }
    switch key.fallback {
    case .required, .emptyMap: break
    case .scalar(let text): notes.append("default: \(text)")
    case .kind(let name, let payload): notes.append("default: \(name) \(payload)")
    case .value(let content): notes.append("default: \(content.shortest(key.schema).flowText)")
    case .derived(let text): notes.append("default: \(text)")
    }
    let summary = key.summary.replacing("`", with: "")
    text = notes.isEmpty ? summary : "\(summary) (\(notes.joined(separator: "; ")))"
    valueName = key.schema.placeholder
  }
}

extension Schema {
  /// The values that are allowed, where the placeholder does not say it; empty where it does.
  fileprivate var note: String {
    switch self {
    case .integer, .number: expectation
    case .optional(let word, let inner): inner.note.isEmpty ? "" : "\(word), or \(inner.note)"
    case .boolean, .text, .formatted, .name, .choice, .byteSize, .path, .size, .list, .layerNames, .names,
      .object,
      .union,
      .layers, .blocks, .sweep:
      ""
    }
  }

  /// A placeholder for a value in the help of a command.
  var placeholder: String {
    switch self {
    case .integer: "n"
    case .number: "x"
    case .boolean: "true|false"
    case .text, .formatted: "text"
    case .name: "name"
    case .choice(let choices): choices.map(\.word).joined(separator: "|")
    case .byteSize: "size"
    case .path: "file"
    case .size: "size"
    case .list(let element, _): "\(element.placeholder),…"
    case .layerNames: "name,…"
    case .names: "old:new,…"
    case .object(let object): object.keys.map(\.name).joined(separator: ":")
    case .union(let union):
      union.kinds.map { kind in kind.canBeBare ? kind.name : kind.payload?.placeholder ?? kind.name }
        .joined(separator: "|")
    case .optional(let word, let inner): "\(word)|\(inner.placeholder)"
    case .layers, .blocks, .sweep: "text"
    }
  }
}
