public import ImageFiles

/// What a report of a run shows, as values.
public struct RunReport: Sendable {
  /// The experiment's name, and the run's.
  public var name: String
  public var run: String
  /// `finished`, `stopped after step 400`, and the like.
  public var state: String
  /// Figures to see first.
  public var highlights: [Fact] = []
  public var epochs: [Epoch] = []
  /// Figures of the epochs in their order, `loss` and the metrics.
  public var figureNames: [String] = []
  /// Learning rate over steps.
  public var learningRate: [Chart.Point] = []
  /// The best epoch, marked in the curves.
  public var bestEpoch: Int?
  /// What was evaluated for the parts below, nil where that was not possible.
  public var evaluated: String?
  public var confusion: ConfusionMatrix?
  /// In place of classes: labels that are decided each by itself, or numbers.
  public var labels: LabelCounts?
  public var errors: OutputErrors?
  public var mistakes: [Mistake] = []
  public var filters: Filters?
  /// The resolved configuration, YAML.
  public var configuration = ""
  public var environment: [Fact] = []
  /// What is missing from the report, and why.
  public var notes: [String] = []

  public init(name: String, run: String, state: String) {
    self.name = name
    self.run = run
    self.state = state
  }

  /// A name with a value.
  public struct Fact: Hashable, Sendable {
    public let name: String
    public let value: String

    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// One row of a run's metrics; nil where a figure was not taken.
  public struct Epoch: Hashable, Sendable {
    public var number: Int
    public var learningRate: Double?
    /// By the names in ``RunReport/figureNames``.
    public var train: [String: Double] = [:]
    /// Figures over the held-out samples, which decide between epochs where there are any.
    public var validation: [String: Double] = [:]
    public var test: [String: Double] = [:]
    /// Wall-clock seconds of the epoch with everything in it.
    public var seconds: Double?
    public var dataWaitSeconds: Double?
    public var testSeconds: Double?
    public var checkpointSeconds: Double?

    public init(number: Int) { self.number = number }

    /// What is left for training steps; nil where nothing is known of the rest.
    public var trainingSeconds: Double? {
      let others = [dataWaitSeconds, testSeconds, checkpointSeconds].compactMap(\.self)
      guard let seconds, !others.isEmpty else { return nil }
      return max(0, seconds - others.reduce(0, +))
    }
  }

  /// A sample that was taken for another class.
  public struct Mistake: Sendable {
    public let image: Image
    public let label: String
    public let predicted: String
    /// In (0, 1].
    public let probability: Double
    public let row: Int

    public init(image: Image, label: String, predicted: String, probability: Double, row: Int) {
      self.image = image
      self.label = label
      self.predicted = predicted
      self.probability = probability
      self.row = row
    }
  }

  /// The kernels of the first convolution as images, with one contrast for all.
  public struct Filters: Sendable {
    public let layer: String
    public let images: [Image]
    /// How to read the colours.
    public let legend: String

    public init(layer: String, images: [Image], legend: String) {
      self.layer = layer
      self.images = images
      self.legend = legend
    }
  }
}
