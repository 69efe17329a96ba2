internal import Insight
internal import Settings

/// The schema of a configuration that looks into a trained network; everything but `extends` is described in `Insight`.
enum LookSchema {
  static let root = ObjectSchema(
    LookRequest.settings.summary,
    [
      Key(
        "extends", .path, .derived("nothing"), change: .free,
        "Another look that this one starts from: maps are merged key by key, lists and values replaced.")
    ] + LookRequest.settings.object.keys)

  /// The key under which looks are written.
  static let lookKey = LookRequest.look.name

  /// What the key was called before; such files and overrides stay good.
  private static let formerLookKey = "job"

  /// Where the top of a file describes a look; nil where it does not.
  static func lookEntry(_ root: ConfigurationNode) -> ConfigurationNode.Entry? {
    root.entries?.first { [lookKey, formerLookKey].contains($0.key) }
  }

  /// The file with its keys' present names.
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
