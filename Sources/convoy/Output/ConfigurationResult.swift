internal import Experiments
internal import Networks

/// The result of checking a configuration, for machines.
struct CheckedConfiguration: Encodable {
  let path: String
  let correct: Bool
  /// A description in a few words; `null` where the configuration has errors.
  @NullIfMissing var summary: String?
  /// The errors as people read them, with file, line and column.
  let errors: [String]
}

/// A key whose value differs between two configurations, for machines.
struct DifferingKey: Encodable {
  let key: String
  /// The value as text; `null` where the key does not exist.
  @NullIfMissing var before: String?
  @NullIfMissing var after: String?
  let keepsRun: Bool

  init(_ difference: ConfigurationDifference) {
    key = difference.path
    (before, after) = (difference.before, difference.after)
    keepsRun = difference.keepsMeaning
  }
}
