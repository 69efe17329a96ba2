internal import Settings

/// A piece of YAML with its place, before its type is known.
struct ConfigurationNode: Sendable {
  struct Entry: Sendable {
    var key: String
    var keyLocation: ConfigurationLocation
    var value: ConfigurationNode
  }

  enum Content: Sendable {
    /// The text as written; `isPlain` is false for text in quotes.
    case scalar(String, isPlain: Bool)
    case list([ConfigurationNode])
    case map([Entry])
  }

  var content: Content
  var location: ConfigurationLocation

  init(_ content: Content, at location: ConfigurationLocation) {
    self.content = content
    self.location = location
  }

  static func emptyMap(at location: ConfigurationLocation) -> ConfigurationNode {
    ConfigurationNode(.map([]), at: location)
  }

  /// A plain scalar.
  static func plain(_ text: String, at location: ConfigurationLocation) -> ConfigurationNode {
    ConfigurationNode(.scalar(text, isPlain: true), at: location)
  }

  var entries: [Entry]? {
    if case .map(let entries) = content { entries } else { nil }
  }

  var scalarText: String? {
    if case .scalar(let text, _) = content { text } else { nil }
  }

  subscript(key: String) -> ConfigurationNode? {
    entries?.first { $0.key == key }?.value
  }

  /// A description of the content, for the first half of an error message.
  var found: String {
    switch content {
    case .scalar("", isPlain: true): "nothing"
    case .scalar(let text, isPlain: true): "'\(text.shortened)'"
    case .scalar(let text, isPlain: false): "the text \"\(text.shortened)\""
    case .list(let items): items.isEmpty ? "an empty list" : "a list of \(items.count)"
    case .map(let entries): entries.isEmpty ? "an empty map" : "a map"
    }
  }
}

extension String {
  /// The text on one line, short enough for a message.
  var shortened: String {
    let flat = String(unicodeScalars.prefix(61).map { $0.value < 32 ? " " : Character($0) })
    return flat.unicodeScalars.count > 60 ? String(flat.prefix(57)) + "…" : flat
  }
}
