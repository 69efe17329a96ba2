/// A value of a configuration after defaults, `extends` and overrides, with the place that it comes from.
public struct ResolvedValue: Sendable {
  /// A value by what the schema says it is.
  public indirect enum Content: Hashable, Sendable {
    /// A whole number.
    case integer(Int)
    /// Any number.
    case number(Double)
    /// `true` or `false`.
    case boolean(Bool)
    /// Text, names, chosen words, and words for an absence such as `none`.
    case text(String)
    /// A number of bytes.
    case byteSize(Int)
    /// An absolute path.
    case path(String)
    /// Values in their order.
    case list([ResolvedValue])
    /// A map in the schema's order of keys.
    case map([Member])
    /// One of several kinds, with what belongs to it.
    case kind(String, ResolvedValue?)

    /// A list of values that nobody wrote.
    public static func list(of contents: [Content]) -> Content {
      .list(contents.map { ResolvedValue($0, .builtIn) })
    }
  }

  /// A key of a map with its value.
  public struct Member: Hashable, Sendable {
    /// The key's word.
    public let key: String
    /// What stands behind it.
    public let value: ResolvedValue

    /// A key with its value.
    public init(key: String, value: ResolvedValue) {
      self.key = key
      self.value = value
    }
  }

  /// The value itself.
  public let content: Content
  /// Where it was written.
  public let origin: ConfigurationLocation

  /// A value with the place that it comes from.
  public init(_ content: Content, _ origin: ConfigurationLocation) {
    self.content = content
    self.origin = origin
  }
}

extension ResolvedValue: Hashable {
  /// Compares what is configured, not where it was written.
  public static func == (left: ResolvedValue, right: ResolvedValue) -> Bool { left.content == right.content }
  /// Feeds the content alone: two equal values may come from different places.
  public func hash(into hasher: inout Hasher) { hasher.combine(content) }
}

extension ResolvedValue {
  /// The value of a key, looked up through the kind of a union.
  public subscript(key: String) -> ResolvedValue? {
    switch content {
    case .map(let members): members.first { $0.key == key }?.value
    case .kind(let name, let payload): name == key ? payload : payload?[key]
    default: nil
    }
  }

  /// The value at a path of keys, `training.batch`.
  public func value(at path: String) -> ResolvedValue? {
    var value: ResolvedValue? = self
    for key in path.split(separator: ".") { value = value?[String(key)] }
    return value
  }

  /// The whole number; nil for any other content.
  public var integer: Int? { if case .integer(let value) = content { value } else { nil } }
  /// The number; nil for any other content, whole numbers included.
  public var number: Double? { if case .number(let value) = content { value } else { nil } }
  /// The truth value; nil for any other content.
  public var boolean: Bool? { if case .boolean(let value) = content { value } else { nil } }
  /// The number of bytes; nil for any other content.
  public var byteSize: Int? { if case .byteSize(let value) = content { value } else { nil } }
  /// The list; nil for any other content.
  public var list: [ResolvedValue]? { if case .list(let value) = content { value } else { nil } }
  /// The word of a kind; nil for any other content.
  public var kind: String? { if case .kind(let name, _) = content { name } else { nil } }
  /// What stands behind the word of a kind; nil for a bare word and for any other content.
  public var payload: ResolvedValue? { if case .kind(_, let payload) = content { payload } else { nil } }
  /// The keys of a map with their values; nil for any other content.
  public var members: [Member]? { if case .map(let members) = content { members } else { nil } }
  /// All paths in the value, however deep.
  public var paths: [String] {
    if case .path(let path) = content { [path] } else { parts.flatMap(\.paths) }
  }
  /// The files in which the value and its parts were written, each once.
  public var sources: Set<String> {
    var files = Set(parts.flatMap(\.sources))
    if case .file(let path, _, _) = origin { files.insert(path) }
    return files
  }
  /// The values that this one consists of.
  private var parts: [ResolvedValue] {
    switch content {
    case .list(let items): items
    case .map(let members): members.map(\.value)
    case .kind(_, let payload): payload.map { [$0] } ?? []
    case .integer, .number, .boolean, .text, .path, .byteSize: []
    }
  }
  /// The text or path; nil for any other content.
  public var text: String? {
    switch content {
    case .text(let value), .path(let value): value
    default: nil
    }
  }
}
