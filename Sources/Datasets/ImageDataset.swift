public import Go
internal import HDF5
internal import Settings
public import Tensors

/// Images with labels or targets in an HDF5 file, opened and checked.
///
/// - Images: `[N, H, W, C]`, or `[N, H, W]` for one channel, or `[N, F]` for features; uint8 and truth values
///   stay uint8, every other number becomes float32. They may be contiguous, chunked in any way, compressed
///   or virtual.
/// - Labels: whole numbers of any type, floats and truth values too, `[N]` or `[N, 1]`, from 0 up.
/// - Targets, in place of labels: finite numbers of any type, `[N, K]`, or `[N]` for one each, or as
///   ``TargetName/values(_:)`` says for those that lie on a sample; held as float32.
/// - Weights: numbers from 0 up, `[N]`, or none.
/// - Class names: an attribute `class_names` of the labels, the images, the group of either, or the file;
///   else, where labels are an enumeration, the names in that. Targets may have `target_names` or
///   `class_names`, one for each column.
/// - Bits: an attribute `packed_channels` of the images says that eight channels share a byte, as ``BitPacking`` has them; shapes
///   and numbers are then those of the unpacked samples.
/// - Channel names: an attribute `channel_names` of the images, one for each channel.
/// - Origin: an attribute `pictures`, `text` or `sound` of the images says how these became samples, as ``SampleOrigin`` writes it; the
///   words of texts are in a dataset `vocabulary`.
///
/// Labels, targets and weights are in memory from the start; pixels are read by ``SampleStore``.
public final class ImageDataset: Sendable {
  /// The file's path.
  public let path: String
  /// The name of the images in the file: `train/images`.
  public let imagesName: String
  /// The name of the labels or targets; nil for images alone.
  public let target: TargetName?
  /// The name of the dataset with the samples' weights; nil where all weigh 1.
  public let weightsName: String?
  /// N, at least 1.
  public let count: Int
  /// `[H, W, C]`, or `[F]`.
  public let sampleShape: Shape
  /// How pixels are held in memory.
  public let pixelType: PixelType
  /// The type in the file, as people write it: `float64 big-endian`.
  public let storedType: String
  /// How the images are stored: `chunks of 167×28×28×1, deflate`.
  public let storage: String
  /// How samples of zeros and ones are held as bits; nil where every number has a place of its own.
  public let packing: BitPacking?
  /// The names of the channels; nil where the file does not name them.
  public let channelNames: [String]?
  /// How many moves were made before each sample, a position of Go; nil where samples are none, or the file does not say.
  public let moveNumbers: [Int32]?
  /// The class of each sample, in `0..<classCount`; empty where there are targets, or images alone.
  public let labels: [Int32]
  /// A vector for each sample; nil where there are labels, or images alone.
  public let targets: TargetTable?
  /// The weight of each sample, at least 0; nil where all weigh 1.
  public let weights: [Float]?
  /// The names of classes, by label, or of the targets' columns; nil when the file does not name them.
  public let classNames: [String]?
  /// The number of class names, or else one more than the largest label; for targets, the number of columns;
  /// for images alone without class names, 0.
  public let classCount: Int

  /// What these samples were before; nil where the file does not say.
  public let origin: SampleOrigin?

  let images: SampleFile

  /// Opens the file and checks everything but the pixels.
  ///
  /// - Parameter target: nil for images alone, to look at them or predict from them.
  /// - Throws: ``DatasetError``, of kind `missingInput` when the file is not there or may not be read,
  ///   `inputOutput` when reading fails, else `badData`.
  public init(
    path: String, images imagesName: String, target: TargetName?, weights weightsName: String? = nil
  )
    throws
  {
    guard RawFile.exists(path) else {
      throw DatasetError(
        .missingInput, "there is no dataset \(path); `convoy import --help` says how to make one")
    }
    if let advice = ImportAdvice.folder(path) {
      throw DatasetError(.missingInput, "\(path) is a folder\(advice)")
    }
    let raw = try RawFile(path)
    let contents: DatasetContents
    do {
      contents = try translatingErrors { try DatasetContents(path: path, imagesName, target, weightsName) }
    } catch let error as DatasetError where error.kind == .badData && !ImportAdvice.isHDF5(raw) {
      throw DatasetError(.badData, error.description + ImportAdvice.file(path))
    }
    let images = contents.images
    packing = try translatingErrors { try contents.packing() }
    var shape = Shape(
      images.shape.count == 3 ? images.shape.dropFirst() + [1] : Array(images.shape.dropFirst()))
    if let packing { shape = Shape(shape.dimensions.dropLast() + [packing.channels]) }
    let channelNames = try translatingErrors { try contents.channelNames(count: shape.dimensions.last ?? 1) }
    self.channelNames = channelNames
    let isGo = channelNames.flatMap(PlaneSet.init(planeNames:)) != nil
    moveNumbers = isGo ? try translatingErrors { try contents.moveNumbers() } : nil
    switch target {
    case .labels(let name):
      targets = nil
      let labels = try contents.readLabels()
      classNames = try translatingErrors { try contents.classNames() }
      let classCount = try classNames?.count ?? contents.classCount(of: labels)
      if let bad = labels.firstIndex(where: { $0 >= classCount }) {
        throw DatasetError(
          .badData,
          "sample \(bad) of \"\(name)\" in \(path) has label \(labels[bad]), but there \(classCount == 1 ? "is" : "are") \(counted(classCount, "class")) "
            + "by the names in the file (class_names, or the labels' type)"
        )
      }
      self.labels = labels
      self.classCount = classCount
    case .values:
      let table = try contents.readTargets()
      labels = []
      targets = table
      classNames = try translatingErrors { try contents.targetNames(count: table.width) }
      classCount = table.width
    case nil:
      labels = []
      targets = nil
      classNames = try translatingErrors { try contents.classNames() }
      classCount = classNames?.count ?? 0
    }
    weights = try contents.readWeights()
    origin = try translatingErrors { try contents.origin() }
    let pixelType: PixelType = images.type.exactNumber == .uint8 ? .uint8 : .float32
    self.images = try translatingErrors { try SampleFile(images, file: raw, pixelType: pixelType) }
    self.path = path
    self.imagesName = imagesName
    self.target = target
    self.weightsName = weightsName
    self.count = images.shape[0]
    self.sampleShape = shape
    self.pixelType = pixelType
    self.storedType = "\(images.type)"
    self.storage = try translatingErrors { try contents.describeStorage() }
  }

  /// The samples of another dataset with other answers to them.
  init(_ other: ImageDataset, labels: [Int32], targets: TargetTable?, classNames: [String]) {
    (path, imagesName, target, weightsName) = (other.path, other.imagesName, other.target, other.weightsName)
    (count, sampleShape, pixelType) = (other.count, other.sampleShape, other.pixelType)
    (storedType, storage, images, weights) = (other.storedType, other.storage, other.images, other.weights)
    (packing, channelNames, moveNumbers) = (other.packing, other.channelNames, other.moveNumbers)
    (self.labels, self.targets, origin) = (labels, targets, other.origin)
    self.classNames = classNames
    classCount = classNames.count
  }

  /// Opens samples with labels, as ``init(path:images:target:weights:)`` does.
  public convenience init(path: String, images: String, labels: String) throws {
    try self.init(path: path, images: images, target: .labels(labels))
  }

  /// The name of the labels or targets; that of the images where there is neither.
  public var targetName: String { target?.name ?? imagesName }

  /// The labels of some rows; none where there are targets, or images alone.
  func labels(of rows: [Int32]) -> [Int32] { !labels.isEmpty ? rows.map { labels[Int($0)] } : [] }

  /// Whether samples can be a network's input: they have the same dimensions, but for ones at the end, so
  /// that `[L, C]` may be stored as an image of one channel, and `[F]` stands for `[F, 1]`.
  public func fits(_ inputShape: Shape) -> Bool {
    func significant(_ shape: Shape) -> ArraySlice<Int> {
      var dimensions = shape.dimensions[...]
      while dimensions.count > 1, dimensions.last == 1 { dimensions.removeLast() }
      return dimensions
    }
    return significant(sampleShape) == significant(inputShape)
  }

  /// What to do with images that a network would take if their dimensions had another order; empty where there is no such order.
  public func otherAxes(for inputShape: Shape) -> String {
    guard sampleShape.rank == 3, inputShape.rank == 3, packing == nil else { return "" }
    let (own, wanted) = (sampleShape.dimensions, inputShape.dimensions)
    // The letters say in which order the file has rows, columns and channels.
    let orders: [(letters: String, places: [Int])] = [
      ("NCHW", [1, 2, 0]), ("NCWH", [2, 1, 0]), ("NWHC", [1, 0, 2]),
    ]
    guard let order = orders.first(where: { order in order.places.map { own[$0] } == wanted }) else {
      return ""
    }
    let name =
      switch target {
      case .labels(let name): " --labels \(name.shellWord)"
      case .values(let name): " --targets \(name.shellWord)"
      case nil: ""
      }
    return
      "; if the file has its dimensions in the order \(order.letters), `convoy import hdf5 --from \(path.shellWord) --images "
      + "\(imagesName.shellWord)\(name) --axes \(order.letters) --to NEW.h5` makes a dataset of it"
  }

  /// The planes that the samples' channels are, where samples are positions of Go; nil for all others.
  public var planes: PlaneSet? { channelNames.flatMap(PlaneSet.init(planeNames:)) }

  /// The shape of a sample as the file and memory hold it.
  var storedShape: Shape { packing?.storedShape(sampleShape) ?? sampleShape }

  /// What else the file says of the images, as attributes.
  var imageFacts: DatasetWriter.ImageFacts {
    DatasetWriter.ImageFacts(origin: origin, packing: packing, channelNames: channelNames)
  }

  /// Bytes of one sample in memory.
  public var sampleByteCount: Int { images.sampleByteCount }

  /// Bytes of all samples in memory.
  public var byteCount: Int { count * sampleByteCount }

  /// Reads some samples, in the given order; for looking at them and for predicting, not for training.
  ///
  /// - Parameter rows: their places in the dataset, each in `0..<count`.
  public func samples(_ rows: [Int], threads: Int = 2) throws -> Minibatch {
    if let bad = rows.first(where: { $0 < 0 || $0 >= count }) {
      throw DatasetError(
        .badData, "there is no sample \(bad) in \"\(imagesName)\" of \(path): it has \(count), counted from 0"
      )
    }
    let indices = rows.map { Int32($0) }
    let buffer = try images.gather([indices], threads: threads)[0]
    return Minibatch(
      epoch: 0, position: 0, isLastOfEpoch: true, pixelType: pixelType, sampleShape: sampleShape,
      sampleIndices: indices, labels: labels(of: indices), sampleByteCount: sampleByteCount,
      pixels: .own(buffer), targets: targets, weights: weights, packing: packing)
  }

  /// How many samples each class has; a sample with shares of classes counts for its largest one, the first
  /// of equal ones.
  public func mainClassCounts() -> [Int] {
    guard let targets else { return classCounts() }
    var counts = [Int](repeating: 0, count: classCount)
    for row in 0..<count { counts[targets.mainColumn(ofRow: row)] += 1 }
    return counts
  }

  /// How many samples each class has; where there are targets, how many have a value above ½ in each column.
  public func classCounts() -> [Int] {
    var counts = [Int](repeating: 0, count: classCount)
    for label in labels { counts[Int(label)] += 1 }
    if let targets {
      for row in 0..<count {
        for (column, value) in targets[row].enumerated() where value > 0.5 { counts[column] += 1 }
      }
    }
    return counts
  }
}
