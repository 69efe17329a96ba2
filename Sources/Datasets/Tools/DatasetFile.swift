internal import HDF5

/// The splits of a dataset file.
public struct DatasetFile: Sendable {
  /// A dataset of images, and one of labels or targets for them.
  public struct Split: Sendable, Hashable {
    /// The group that they are in: `train`; empty for the file's root.
    public let name: String
    /// The name for messages: that of the images where the split is the whole file.
    var shownName: String { name.isEmpty ? "images" : name }
    /// The name of the dataset of images: `train/images`.
    public let images: String
    /// The name of the labels or targets.
    public let target: TargetName
    /// The name of the dataset with the sample weights; nil where there is none.
    public let weights: String?
    /// The file that it is in; nil for the ``DatasetFile``'s own.
    public let file: String?

    /// A split by the names of its datasets.
    public init(
      name: String, images: String, target: TargetName, weights: String? = nil, file: String? = nil
    ) {
      self.name = name
      self.file = file
      self.images = images
      self.target = target
      self.weights = weights
    }

    /// A split with labels.
    public init(name: String, images: String, labels: String) {
      self.init(name: name, images: images, target: .labels(labels))
    }
  }

  /// The file's path.
  public let path: String
  /// The splits; where they were found rather than named, `train` comes first.
  public let splits: [Split]
  /// Datasets that belong to no split; empty where splits were named.
  public let others: [String]

  /// Looks for datasets called `images` with `labels`, or else `targets`, and maybe `weights`, in the same group.
  ///
  /// - Throws: ``DatasetError`` where the file cannot be read or has none.
  public init(_ path: String) throws {
    // So that the error for a missing file says that it is missing.
    _ = try RawFile(path)
    let names = try translatingErrors { try File.open(path).root.datasetNames(atMost: 1000) }
    let known = Set(names)
    var splits: [Split] = []
    for name in names where name.hasSuffix("images") {
      let prefix = name.dropLast("images".count)
      let targets = [TargetName.labels("\(prefix)labels"), .values("\(prefix)targets")]
      guard prefix.isEmpty || prefix.hasSuffix("/"),
        let target = targets.first(where: { known.contains($0.name) })
      else { continue }
      let weights = known.contains("\(prefix)weights") ? "\(prefix)weights" : nil
      splits.append(Split(name: String(prefix.dropLast()), images: name, target: target, weights: weights))
    }
    guard !splits.isEmpty else {
      let found = names.isEmpty ? "it has no datasets" : "it has \(names.prefix(12).joined(separator: ", "))"
      throw DatasetError(
        .badData,
        "\(path) has no \"images\" with \"labels\" or \"targets\" beside them: \(found); --images and --labels (or --targets) "
          + "take other names")
    }
    self.path = path
    // Training data comes first, as people expect.
    self.splits = splits.sorted {
      ($0.name == "train" ? 0 : 1, $0.name) < ($1.name == "train" ? 0 : 1, $1.name)
    }
    let used = Set(
      splits.flatMap { split in
        [split.images, split.target.name, "\(split.images.dropLast("images".count))\(DatasetWriter.moves)"]
          + (split.weights.map { [$0] } ?? [])
      })
    others = names.filter { !used.contains($0) }
  }

  /// Splits that somebody has named, in the order in which they are given.
  ///
  /// - Throws: ``DatasetError`` where a file is not there; names are looked up when a split is opened.
  public init(_ path: String, splits: [Split]) throws {
    for file in Set(splits.map { $0.file ?? path }).sorted() { _ = try RawFile(file) }
    self.path = path
    self.splits = splits
    others = []
  }

  /// Opens the samples of a split.
  ///
  /// - Throws: as ``ImageDataset/init(path:images:target:weights:)``.
  public func open(_ split: Split) throws -> ImageDataset {
    try ImageDataset(
      path: split.file ?? path, images: split.images, target: split.target, weights: split.weights)
  }
}
