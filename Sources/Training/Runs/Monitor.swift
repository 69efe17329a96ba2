public import Compute

/// The figure by which epochs are compared: of the test set, or of the training set where there is no other.
public enum Monitor: Hashable, Sendable {
  case loss
  case metric(Metric)

  public static let accuracy = Monitor.metric(.accuracy)

  /// The figure that is usual for a criterion: accuracy where it is taken, else the loss.
  public init(usualFor criterion: Criterion) {
    self = criterion.metrics.contains(.accuracy) ? .accuracy : .loss
  }

  public init?(name: String) {
    if name == "loss" {
      self = .loss
    } else if let metric = Metric(name: name) {
      self = .metric(metric)
    } else {
      return nil
    }
  }

  /// As configurations and the columns of tables call it.
  public var name: String {
    switch self {
    case .loss: "loss"
    case .metric(let metric): metric.name
    }
  }

  public var isBetterHigher: Bool {
    switch self {
    case .loss: false
    case .metric(let metric): metric.isBetterHigher
    }
  }

  /// - Returns: nil where the figure was not taken.
  public func value(of sums: MetricSums) -> Double? {
    switch self {
    case .loss: sums.meanLoss
    case .metric(let metric): sums.figure(metric)
    }
  }

  /// A figure as something of which more is better, and back.
  public func turned(_ value: Double) -> Double { isBetterHigher ? value : -value }
}
