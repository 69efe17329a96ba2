internal import CZlib
internal import HDF5

/// Undoes what HDF5's filters did to a chunk: deflate and byte shuffling, in the order of the dataset.
///
/// One decoder per thread: it keeps memory and the inflater's state from chunk to chunk.
final class ChunkDecoder {
  private var stream = z_stream()
  private var isStreamReady = false
  private let inflated = ScratchMemory()
  private let unshuffled = ScratchMemory()

  deinit { if isStreamReady { inflateEnd(&stream) } }

  /// The filters that ``decode`` knows.
  static func canDecode(_ filters: [Dataset.Filter]) -> Bool {
    switch filters.map(\.id) {
    case [], [Dataset.Filter.deflateId], [Dataset.Filter.shuffleId],
      [Dataset.Filter.shuffleId, Dataset.Filter.deflateId]:
      true
    default: false
    }
  }

  /// The chunk's elements, valid until the next call; `stored` itself when no filter was used.
  ///
  /// - Parameters:
  ///   - mask: a bit is set for each filter, by its place in `filters`, that this chunk was written without.
  ///   - byteCount: bytes of a whole chunk.
  ///   - name: the chunk, for errors.
  func decode(
    _ stored: UnsafeRawBufferPointer, filters: [Dataset.Filter], mask: UInt32, byteCount: Int,
    name: @autoclosure () -> String
  ) throws -> UnsafeRawBufferPointer {
    var bytes = stored
    for (index, filter) in filters.enumerated().reversed() where mask & (1 << UInt32(index)) == 0 {
      switch filter.id {
      case Dataset.Filter.deflateId:
        // Deflate shrinks at most 1032 times: a chunk that claims more takes no memory.
        guard bytes.count >= byteCount / 1032 else { throw damaged(name()) }
        bytes = try inflate(bytes, into: inflated.bytes(byteCount), name())
      case Dataset.Filter.shuffleId:
        let elementByteCount = Int(filter.parameters.first ?? 1)
        guard elementByteCount > 0, bytes.count == byteCount else { throw damaged(name()) }
        bytes = unshuffle(bytes, elementByteCount, into: unshuffled.bytes(byteCount))
      default: preconditionFailure("filter \(filter.id) was not checked for")
      }
    }
    guard bytes.count == byteCount else { throw damaged(name()) }
    return bytes
  }

  private func inflate(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, _ name: String
  ) throws -> UnsafeRawBufferPointer {
    let status = isStreamReady ? inflateReset(&stream) : czlib_inflate_init(&stream)
    guard status == Z_OK else {
      throw DatasetError(.inputOutput, "\(name): zlib cannot start, status \(status)")
    }
    isStreamReady = true
    guard let input = UInt32(exactly: source.count), let output = UInt32(exactly: target.count) else {
      throw damaged(name)
    }
    stream.next_in = UnsafeMutablePointer(
      mutating: source.baseAddress?.assumingMemoryBound(to: UInt8.self))
    stream.avail_in = input
    stream.next_out = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.avail_out = output
    guard CZlib.inflate(&stream, Z_FINISH) == Z_STREAM_END, stream.avail_out == 0 else { throw damaged(name) }
    return UnsafeRawBufferPointer(target)
  }

  /// Puts bytes back in order: `source` has the first bytes of all elements, then all second bytes, and so on.
  private func unshuffle(
    _ source: UnsafeRawBufferPointer, _ elementByteCount: Int, into target: UnsafeMutableRawBufferPointer
  ) -> UnsafeRawBufferPointer {
    let count = source.count / elementByteCount
    for byte in 0..<elementByteCount {
      for element in 0..<count {
        target[element &* elementByteCount &+ byte] = source[byte &* count &+ element]
      }
    }
    // Bytes of an incomplete last element are left where they were.
    for index in (count * elementByteCount)..<source.count { target[index] = source[index] }
    return UnsafeRawBufferPointer(target)
  }

  private func damaged(_ name: String) -> DatasetError {
    DatasetError(
      .badData, "\(name) is damaged: its compressed bytes do not give a whole chunk; copy the file again")
  }
}
