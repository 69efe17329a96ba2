internal import Tensors

/// Where minibatches take their pixels from: memory, when the dataset fits into a limit, else the file, as
/// needed.
///
/// Both give the same bytes in the same order. One store serves any number of readers, one after another or at once.
public final class SampleStore: Sendable {
  /// The samples.
  public let dataset: ImageDataset
  /// The most bytes that pixels may take, though never less than two minibatches need.
  public let memoryLimitByteCount: Int
  /// How many threads read and inflate.
  public let threads: Int
  /// All samples in the order of the file; nil when they are streamed.
  let resident: AlignedBuffer<UInt8>?

  /// Reads all samples into memory where they fit.
  ///
  /// - Parameters:
  ///   - memoryLimitByteCount: at most this much memory is taken for pixels, though never less than what two
  ///     minibatches need.
  ///   - check: called now and then while loading, from any thread; an error from it ends the loading.
  /// - Throws: ``DatasetError`` when loading meets damaged data or a pixel that is NaN or infinite, or
  ///   reading fails.
  public init(
    _ dataset: ImageDataset, memoryLimitByteCount: Int, threads: Int = 2,
    check: @Sendable () throws -> Void = {}
  ) throws {
    precondition(threads > 0, "reading needs a thread, got \(threads)")
    self.dataset = dataset
    self.memoryLimitByteCount = memoryLimitByteCount
    self.threads = threads
    if dataset.byteCount <= memoryLimitByteCount {
      resident = try dataset.images.gather(
        [(0..<Int32(dataset.count)).map { $0 }], threads: threads, check: check)[0]
    } else {
      resident = nil
    }
  }

  /// Whether all samples are in memory.
  public var isResident: Bool { resident != nil }
}
