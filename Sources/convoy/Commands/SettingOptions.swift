internal import ArgumentParser
internal import Experiments
internal import Insight
internal import Settings

// Options and arguments that are settings: name, help, default and range come from the setting's description, and values are
// read as those of configurations are.

extension Option where Value == SettingFlag? {
  /// An option with the name of its setting's key.
  ///
  /// - Parameter keys: the path to the setting, where it is not one of the look's own.
  init<Root: DescribedSettings>(_ setting: SettingKey<Root>, under keys: [String] = []) {
    self.init(
      name: .customLong(setting.optionName),
      // A number below 0 must not be taken for an option.
      parsing: setting.key.schema.isNumber ? .unconditional : .next, help: ArgumentHelp(setting.key),
      completion: CompletionKind(setting.key.schema), transform: setting.reader(under: keys))
  }

  /// An option's former name, which help does not show.
  init<Root: DescribedSettings>(
    former name: String, _ setting: SettingKey<Root>, under keys: [String] = []
  ) {
    self.init(
      name: .customLong(name), help: .hidden, transform: setting.reader("--\(name)", under: keys))
  }
}

extension Option where Value == SettingFlag {
  /// An option that must be given.
  init<Root: DescribedSettings>(
    _ setting: SettingKey<Root>, named name: String? = nil, under keys: [String] = []
  ) {
    let name = name ?? setting.optionName
    self.init(
      name: .customLong(name), help: ArgumentHelp(setting.key),
      completion: CompletionKind(setting.key.schema),
      transform: setting.reader("--\(name)", under: keys))
  }
}

extension Argument where Value == SettingFlag {
  /// A positional argument.
  init<Root: DescribedSettings>(_ setting: SettingKey<Root>) {
    var help = ArgumentHelp(setting.key)
    help.valueName = setting.optionName
    self.init(
      help: help, completion: CompletionKind(setting.key.schema),
      transform: setting.reader("<\(setting.optionName)>", under: []))
  }
}

extension Flag where Value == Bool {
  /// A flag that turns its setting on.
  init<Root: DescribedSettings>(_ setting: SettingKey<Root>) {
    let help = ArgumentHelp(stringLiteral: setting.key.summary.replacing("`", with: ""))
    self.init(wrappedValue: false, name: .customLong(setting.optionName), help: help)
  }
}

extension SettingKey where Root: DescribedSettings {
  /// The key's name with dashes.
  fileprivate var optionName: String { name.replacing("_", with: "-") }

  fileprivate func reader(
    _ option: String? = nil, under keys: [String]
  ) -> @Sendable (String) -> SettingFlag {
    let (path, option) = (keys + [name], option ?? "--\(optionName)")
    return { SettingFlag(path, option: option, text: $0) }
  }

  /// The setting that a flag turns on; nil where the flag was not given.
  func flag(_ isOn: Bool) -> SettingFlag? {
    isOn ? SettingFlag([name], option: "--\(optionName)", text: "true") : nil
  }
}

extension ArgumentHelp {
  fileprivate init(_ key: Key) {
    let help = SettingHelp(key)
    self.init(help.text, valueName: help.valueName)
  }
}

extension Schema {
  fileprivate var isNumber: Bool {
    switch self {
    case .integer, .number: true
    case .optional(_, let inner): inner.isNumber
    case .boolean, .text, .formatted, .name, .choice, .byteSize, .path, .size, .list, .layerNames, .names,
      .object,
      .union,
      .layers, .blocks, .sweep:
      false
    }
  }
}

extension CompletionKind {
  fileprivate init?(_ schema: Schema) {
    switch schema {
    case .path: self = .file()
    case .choice(let choices): self = .list(choices.map(\.word))
    case .optional(_, let inner): self.init(inner)
    case .integer, .number, .boolean, .text, .formatted, .name, .byteSize, .size, .list, .layerNames, .names,
      .object,
      .union, .layers, .blocks, .sweep:
      return nil
    }
  }
}
