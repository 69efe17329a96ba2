internal import Datasets

extension BatchReader {
  /// The minibatches of a training from a place on, to the end of its last epoch.
  static func training(
    _ configuration: RunConfiguration, _ samples: SampleSet, from progress: TrainingProgress
  ) -> BatchReader {
    BatchReader(
      samples.store, order: samples.order, batchSize: configuration.training.samplesPerStep,
      epoch: progress.epoch, position: progress.position,
      endEpoch: configuration.training.epochs)
  }
}
