internal import Dispatch
internal import Glibc
internal import HDF5
internal import Parallel
internal import Synchronization
internal import Tensors

/// Fetches samples from their file: the rows of an HDF5 dataset `[N, H, W, C]`.
///
/// Stored bytes that are samples already, plain or deflated, are read past libhdf5, by any number of threads;
/// everything else (other number types, other filters) is read and converted by libhdf5, one call at a time.
final class SampleStorage: Sendable {
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
  private let file: RawFile
  /// Neighbouring samples that are read by one thread at a time: those of a chunk, or about 256 KiB.
  private let samplesPerBlock: Int

  init(_ images: Dataset, file: RawFile, pixelType: PixelType) throws {
    self.images = images
    self.file = file
    self.pixelType = pixelType
    sampleCount = images.shape[0]
    sampleByteCount = images.shape.dropFirst().reduce(1, *) * pixelType.byteCount
    let rowsForReading = max(1, (256 << 10) / max(1, sampleByteCount))
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
    case .externalFiles, .virtual:
      throw DatasetError(
        .badData, "\"\(images.path)\" of \(file.path) keeps its data in other files, which are not opened")
    default:
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
  ///   - check: called before each block, for cancelling by an error; from any of the threads.
  /// - Returns: a buffer for each group.
  /// - Throws: the error of the block that comes first in the file.
  func gather(
    _ groups: [[Int32]], threads: Int, checksFinite: Bool = true, check: @Sendable () throws -> Void = {}
  ) throws -> [AlignedBuffer<UInt8>] {
    let buffers = groups.map { AlignedBuffer<UInt8>(count: $0.count * sampleByteCount) }
    // A slot is a place in a buffer; the slots of buffer b begin at b times this.
    let slotsPerBuffer = groups.map(\.count).max() ?? 0
    precondition(slotsPerBuffer * groups.count <= Int(UInt32.max), "too many samples to read at once")
    // Row above, slot below: sorting the numbers puts the rows in the order of the file.
    var requests: [UInt64] = []
    requests.reserveCapacity(groups.reduce(0) { $0 + $1.count })
    for (group, rows) in groups.enumerated() {
      for (place, row) in rows.enumerated() {
        requests.append(UInt64(row) << 32 | UInt64(group * slotsPerBuffer + place))
      }
    }
    requests.sort()
    let blocks = blocks(of: requests)
    let next = Atomic<Int>(0)
    let hasFailed = Atomic<Bool>(false)
    let threads = max(1, min(threads, blocks.count))
    let failures = (0..<threads).map { _ in BlockFailure() }
    let sorted = requests
    DispatchQueue.concurrentPerform(iterations: threads) { thread in
      let reader = BlockReader(
        self, file, buffers, slotsPerBuffer: slotsPerBuffer,
        checksFinite: checksFinite && pixelType == .float32)
      while !hasFailed.load(ordering: .relaxed) {
        let block = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard block < blocks.count else { return }
        do {
          try check()
          try reader.read(sorted[blocks[block]], block: block)
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

  /// Cuts sorted requests where a new block of the file begins.
  private func blocks(of requests: [UInt64]) -> [Range<Int>] {
    var blocks: [Range<Int>] = []
    var start = 0
    while start < requests.count {
      let block = row(requests[start]) / samplesPerBlock
      var end = start + 1
      while end < requests.count, row(requests[end]) / samplesPerBlock == block { end += 1 }
      blocks.append(start..<end)
      start = end
    }
    return blocks
  }
}

/// What stopped one thread.
private final class BlockFailure: Sendable {
  let found = Guarded<(block: Int, error: any Error)?>(nil)
}

private func row(_ request: UInt64) -> Int { Int(request >> 32) }
private func slot(_ request: UInt64) -> Int { Int(request & 0xffff_ffff) }

/// One thread's reading of blocks into the shared buffers.
private final class BlockReader {
  private let storage: SampleStorage
  private let file: RawFile
  private let buffers: [AlignedBuffer<UInt8>]
  private let slotsPerBuffer: Int
  private let checksFinite: Bool
  private let stored = ScratchMemory()
  private let decoder = ChunkDecoder()

  init(
    _ storage: SampleStorage, _ file: RawFile, _ buffers: [AlignedBuffer<UInt8>], slotsPerBuffer: Int,
    checksFinite: Bool
  ) {
    self.storage = storage
    self.file = file
    self.buffers = buffers
    self.slotsPerBuffer = slotsPerBuffer
    self.checksFinite = checksFinite
  }

  /// Reads requests of one block, sorted by row.
  func read(_ requests: ArraySlice<UInt64>, block: Int) throws {
    switch storage.access {
    case .contiguous(let offset):
      try readStored(requests, offset: offset)
    case .chunked(let grid):
      try readChunks(requests, grid)
    case .library:
      try readThroughLibrary(requests)
    }
    if checksFinite { try checkFinite(requests) }
  }

  /// The memory of `count` samples from a slot on, all in one buffer.
  private func target(_ slot: Int, count: Int = 1) -> UnsafeMutableRawBufferPointer {
    let (buffer, place) = slot.quotientAndRemainder(dividingBy: slotsPerBuffer)
    return UnsafeMutableRawBufferPointer(
      start: buffers[buffer].baseAddress + place * storage.sampleByteCount,
      count: count * storage.sampleByteCount)
  }

  /// Reads samples that lie one after another in the file, sample 0 at `offset`.
  private func readStored(_ requests: ArraySlice<UInt64>, offset: Int) throws {
    guard let first = requests.first, let last = requests.last else { return }
    let size = storage.sampleByteCount
    let span = row(last) - row(first) + 1
    if span == requests.count, isRun(requests), slot(first) / slotsPerBuffer == slot(last) / slotsPerBuffer {
      // The order of the file is that of the buffer.
      try file.read(into: target(slot(first), count: span), at: offset + row(first) * size)
    } else if span <= 8 * requests.count {
      // One long read beats many short ones until most of it is thrown away.
      let bytes = stored.bytes(span * size)
      try file.read(into: bytes, at: offset + row(first) * size)
      for request in requests {
        let begin = (row(request) - row(first)) * size
        target(slot(request)).copyMemory(
          from: UnsafeRawBufferPointer(rebasing: bytes[begin..<(begin + size)]))
      }
    } else {
      for request in requests {
        try file.read(into: target(slot(request)), at: offset + row(request) * size)
      }
    }
  }

  private func isRun(_ requests: ArraySlice<UInt64>) -> Bool {
    zip(requests, requests.dropFirst()).allSatisfy { $1 &- $0 == 1 << 32 | 1 }
  }

  private func readChunks(_ requests: ArraySlice<UInt64>, _ grid: ChunkGrid) throws {
    guard let first = requests.first else { return }
    let firstRow = row(first) / grid.chunk[0] * grid.chunk[0]
    for corner in grid.corners {
      let offset = [firstRow] + corner
      let isWhole = grid.coversSamples
      var mask: UInt32 = 0
      var bytes: UnsafeRawBufferPointer
      var library: [UInt8] = []
      if let table = grid.table {
        guard let entry = table[grid.index(of: offset)] else { return try readThroughLibrary(requests) }
        if isWhole, grid.isPlain(mask: entry.filterMask), entry.byteCount == grid.chunkByteCount {
          return try readStored(requests, offset: entry.fileOffset - firstRow * storage.sampleByteCount)
        }
        guard entry.byteCount <= grid.maximumStoredByteCount, entry.byteCount <= file.byteCount else {
          throw DatasetError(.badData, "\(name(firstRow)) is damaged: it claims \(entry.byteCount) bytes")
        }
        let memory = stored.bytes(entry.byteCount)
        try file.read(into: memory, at: entry.fileOffset)
        (mask, bytes) = (entry.filterMask, UnsafeRawBufferPointer(memory))
      } else {
        let chunk = try translatingErrors {
          try storage.images.readChunk(
            at: grid.fileOffset(offset), maximumByteCount: grid.maximumStoredByteCount)
        }
        guard let chunk else { return try readThroughLibrary(requests) }
        (mask, library) = (chunk.mask, chunk.bytes)
        bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      }
      try library.withUnsafeBytes { fromLibrary in
        if grid.table == nil { bytes = fromLibrary }
        let elements = try decoder.decode(
          bytes, filters: grid.filters, mask: mask, byteCount: grid.chunkByteCount, name: name(firstRow))
        for request in requests {
          grid.copySample(
            row(request) - firstRow, of: elements, corner: corner, into: target(slot(request)))
        }
      }
    }
  }

  private func readThroughLibrary(_ requests: ArraySlice<UInt64>) throws {
    guard let first = requests.first, let last = requests.last else { return }
    let span = row(last) - row(first) + 1
    if span <= 8 * requests.count {
      let bytes = stored.bytes(span * storage.sampleByteCount)
      try readThroughLibrary(row(first), span, into: bytes)
      let size = storage.sampleByteCount
      for request in requests {
        let begin = (row(request) - row(first)) * size
        target(slot(request)).copyMemory(
          from: UnsafeRawBufferPointer(rebasing: bytes[begin..<(begin + size)]))
      }
    } else {
      for request in requests {
        try readThroughLibrary(row(request), 1, into: target(slot(request)))
      }
    }
  }

  private func readThroughLibrary(_ row: Int, _ count: Int, into bytes: UnsafeMutableRawBufferPointer) throws
  {
    let shape = storage.images.shape
    let region = Dataset.Region(
      offset: [row] + shape.dropFirst().map { _ in 0 }, count: [count] + shape.dropFirst())
    try translatingErrors {
      switch storage.pixelType {
      case .uint8: try storage.images.read(into: bytes.bindMemory(to: UInt8.self), region: region)
      case .float32: try storage.images.read(into: bytes.bindMemory(to: Float.self), region: region)
      }
    }
  }

  /// Refuses pixels that would turn every number of a training into NaN.
  private func checkFinite(_ requests: ArraySlice<UInt64>) throws {
    for request in requests {
      let bits = target(slot(request)).assumingMemoryBound(to: UInt32.self)
      // Exponent bits all set: infinity or NaN. Without a branch, so that the loop is vectorised.
      var bad: UInt32 = 0
      for value in bits { bad |= (value & 0x7f80_0000) == 0x7f80_0000 ? 1 : 0 }
      guard bad == 0 else {
        throw DatasetError(
          .badData,
          "sample \(row(request)) of \"\(storage.images.path)\" in \(file.path) has a pixel that is NaN or infinite"
        )
      }
    }
  }

  private func name(_ firstRow: Int) -> String {
    "the chunk of sample \(firstRow) of \"\(storage.images.path)\" in \(file.path)"
  }
}
