/// A figure beside the loss by which people judge a network.
///
/// Each follows from sums over samples, so that it is the same in whatever pieces a data set is gone through.
public enum Metric: Hashable, Sendable {
  /// For classes, the share of samples whose largest output (the first of equal ones) is that of their class; for labels, the
  /// share of decisions that are right.
  case accuracy
  /// The share of samples whose class is among the k largest outputs.
  case topAccuracy(Int)
  /// The share of samples all of whose labels are right.
  case exactMatch
  /// The share of the samples taken for a class that belong to it: the plain mean over the classes that any sample was taken for.
  case precision
  /// The share of the samples of a class that were taken for it: the plain mean over the classes that have samples.
  case recall
  /// The harmonic mean of precision and recall of a class: the plain mean over the classes that occur.
  case f1
  case meanAbsoluteError
  case meanSquaredError
  case rootMeanSquaredError
  /// 1 − Σ(z − t)² / Σ(t − mean t)²: the plain mean over the outputs; 1 is perfect, 0 is no better than the mean.
  case r2

  /// As configurations and tables call it.
  public var name: String {
    switch self {
    case .accuracy: "accuracy"
    case .topAccuracy(let count): "top_\(count)_accuracy"
    case .exactMatch: "exact_match"
    case .precision: "precision"
    case .recall: "recall"
    case .f1: "f1"
    case .meanAbsoluteError: "mean_absolute_error"
    case .meanSquaredError: "mean_squared_error"
    case .rootMeanSquaredError: "root_mean_squared_error"
    case .r2: "r2"
    }
  }

  /// - Parameter name: of a metric; `top_<k>_accuracy` for any k from 2 to 1000.
  public init?(name: String) {
    let known: [Metric] = [
      .accuracy, .exactMatch, .precision, .recall, .f1, .meanAbsoluteError, .meanSquaredError,
      .rootMeanSquaredError, .r2,
    ]
    if let metric = known.first(where: { $0.name == name }) {
      self = metric
      return
    }
    let parts = name.split(separator: "_", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "top", parts[2] == "accuracy", let count = Int(parts[1]),
      (2...1000).contains(count), "\(count)" == parts[1]
    else { return nil }
    self = .topAccuracy(count)
  }

  /// Whether more is better.
  public var isBetterHigher: Bool {
    switch self {
    case .meanAbsoluteError, .meanSquaredError, .rootMeanSquaredError: false
    default: true
    }
  }
}

extension Metric: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let name = try container.decode(String.self)
    guard let metric = Metric(name: name) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "there is no metric \(name)")
    }
    self = metric
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(name)
  }
}
