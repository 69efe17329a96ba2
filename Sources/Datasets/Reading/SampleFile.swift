internal import HDF5
internal import Parallel
internal import Synchronization
internal import Tensors

/// Fetches samples from their file: the rows of an HDF5 dataset `[N, H, W, C]`.
///
/// Stored bytes that are samples already, plain or packed by filters that ``ChunkDecoder`` knows, are read
/// without libhdf5, by any number of threads; everything else (other number types, other filters) is read and
/// converted by libhdf5, one call at a time.
final class SampleFile: Sendable {
  /// How the bytes are reached.
  enum Access: Sendable {
    /// One run of samples from this offset of the file on.
    case contiguous(offset: Int)
    case chunked(ChunkGrid)
    /// Through libhdf5.
    case library
  }

  let images: Dataset
  let pixelType: PixelType
  let sampleCount: Int
  let sampleByteCount: Int
  let access: Access
  let file: RawFile
  /// Neighbouring samples that are read by one thread at a time: those of a chunk, or about 256 KiB.
  private let samplesPerBlock: Int

  init(_ images: Dataset, file: RawFile, pixelType: PixelType) throws {
    self.images = images
    self.file = file
    self.pixelType = pixelType
    sampleCount = images.shape[0]
    sampleByteCount = images.shape.dropFirst().reduce(1, *) * pixelType.byteCount
    let rowsForReading = max(1, (256 << 10) / max(1, sampleByteCount))
    // Before a training begins, not in the middle of it.
    try images.checkFilters()
    let isStoredAsHeld = images.type.exactNumber == pixelType.number
    switch try images.layout() {
    case .contiguous(let offset?) where isStoredAsHeld:
      access = .contiguous(offset: offset)
      samplesPerBlock = rowsForReading
    case .chunked(let chunk):
      let filters = try images.filters()
      if isStoredAsHeld, ChunkDecoder.canDecode(filters), try !images.leavesEdgeChunksUnfiltered(),
        let grid = try ChunkGrid(
          images, chunk: chunk, filters: filters, elementByteCount: pixelType.byteCount)
      {
        access = .chunked(grid)
        samplesPerBlock = grid.chunk[0]
      } else {
        access = .library
        // Whole chunks, so that libhdf5 need not inflate one twice, unless they are huge.
        samplesPerBlock = min(chunk[0], max(rowsForReading, (16 << 20) / max(1, sampleByteCount)))
      }
    case .compact, .contiguous, .virtual, .externalFiles:
      access = .library
      samplesPerBlock = rowsForReading
    }
  }

  /// Reads samples into new memory, in whatever order is quickest.
  ///
  /// - Parameters:
  ///   - groups: rows of the dataset; each group gets a buffer of its own, its samples one after another.
  ///   - threads: how many threads take part, at least 1.
  ///   - checksFinite: whether NaN and infinity are errors.
  ///   - check: called before each block, from any of the threads; an error from it ends the reading.
  /// - Returns: a buffer for each group.
  /// - Throws: the error of the block that comes first in the file.
  func gather(
    _ groups: [[Int32]], threads: Int, checksFinite: Bool = true, check: @Sendable () throws -> Void = {}
  ) throws -> [AlignedBuffer<UInt8>] {
    let buffers = groups.map { AlignedBuffer<UInt8>(count: $0.count * sampleByteCount) }
    let wanted = requests(groups.flatMap(\.self))
    let addresses = AlignedBuffer<UInt>(count: wanted.requests.count)
    var place = 0
    for (group, buffer) in zip(groups, buffers) {
      for index in group.indices {
        addresses.baseAddress[place] = UInt(bitPattern: buffer.baseAddress + index * sampleByteCount)
        place += 1
      }
    }
    let blocks = wanted.blocks
    let next = Atomic<Int>(0)
    let hasFailed = Atomic<Bool>(false)
    let threads = max(1, min(threads, blocks.count))
    let failures = (0..<threads).map { _ in BlockFailure() }
    WorkerThreads.share(among: threads) { thread in
      let reader = BlockReader(self, checksFinite: checksFinite && pixelType == .float32)
      while !hasFailed.load(ordering: .relaxed) {
        let block = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard block < blocks.count else { return }
        do {
          try check()
          try reader.read(wanted.requests[blocks[block]], into: addresses)
        } catch {
          // Blocks are handed out in order, so every earlier one is being read and will have its say.
          hasFailed.store(true, ordering: .relaxed)
          return failures[thread].found.withLock { $0 = (block, error) }
        }
      }
    }
    let found = failures.compactMap { failure in failure.found.withLock { $0 } }
    if let first = found.min(by: { $0.block < $1.block }) { throw first.error }
    return buffers
  }

  /// How many blocks the dataset has.
  var blockCount: Int { max(1, (sampleCount + samplesPerBlock - 1) / samplesPerBlock) }

  /// How many samples to read at once where all are read in turn: at most 64 MiB of them, about 16 MiB where these are whole blocks, so
  /// that no chunk is unpacked twice without need.
  var samplesPerPass: Int {
    let few = (16 << 20) / max(1, sampleByteCount)
    if samplesPerBlock <= few { return few / samplesPerBlock * samplesPerBlock }
    return max(1, min(samplesPerBlock, 4 * few))
  }

  /// Rows by the blocks in which they are read.
  func requests(_ rows: [Int32]) -> SampleRequests {
    SampleRequests(rows, samplesPerBlock: samplesPerBlock, blockCount: blockCount)
  }
}

/// What stopped one thread.
private final class BlockFailure: Sendable {
  let found = Guarded<(block: Int, error: any Error)?>(nil)
}
