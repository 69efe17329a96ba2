internal import CLibdeflate
internal import HDF5

/// Undoes what HDF5's filters did to a chunk: deflate, LZF and byte shuffling, in the order of the dataset.
///
/// One decoder per thread: it keeps memory and the inflater's tables from chunk to chunk.
final class ChunkDecoder {
  private var inflater: OpaquePointer?
  private let inflated = ScratchMemory()
  private let unshuffled = ScratchMemory()

  deinit { libdeflate_free_decompressor(inflater) }

  /// The filters that ``decode`` knows.
  static func canDecode(_ filters: [Dataset.Filter]) -> Bool {
    switch filters.map(\.id) {
    case [], [Dataset.Filter.deflateId], [Dataset.Filter.lzfId], [Dataset.Filter.shuffleId],
      [Dataset.Filter.shuffleId, Dataset.Filter.deflateId], [Dataset.Filter.shuffleId, Dataset.Filter.lzfId]:
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
        // Deflate shrinks at most 1032 times: a chunk that claims more gets no memory.
        guard bytes.count >= byteCount / 1032 else { throw damaged(name()) }
        bytes = try inflate(bytes, into: inflated.bytes(byteCount), name())
      case Dataset.Filter.lzfId:
        let target = inflated.bytes(byteCount)
        guard LZF.unpack(bytes, into: target) else { throw damaged(name()) }
        bytes = UnsafeRawBufferPointer(target)
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

  /// A zlib stream that fills `target` exactly; its checksum is verified.
  private func inflate(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, _ name: String
  ) throws -> UnsafeRawBufferPointer {
    guard let inflater = inflater ?? libdeflate_alloc_decompressor() else {
      throw DatasetError(.inputOutput, "\(name): there is no memory to inflate it")
    }
    self.inflater = inflater
    guard let input = source.baseAddress, let output = target.baseAddress else { throw damaged(name) }
    // Without a place for the length, anything but a full target is an error.
    let result = libdeflate_zlib_decompress(inflater, input, source.count, output, target.count, nil)
    guard result == LIBDEFLATE_SUCCESS else { throw damaged(name) }
    return UnsafeRawBufferPointer(target)
  }

  /// Puts bytes back in order: `source` has the first bytes of all elements, then all second bytes, and so on.
  private func unshuffle(
    _ source: UnsafeRawBufferPointer, _ elementByteCount: Int, into target: UnsafeMutableRawBufferPointer
  ) -> UnsafeRawBufferPointer {
    guard elementByteCount > 1, let bytes = source.baseAddress?.assumingMemoryBound(to: UInt8.self),
      let result = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
    else { return source }
    let count = source.count / elementByteCount
    if elementByteCount == 4 {
      // Four streams woven into words: a loop that the compiler turns into vectors.
      target.withMemoryRebound(to: UInt32.self) { words in
        for element in 0..<count {
          let low = UInt32(bytes[element]) | UInt32(bytes[count &+ element]) &<< 8
          let high = UInt32(bytes[2 &* count &+ element]) | UInt32(bytes[3 &* count &+ element]) &<< 8
          words[element] = (low | high &<< 16).littleEndian
        }
      }
    } else {
      for byte in 0..<elementByteCount {
        for element in 0..<count {
          result[element &* elementByteCount &+ byte] = bytes[byte &* count &+ element]
        }
      }
    }
    // Bytes of an incomplete last element are left where they were.
    for index in (count * elementByteCount)..<source.count { result[index] = bytes[index] }
    return UnsafeRawBufferPointer(target)
  }

  private func damaged(_ name: String) -> DatasetError {
    DatasetError(
      .badData, "\(name) is damaged: its compressed bytes do not give a whole chunk; copy the file again")
  }
}
