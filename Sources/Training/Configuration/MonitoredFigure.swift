public import Compute
internal import Settings

/// The figure by which epochs are compared, taken of the test set, or of the training set where there is no other.
public enum MonitoredFigure: Hashable, Sendable {
  /// The mean loss, lower is better.
  case loss
  /// One of the metrics.
  case metric(Metric)

  /// The accuracy, which most trainings are judged by.
  public static let accuracy = MonitoredFigure.metric(.accuracy)

  /// The figure that is usual for a criterion: accuracy where it is taken, else the loss.
  public init(usualFor criterion: Criterion) {
    self = criterion.metrics.contains(.accuracy) ? .accuracy : .loss
  }

  /// Takes the word that configurations have for a figure; nil where there is none of that name.
  public init?(name: String) {
    if name == "loss" {
      self = .loss
    } else if let metric = Metric(name: name) {
      self = .metric(metric)
    } else {
      return nil
    }
  }

  /// The word that configurations and the columns of tables have for it.
  public var name: String {
    switch self {
    case .loss: "loss"
    case .metric(let metric): metric.name
    }
  }

  /// Whether a larger value is better.
  public var isBetterHigher: Bool {
    switch self {
    case .loss: false
    case .metric(let metric): metric.isBetterHigher
    }
  }

  /// The figure's value in some sums.
  ///
  /// - Returns: nil where the figure was not taken.
  public func value(of sums: FigureSums) -> Double? {
    switch self {
    case .loss: sums.meanLoss
    case .metric(let metric): sums.figure(metric)
    }
  }

  /// Turns a figure into a score, of which more is better, and back.
  public func turned(_ value: Double) -> Double { isBetterHigher ? value : -value }
}

extension SettingForm where Value == MonitoredFigure {
  /// `loss` or the name of a metric.
  static var monitoredFigure: SettingForm {
    SettingForm(
      .choice(
        [Choice(word: "loss", summary: "lower is better")]
          + Metric.all.map { Choice(word: $0.name, summary: $0.summary) }),
      decode: { $0.text.flatMap(MonitoredFigure.init(name:)) }, encode: { .text($0.name) })
  }
}
