internal import Insight
internal import Settings

/// A setting that was typed on a command line: an override by an option of its own.
public struct SettingFlag: Hashable, Sendable {
  /// The keys that lead to the setting, including kinds of unions.
  public let path: [String]
  /// The name of the option or argument, such as `--tile`.
  public let option: String
  /// The value as it was typed.
  public let text: String

  /// The value `text` of an option, for the key at the end of `path`.
  public init(_ path: [String], option: String, text: String) {
    (self.path, self.option, self.text) = (path, option, text)
  }

  /// The same setting of a value at the end of a path of keys.
  public func under(_ keys: [String]) -> SettingFlag {
    SettingFlag(keys + path, option: option, text: text)
  }
}

extension LookConfiguration {
  /// Makes a look from a command's options, with the same checks as for a file.
  ///
  /// - Parameters:
  ///   - kind: the look's word.
  ///   - settings: the look's own settings.
  ///   - request: the settings beside the look: the checkpoint, the seed, the range of pixels.
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
