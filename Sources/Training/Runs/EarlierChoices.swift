internal import Compute
internal import Parallel

extension PreparedTraining {
  /// Whether a run that goes on has the kernels that it has had so far.
  ///
  /// Earlier versions chose kernels for each size of shard and kept those of the full one; a training that went on from a
  /// checkpoint had these in all shards. Where both rules come to the same kernels such a checkpoint is as good as any.
  /// - Throws: ``TrainingError`` of kind `configuration` where they do not, unless changes are allowed.
  func checkChoices(of identity: RunIdentity, _ observer: any TrainerObserver) throws {
    guard !identity.choicesCoverEveryShard else { return }
    let layer = try compiled.layerChosenOtherwise(
      by: earlierSelection, trainingShards: shardSizes(trainingSizes),
      evaluationShards: shardSizes(evaluationSizes))
    guard let layer else { return }
    let text =
      "the checkpoint is of an earlier version and does not say which kernels layer '\(layer)' had in shards that are not full, "
      + "where they differed"
    guard request.allowChanges else {
      throw TrainingError(
        .configuration,
        "\(text): going on would not give the bytes of an uninterrupted training. Start over in another --run-dir, or pass "
          + "--allow-changes to go on with the kernels of full shards")
    }
    observer.receive(.warning("\(text); going on with the kernels of full shards"))
  }

  private func shardSizes(_ minibatches: Set<Int>) -> Set<Int> {
    Sharding.sizes(ofMinibatches: minibatches, shardSize: compiled.shardSize)
  }

  /// What the run asked for kernels when it began.
  private var earlierSelection: KernelSelection {
    let training = request.configuration.training
    if let kernels = request.kernels { return .chosen(kernels) }
    // Measuring names every kernel, so that the checkpoint has all of its answers.
    if case .measured = training.tuning { return .chosen(compiled.choices) }
    // Without its file, layers are taken for ones that it did not name.
    return (try? Tuning(network, training, stop: StopRequest()).selection()) ?? .costModel
  }
}
