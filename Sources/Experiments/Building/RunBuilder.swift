internal import Compute
internal import Datasets
internal import Networks
internal import Settings
internal import Training

/// Makes a run from resolved values, which the schema has already checked.
enum RunBuilder {
  /// - Returns: nil where a value is missing, which only happens while there are errors to report.
  static func run(_ root: ResolvedValue, network: Network) -> RunConfiguration? {
    guard let name = root["name"]?.text, let seed = root["seed"]?.integer,
      let data = root["data"].flatMap(DataConfiguration.settings.value),
      let training = root["training"].flatMap(TrainingConfiguration.settings.value),
      let checkpoints = root["checkpoints"].flatMap(CheckpointConfiguration.settings.value),
      let ranks = root["ranks"].flatMap(RankConfiguration.settings.value)
    else { return nil }
    var configuration = RunConfiguration(
      name: name, seed: UInt64(seed), data: data, network: network, training: training,
      checkpoints: checkpoints, ranks: ranks)
    if training.overfitBatches != nil { configuration.training.augmentation = .none }
    return configuration
  }

  /// Fills in values that follow from others where their keys are left out: the metrics that suit the loss, and the figure by
  /// which epochs are compared.
  static func derive(
    _ configuration: inout RunConfiguration, _ root: ResolvedValue, _ network: ResolvedNetwork
  ) {
    if configuration.training.metrics == nil {
      configuration.training.metrics = configuration.criterion(of: network).metrics
    }
    if root["training"]?["monitor"] == nil {
      configuration.training.monitor = MonitoredFigure(usualFor: configuration.criterion(of: network))
    }
  }
}
