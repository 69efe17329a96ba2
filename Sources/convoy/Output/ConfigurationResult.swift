internal import Experiments
internal import Networks

/// How a configuration was found, for machines.
struct CheckedConfiguration: Encodable {
  let path: String
  let correct: Bool
  /// What it describes, in a few words; `null` where it has errors.
  @NullIfMissing var summary: String?
  /// As people read them, with file, line and column.
  let errors: [String]
}

/// A key whose value differs between two configurations, for machines.
struct DifferingKey: Encodable {
  let key: String
  /// `null` where the key is not there.
  @NullIfMissing var before: String?
  @NullIfMissing var after: String?
  let keepsRun: Bool

  init(_ difference: ConfigurationDifference) {
    key = difference.path
    (before, after) = (difference.before, difference.after)
    keepsRun = difference.keepsMeaning
  }
}
