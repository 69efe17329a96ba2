internal import HDF5
public import Tensors

/// Images and labels in an HDF5 file, opened and checked.
///
/// - Images: `[N, H, W, C]`, or `[N, H, W]` for one channel, or `[N, F]` for features; uint8 stays uint8, every other number becomes float32.
///   Contiguous, chunked in any way, compressed or not.
/// - Labels: any integers, `[N]` or `[N, 1]`, from 0 up.
/// - Class names: an attribute `class_names` of the labels, the images, the group of either, or the file.
///
/// Labels are in memory from the start; pixels are read by ``SampleStore``.
public final class ImageDataset: Sendable {
  /// The file's path.
  public let path: String
  /// The names of the two datasets in the file: `train/images`, `train/labels`.
  public let imagesName: String
  public let labelsName: String
  /// N, at least 1.
  public let count: Int
  /// `[H, W, C]`, or `[F]`.
  public let sampleShape: Shape
  public let pixelType: PixelType
  /// The type in the file, as people write it: `float64 big-endian`.
  public let storedType: String
  /// How the images are stored: `chunks of 167×28×28×1, deflate`.
  public let storage: String
  /// One per sample, each in `0..<classCount`.
  public let labels: [Int32]
  /// In the order of the labels; nil when the file does not name its classes.
  public let classNames: [String]?
  /// The number of class names, or one more than the largest label.
  public let classCount: Int

  let images: SampleStorage

  /// Opens the file and checks everything but the pixels.
  ///
  /// - Throws: ``DatasetError``, of kind `missingInput` when the file is not there, else `badData`.
  public init(path: String, images imagesName: String, labels labelsName: String) throws {
    let raw = try RawFile(path)
    let contents = try translatingErrors { try DatasetContents(path: path, imagesName, labelsName) }
    let images = contents.images
    let labels = try contents.readLabels()
    let shape = Shape(
      images.shape.count == 3 ? images.shape.dropFirst() + [1] : Array(images.shape.dropFirst()))
    let classNames = try translatingErrors { try contents.classNames() }
    let classCount = classNames?.count ?? Int(labels.max() ?? 0) + 1
    if let bad = labels.firstIndex(where: { $0 >= classCount }) {
      throw DatasetError(
        .badData,
        "sample \(bad) of \"\(labelsName)\" in \(path) has label \(labels[bad]), but there are \(classCount) classes"
      )
    }
    let pixelType: PixelType = images.type.exactNumber == .uint8 ? .uint8 : .float32
    self.images = try translatingErrors { try SampleStorage(images, file: raw, pixelType: pixelType) }
    self.path = path
    self.imagesName = imagesName
    self.labelsName = labelsName
    self.count = images.shape[0]
    self.sampleShape = shape
    self.pixelType = pixelType
    self.storedType = "\(images.type)"
    self.storage = try translatingErrors { try contents.describeStorage() }
    self.labels = labels
    self.classNames = classNames
    self.classCount = classCount
  }

  /// Whether samples can be a network's input: the same dimensions, but for ones at the end, so that `[L, C]` may be stored
  /// as an image of one channel and `[F]` stand for `[F, 1]`.
  public func fits(_ inputShape: Shape) -> Bool {
    func significant(_ shape: Shape) -> ArraySlice<Int> {
      var dimensions = shape.dimensions[...]
      while dimensions.count > 1, dimensions.last == 1 { dimensions.removeLast() }
      return dimensions
    }
    return significant(sampleShape) == significant(inputShape)
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
      sampleIndices: indices, labels: rows.map { labels[$0] }, sampleByteCount: sampleByteCount,
      buffer: buffer,
      isWholeDataset: false)
  }

  /// How many samples each class has.
  public func classCounts() -> [Int] {
    var counts = [Int](repeating: 0, count: classCount)
    for label in labels { counts[Int(label)] += 1 }
    return counts
  }
}
