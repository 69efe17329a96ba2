public import Settings

/// How ranks on several nodes train together.
public struct RankConfiguration: Hashable, Sendable {
  /// Seconds after which a rank that does not answer is taken for lost, above 0.
  public var timeout: Double

  /// Takes the seconds after which a rank is taken for lost.
  public init(timeout: Double = 600) { self.timeout = timeout }

  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<RankConfiguration>(
    "How ranks on several nodes train together; no result depends on it.", RankConfiguration(),
    [
      SettingKey(
        "timeout", \.timeout, .number(.positive), change: .free,
        "Seconds after which a rank that does not answer is taken for lost, and all others end with exit code 69."
      )
    ])
}
