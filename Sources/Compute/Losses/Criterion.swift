/// What a network is trained and judged by: a loss, what its outputs mean, and figures beside the loss.
public struct Criterion: Hashable, Sendable, Codable {
  /// What a network's outputs say of a sample.
  public enum Task: String, Hashable, Sendable, Codable, CaseIterable {
    /// The one class that the sample belongs to, which is that of the largest output.
    case classes
    /// For each label whether the sample has it, decided independently.
    case labels
    /// Numbers of any size.
    case values
  }

  /// How the data give the answers.
  public enum Targets: String, Hashable, Sendable, Codable {
    /// A class for each sample.
    case classes
    /// Numbers, as many for each sample as the network has outputs.
    case values
  }

  /// What training makes small.
  public var loss: Loss
  /// What the outputs mean.
  public var task: Task
  /// What the data give for each sample.
  public var targets: Targets
  /// The figures that are taken besides the loss, in the order of tables.
  public var metrics: [Metric]

  /// Takes all parts as they are; they should fit each other.
  public init(loss: Loss, task: Task, targets: Targets, metrics: [Metric]) {
    self.loss = loss
    self.task = task
    self.targets = targets
    self.metrics = metrics
  }

  /// The criterion of a loss with the figures that are usual for it.
  ///
  /// - Parameter outputs: the number of the network's outputs: a single number compared with a class is a number, and not a class.
  public init(loss: Loss, targets: Targets, outputs: Int) {
    let task = Self.task(of: loss, targets: targets, outputs: outputs)
    self.init(loss: loss, task: task, targets: targets, metrics: task.usualMetrics)
  }

  /// Softmax cross-entropy of classes, with their accuracy.
  public static let classification = Criterion(
    loss: .softmaxCrossEntropy(SoftmaxCrossEntropy()), task: .classes, targets: .classes, metrics: [.accuracy]
  )

  /// What the outputs of a network mean that is trained by a loss.
  ///
  /// - Parameter outputs: how many outputs the network has.
  public static func task(of loss: Loss, targets: Targets, outputs: Int) -> Task {
    switch loss.outputs {
    case .classes: .classes
    case .labels: .labels
    case .numbers: targets == .classes && outputs > 1 ? .classes : .values
    }
  }

  /// Whether an output compared with a class is a single yes or no, or number: the class is the target's value then.
  public static func comparesClassNumber(outputs: Int) -> Bool { outputs == 1 }
}

extension Criterion.Task {
  /// The metrics that mean something for the task.
  public func admits(_ metric: Metric) -> Bool { metric.rule.tasks.contains(self) }

  /// The metrics that are taken where a configuration names none.
  public var usualMetrics: [Metric] {
    switch self {
    case .classes: [.accuracy]
    case .labels: [.accuracy, .precision, .recall, .f1]
    case .values: [.meanAbsoluteError, .rootMeanSquaredError, .r2]
    }
  }

  /// What the outputs of such a network are, for messages.
  public var noun: String {
    switch self {
    case .classes: "classes"
    case .labels: "labels"
    case .values: "numbers"
    }
  }
}

extension Criterion {
  /// Which metrics are usual, for people: `accuracy for classes; …`.
  public static let usualMetricsText = Task.allCases.map { task in
    let names = task.usualMetrics.map(\.name)
    let list =
      names.count == 1 ? names[0] : names.dropLast().joined(separator: ", ") + " and " + (names.last ?? "")
    return "\(list) for \(task.noun)"
  }.joined(separator: "; ")
}
