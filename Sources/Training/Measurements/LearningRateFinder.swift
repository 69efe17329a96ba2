internal import Compute
internal import Datasets
internal import Foundation

/// The learning-rate range test: trains with a rate that rises by the same factor in each step, and looks where the loss falls and
/// where it breaks away.
///
/// Nothing is written. The optimizer, clipping, augmentation and everything else are the configuration's; its schedule is not
/// used.
///
/// - SeeAlso: Smith 2017, <https://arxiv.org/abs/1506.01186>; the exponential rise is that of fast.ai and Lightning.
public final class LearningRateFinder {
  /// How the rate rises.
  public struct Range: Hashable, Sendable {
    /// The first rate.
    public let from: Double
    /// The last rate.
    public let to: Double
    /// Steps from the first rate to the last.
    public let steps: Int

    /// Takes the ends of the range and the number of steps between them.
    ///
    /// - Parameters:
    ///   - from: the first rate, above 0.
    ///   - to: the last one, above `from`.
    ///   - steps: at least 10.
    public init(from: Double = 1e-6, to: Double = 10, steps: Int = 200) {
      precondition(from > 0 && to > from, "the rate must rise, from \(from) to \(to)")
      precondition(steps >= 10, "\(steps) steps are too few to see anything")
      self.from = from
      self.to = to
      self.steps = steps
    }

    /// The rate of a step, counted from 0.
    public func rate(_ step: Int) -> Double {
      from * pow(to / from, Double(step) / Double(steps - 1))
    }
  }

  private let request: RunRequest
  private let samples: SampleSet
  private let engine: TrainingEngine
  private let stop: StopRequest

  /// Opens the data and compiles the network.
  ///
  /// - Parameter request: its run directory is not touched.
  public init(_ request: RunRequest, stop: StopRequest) throws {
    self.request = request
    self.stop = stop
    let prepared = try PreparedTraining(request, stop: stop)
    samples = prepared.samples.training
    engine = try prepared.makeEngine()
  }

  /// Trains until the rate is at its end, or the smoothed loss is four times its least, or no number.
  ///
  /// - Parameter progress: told after each step how many are done.
  /// - Throws: ``StoppedEarly`` when asked to stop.
  public func run(
    _ range: Range, progress: (_ step: Int, _ rate: Double, _ loss: Double) -> Void = { _, _, _ in }
  ) throws -> LearningRateCurve {
    let training = request.configuration.training
    // What the configuration's rate is multiplied by before it meets a gradient.
    let scale = training.learningRate / training.optimizer.learningRate
    let steps = StepDriver(
      engine, samples,
      reader: BatchReader(samples.store, order: samples.order, batchSize: training.samplesPerStep),
      rates: .rising(range, scale: scale), policy: .stop, stop: stop)
    var points: [LearningRateCurve.Point] = []
    var smoothed = SmoothedLoss()
    for step in 0..<range.steps {
      switch try steps.step() {
      case .stopped: throw StoppedEarly("stopped by a signal; nothing was written")
      case .ended: return LearningRateCurve(points: points, hasDiverged: false)
      case .failed, .leftOut: return LearningRateCurve(points: points, hasDiverged: true)
      case .done(let done):
        let (rate, loss) = (range.rate(step), done.sums.meanLoss)
        points.append(LearningRateCurve.Point(rate: rate, loss: loss))
        progress(step + 1, rate, loss)
        if smoothed.breaksAway(loss) { return LearningRateCurve(points: points, hasDiverged: true) }
      }
    }
    return LearningRateCurve(points: points, hasDiverged: false)
  }
}

/// Tells when a loss has broken away.
private struct SmoothedLoss {
  /// Kept share of the running mean; ten steps back weigh a third.
  private let keep = 0.9
  /// How many times its least the mean may be.
  private let bound = 4.0
  private var mean = 0.0
  private var weight = 0.0
  private var least = Double.infinity

  mutating func breaksAway(_ loss: Double) -> Bool {
    mean = keep * mean + (1 - keep) * loss
    weight = keep * weight + (1 - keep)
    least = min(least, mean / weight)
    return !(mean / weight <= bound * least)
  }
}

/// The loss over the learning rate, and what can be read from it.
public struct LearningRateCurve: Hashable, Sendable {
  /// A rate and what a step with it met.
  public struct Point: Hashable, Sendable {
    /// The optimizer's rate in the step.
    public let rate: Double
    /// The mean loss of one minibatch.
    public let loss: Double

    /// Takes a rate and the loss that its step began with.
    public init(rate: Double, loss: Double) {
      self.rate = rate
      self.loss = loss
    }
  }

  /// The points in the order of steps, rates rising by the same factor.
  public let points: [Point]
  /// Whether the test ended because the loss broke away, not because the rate was at its end.
  public let hasDiverged: Bool
  /// The losses, each averaged with its neighbours on both sides, so that nothing lags behind.
  public let smoothed: [Double]

  /// Takes the points in the order of their steps, and smooths their losses.
  public init(points: [Point], hasDiverged: Bool) {
    self.points = points
    self.hasDiverged = hasDiverged
    let reach = Self.reach(points.count)
    smoothed = points.indices.map { index in
      var (sum, weight) = (0.0, 0.0)
      for other in max(0, index - reach)...min(points.count - 1, index + reach) {
        // A triangle.
        let share = Double(reach + 1 - abs(other - index))
        sum += share * points[other].loss
        weight += share
      }
      return sum / weight
    }
  }

  /// Neighbours on each side that count: a twentieth of all.
  private static func reach(_ count: Int) -> Int { max(count / 20, 2) }

  /// The point where the smoothed loss is least; nil without points.
  public var minimum: Int? { smoothed.indices.min { smoothed[$0] < smoothed[$1] } }

  /// The point where the smoothed loss falls most steeply over the logarithm of the rate, before its minimum: a good rate to train with.
  ///
  /// Nil where it does not fall by at least a twentieth: there is nothing to suggest then.
  public var steepest: Int? {
    guard let minimum, let first = smoothed.first, smoothed[minimum] < 0.95 * first else { return nil }
    let reach = Self.reach(points.count)
    let slopes = (0...minimum).map { index in
      slope(max(0, index - reach)...min(points.count - 1, index + reach))
    }
    return slopes.indices.min { slopes[$0] < slopes[$1] }
  }

  /// The least-squares slope over steps, which are even in the logarithm of the rate.
  private func slope(_ range: ClosedRange<Int>) -> Double {
    let middle = Double(range.lowerBound + range.upperBound) / 2
    let mean = range.reduce(0) { $0 + smoothed[$1] } / Double(range.count)
    var (above, below) = (0.0, 0.0)
    for index in range {
      let distance = Double(index) - middle
      above += distance * (smoothed[index] - mean)
      below += distance * distance
    }
    return above / max(below, .leastNonzeroMagnitude)
  }
}
