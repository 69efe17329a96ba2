internal import Compute
internal import Datasets
internal import Foundation
internal import Networks
internal import Parallel
internal import Tensors

#if canImport(Glibc)
  internal import Glibc
#endif

/// The loop of a training: minibatches, epochs, evaluation, checkpoints, until the end or until somebody asks to stop.
///
/// All that decides what comes next is in ``progress`` and in the engine's state, and both are in every checkpoint.
final class Trainer {
  private let configuration: RunConfiguration
  private let samples: RunSamples
  private let stop: StopRequest
  private let observer: any TrainerObserver
  private let checkpoints: CheckpointWriter
  private let directory: RunDirectory?

  private let steps: StepDriver
  /// Whether training ended because this process did the steps it was asked for.
  private(set) var hasReachedStepLimit = false
  private var clock: TrainingClock
  /// Where the time of the epoch's steps went, on this rank.
  private var phases = StepPhases()
  private let firstStep: Int
  private let stepLimit: Int?

  /// - Parameter phases: makes the engines of later phases; nil stays in the engine's.
  init(
    configuration: RunConfiguration, engine: TrainingEngine, phases: EnginePhases? = nil, samples: RunSamples,
    progress: TrainingProgress, checkpoints: CheckpointWriter, directory: RunDirectory?, stop: StopRequest,
    observer: any TrainerObserver, stepLimit: Int? = nil
  ) {
    self.stepLimit = stepLimit
    firstStep = progress.step
    steps = StepDriver(
      configuration, engine, samples.training, from: progress, phases: phases, stop: stop)
    self.configuration = configuration
    self.samples = samples
    self.checkpoints = checkpoints
    self.directory = directory
    self.stop = stop
    self.observer = observer
    clock = TrainingClock(before: progress.seconds)
    // Figures start over where the checkpoint's are of another kind.
    steps.progress.sums = progress.sums.fitted(to: engine.compiled.metrics)
  }

  /// Where the training stands.
  private(set) var progress: TrainingProgress {
    get { steps.progress }
    set { steps.progress = newValue }
  }

  /// Samples of an epoch.
  private var sampleCount: Int { samples.training.count }
  private var isDone: Bool { progress.epoch >= configuration.training.epochs || progress.stoppedEarly }

  /// The engine of the phase at hand.
  private var engine: TrainingEngine { steps.engine }

  // MARK: - The loop

  /// Trains to the end of the configuration, or until asked to stop.
  ///
  /// - Returns: whether the training is complete; if not, a checkpoint to go on from has been written.
  func run() throws -> Bool {
    clock.start(before: progress.seconds)
    while !isDone {
      if progress.position == sampleCount {
        guard try endEpoch() else { return try stopHere() }
      } else {
        if isAtStepLimit { return try stopAtLimit() }
        guard try step() else { return try stopHere() }
      }
      try report(checkpoints.poll())
    }
    try saveLast()
    observer.receive(.finished(progress))
    return true
  }

  // MARK: - Ranks

  private var communicator: any Communicator { engine.ranks.communicator }

  /// The answer of the first rank, which alone looks at clocks and files.
  private func decide(_ answer: Bool) throws -> Bool { try communicator.first(answer) }

  /// One minibatch; false when asked to stop before it was done.
  private func step() throws -> Bool {
    switch try steps.step() {
    case .stopped: return false
    case .ended: preconditionFailure("epoch \(progress.epoch + 1) ends before all of its samples were there")
    case .done(let step): try record(step)
    case .leftOut(let step, let problem, let limit):
      observer.receive(
        .warning("\(problem); the step is left out (\(progress.skippedSteps) of at most \(limit))"))
      try record(step)
    case .failed(let problem):
      checkpoints.finish()
      // What is known here says more than the refusal of a checkpoint that met the same numbers.
      try? report(checkpoints.poll())
      throw TrainingError(.notFinite, "\(problem); \(adviceWhenNotFinite)")
    }
    return true
  }

  private func record(_ step: StepDriver.Step) throws {
    progress.score = nil
    progress.sums += step.sums
    clock.times.dataWait += step.secondsWaiting
    clock.samples += step.samples
    phases += step.phases
    let report = StepReport(
      step: progress.step, epoch: progress.epoch + 1, position: progress.position, samples: sampleCount,
      learningRate: step.learningRate, minibatch: step.sums, epochSoFar: progress.sums)
    // A disk that is full now may take the rows later; they wait in memory.
    try? directory?.append(report)
    observer.receive(.step(report))
    if try isCheckpointDue(.step) { try save() }
  }

  private var adviceWhenNotFinite: String {
    let isKept = (try? directory?.checkpoints.entries())?.isEmpty == false
    return "lower the learning rate or clip gradients. "
      + (isKept
        ? "The last checkpoint is untouched" : "There is no checkpoint yet: the same command begins again")
  }

  /// Evaluates and records the epoch; false when asked to stop before it was done.
  private func endEpoch() throws -> Bool {
    let trained = clock.samplesPerSecond
    let begin = ContinuousClock.now
    guard let compared = try evaluate(samples.compared) else { return false }
    let before = progress
    let learningRate = steps.learningRate(ofStep: progress.step - 1)
    progress.epoch += 1
    progress.position = 0
    let isBest = rate(compared.figures ?? progress.sums)
    // Samples that nothing was chosen by are looked at once, when nothing is left to choose.
    guard let final = try evaluate(isDone ? samples.final : nil) else {
      progress = before
      return false
    }
    clock.times.test = TrainingClock.seconds(ContinuousClock.now - begin)
    progress.seconds = clock.seconds
    let metrics = EpochMetrics(
      epoch: progress.epoch, step: progress.step,
      learningRate: learningRate, names: engine.compiled.options.criterion.figureNames,
      train: progress.sums, test: samples.role == .test ? compared.figures : final.figures,
      validation: samples.role == .validation ? compared.figures : nil, skippedSteps: progress.skippedSteps,
      seconds: progress.seconds, samplesPerSecond: trained, times: clock.times,
      digest: String(try engine.digest().prefix(16)))
    progress.sums = FigureSums(engine.compiled.metrics)
    do throws(TrainingError) { try directory?.append(metrics) } catch {
      observer.receive(.warning("\(error); the row of epoch \(progress.epoch) is kept and written later"))
    }
    if let times = try RankTimes(phases, dataWait: clock.times.dataWait, communicator) {
      // What only tells where time went is no reason to end a training.
      try? directory?.append(times, epoch: progress.epoch, step: progress.step)
    }
    phases = StepPhases()
    observer.receive(.epochEnded(metrics, isBest: isBest))
    clock.restartRate()
    if try isCheckpointDue(.epoch(isBest: isBest)) { try save() }
    return true
  }

  /// Figures of some samples; the inner nil says that there are none, the outer one that somebody asked to stop.
  private func evaluate(_ set: SampleSet?) throws -> (figures: FigureSums?, Void)? {
    guard let set else { return (nil, ()) }
    let batch = Trainer.evaluationBatch(configuration.training, engine.compiled)
    let reader = set.reader(
      batch: batch,
      wanted: engine.ranks.wantedPlaces(batch: batch, shardSize: engine.compiled.shardSize))
    var sums = FigureSums()
    let evaluation = try engine.evaluation()
    while let minibatch = try reader.next() {
      guard let figures = try evaluation.figures(of: minibatch, stop: stop) else { return nil }
      sums += figures
      observer.receive(.evaluating(done: sums.samples, total: set.count))
    }
    return (sums, ())
  }

  /// Samples evaluated between two looks at the clock; a size that does not depend on the number of workers.
  static func evaluationBatch(_ training: TrainingConfiguration, _ compiled: CompiledNetwork) -> Int {
    max(training.batch, 16 * compiled.shardSize)
  }

  /// Notes how good the epoch was; true if it is the best so far.
  private func rate(_ sums: FigureSums) -> Bool {
    let monitor = configuration.training.monitor
    let score = monitor.turned(monitor.value(of: sums) ?? 0)
    progress.score = score
    let isBest = progress.best?.isBeaten(by: score) ?? true
    if isBest {
      progress.best = BestEpoch(epoch: progress.epoch, step: progress.step, score: score)
      progress.epochsWithoutGain = 0
    } else {
      progress.epochsWithoutGain += 1
    }
    if case .plateau(let rule) = configuration.training.schedule.curve {
      progress.plateau.endEpoch(score: score, rule)
    }
    // What is learnt by heart cannot be learnt better.
    if configuration.training.overfitBatches != nil, sums.accuracy == 1 { progress.stoppedEarly = true }
    if let patience = configuration.training.patience, progress.epochsWithoutGain >= patience {
      progress.stoppedEarly = true
    }
    return isBest
  }

  // MARK: - Checkpoints

  private func isCheckpointDue(_ moment: CheckpointWriter.Moment) throws -> Bool {
    let isDue = checkpoints.isDue(after: progress, moment)
    return checkpoints.goesByClock ? try decide(isDue) : isDue
  }

  /// Submits the state as it is.
  ///
  /// - Parameter isLast: nobody asks again: what cannot be written ends the training. Otherwise the next one may succeed.
  private func save(isLast: Bool = false) throws {
    progress.seconds = clock.seconds
    var isReady = true
    do throws(TrainingError) {
      try directory?.synchronizeMetrics()
    } catch {
      if isLast { throw error }
      // A checkpoint must not know more than the table.
      observer.receive(
        .warning("\(error); there is no checkpoint of step \(progress.step), and training goes on"))
      isReady = false
    }
    guard try decide(isReady) else { return }
    try checkTogether()
    if let state = try clock.measure(\.checkpoints, { try engine.copyState() }) {
      checkpoints.submit(state, progress)
    }
  }

  /// Refuses a state with a number that is not finite on all ranks alike.
  ///
  /// Where there is one rank, whoever writes the checkpoint looks. Of several the first alone would find out, some steps later: a sweep would
  /// go on with its next member there, while the others trained on.
  private func checkTogether() throws {
    guard !communicator.isAlone, try !engine.isFinite() else { return }
    checkpoints.finish()
    try? report(checkpoints.poll())
    let error = CheckpointWriter.notFinite(after: progress)
    throw TrainingError(.notFinite, "\(error); \(adviceWhenNotFinite)")
  }

  /// Writes the state as it is, waits for it, and fails if it cannot be written; no rank goes on before.
  private func saveLast() throws {
    checkpoints.finish()
    try report(checkpoints.poll())
    let saved = checkpoints.savedProgress
    if try !decide(saved?.step == progress.step && saved?.epoch == progress.epoch) {
      try save(isLast: true)
      checkpoints.finish()
      let outcomes = checkpoints.poll()
      if case .failure(let error)? = outcomes.last?.result { throw error }
      try report(outcomes)
    }
    try communicator.meet()
  }

  // MARK: - A number of steps

  private var isAtStepLimit: Bool { stepLimit.map { progress.step - firstStep >= $0 } ?? false }

  private func stopAtLimit() throws -> Bool {
    try saveLast()
    hasReachedStepLimit = true
    return false
  }

  private func stopHere() throws -> Bool {
    try saveLast()
    observer.receive(.stopped(signal: stop.signalNumber ?? SIGTERM, step: progress.step))
    return false
  }

  private func report(_ outcomes: [BackgroundCheckpointer.Outcome]) throws(TrainingError) {
    for outcome in outcomes {
      switch outcome.result {
      case .success(let path): observer.receive(.checkpointWritten(step: outcome.step, path: path))
      case .failure(let error) where error.kind == .notFinite:
        throw TrainingError(.notFinite, "\(error); \(adviceWhenNotFinite)")
      case .failure(let error):
        observer.receive(
          .warning(
            "the checkpoint of step \(outcome.step) could not be written, and training goes on: \(error)"))
      }
    }
  }
}
