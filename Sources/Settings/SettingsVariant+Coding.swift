/// A variant as files keep it: `{"kindInCamelCase": {"keyInCamelCase": value}}`, which is also how Swift codes such an enum.
///
/// Settings are numbers, words, and truth values; those that a file lacks have their defaults.
extension SettingsVariant {
  /// Reads a variant as files keep it.
  ///
  /// - Throws: `DecodingError` for an unknown kind, a setting of another form, or a missing one without a default.
  public init(variantFrom decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodedWord.self)
    func problem(_ text: String) -> DecodingError {
      DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: text))
    }
    guard let word = container.allKeys.first, container.allKeys.count == 1,
      let kind = Self.Kind.allCases.first(where: { CodedWord($0.rawValue).stringValue == word.stringValue })
    else { throw problem("\(container.allKeys.map(\.stringValue)) is no \(Self.noun)") }
    let description = Self.description(of: kind)
    var payload: ResolvedValue?
    if case .object(let object) = description.payload {
      let inner = try container.nestedContainer(keyedBy: CodedWord.self, forKey: word)
      let members = try object.keys.compactMap { key -> ResolvedValue.Member? in
        let content = try inner.setting(key)
        return content.map { ResolvedValue.Member(key: key.name, value: ResolvedValue($0, .builtIn)) }
      }
      payload = ResolvedValue(.map(members), .builtIn)
    }
    guard let value = description.make(payload) else {
      throw problem("the settings of \(kind.rawValue) cannot be read")
    }
    self = value
  }

  /// Writes the variant as files keep it.
  public func encodeVariant(to encoder: any Encoder) throws {
    guard case .kind(let word, let payload) = Self.settings.content(of: self) else { return }
    var container = encoder.container(keyedBy: CodedWord.self)
    var inner = container.nestedContainer(keyedBy: CodedWord.self, forKey: CodedWord(word))
    for member in payload?.members ?? [] {
      try inner.encodeSetting(member.value.content, forKey: CodedWord(member.key))
    }
  }
}

/// A word of configurations as files spell it: `label_smoothing` is `labelSmoothing`.
private struct CodedWord: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init(_ word: String) {
    let parts = word.split(separator: "_")
    stringValue = parts.dropFirst().reduce(String(parts.first ?? "")) {
      $0 + $1.prefix(1).uppercased() + $1.dropFirst()
    }
  }

  init?(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

extension KeyedDecodingContainer<CodedWord> {
  /// - Returns: the default where the file lacks the key; nil where there is none.
  fileprivate func setting(_ key: Settings.Key) throws -> ResolvedValue.Content? {
    let word = CodedWord(key.name)
    if contains(word) { return try content(of: key.schema, forKey: word) }
    if case .value(let content) = key.fallback { return content }
    return nil
  }

  private func content(of schema: Schema, forKey key: CodedWord) throws -> ResolvedValue.Content {
    switch schema {
    case .integer: .integer(try decode(Int.self, forKey: key))
    case .number: .number(try decode(Double.self, forKey: key))
    case .boolean: .boolean(try decode(Bool.self, forKey: key))
    case .text, .formatted, .name, .choice: .text(try decode(String.self, forKey: key))
    case .optional(let word, let inner):
      (try? decode(String.self, forKey: key)) == word ? .text(word) : try content(of: inner, forKey: key)
    case .byteSize, .path, .size, .list, .layerNames, .names, .object, .union, .layers, .blocks, .sweep:
      throw DecodingError.dataCorruptedError(
        forKey: key, in: self, debugDescription: "only single values are coded")
    }
  }
}

extension KeyedEncodingContainer<CodedWord> {
  fileprivate mutating func encodeSetting(_ content: ResolvedValue.Content, forKey key: CodedWord) throws {
    switch content {
    case .integer(let value): try encode(value, forKey: key)
    case .number(let value): try encode(value, forKey: key)
    case .boolean(let value): try encode(value, forKey: key)
    case .text(let value): try encode(value, forKey: key)
    case .byteSize, .path, .list, .map, .kind:
      throw EncodingError.invalidValue(
        content, .init(codingPath: [key], debugDescription: "only single values are coded"))
    }
  }
}
