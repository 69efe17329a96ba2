internal import Compute
internal import Networks
internal import Parallel
internal import Tensors

/// Decides when checkpoints are due and has them written in the background.
final class CheckpointWriter {
  enum Moment {
    case step
    case epoch(isBest: Bool)
  }

  private let configuration: RunConfiguration
  private let identity: RunIdentity
  private let network: ResolvedNetwork
  private let slotNames: [String]
  private let model: any ModelWriter
  /// Where checkpoints go; nil writes none, for trainings that only measure.
  private let store: CheckpointStore?
  /// Whether checkpoints are asked for: also by a rank that helps to make them and does not write them.
  private let isWanted: Bool
  private let background = BackgroundCheckpointer()
  private let clock = ContinuousClock()
  private var lastSubmission: ContinuousClock.Instant
  /// The progress that the newest checkpoint holds, whether it was submitted or resumed from.
  private(set) var savedProgress: TrainingProgress?

  init(
    _ configuration: RunConfiguration, identity: RunIdentity, network: ResolvedNetwork, slotNames: [String],
    model: any ModelWriter, store: CheckpointStore?, resumedFrom progress: TrainingProgress?,
    helpsOthers: Bool = false
  ) {
    isWanted = store != nil || helpsOthers
    self.configuration = configuration
    self.identity = identity
    self.network = network
    self.slotNames = slotNames
    self.model = model
    self.store = store
    savedProgress = progress
    lastSubmission = clock.now
  }

  /// Whether the clock decides when a checkpoint is due.
  var goesByClock: Bool {
    if case .minutes = configuration.checkpoints.every { true } else { false }
  }

  /// Whether a checkpoint should be submitted now.
  ///
  /// One that is due by the clock waits until the one before is written, so that training does not have to.
  func isDue(after progress: TrainingProgress, _ moment: Moment) -> Bool {
    guard isWanted else { return false }
    switch (configuration.checkpoints.every, moment) {
    case (.steps(let count), .step):
      return progress.step % count == 0
    case (.minutes(let minutes), .step):
      let elapsed = TrainingClock.seconds(clock.now - lastSubmission)
      return elapsed >= minutes * 60 && background.isIdle
    case (.epochs, .step):
      return false
    case (let interval, .epoch(let isBest)):
      // The best epochs can only be kept if they are written.
      if isBest, configuration.checkpoints.keep.best > 0 { return true }
      guard case .epochs(let count) = interval else { return false }
      return progress.epoch % count == 0
    }
  }

  /// Has a copy of the state written; waits for the one before.
  func submit(_ state: TrainingState, _ progress: TrainingProgress) {
    guard let store else { return }
    lastSubmission = clock.now
    savedProgress = progress
    let (configuration, identity, network, slotNames, model) = (
      self.configuration, self.identity, self.network, self.slotNames, self.model
    )
    // Each form of the state goes as soon as the next is there: of large networks there is no room for all.
    let held = HeldState(state)
    background.submit(step: progress.step) { () throws(TrainingError) in
      try store.save(
        try Self.checkpoint(
          of: held, configuration, progress, identity, network: network, slotNames: slotNames),
        model: model, keepLast: configuration.checkpoints.keep.last,
        keepBest: configuration.checkpoints.keep.best)
    }
  }

  /// Takes the state and makes a checkpoint of its values in canonical layouts.
  private static func checkpoint(
    of held: HeldState, _ configuration: RunConfiguration, _ progress: TrainingProgress,
    _ identity: RunIdentity, network: ResolvedNetwork, slotNames: [String]
  ) throws(TrainingError) -> Checkpoint {
    let state = held.take()
    guard state.isFinite else { throw notFinite(after: progress) }
    let values: Checkpoint.Values
    do { values = try state.canonical(slotNames: slotNames) } catch {
      throw TrainingError(.inputOutput, "cannot convert parameters: \(error)")
    }
    return Checkpoint(
      network: network, name: configuration.name, progress: progress, identity: identity,
      values: values.predicting, optimizer: configuration.training.optimizer, slots: values.slots,
      trained: values.trained, stateless: values.stateless)
  }

  /// Why a state is not saved that nothing could go on from.
  static func notFinite(after progress: TrainingProgress) -> TrainingError {
    TrainingError(
      .notFinite, "a parameter or a value of the optimizer is not finite after step \(progress.step)")
  }

  func finish() { background.finish() }

  /// What has been written since the last call.
  func poll() -> [BackgroundCheckpointer.Outcome] {
    let outcomes = background.results()
    if case .failure? = outcomes.last?.result { savedProgress = nil }
    return outcomes
  }
}

/// A state on its way to the thread that writes it, which takes it out: whoever brought it need not let go of it first.
private final class HeldState: Sendable {
  private let state: Guarded<TrainingState?>

  init(_ state: TrainingState) { self.state = Guarded(state) }

  /// Takes the state out, which can be done once.
  func take() -> TrainingState {
    let taken = state.withLock { state in
      defer { state = nil }
      return state
    }
    guard let taken else { preconditionFailure("a state is taken once") }
    return taken
  }
}
