/// The figures of an epoch.
public struct EpochMetrics: Hashable, Sendable {
  /// The number of the epoch, from 1 as people count.
  public let epoch: Int
  /// Steps since the start of the run.
  public let step: Int
  /// The learning rate of the epoch's last step.
  public let learningRate: Double
  /// Names of the figures in ``train`` and ``test``, ``Criterion/figureNames``.
  public let names: [String]
  /// Figures over the epoch's training minibatches, each with the parameters of its time.
  public let train: FigureSums
  /// Figures over the test set with the parameters at the epoch's end; where samples are held out, of the last epoch alone.
  public let test: FigureSums?
  /// Figures over the samples held out, with the parameters at the epoch's end; nil where none are.
  public let validation: FigureSums?
  /// The figures that the epoch is compared with others by.
  public var compared: FigureSums { validation ?? test ?? train }
  /// Steps left out in the run so far because a number was not finite.
  public let skippedSteps: Int
  /// Wall-clock seconds of training since the run began, interruptions left out.
  public let seconds: Double
  /// Training samples per second of this process over this epoch; nil where it trained on none, since it went on at the
  /// epoch's evaluation.
  public let samplesPerSecond: Double?
  /// Where the epoch's time went, in this process.
  public let times: EpochTimes
  /// First 16 hexadecimal digits of a SHA-256 over parameters, optimizer state and statistics at the epoch's end.
  public let digest: String

  /// Names of the columns of `metrics.csv`.
  public var columns: [String] { Self.columns(names, hasValidation: validation != nil) }

  /// The names of the columns of `metrics.csv`, for figures of these names.
  ///
  /// - Parameters:
  ///   - names: the names of the figures: each is there for the training and for the test set.
  ///   - hasValidation: whether samples are held out, for which each is there, too.
  public static func columns(_ names: [String], hasValidation: Bool = false) -> [String] {
    let parts = hasValidation ? ["train", "validation", "test"] : ["train", "test"]
    return ["step", "epoch", "learning_rate"] + parts.flatMap { part in names.map { "\(part)_\($0)" } } + [
      "skipped_steps", "seconds", "samples_per_second", "data_wait_seconds", "test_seconds",
      "checkpoint_seconds", "digest",
    ]
  }

  /// One value per column; numbers as short as they can be and still read back exactly, empty where there is none.
  public var row: [String] {
    ["\(step)", "\(epoch)", "\(learningRate)"] + cells(train)
      + (validation.map { cells($0) } ?? []) + cells(test) + [
        "\(skippedSteps)", "\(Self.milliseconds(seconds))", samplesPerSecond.map { "\($0.rounded())" } ?? "",
        "\(Self.milliseconds(times.dataWait))", "\(Self.milliseconds(times.test))",
        "\(Self.milliseconds(times.checkpoints))", digest,
      ]
  }

  private func cells(_ sums: FigureSums?) -> [String] {
    guard let sums else { return names.map { _ in "" } }
    let figures = sums.figures.map { "\($0.value)" }
    // An epoch whose steps were all left out has nothing but the names of figures.
    return figures.count == names.count ? figures : names.map { _ in "0.0" }
  }

  private static func milliseconds(_ seconds: Double) -> Double { (seconds * 1000).rounded() / 1000 }
}

/// Seconds of an epoch that were spent on other things than training steps.
public struct EpochTimes: Hashable, Sendable {
  /// Waiting for minibatches that were not read yet.
  public var dataWait = 0.0
  /// Evaluating the test set.
  public var test = 0.0
  /// Copying the state for checkpoints, which are then written in the background, since the epoch before.
  public var checkpoints = 0.0

  /// Starts with no time at all.
  public init() {}
}
