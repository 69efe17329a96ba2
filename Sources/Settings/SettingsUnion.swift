/// One of several kinds that a `Value` can be of: its word, and the settings that belong to it.
public struct SettingsKind<Value: Sendable>: Sendable {
  public let name: String
  public let summary: String
  /// What stands behind the word; nil for a kind that is only a word.
  public let payload: Schema?
  /// The value that a payload describes; nil for one of another form.
  public let make: @Sendable (ResolvedValue?) -> Value?
  /// The payload that describes a value; nil for a value of another kind.
  let write: @Sendable (Value) -> Written?

  enum Written {
    case bare
    case payload(ResolvedValue.Content)
  }

  /// A kind that is only a word.
  public init(_ name: String, _ summary: String, _ value: Value) where Value: Equatable {
    self.name = name
    self.summary = summary
    payload = nil
    make = { _ in value }
    write = { $0 == value ? .bare : nil }
  }

  /// A kind with settings.
  ///
  /// - Parameters:
  ///   - wrap: makes the value of its settings: an enum's case.
  ///   - unwrap: nil for a value of another kind.
  public init<Payload>(
    _ name: String, _ settings: SettingsDescription<Payload>, wrap: @escaping @Sendable (Payload) -> Value,
    unwrap: @escaping @Sendable (Value) -> Payload?
  ) {
    self.init(name, settings.summary, settings.form, wrap: wrap, unwrap: unwrap)
  }

  /// A kind with a single value behind its word.
  public init<Payload>(
    _ name: String, _ summary: String, _ form: SettingForm<Payload>,
    wrap: @escaping @Sendable (Payload) -> Value, unwrap: @escaping @Sendable (Value) -> Payload?
  ) {
    self.name = name
    self.summary = summary
    payload = form.schema
    make = { $0.flatMap(form.decode).map(wrap) }
    write = { unwrap($0).map { .payload(form.encode($0)) } }
  }
}

/// A value that is of one of several kinds, written as `word` or `{word: …}`.
public struct SettingsUnion<Value: Sendable>: Sendable {
  /// What the kinds are kinds of, for messages: `optimizer`.
  public let noun: String
  public let kinds: [SettingsKind<Value>]

  public init(_ noun: String, _ kinds: [SettingsKind<Value>]) {
    self.noun = noun
    self.kinds = kinds
  }

  /// What may be written.
  public var schema: UnionSchema {
    UnionSchema(noun, kinds.map { UnionSchema.Kind($0.name, $0.payload, $0.summary) })
  }

  public func kind(_ name: String) -> SettingsKind<Value>? { kinds.first { $0.name == name } }

  /// The value that was written; nil for an unknown kind or a payload of another form.
  public func value(of written: ResolvedValue) -> Value? {
    written.kind.flatMap(kind)?.make(written.payload)
  }

  /// The kind of a value, with its settings written out.
  public func content(of value: Value) -> ResolvedValue.Content {
    for kind in kinds {
      switch kind.write(value) {
      case nil: continue
      case .bare: return .kind(kind.name, nil)
      case .payload(let content): return .kind(kind.name, ResolvedValue(content, .builtIn))
      }
    }
    preconditionFailure("a \(noun) of no described kind: \(value)")
  }

  /// One of these kinds as the value of a key.
  public var form: SettingForm<Value> {
    SettingForm(.union(schema), decode: value(of:), encode: content(of:))
  }
}
