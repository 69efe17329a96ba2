internal import Insight
internal import Settings

/// A setting as it was typed on a command line: an override by an option of its own.
public struct SettingFlag: Hashable, Sendable {
  /// The keys on the way to the setting, kinds of unions among them.
  public let path: [String]
  /// The option or argument, `--tile`.
  public let option: String
  public let text: String

  public init(_ path: [String], option: String, text: String) {
    (self.path, self.option, self.text) = (path, option, text)
  }

  /// The same setting of something at the end of a path of keys.
  public func under(_ keys: [String]) -> SettingFlag {
    SettingFlag(keys + path, option: option, text: text)
  }
}

extension LookConfiguration {
  /// A look from a command's flags, by the same checks as from a file.
  ///
  /// - Parameters:
  ///   - kind: the look's word.
  ///   - settings: the look's own.
  ///   - request: what stands beside the look: the checkpoint, the seed, what pixels are.
  /// - Throws: all errors at once, each with its option in the place of a key.
  public init(
    _ kind: String, settings: [SettingFlag], request: [SettingFlag]
  ) throws(ConfigurationErrors) {
    func entry(_ key: String, _ value: ConfigurationNode) -> ConfigurationNode.Entry {
      ConfigurationNode.Entry(key: key, keyLocation: .builtIn, value: value)
    }
    let look = ConfigurationNode(.map([entry(kind, .emptyMap(at: .builtIn))]), at: .builtIn)
    let root = ConfigurationNode(
      .map([entry(LookRequest.name.name, .plain(kind, at: .builtIn)), entry(LookSchema.lookKey, look)]),
      at: .builtIn)
    var errors = ErrorCollector()
    let flags = request + settings.map { $0.under([LookSchema.lookKey, kind]) }
    try self.init(Flags.apply(flags, to: root, LookSchema.root, &errors), errors)
  }
}
