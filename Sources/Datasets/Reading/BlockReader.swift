internal import Glibc
internal import HDF5
internal import Tensors

/// One thread's reading of a dataset's blocks.
final class BlockReader {
  private let storage: SampleFile
  private var file: RawFile { storage.file }
  private let checksFinite: Bool
  private let stored = ScratchMemory()
  private let decoder = ChunkDecoder()
  private var sorted: [UInt64] = []
  private var addresses: AlignedBuffer<UInt>

  init(_ storage: SampleFile, checksFinite: Bool) {
    self.storage = storage
    self.checksFinite = checksFinite
    addresses = AlignedBuffer(count: 0)
  }

  /// Reads requests of one block.
  ///
  /// - Parameter addresses: where each place's sample goes.
  func read(_ requests: ArraySlice<UInt64>, into addresses: AlignedBuffer<UInt>) throws {
    self.addresses = addresses
    sorted.replaceSubrange(sorted.indices, with: requests)
    sorted.sort()
    switch storage.access {
    case .contiguous(let offset):
      try readStored(sorted, offset: offset)
    case .chunked(let grid):
      try readChunks(sorted, grid)
    case .library:
      try readThroughLibrary(sorted)
    }
    if checksFinite { try checkFinite(sorted) }
  }

  /// The memory of `count` samples from a place on, which must follow one another.
  private func target(_ place: Int, count: Int = 1) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(
      start: UnsafeMutableRawPointer(bitPattern: addresses.baseAddress[place]),
      count: count * storage.sampleByteCount)
  }

  /// Reads samples that lie one after another in the file, sample 0 at `offset`.
  private func readStored(_ requests: [UInt64], offset: Int) throws {
    guard let first = requests.first, let last = requests.last else { return }
    let size = storage.sampleByteCount
    let span = row(last) - row(first) + 1
    if span == requests.count, isRun(requests) {
      // The order of the file is that of the memory.
      try file.read(into: target(place(first), count: span), at: offset + row(first) * size)
    } else if span <= 8 * requests.count {
      // One long read beats many short ones until most of it is thrown away.
      let bytes = stored.bytes(span * size)
      try file.read(into: bytes, at: offset + row(first) * size)
      for request in requests {
        let begin = (row(request) - row(first)) * size
        target(place(request)).copyMemory(
          from: UnsafeRawBufferPointer(rebasing: bytes[begin..<(begin + size)]))
      }
    } else {
      for request in requests {
        try file.read(into: target(place(request)), at: offset + row(request) * size)
      }
    }
  }

  private func isRun(_ requests: [UInt64]) -> Bool {
    let size = UInt(storage.sampleByteCount)
    return zip(requests, requests.dropFirst()).allSatisfy { earlier, later in
      row(later) == row(earlier) + 1
        && addresses.baseAddress[place(later)] == addresses.baseAddress[place(earlier)] + size
    }
  }

  private func readChunks(_ requests: [UInt64], _ grid: ChunkGrid) throws {
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
            row(request) - firstRow, of: elements, corner: corner, into: target(place(request)))
        }
      }
    }
  }

  private func readThroughLibrary(_ requests: [UInt64]) throws {
    guard let first = requests.first, let last = requests.last else { return }
    let span = row(last) - row(first) + 1
    if span <= 8 * requests.count {
      let bytes = stored.bytes(span * storage.sampleByteCount)
      try readThroughLibrary(row(first), span, into: bytes)
      let size = storage.sampleByteCount
      for request in requests {
        let begin = (row(request) - row(first)) * size
        target(place(request)).copyMemory(
          from: UnsafeRawBufferPointer(rebasing: bytes[begin..<(begin + size)]))
      }
    } else {
      for request in requests {
        try readThroughLibrary(row(request), 1, into: target(place(request)))
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
  private func checkFinite(_ requests: [UInt64]) throws {
    for request in requests {
      let bits = target(place(request)).assumingMemoryBound(to: UInt32.self)
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
