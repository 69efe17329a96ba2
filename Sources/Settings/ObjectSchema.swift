/// A map with known keys.
public struct ObjectSchema: Sendable {
  public let summary: String
  public let keys: [Key]

  public init(_ summary: String, _ keys: [Key]) {
    self.summary = summary
    self.keys = keys
  }

  /// The key of this name.
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

  /// True when an empty map is a complete one.
  public var isAllOptional: Bool {
    keys.allSatisfy { if case .required = $0.fallback { false } else { true } }
  }
}

/// A key of a map.
public struct Key: Sendable {
  /// What holds when the key is left out.
  public enum Fallback: Sendable {
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

  public let name: String
  public let schema: Schema
  public let fallback: Fallback
  public let summary: String
  public let change: Change

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
