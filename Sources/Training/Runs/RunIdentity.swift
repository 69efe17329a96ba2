public import Compute
public import Datasets

/// What a run is besides its numbers: what made them, and what a resumed run must agree with.
public struct RunIdentity: Hashable, Sendable {
  /// The identifier that is given at the first start and kept over all restarts.
  public var runID: String
  /// The resolved configuration, as text.
  public var configuration: String
  /// Hexadecimal digests of the datasets, by ``DataDigest/key(_:of:)``.
  public var datasets: [String: String]
  /// Versions of Convoy, the kernel library and others, by name.
  public var versions: [String: String]
  /// The CPU's instruction set as the kernel library uses it.
  public var instructionSet: String
  /// The kernel of each layer and pass, as Compute writes it.
  public var kernelChoices: String
  /// Whether the run has these kernels in shards of every size, in training and evaluation.
  ///
  /// False in a checkpoint of an earlier version, whose runs chose kernels for each size of shard and kept those of the full
  /// one.
  public var choicesCoverEveryShard: Bool
  /// Samples of a full shard.
  public var shardSize: Int
  /// The names of the classes, labels or targets in the order of the network's outputs; empty where the data does not name its classes, labels or targets.
  public var classNames: [String]
  /// What the network was trained and judged by; nil for softmax cross-entropy and accuracy, before others were known.
  public var criterion: Criterion?
  /// Rules that decide the run's numbers and that earlier versions did not have, by name.
  public var rules: [String]
  /// The span of those pixels of the training samples that were looked at; nil where it is not known.
  public var pixels: PixelSpan?
  /// How pictures became the training samples; nil where it is not known.
  public var pictures: PictureHandling?
  /// What the run began with; nil where it began with the initialisers' values.
  public var start: StartOrigin?
  /// What each channel of the samples is; empty where the data does not name them.
  public var channelNames: [String]

  /// Takes what is known of a run; the rest stays empty.
  public init(
    runID: String, configuration: String = "", datasets: [String: String] = [:],
    versions: [String: String] = [:], instructionSet: String = "", kernelChoices: String = "",
    choicesCoverEveryShard: Bool = true, shardSize: Int = 0, classNames: [String] = [],
    criterion: Criterion? = nil, rules: [String] = [], pixels: PixelSpan? = nil,
    pictures: PictureHandling? = nil, channelNames: [String] = [], start: StartOrigin? = nil
  ) {
    self.start = start
    self.runID = runID
    self.configuration = configuration
    self.datasets = datasets
    self.versions = versions
    self.instructionSet = instructionSet
    self.kernelChoices = kernelChoices
    self.choicesCoverEveryShard = choicesCoverEveryShard
    self.shardSize = shardSize
    self.classNames = classNames
    self.criterion = criterion
    self.rules = rules
    self.pixels = pixels
    self.pictures = pictures
    self.channelNames = channelNames
  }

  /// The pixels of pictures as they are, for networks that take them so.
  public static let picturePixels = PixelSpan.bytes
}
