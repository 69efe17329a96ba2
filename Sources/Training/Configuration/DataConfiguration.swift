public import Compute
public import Datasets
public import Settings

/// Which samples a run trains and tests on.
public struct DataConfiguration: Hashable, Sendable {
  /// The samples to train on.
  public var train: SampleSource
  /// The samples to evaluate on; nil where there are none.
  public var test: SampleSource?
  /// Memory for the samples of training and test together: what fits is kept there, the rest is streamed, in the same order.
  public var memoryLimitBytes: Int
  /// A folder on each node's own disk into which the files are copied before they are read; nil reads them where they are.
  public var stage: String?
  /// How the order of samples changes from epoch to epoch.
  public var shuffle: Shuffling
  /// Training samples by which epochs are compared instead of the test set; nil holds none out.
  public var validation: HeldOut?

  /// Takes the samples and how they are read.
  public init(
    train: SampleSource, test: SampleSource? = nil, memoryLimitBytes: Int = 1 << 30, shuffle: Shuffling = true
  ) {
    self.train = train
    self.test = test
    self.memoryLimitBytes = memoryLimitBytes
    self.shuffle = shuffle
  }

  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<DataConfiguration>(
    "The samples that a run trains and tests on.",
    DataConfiguration(train: SampleSource(file: "", images: "", labels: "")),
    [
      SettingKey(
        "train", \.train, SampleSource.settings.form, default: .required, "The samples to learn from."),
      SettingKey(
        "test", \.test, .optional("none", SampleSource.settings.form),
        "The samples that the network is tested on after each epoch."),
      SettingKey(
        "memory_limit", \.memoryLimitBytes, .byteCount, change: .free,
        "The memory for training and test samples together: what fits is kept there, the rest is streamed, in the same order."
      ),
      SettingKey(
        "stage", \.stage, .optional("none", .path), change: .free,
        "A folder on each node's own disk: the files are copied there once, compared, and read from there until they change."
      ),
      SettingKey(
        "shuffle", \.shuffle, .shuffling,
        "Whether each epoch has a random order of its own; `once` repeats the first one's, as Keras does when its seed is set."
      ),
      SettingKey(
        "validation", \.validation, .optional("none", HeldOut.settings.form),
        "Training samples that are held out to compare epochs, so that the test samples stay unseen."),
    ])
}

/// Where samples are found: an HDF5 file and names of datasets in it.
public struct SampleSource: Hashable, Sendable {
  /// The path of the HDF5 file.
  public var file: String
  /// The name of the images in the file.
  public var images: String
  /// The name of the labels or targets: a class, or a vector of numbers, for each sample.
  public var target: TargetName
  /// A weight for each sample; nil for 1 each.
  public var weights: String?

  /// Takes the names of images, targets and weights in a file.
  public init(file: String, images: String, target: TargetName, weights: String? = nil) {
    self.file = file
    self.images = images
    self.target = target
    self.weights = weights
  }

  /// Takes the names of images and labels in a file.
  public init(file: String, images: String, labels: String) {
    self.init(file: file, images: images, target: .labels(labels))
  }

  /// The settings, as configurations write them.
  ///
  /// Whether exactly one of `labels` and `targets` is written must be checked besides.
  public static let settings = SettingsDescription<SampleSource>(
    "Samples in an HDF5 file.", SampleSource(file: "", images: "", labels: ""),
    [
      SettingKey(
        "file", \.file, .path, default: .required, change: .free, "The HDF5 file; `convoy import` makes one."),
      SettingKey(
        "images", \.images, .text, default: .required,
        "The name of the dataset with the images, [N, H, W, C]."),
      SettingKey(
        "labels", \.target.labels, given: .text, otherwise: "required, or `targets`",
        "The name of the dataset with the class of each sample, [N], whole numbers from 0."),
      SettingKey(
        "targets", \.target.values, given: .text, otherwise: "required, or `labels`",
        "The name of the dataset with what the network's outputs should be, [N, outputs], [N, H, W] or [N, H, W, channels], or [N] "
          + "for one: numbers, or for labels 1 where a sample has the label and 0 where not."),
      SettingKey(
        "weights", \.weights, .optional("none", .text),
        "The name of the dataset with the weight of each sample's loss, [N], numbers from 0; without it each is 1. Weights are not "
          + "divided by their sum."
      ),
    ])

  /// Opens the samples and checks them.
  public func open() throws -> ImageDataset {
    try ImageDataset(path: file, images: images, target: target, weights: weights)
  }
}

extension TargetName {
  /// What a criterion calls such targets.
  public var kind: Criterion.Targets {
    switch self {
    case .labels: .classes
    case .values: .values
    }
  }

  /// The dataset with classes; nil where the targets are numbers, and setting nil changes nothing.
  fileprivate var labels: String? {
    get { if case .labels(let name) = self { name } else { nil } }
    set { if let newValue { self = .labels(newValue) } }
  }

  /// The dataset with numbers; nil where the targets are classes, and setting nil changes nothing.
  fileprivate var values: String? {
    get { if case .values(let name) = self { name } else { nil } }
    set { if let newValue { self = .values(newValue) } }
  }
}
