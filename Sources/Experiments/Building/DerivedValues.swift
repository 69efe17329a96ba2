internal import Compute
internal import Networks
internal import Settings
internal import Training

/// Keys whose defaults follow from other values, so that no schema knows them.
///
/// They are written out with the other keys, and their defaults never count as a difference.
enum DerivedValues {
  private static let section = "training"
  private static let names = ["metrics", "monitor"]

  /// The values with those keys, each in its place in the schema.
  static func fill(_ values: ResolvedValue, from run: RunConfiguration) -> ResolvedValue {
    guard case .map(let members) = values.content else { return values }
    return ResolvedValue(
      .map(
        members.map { member -> ResolvedValue.Member in
          guard member.key == section else { return member }
          return ResolvedValue.Member(key: member.key, value: fill(section: member.value, run.training))
        }), values.origin)
  }

  private static func fill(section: ResolvedValue, _ training: TrainingConfiguration) -> ResolvedValue {
    let members = TrainingConfiguration.settings.keys.compactMap { key -> ResolvedValue.Member? in
      if let written = section[key.name] { return ResolvedValue.Member(key: key.name, value: written) }
      guard names.contains(key.name), let content = key.content(of: training) else { return nil }
      return ResolvedValue.Member(key: key.name, value: ResolvedValue(content, .builtIn))
    }
    return ResolvedValue(.map(members), section.origin)
  }

  /// The values of those keys where they are left out, by their paths.
  static func usual(_ run: RunConfiguration, _ network: ResolvedNetwork) -> [String: ResolvedValue] {
    var training = run.training
    training.metrics = run.usualCriterion(of: network).metrics
    training.monitor = MonitoredFigure(usualFor: run.criterion(of: network))
    var result: [String: ResolvedValue] = [:]
    for key in TrainingConfiguration.settings.keys where names.contains(key.name) {
      result["\(section).\(key.name)"] = key.content(of: training).map { ResolvedValue($0, .builtIn) }
    }
    return result
  }
}
