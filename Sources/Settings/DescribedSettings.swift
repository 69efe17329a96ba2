/// A value whose settings are described once, beside its type.
public protocol DescribedSettings: Sendable {
  /// The keys with their ranges, defaults and summaries.
  static var settings: SettingsDescription<Self> { get }
}

extension SettingKey where Root: DescribedSettings {
  /// The key as the description of its type has it, with its default.
  public var key: Key { makeKey(Root.settings.prototype) }
}
