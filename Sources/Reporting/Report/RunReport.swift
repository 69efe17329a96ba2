public import ImageFiles

/// The contents of a run's report, as values.
public struct RunReport: Sendable {
  /// The experiment's name.
  public var name: String
  /// The run's name, which is that of its folder.
  public var run: String
  /// The state in words: `finished`, `stopped after step 400`, and the like.
  public var state: String
  /// The figures at the top of the page.
  public var highlights: [Fact] = []
  /// The epochs, in order.
  public var epochs: [Epoch] = []
  /// The names of the epochs' figures in the order in which they are shown: `loss` and the metrics.
  public var figureNames: [String] = []
  /// The learning rate over steps.
  public var learningRate: [Chart.Point] = []
  /// The number of the best epoch, which curves and table mark; nil where there is none.
  public var bestEpoch: Int?
  /// Where the time of the steps went on each rank; none for a training in one process.
  public var ranks: [Rank] = []
  /// A sentence on what was evaluated for the parts below; nil where nothing was.
  public var evaluated: String?
  /// The confusion matrix, for networks that tell classes apart.
  public var confusion: ConfusionMatrix?
  /// The decisions on labels, for networks that decide each label separately.
  public var labels: LabelCounts?
  /// The errors of the outputs, for networks that give numbers.
  public var errors: OutputErrors?
  /// The most confident mistakes, most confident first.
  public var mistakes: [Mistake] = []
  /// The kernels of the first convolution; nil where it has none to show.
  public var filters: Filters?
  /// The resolved configuration, as YAML.
  public var configuration = ""
  /// Facts about the machine and the versions.
  public var environment: [Fact] = []
  /// Sentences on what is missing from the report, and why.
  public var notes: [String] = []

  /// A report that shows nothing yet but these three.
  public init(name: String, run: String, state: String) {
    self.name = name
    self.run = run
    self.state = state
  }

  /// A name with a value.
  public struct Fact: Hashable, Sendable {
    /// The name.
    public let name: String
    /// The value, as it is shown.
    public let value: String

    /// A name with a value.
    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// A rank, and where the time of its steps went.
  public struct Rank: Hashable, Sendable {
    /// Its name: number and node.
    public let name: String
    /// The phases with their seconds, the names the same for all ranks.
    public let phases: [Phase]

    /// A rank with its phases.
    public init(name: String, phases: [Phase]) {
      self.name = name
      self.phases = phases
    }

    /// A phase of the steps.
    public struct Phase: Hashable, Sendable {
      /// The name.
      public let name: String
      /// The seconds of all steps together.
      public let seconds: Double

      /// A phase with its time.
      public init(_ name: String, seconds: Double) {
        self.name = name
        self.seconds = seconds
      }
    }
  }

  /// One row of a run's metrics; figures that were not taken are nil or missing.
  public struct Epoch: Hashable, Sendable {
    /// The number of the epoch, from 1.
    public var number: Int
    /// The learning rate, as the run's metrics record it.
    public var learningRate: Double?
    /// Figures over the training samples, by the names in ``RunReport/figureNames``.
    public var train: [String: Double] = [:]
    /// Figures over the validation samples, which decide between epochs where there are any.
    public var validation: [String: Double] = [:]
    /// Figures over the test samples.
    public var test: [String: Double] = [:]
    /// The wall-clock seconds of the whole epoch.
    public var seconds: Double?
    /// The seconds of waiting for data.
    public var dataWaitSeconds: Double?
    /// The seconds of evaluation.
    public var testSeconds: Double?
    /// The seconds of copying state for checkpoints.
    public var checkpointSeconds: Double?

    /// An epoch without figures yet.
    public init(number: Int) { self.number = number }

    /// The seconds left for training steps; nil where the other times are unknown.
    public var trainingSeconds: Double? {
      let others = [dataWaitSeconds, testSeconds, checkpointSeconds].compactMap(\.self)
      guard let seconds, !others.isEmpty else { return nil }
      return max(0, seconds - others.reduce(0, +))
    }
  }

  /// A sample that was taken for another class.
  public struct Mistake: Sendable {
    /// The sample.
    public let image: Image
    /// The name of its true class.
    public let label: String
    /// The name of the predicted class.
    public let predicted: String
    /// The probability of the predicted class, in (0, 1].
    public let probability: Double
    /// The sample's row in the dataset, from 0.
    public let row: Int

    /// A mistake with all that is shown of it.
    public init(image: Image, label: String, predicted: String, probability: Double, row: Int) {
      self.image = image
      self.label = label
      self.predicted = predicted
      self.probability = probability
      self.row = row
    }
  }

  /// The kernels of the first convolution as images, all with one contrast.
  public struct Filters: Sendable {
    /// The layer's name.
    public let layer: String
    /// The images, one for each filter.
    public let images: [Image]
    /// A sentence on how to read the colours.
    public let legend: String

    /// The images of one layer.
    public init(layer: String, images: [Image], legend: String) {
      self.layer = layer
      self.images = images
      self.legend = legend
    }
  }
}
