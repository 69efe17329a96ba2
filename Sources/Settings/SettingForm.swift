/// How a value is written in a configuration: what may stand there, and the way from a checked value to Swift's and back.
public struct SettingForm<Value>: Sendable {
  /// What may stand there, with its range.
  public let schema: Schema
  /// Turns what was written into a value; nil for another form, which a reader that follows ``schema`` never hands over.
  public let decode: @Sendable (ResolvedValue) -> Value?
  /// Turns a value into what is written.
  public let encode: @Sendable (Value) -> ResolvedValue.Content

  /// A form by its schema and the two ways, which must be inverse to each other.
  public init(
    _ schema: Schema, decode: @escaping @Sendable (ResolvedValue) -> Value?,
    encode: @escaping @Sendable (Value) -> ResolvedValue.Content
  ) {
    self.schema = schema
    self.decode = decode
    self.encode = encode
  }

  /// The same form for another type.
  ///
  /// - Parameter read: nil for a value that the other type does not have.
  public func map<Other>(
    _ read: @escaping @Sendable (Value) -> Other?, back: @escaping @Sendable (Other) -> Value
  ) -> SettingForm<Other> {
    SettingForm<Other>(schema, decode: { decode($0).flatMap(read) }, encode: { encode(back($0)) })
  }
}

// MARK: - From other forms

extension SettingForm {
  /// A form, or a word that stands for nil.
  public static func optional<Wrapped>(_ word: String, _ form: SettingForm<Wrapped>) -> SettingForm
  where Value == Wrapped? {
    SettingForm(
      .optional(word: word, form.schema),
      decode: { $0.content == .text(word) ? .some(nil) : form.decode($0).map { .some($0) } },
      encode: { $0.map(form.encode) ?? .text(word) })
  }

  /// A form, or a word that stands for one of its values.
  public static func word(_ word: String, for value: Value, or form: SettingForm) -> SettingForm
  where Value: Equatable & Sendable {
    SettingForm<Value?>.optional(word, form).map({ $0 ?? value }, back: { $0 == value ? nil : $0 })
  }

  /// A list of values of a form.
  public static func list<Element>(
    _ form: SettingForm<Element>, count: ClosedRange<Int>
  ) -> SettingForm where Value == [Element] {
    SettingForm(
      .list(form.schema, count: count),
      decode: { value in
        guard let items = value.list else { return nil }
        let values = items.compactMap(form.decode)
        return values.count == items.count ? values : nil
      },
      encode: { .list($0.map { ResolvedValue(form.encode($0), .builtIn) }) })
  }
}

// MARK: - Scalars

extension SettingForm where Value == Int {
  /// A whole number.
  public static func integer(_ range: ClosedRange<Int>) -> SettingForm {
    SettingForm(.integer(range), decode: { $0.integer }, encode: { .integer($0) })
  }

  /// A number of bytes, written with its unit.
  public static var byteCount: SettingForm {
    SettingForm(.byteSize, decode: { $0.byteSize }, encode: { .byteSize($0) })
  }
}

extension SettingForm where Value == Double {
  /// A number.
  public static func number(_ range: NumberRange) -> SettingForm {
    SettingForm(.number(range), decode: { $0.number }, encode: { .number($0) })
  }
}

extension SettingForm where Value == Float {
  /// A number that is kept in 32 bits and written as the shortest decimal that gives them.
  public static func number(_ range: NumberRange) -> SettingForm {
    SettingForm(
      .number(range), decode: { $0.number.map { Float($0) } },
      encode: { .number(Double("\($0)") ?? Double($0)) })
  }
}

extension SettingForm where Value == UInt64 {
  /// A whole number that begins a sequence of random numbers.
  public static var seed: SettingForm {
    SettingForm<Int>.integer(0...Int.max).map({ UInt64($0) }, back: { Int(clamping: $0) })
  }
}

extension SettingForm where Value == Bool {
  /// `true` or `false`.
  public static var boolean: SettingForm {
    SettingForm(.boolean, decode: { $0.boolean }, encode: { .boolean($0) })
  }
}

extension SettingForm {
  /// A value that is written as text of a form of its own.
  ///
  /// - Parameters:
  ///   - expectation: the form in words, for messages.
  ///   - read: nil for text of another form.
  public static func formatted(
    _ expectation: String, read: @escaping @Sendable (String) -> Value?,
    write: @escaping @Sendable (Value) -> String
  ) -> SettingForm {
    SettingForm(
      .formatted(TextFormat(expectation) { read($0) != nil }), decode: { $0.text.flatMap(read) },
      encode: { .text(write($0)) })
  }
}

extension SettingForm where Value == String {
  /// Free text of at least one character.
  public static var text: SettingForm { SettingForm(.text, decode: { $0.text }, encode: { .text($0) }) }

  /// A word that names something: letters, digits, `_`, `.`, `-`, starting with a letter.
  public static var name: SettingForm { SettingForm(.name, decode: { $0.text }, encode: { .text($0) }) }

  /// A file, as an absolute path.
  public static var path: SettingForm { SettingForm(.path, decode: { $0.text }, encode: { .path($0) }) }
}

/// A word of a fixed set, whose cases are all that there is.
public protocol SettingWord: RawRepresentable<String>, CaseIterable, Sendable {
  /// What the word means, in a few words; empty where the word says it all.
  var summary: String { get }
}

extension SettingWord {
  /// Nothing: the word says it all.
  public var summary: String { "" }
}

extension SettingForm where Value: SettingWord {
  /// One of the type's words.
  public static var word: SettingForm { word(among: Array(Value.allCases)) }

  /// One of some of the type's words.
  public static func word(among values: [Value]) -> SettingForm {
    SettingForm(
      .choice(values.map { Choice(word: $0.rawValue, summary: $0.summary) }),
      decode: { $0.text.flatMap(Value.init(rawValue:)) }, encode: { .text($0.rawValue) })
  }
}
