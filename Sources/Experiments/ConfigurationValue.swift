internal import Settings

extension LoadedConfiguration {
  /// The value of a key as text, defaults included.
  ///
  /// - Parameter key: the key's path, or as much of its end as tells it from others, as `--set` takes it: `learning_rate`,
  ///   `sgd.momentum`; layers go by their names, `conv2d.filters`.
  /// - Returns: nil where there is no such key; among several, the one nearest to the top.
  public func value(of key: String) -> String? {
    let pattern = key.split(separator: ".", omittingEmptySubsequences: false)
    let leaves = ConfigurationLeaf.all(of: values, RunSchema.root).map { ($0, $0.path.split(separator: ".")) }
    let endings = leaves.filter { $0.1.suffix(pattern.count).elementsEqual(pattern) }
    let found = endings.isEmpty ? leaves.filter { Self.matches($0.1, pattern) } : endings
    return found.min { $0.1.count < $1.1.count }?.0.text
  }

  /// A key of a configuration with its value as text.
  public struct Setting: Hashable, Sendable {
    /// The key's path below `training`, or `seed`.
    public let key: String
    /// The value as text.
    public let value: String
  }

  /// The settings of the training for tables of many runs: the seed, and the keys of `training` without that word.
  public var settings: [Setting] {
    let start = "training."
    let leaves = ConfigurationLeaf.all(of: values, RunSchema.root)
    return leaves.compactMap { leaf -> Setting? in
      if leaf.path == "seed" { return Setting(key: leaf.path, value: leaf.text) }
      guard leaf.path.hasPrefix(start) else { return nil }
      return Setting(key: String(leaf.path.dropFirst(start.count)), value: leaf.text)
    }
  }

  /// Whether the pattern is the path with parts of its front and middle left out.
  private static func matches(_ path: [Substring], _ pattern: [Substring]) -> Bool {
    guard pattern.last == path.last else { return false }
    var rest = path[...]
    for segment in pattern {
      guard let index = rest.firstIndex(of: segment) else { return false }
      rest = rest[(index + 1)...]
    }
    return true
  }
}
