/// A map with known keys.
public struct ObjectSchema: Sendable {
  /// What the map describes, in one sentence for references.
  public let summary: String
  /// The keys, in the order of references.
  public let keys: [Key]

  /// A map with these keys and no others.
  public init(_ summary: String, _ keys: [Key]) {
    self.summary = summary
    self.keys = keys
  }

  /// The key of this name; nil where the map has none.
  public func key(_ name: String) -> Key? { keys.first { $0.name == name } }

  /// The sections that have a key of this name, for hints about keys in the wrong place.
  public func homes(of name: String) -> [String] {
    func search(_ object: ObjectSchema, _ path: String) -> [String] {
      object.keys.flatMap { key -> [String] in
        let own = key.name == name ? [path.isEmpty ? "the top of the file" : path] : []
        guard case .object(let inner) = key.schema else { return own }
        return own + search(inner, path.isEmpty ? key.name : "\(path).\(key.name)")
      }
    }
    return search(self, "")
  }

  /// Whether an empty map is complete.
  public var isAllOptional: Bool {
    keys.allSatisfy { if case .required = $0.fallback { false } else { true } }
  }
}

/// A key of a map.
public struct Key: Sendable {
  /// What holds when the key is left out.
  public enum Fallback: Sendable {
    /// The key must be written.
    case required
    /// This scalar, read as if it were written.
    case scalar(String)
    /// A map of one key, read as if it were written.
    case kind(String, String)
    /// The empty map, each of whose keys has its own default.
    case emptyMap
    /// This value.
    case value(ResolvedValue.Content)
    /// Something that follows from other values; the text says what.
    case derived(String)
  }

  /// What a change of the value between two runs means for going on with the first.
  public enum Change: Sendable {
    /// The numbers would differ: another run.
    case meaning
    /// The numbers stay the same.
    case free
    /// A larger value only goes on for longer, as long as no schedule is stretched by it.
    case extend
  }

  /// The key's word.
  public let name: String
  /// What may be written behind it.
  public let schema: Schema
  /// What holds when it is left out.
  public let fallback: Fallback
  /// What it does, in one sentence for references and help.
  public let summary: String
  /// What another value means for a run that goes on.
  public let change: Change

  /// A key with all there is to say of it.
  public init(
    _ name: String, _ schema: Schema, _ fallback: Fallback, change: Change = .meaning, _ summary: String
  ) {
    self.name = name
    self.schema = schema
    self.fallback = fallback
    self.summary = summary
    self.change = change
  }
}
