internal import Compute
internal import Datasets

/// Takes the steps of a training one after another: reads a minibatch, asks for the rate, has the engine take the step, and
/// counts.
///
/// Trainings, benchmarks, proofs and rate finders differ in where minibatches and rates come from and in what they make of a
/// step, not in how a step is taken. On several nodes each would have a driver, all with the same counts: what they decide by
/// must be the same on all of them, and it is all here.
final class StepDriver {
  /// A step that was taken, or left out.
  struct Step {
    /// The samples of its minibatch.
    let samples: Int
    let learningRate: Double
    /// Figures of the minibatch; nothing where the step was left out.
    let sums: FigureSums
    /// Where the time went; zeros where the step was left out.
    let phases: StepPhases
    /// Seconds until the minibatch was there.
    let secondsWaiting: Double
  }

  /// What came of asking for a step.
  enum Outcome {
    case done(Step)
    /// A number was not finite, and the configuration has such steps left out; nothing but the counts has changed.
    case leftOut(Step, BadStep, limit: Int)
    /// A number was not finite, and the training cannot go on; the step does not count.
    case failed(BadStep)
    /// Asked to stop before the step was done; nothing has changed.
    case stopped
    /// There are no more minibatches.
    case ended
  }

  /// The engine of the phase at hand; nil while the next one is made.
  private var current: TrainingEngine?
  private let phases: EnginePhases?
  /// The number of the phase that ``current`` was made for.
  private var phase: Int
  /// How far the training has come; a step moves its counts and its position, everything else is its user's.
  var progress: TrainingProgress
  private let samples: SampleSet
  private let reader: BatchReader
  private let rates: LearningRates
  private let policy: NonFinitePolicy
  private let stop: StopRequest

  /// - Parameters:
  ///   - samples: what the reader reads, in whose order the minibatches' samples are numbered.
  ///   - reader: the minibatches, from where `progress` stands.
  ///   - policy: what to do about a number that is not finite.
  ///   - phases: makes the engines of later phases; nil stays in the engine's.
  ///   - stop: polled between shards.
  init(
    _ engine: TrainingEngine, _ samples: SampleSet, reader: BatchReader, rates: LearningRates,
    policy: NonFinitePolicy, from progress: TrainingProgress = TrainingProgress(),
    phases: EnginePhases? = nil, stop: StopRequest
  ) {
    current = engine
    self.phases = phases
    phase = phases?.index(ofEpoch: progress.epoch) ?? 0
    self.progress = progress
    self.samples = samples
    self.reader = reader
    self.rates = rates
    self.policy = policy
    self.stop = stop
  }

  /// The steps of a configuration's training from a place on, to the end of its last epoch.
  convenience init(
    _ configuration: RunConfiguration, _ engine: TrainingEngine, _ samples: SampleSet,
    from progress: TrainingProgress, phases: EnginePhases? = nil, stop: StopRequest
  ) {
    let training = configuration.training
    self.init(
      engine, samples,
      reader: BatchReader(
        samples.store, order: samples.order, batchSize: training.samplesPerStep, epoch: progress.epoch,
        position: progress.position, endEpoch: training.epochs,
        wanted: engine.ranks.wantedPlaces(
          batch: training.samplesPerStep, shardSize: engine.compiled.shardSize,
          augmentation: training.augmentation, seed: configuration.seed)),
      rates: .scheduled(base: training.learningRate, Schedule(training, samples: samples.count)),
      policy: training.nonFinite, from: progress, phases: phases, stop: stop)
  }

  /// The engine that takes the steps.
  var engine: TrainingEngine {
    guard let current else { preconditionFailure("a training that could not enter a phase goes on") }
    return current
  }

  /// Makes the engine of an epoch's phase, unless it is there.
  ///
  /// It begins with what the one before leaves in canonical order, as a checkpoint holds it: a run that goes on from a checkpoint at this
  /// place has the same bytes.
  private func enterPhase(ofEpoch epoch: Int) throws {
    guard let phases, phases.index(ofEpoch: epoch) != phase else { return }
    let values = EngineStart(try engine.canonicalState())
    phase = phases.index(ofEpoch: epoch)
    // There may not be room for two.
    current = nil
    current = try phases.engine(ofPhase: phase, from: values)
  }

  /// The rate of a step of the current epoch, counted from 0.
  func learningRate(ofStep step: Int) -> Double { rates.rate(ofStep: step, progress.plateau) }

  /// Takes the next step.
  func step() throws -> Outcome {
    let clock = ContinuousClock()
    let asked = clock.now
    guard let minibatch = try reader.next() else { return .ended }
    let waited = TrainingClock.seconds(clock.now - asked)
    try enterPhase(ofEpoch: minibatch.epoch)
    let rate = learningRate(ofStep: progress.step)
    func taken(_ sums: FigureSums, _ phases: StepPhases) -> Step {
      Step(
        samples: minibatch.count, learningRate: rate, sums: sums, phases: phases, secondsWaiting: waited)
    }
    let outcome = try engine.step(
      minibatch, UpdateMoment(update: progress.updates + 1, learningRate: rate),
      firstSample: samples.firstSample(of: minibatch), stop: stop)
    switch outcome {
    case .stopped: return .stopped
    case .done(let sums, let phases):
      count(minibatch)
      return .done(taken(sums, phases))
    case .notFinite(let problem):
      let bad = BadStep(problem, step: progress.step + 1, minibatch)
      guard case .skip(let limit) = policy, progress.skippedSteps < limit else { return .failed(bad) }
      progress.skippedSteps += 1
      count(minibatch)
      return .leftOut(taken(FigureSums(), StepPhases()), bad, limit: limit)
    }
  }

  private func count(_ minibatch: Minibatch) {
    progress.step += 1
    progress.epoch = minibatch.epoch
    progress.position = minibatch.position + minibatch.count
  }
}

/// A step that met a number that is not finite, in words for whoever reads about it.
struct BadStep: CustomStringConvertible {
  private let problem: NonFinite
  private let step: Int
  private let epoch: Int
  private let position: Int
  private let rows: [Int32]

  /// - Parameter step: the step's number, from 1.
  fileprivate init(_ problem: NonFinite, step: Int, _ minibatch: Minibatch) {
    self.problem = problem
    self.step = step
    epoch = minibatch.epoch + 1
    position = minibatch.position
    rows = Array(minibatch.sampleIndices[problem.samples].prefix(4))
  }

  var description: String {
    let first = position + problem.samples.lowerBound
    let last = position + problem.samples.upperBound - 1
    let rows = rows.map(String.init).joined(separator: ", ")
    let place = problem.layer.map { ", first in \($0)" } ?? ""
    return
      "\(problem.what) is not finite in step \(step) (epoch \(epoch), samples \(first) to \(last) of its order, "
      + "rows \(rows)…)\(place)"
  }
}
