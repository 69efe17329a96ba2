public import Settings

/// A figure beside the loss by which people judge a network.
///
/// Each follows from sums over samples, so that it is the same in whatever pieces a data set is gone through.
///
/// A new metric is a file with its formula and its description, and a case here; where it needs a sum that no other has, a case of
/// ``Tally``, too.
public enum Metric: Hashable, Sendable {
  /// The share of samples, or of labels, that are decided rightly.
  case accuracy
  /// The share of samples whose class is among this many of the largest outputs, 2 or more.
  case topAccuracy(Int)
  /// The share of samples whose labels are all decided rightly.
  case exactMatch
  /// The share of decisions for a class that are right, as a mean over classes.
  case precision
  /// The share of a class's samples that are decided for it, as a mean over classes.
  case recall
  /// The harmonic mean of precision and recall, as a mean over classes.
  case f1
  /// The mean of absolute differences.
  case meanAbsoluteError
  /// The mean of squared differences.
  case meanSquaredError
  /// The root of the mean of squared differences.
  case rootMeanSquaredError
  /// The coefficient of determination, as a mean over outputs.
  case r2
  /// The cosine of the angle between outputs and targets, as a mean over samples.
  case cosineSimilarity

  /// The kinds, in the order of references and tables.
  enum Kind: CaseIterable {
    /// The share of samples, or of labels, that are decided rightly.
    case accuracy
    case topAccuracy
    /// The share of samples whose labels are all decided rightly.
    case exactMatch
    /// The share of decisions for a class that are right, as a mean over classes.
    case precision
    /// The share of a class's samples that are decided for it, as a mean over classes.
    case recall
    /// The harmonic mean of precision and recall, as a mean over classes.
    case f1
    /// The mean of absolute differences.
    case meanAbsoluteError
    /// The mean of squared differences.
    case meanSquaredError
    /// The root of the mean of squared differences.
    case rootMeanSquaredError
    /// The coefficient of determination, as a mean over outputs.
    case r2
    case cosineSimilarity
  }

  private var member: (kind: Kind, rule: any MetricRule) {
    switch self {
    case .accuracy: (.accuracy, AccuracyMetric())
    case .topAccuracy(let count): (.topAccuracy, TopAccuracyMetric(count: count))
    case .exactMatch: (.exactMatch, ExactMatchMetric())
    case .precision: (.precision, PrecisionMetric())
    case .recall: (.recall, RecallMetric())
    case .f1: (.f1, F1Metric())
    case .meanAbsoluteError: (.meanAbsoluteError, MeanAbsoluteErrorMetric())
    case .meanSquaredError: (.meanSquaredError, MeanSquaredErrorMetric())
    case .rootMeanSquaredError: (.rootMeanSquaredError, RootMeanSquaredErrorMetric())
    case .r2: (.r2, R2Metric())
    case .cosineSimilarity: (.cosineSimilarity, CosineSimilarityMetric())
    }
  }

  /// The metrics of a kind that configurations name.
  private static func metrics(of kind: Kind) -> [Metric] {
    switch kind {
    case .accuracy: [.accuracy]
    case .topAccuracy: [2, 3, 5, 10].map(topAccuracy)
    case .exactMatch: [.exactMatch]
    case .precision: [.precision]
    case .recall: [.recall]
    case .f1: [.f1]
    case .meanAbsoluteError: [.meanAbsoluteError]
    case .meanSquaredError: [.meanSquaredError]
    case .rootMeanSquaredError: [.rootMeanSquaredError]
    case .r2: [.r2]
    case .cosineSimilarity: [.cosineSimilarity]
    }
  }

  var kind: Kind { member.kind }
  var rule: any MetricRule { member.rule }
}

extension [Metric] {
  /// The metrics by kind; those of one kind keep their order.
  var inReferenceOrder: [Metric] {
    Metric.Kind.allCases.flatMap { kind in filter { $0.kind == kind } }
  }
}

extension Metric {
  /// All metrics that configurations name, in the order of references and tables.
  public static let all: [Metric] = Kind.allCases.flatMap(metrics)

  /// The word that configurations and tables have for it.
  public var name: String { rule.name }

  /// What references say of it, in a few words.
  public var summary: String { rule.summary }

  /// Takes the word that configurations have for a metric; nil where there is none.
  ///
  /// - Parameter name: the word of a metric; `top_<k>_accuracy` for any k from 2 to 1000.
  public init?(name: String) {
    if let metric = Self.all.first(where: { $0.name == name }) {
      self = metric
      return
    }
    let parts = name.split(separator: "_", omittingEmptySubsequences: false)
    guard parts.count == 3, let count = Int(parts[1]), (2...1000).contains(count),
      Metric.topAccuracy(count).name == name
    else { return nil }
    self = .topAccuracy(count)
  }

  /// Whether more is better.
  public var isBetterHigher: Bool { rule.isBetterHigher }

  /// Whether the figure tells anything for this many outputs, rather than being known beforehand.
  public func isTelling(outputs: Int) -> Bool { rule.isTelling(outputs: outputs) }

  /// The metric in Keras, as it takes a criterion's outputs and targets.
  ///
  /// - Parameter takesLogits: whether the network leaves ``Loss/finalActivation`` to the loss.
  /// - Returns: nil where Keras has none that computes the same.
  public func keras(_ criterion: Criterion, takesLogits: Bool) -> KerasObject? {
    rule.keras(criterion, takesLogits: takesLogits)
  }
}

extension Metric: Codable {
  /// Reads a metric by the word that configurations have for it.
  ///
  /// - Throws: `DecodingError` where there is no such metric.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let name = try container.decode(String.self)
    guard let metric = Metric(name: name) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "there is no metric \(name)")
    }
    self = metric
  }

  /// Writes the word that configurations have for it.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(name)
  }
}

extension SettingForm where Value == Metric {
  /// One of the metrics by name.
  public static var metric: SettingForm {
    SettingForm(
      .choice(Metric.all.map { Choice(word: $0.name, summary: $0.summary) }),
      decode: { $0.text.flatMap(Metric.init(name:)) }, encode: { .text($0.name) })
  }
}
