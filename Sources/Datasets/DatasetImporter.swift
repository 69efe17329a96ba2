public import Tensors

/// Turns files of another format into a dataset file.
///
/// All input is checked before anything is written, as far as that is possible without reading it twice.
/// Pixels stream through a few megabytes of memory; only CIFAR's Python files are read whole. The file
/// appears under its name complete or not at all, and the same input gives the same bytes.
public protocol DatasetImporter: Sendable {
  /// Imports, and writes the dataset file.
  ///
  /// - Parameter progress: called with the finished share, 0 to 1; an error from it stops the import and
  ///   leaves no file.
  /// - Throws: ``DatasetError`` for missing, damaged or inconsistent input, and for output that cannot be written.
  func write(to output: DatasetOutput, progress: (Double) throws -> Void) throws -> ImportSummary
}

/// Where a dataset file goes and how it is stored.
public struct DatasetOutput: Sendable {
  /// The file that is written.
  public var path: String
  /// Whether a file that is there is replaced.
  public var overwrite: Bool
  /// How images are stored.
  public var storage: DatasetStorage
  /// How many threads decode and compress, at least 1.
  public var threads: Int
  /// Called now and then from any thread; an error from it ends the work and leaves no file.
  public var check: @Sendable () throws -> Void
  /// Called with a line on what a person should know while the work goes on.
  public var note: @Sendable (String) -> Void

  /// An output that by default replaces nothing and is stored in the usual way.
  public init(
    _ path: String, overwrite: Bool = false, storage: DatasetStorage = DatasetStorage(), threads: Int = 2,
    check: @escaping @Sendable () throws -> Void = {}, note: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.path = path
    self.overwrite = overwrite
    self.storage = storage
    self.threads = threads
    self.check = check
    self.note = note
  }
}

/// How images are stored in a dataset file.
public struct DatasetStorage: Sendable, Hashable {
  /// The level of deflate, 1 (fast) to 9 (small); nil for no compression, which is read fastest.
  public var compressionLevel: Int?
  /// Whether bytes of equal significance are put together before compression; single bytes stay as they are.
  public var shuffle: Bool
  /// How many samples a chunk holds; nil for about 128 KiB of them, up to 1 MiB in large datasets.
  public var samplesPerChunk: Int?

  /// By default the usual storage: no compression, and chunks of about 128 KiB, up to 1 MiB in large
  /// datasets.
  public init(compressionLevel: Int? = nil, shuffle: Bool = false, samplesPerChunk: Int? = nil) {
    self.compressionLevel = compressionLevel
    self.shuffle = shuffle
    self.samplesPerChunk = samplesPerChunk
  }
}

/// What was imported, for a summary.
public struct ImportSummary: Sendable {
  /// The file that was written.
  public let path: String
  /// The name and number of samples of each split, in the order of the file.
  public let counts: [(name: String, count: Int)]
  /// `[H, W, C]`, or `[F]`.
  public let sampleShape: Shape
  /// The names of the classes, or of the target columns.
  public let classNames: [String]
  /// Whether samples have vectors of numbers rather than classes.
  public let hasTargets: Bool
  /// What else a person should know, one line each.
  public let notes: [String]
  /// What is in the splits besides the number of samples, one line each.
  public let details: [String]

  init(
    path: String, counts: [(name: String, count: Int)], sampleShape: Shape, classNames: [String],
    hasTargets: Bool = false, notes: [String] = [], details: [String] = []
  ) {
    self.details = details
    self.hasTargets = hasTargets
    self.path = path
    self.counts = counts
    self.sampleShape = sampleShape
    self.classNames = classNames
    self.notes = notes
  }
}

extension DatasetImporter {
  /// Imports as ``write(to:progress:)`` does, with the usual storage but for the compression.
  @discardableResult
  public func write(
    to path: String, overwrite: Bool = false, compressionLevel: Int? = nil, threads: Int = 2,
    progress: (Double) throws -> Void = { _ in }
  ) throws -> ImportSummary {
    try write(
      to: DatasetOutput(
        path, overwrite: overwrite, storage: DatasetStorage(compressionLevel: compressionLevel),
        threads: threads), progress: progress)
  }
}
