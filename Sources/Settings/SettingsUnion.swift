/// One of several kinds that a `Value` can be of: its word, and the settings that belong to it.
public struct SettingsKind<Value: Sendable>: Sendable {
  /// The kind's word.
  public let name: String
  /// What the kind is, in one sentence for references.
  public let summary: String
  /// What stands behind the word; nil for a kind that is only a word.
  public let payload: Schema?
  /// The value that a payload describes; nil for one of another form.
  public let make: @Sendable (ResolvedValue?) -> Value?
  /// The payload that describes a value; nil for a value of another kind.
  let write: @Sendable (Value) -> WrittenKind?

  /// A kind that is only a word.
  public init(_ name: String, _ summary: String, _ value: Value) where Value: Equatable {
    self.name = name
    self.summary = summary
    payload = nil
    make = { _ in value }
    write = { $0 == value ? .bare : nil }
  }

  /// A kind with settings, or one that is only a word where it has none.
  ///
  /// - Parameters:
  ///   - wrap: makes the value of its settings: an enum's case.
  ///   - unwrap: nil for a value of another kind.
  public init<Payload>(
    _ name: String, _ settings: SettingsDescription<Payload>, wrap: @escaping @Sendable (Payload) -> Value,
    unwrap: @escaping @Sendable (Value) -> Payload?
  ) {
    guard settings.keys.isEmpty else {
      self.init(name, settings.summary, settings.form, wrap: wrap, unwrap: unwrap)
      return
    }
    self.init(
      name, settings.summary, payload: nil, make: { _ in wrap(settings.prototype) },
      write: { unwrap($0).map { _ in .bare } })
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

  private init(
    _ name: String, _ summary: String, payload: Schema?,
    make: @escaping @Sendable (ResolvedValue?) -> Value?, write: @escaping @Sendable (Value) -> WrittenKind?
  ) {
    self.name = name
    self.summary = summary
    self.payload = payload
    self.make = make
    self.write = write
  }

  /// The kind as a part of a larger value, whose other settings stand behind the same word.
  ///
  /// - Parameters:
  ///   - whole: the larger value with its defaults.
  ///   - path: where in it the kind's own value lies.
  ///   - keys: the other settings. A kind with a single value behind its word takes none.
  public func part<Whole>(
    of whole: Whole, at path: any WritableKeyPath<Whole, Value> & Sendable, with keys: [SettingKey<Whole>]
  ) -> SettingsKind<Whole> {
    let more = SettingsDescription(summary, whole, keys)
    let payload: Schema?
    switch self.payload {
    case nil: payload = keys.isEmpty ? nil : .object(more.object)
    case .object(let own): payload = .object(ObjectSchema(own.summary, own.keys + more.object.keys))
    case .some(let single):
      precondition(keys.isEmpty, "\(name) has a single value behind it, and no place for other keys")
      payload = single
    }
    return SettingsKind<Whole>(
      name, summary, payload: payload,
      make: { written in
        guard let own = make(written) else { return nil }
        var whole = whole
        whole[keyPath: path] = own
        for key in keys where !key.read(written?[key.name], &whole) { return nil }
        return whole
      },
      write: { whole in
        guard let own = write(whole[keyPath: path]) else { return nil }
        guard !keys.isEmpty, case .map(let others) = more.map(of: whole) else { return own }
        guard case .payload(.map(let members)) = own else { return .payload(.map(others)) }
        return .payload(.map(members + others))
      })
  }
}

/// What stands in a configuration for a value of a kind.
enum WrittenKind {
  /// The word alone.
  case bare
  /// The word with what stands behind it.
  case payload(ResolvedValue.Content)
}

/// A value that is of one of several kinds, written as `word` or `{word: …}`.
public struct SettingsUnion<Value: Sendable>: Sendable {
  /// What the kinds are kinds of, for messages: `optimizer`.
  public let noun: String
  /// All kinds, in the order of references.
  public let kinds: [SettingsKind<Value>]

  /// A union of these kinds.
  public init(_ noun: String, _ kinds: [SettingsKind<Value>]) {
    self.noun = noun
    self.kinds = kinds
  }

  /// What may be written.
  public var schema: UnionSchema {
    UnionSchema(noun, kinds.map { UnionSchema.Kind($0.name, $0.payload, $0.summary) })
  }

  /// The kind of this word; nil where there is none.
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
