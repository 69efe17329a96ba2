internal import Insight
internal import Settings

/// The settings of a look in its findings: every key with its value.
struct SettingsRecord: Encodable {
  private var members: [String: Value]

  /// Records the settings of a look.
  ///
  /// - Parameters:
  ///   - value: the look, with every choice made that was left open.
  ///   - omitted: keys that are left out.
  ///   - former: the names of keys in findings, where those differ from the present ones.
  init<Root: DescribedSettings>(
    _ value: Root, without omitted: [SettingKey<Root>] = [], seed: UInt64, former: [String: String] = [:]
  ) {
    members = [LookRequest.seed.name: Value(content: .integer(Int(clamping: seed)))]
    guard case .map(let written) = Root.settings.map(of: value) else { return }
    for member in written where !omitted.contains(where: { $0.name == member.key }) {
      members[former[member.key] ?? member.key] = Value(content: member.value.content)
    }
  }

  func encode(to encoder: any Encoder) throws { try members.encode(to: encoder) }

  private struct Value: Encodable {
    let content: ResolvedValue.Content

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch content {
      case .integer(let value), .byteSize(let value): try container.encode(value)
      case .number(let value): try container.encode(value)
      case .boolean(let value): try container.encode(value)
      case .text(let text): try container.encode(text)
      case .path(let path): try container.encode(ResultPath(path))
      case .list(let items): try container.encode(items.map { Value(content: $0.content) })
      case .map(let members):
        let pairs = members.map { ($0.key, Value(content: $0.value.content)) }
        try container.encode(Dictionary(pairs, uniquingKeysWith: { first, _ in first }))
      case .kind(let name, nil): try container.encode(name)
      // A path shows by itself that it is one.
      case .kind(_, .some(let payload)) where payload.text != nil:
        try container.encode(Value(content: payload.content))
      case .kind(let name, .some(let payload)):
        try container.encode([name: Value(content: payload.content)])
      }
    }
  }
}
