/// A key of a map that describes a `Root`: how it is written, and where its value lies.
public struct SettingKey<Root>: Sendable {
  /// What stands in place of a key that is left out.
  public enum Default: Sendable {
    /// The value that the description's prototype has.
    case prototype
    /// Nothing: the key must be written.
    case required
    /// Something that follows from other values; the text says what.
    case derived(String)
  }

  /// The key's word.
  public let name: String
  /// What may be written behind it.
  public let schema: Schema
  /// Whether the key must be written.
  public let isRequired: Bool
  /// The same setting in Keras; nil where Keras has none.
  public let keras: KerasOption?
  let makeKey: @Sendable (Root) -> Key
  /// Puts a value into the root; false for a value of another form.
  let read: @Sendable (ResolvedValue?, inout Root) -> Bool
  /// The value as it is written; nil where the key would not be.
  let write: @Sendable (Root) -> ResolvedValue.Content?

  /// A key whose value is a property.
  ///
  /// - Parameters:
  ///   - summary: one sentence, for references and help.
  ///   - change: what another value means to a run that goes on.
  public init<Value>(
    _ name: String, _ path: any WritableKeyPath<Root, Value> & Sendable, _ form: SettingForm<Value>,
    default fallback: Default = .prototype, change: Key.Change = .meaning, keras: KerasOption? = nil,
    _ summary: String
  ) {
    self.init(
      name, form.schema, default: fallback, change: change, keras: keras, summary,
      read: { value, root in
        guard let value else {
          if case .derived = fallback { return true }
          return false
        }
        guard let decoded = form.decode(value) else { return false }
        root[keyPath: path] = decoded
        return true
      },
      write: { form.encode($0[keyPath: path]) })
  }

  /// A key that is left out where its property is nil.
  ///
  /// - Parameters:
  ///   - form: how a value that is not nil is written.
  ///   - otherwise: what holds without the key.
  public init<Value>(
    _ name: String, _ path: any WritableKeyPath<Root, Value?> & Sendable, given form: SettingForm<Value>,
    otherwise: String, change: Key.Change = .meaning, keras: KerasOption? = nil, _ summary: String
  ) {
    self.init(
      name, form.schema, default: .derived(otherwise), change: change, keras: keras, summary,
      read: { value, root in
        guard let value else { return true }
        guard let decoded = form.decode(value) else { return false }
        root[keyPath: path] = decoded
        return true
      },
      write: { $0[keyPath: path].map(form.encode) })
  }

  /// A key whose value is not a single property.
  ///
  /// - Parameters:
  ///   - read: gets nil for a key that was left out and has no value of its own then.
  ///   - write: nil where the key would not be written.
  public init(
    _ name: String, _ schema: Schema, default fallback: Default = .prototype, change: Key.Change = .meaning,
    keras: KerasOption? = nil, _ summary: String,
    read: @escaping @Sendable (ResolvedValue?, inout Root) -> Bool,
    write: @escaping @Sendable (Root) -> ResolvedValue.Content?
  ) {
    self.name = name
    self.schema = schema
    self.keras = keras
    isRequired = if case .required = fallback { true } else { false }
    self.read = read
    self.write = write
    makeKey = { prototype in
      let meant: Key.Fallback =
        switch fallback {
        case .required: .required
        case .derived(let text): .derived(text)
        case .prototype: write(prototype).map { .value($0) } ?? .derived("none")
        }
      return Key(name, schema, meant, change: change, summary)
    }
  }

  /// The word of the same setting in Keras; nil where Keras has none.
  public var kerasName: String? { keras?.name }

  /// The value that a root has, as it would be written; nil where the key would not be.
  public func content(of root: Root) -> ResolvedValue.Content? { write(root) }

  /// Puts a value into a root.
  ///
  /// - Returns: false for a value of another form.
  public func take(_ content: ResolvedValue.Content, into root: inout Root) -> Bool {
    read(ResolvedValue(content, .builtIn), &root)
  }
}

extension SettingKey {
  /// The same key of a value that holds the described one.
  public func at<Outer>(_ path: any WritableKeyPath<Outer, Root> & Sendable) -> SettingKey<Outer> {
    let inner = self
    return SettingKey<Outer>(
      name: name, schema: schema, isRequired: isRequired, keras: keras,
      makeKey: { inner.makeKey($0[keyPath: path]) }, read: { inner.read($0, &$1[keyPath: path]) },
      write: { inner.write($0[keyPath: path]) })
  }

  private init(
    name: String, schema: Schema, isRequired: Bool, keras: KerasOption?,
    makeKey: @escaping @Sendable (Root) -> Key,
    read: @escaping @Sendable (ResolvedValue?, inout Root) -> Bool,
    write: @escaping @Sendable (Root) -> ResolvedValue.Content?
  ) {
    (self.name, self.schema, self.isRequired, self.keras) = (name, schema, isRequired, keras)
    self.makeKey = makeKey
    (self.read, self.write) = (read, write)
  }
}

/// Describes a value with settings, once: from it follow the schema, references, reading and writing.
public struct SettingsDescription<Root: Sendable>: Sendable {
  /// What the settings are for, in one sentence for references.
  public let summary: String
  /// A value whose settings are the defaults; those of required keys mean nothing.
  public let prototype: Root
  /// The keys, in the order of references and files.
  public let keys: [SettingKey<Root>]

  /// A description from a summary, a value with the defaults, and the keys.
  public init(_ summary: String, _ prototype: Root, _ keys: [SettingKey<Root>]) {
    self.summary = summary
    self.prototype = prototype
    self.keys = keys
  }

  /// What may be written.
  public var object: ObjectSchema { ObjectSchema(summary, keys.map { $0.makeKey(prototype) }) }

  /// The value that a map describes, which has been read by ``object``.
  ///
  /// - Returns: nil where a required key is missing or a value is of another form.
  public func value(of map: ResolvedValue) -> Root? {
    var root = prototype
    for key in keys where !key.read(map[key.name], &root) { return nil }
    return root
  }

  /// The map that describes a value, with every key written out.
  public func map(of root: Root) -> ResolvedValue.Content {
    .map(
      keys.compactMap { key in
        key.write(root).map { ResolvedValue.Member(key: key.name, value: ResolvedValue($0, .builtIn)) }
      })
  }

  /// The settings that Keras has, as it writes them.
  public func kerasSettings(of root: Root) -> [String: ResolvedValue.Content] {
    var settings: [String: ResolvedValue.Content] = [:]
    for key in keys {
      guard let option = key.keras, let value = key.write(root) else { continue }
      if option.isLeftOutAtDefault, value == key.write(prototype) { continue }
      settings[option.name] = option.write(value)
    }
    return settings
  }

  /// A map of these keys as the value of one.
  public var form: SettingForm<Root> {
    SettingForm(.object(object), decode: value(of:), encode: map(of:))
  }
}
