public import Settings

/// When checkpoints are written and which are kept.
public struct CheckpointConfiguration: Hashable, Sendable {
  /// When checkpoints are written.
  public var every: CheckpointInterval
  /// Which of them are kept.
  public var keep: CheckpointRetention

  /// Takes when to write checkpoints, and which to keep.
  public init(every: CheckpointInterval = .epochs(1), keep: CheckpointRetention = CheckpointRetention()) {
    self.every = every
    self.keep = keep
  }

  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<CheckpointConfiguration>(
    "When the state of the run is saved, and which states are kept.", CheckpointConfiguration(),
    [
      SettingKey(
        "every", \.every, CheckpointInterval.settings.form, change: .free,
        "How often a checkpoint is written."),
      SettingKey(
        "keep", \.keep, CheckpointRetention.settings.form, change: .free, "Which checkpoints stay."),
    ])
}

/// How often a checkpoint is written.
public enum CheckpointInterval: Hashable, Sendable {
  /// A checkpoint whenever this many epochs have passed.
  case epochs(Int)
  /// A checkpoint whenever this many steps have passed.
  case steps(Int)
  /// A checkpoint whenever this many minutes of training have passed.
  case minutes(Double)
}

extension CheckpointInterval: SettingsVariant {
  /// The words of configurations.
  public enum Kind: String, Sendable, CaseIterable {
    /// A checkpoint whenever this many epochs have passed.
    case epochs
    /// A checkpoint whenever this many steps have passed.
    case steps
    /// A checkpoint whenever this many minutes of training have passed.
    case minutes
  }

  /// What messages call one of these.
  public static let noun = "interval"

  /// Which of the kinds this is, without its settings.
  public var kind: Kind {
    switch self {
    case .epochs: .epochs
    case .steps: .steps
    case .minutes: .minutes
    }
  }

  /// The word and the settings of a kind.
  public static func description(of kind: Kind) -> SettingsKind<Self> {
    switch kind {
    case .epochs:
      SettingsKind(
        kind.rawValue, "A checkpoint after this many epochs.", .integer(1...1_000_000), wrap: Self.epochs,
        unwrap: { if case .epochs(let count) = $0 { count } else { nil } })
    case .steps:
      SettingsKind(
        kind.rawValue, "A checkpoint after this many optimizer steps.", .integer(1...1 << 40),
        wrap: Self.steps,
        unwrap: { if case .steps(let count) = $0 { count } else { nil } })
    case .minutes:
      SettingsKind(
        kind.rawValue, "A checkpoint after this many minutes of training.", .number(.positive),
        wrap: Self.minutes,
        unwrap: { if case .minutes(let count) = $0 { count } else { nil } })
    }
  }
}

/// Which checkpoints stay.
public struct CheckpointRetention: Hashable, Sendable {
  /// How many of the newest, at least 2: the newest is only trusted once an older one stands behind it.
  public var last: Int
  /// How many of the best, by ``TrainingConfiguration/monitor``, besides.
  public var best: Int

  /// Takes how many of the last and of the best are kept.
  public init(last: Int = 2, best: Int = 1) {
    self.last = last
    self.best = best
  }

  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<CheckpointRetention>(
    "Which checkpoints stay.", CheckpointRetention(),
    [
      SettingKey(
        "last", \.last, .integer(2...1_000_000), change: .free,
        "How many of the newest stay; at least 2, so that a verified one stands behind the newest."),
      SettingKey(
        "best", \.best, .integer(0...1_000_000), change: .free,
        "How many of the best by `monitor` stay besides."),
    ])
}
