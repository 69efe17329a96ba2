internal import Insight
internal import Settings

/// The schema of a configuration that looks into a trained network; everything except `extends` is described in `Insight`.
enum LookSchema {
  static let root = ObjectSchema(
    LookRequest.settings.summary,
    [
      Key(
        "extends", .path, .derived("nothing"), change: .free,
        "Another look to start from: maps are merged key by key, lists and values are replaced.")
    ] + LookRequest.settings.object.keys)

  /// The key under which looks are written.
  static let lookKey = LookRequest.look.name

  /// The key's former name; files and overrides with it stay valid.
  private static let formerLookKey = "job"

  /// The entry at the top of a file that describes a look; nil where there is none.
  static func lookEntry(_ root: ConfigurationNode) -> ConfigurationNode.Entry? {
    root.entries?.first { [lookKey, formerLookKey].contains($0.key) }
  }

  /// The file with the keys' present names.
  static func renamed(_ root: ConfigurationNode) -> ConfigurationNode {
    guard var entries = root.entries, root[lookKey] == nil,
      let index = entries.firstIndex(where: { $0.key == formerLookKey })
    else { return root }
    entries[index].key = lookKey
    return ConfigurationNode(.map(entries), at: root.location)
  }

  /// The override with the keys' present names.
  static func renamed(_ override: Override) -> Override {
    let rest = override.text.dropFirst(formerLookKey.count)
    guard override.text.hasPrefix(formerLookKey), let next = rest.first, [".", "="].contains(next) else {
      return override
    }
    return Override(lookKey + rest, from: override.source)
  }
}
