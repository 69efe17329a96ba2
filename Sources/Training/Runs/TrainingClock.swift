/// Wall-clock time of a training, on a clock that no adjustment moves; it decides nothing but when to save.
struct TrainingClock {
  private let clock = ContinuousClock()
  private var start: ContinuousClock.Instant
  private var rateStart: ContinuousClock.Instant
  private var before: Double
  /// Training samples since the rate was last restarted.
  var samples = 0
  /// Seconds since the last epoch that were not training.
  var times = EpochTimes()

  /// - Parameter before: seconds that earlier processes spent on the run.
  init(before: Double) {
    self.before = before
    start = clock.now
    rateStart = start
  }

  mutating func start(before: Double) {
    self = TrainingClock(before: before)
  }

  /// Seconds of training over all processes.
  var seconds: Double { before + Self.seconds(clock.now - start) }

  /// Nil before the first sample.
  var samplesPerSecond: Double? {
    let seconds = Self.seconds(clock.now - rateStart)
    return seconds > 0 && samples > 0 ? Double(samples) / seconds : nil
  }

  /// The work's result; its time is added to one of ``times``.
  mutating func measure<Result>(
    _ part: WritableKeyPath<EpochTimes, Double>, _ work: () throws -> Result
  ) rethrows -> Result {
    let start = clock.now
    defer { times[keyPath: part] += Self.seconds(clock.now - start) }
    return try work()
  }

  mutating func restartRate() {
    times = EpochTimes()
    rateStart = clock.now
    samples = 0
  }

  static func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
  }
}
