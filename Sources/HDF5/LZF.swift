internal import CHDF5

/// LZF, the quick compression that h5py brings along and libhdf5 does not have.
///
/// A stream is a row of runs. A first byte n below 32 says that n + 1 bytes follow as they are; any other
/// that bytes are repeated which came before: its upper three bits are the number of them less 2, or 7 for a byte with the
/// rest of that number; its lower five bits and the next byte are how far back they begin, less 1.
///
/// - SeeAlso: Marc Lehmann's LibLZF, <http://software.schmorp.de/pkg/liblzf.html>.
public enum LZF {
  /// Unpacks a stream that fills `target` exactly.
  ///
  /// - Returns: whether it did; `target` is then complete.
  public static func unpack(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer)
    -> Bool
  {
    byteCount(unpacking: source, into: target) == target.count
  }

  /// - Returns: how many bytes there were; nil where the stream is damaged or longer than `target`.
  private static func byteCount(
    unpacking source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
  ) -> Int? {
    var (from, to) = (0, 0)
    while from < source.count {
      let control = Int(source[from])
      from += 1
      if control < 32 {
        let count = control + 1
        guard count <= source.count - from, count <= target.count - to else { return nil }
        for offset in 0..<count { target[to + offset] = source[from + offset] }
        from += count
        to += count
        continue
      }
      var count = control >> 5 + 2
      if count == 9 {
        guard from < source.count else { return nil }
        count += Int(source[from])
        from += 1
      }
      guard from < source.count else { return nil }
      let back = (control & 0x1f) << 8 + Int(source[from]) + 1
      from += 1
      guard back <= to, count <= target.count - to else { return nil }
      // Byte by byte: what is repeated may begin inside of what is being written.
      for offset in 0..<count { target[to + offset] = target[to - back + offset] }
      to += count
    }
    return to
  }

  /// The most that a stream of this many bytes can become: three of them repeat at most 264.
  private static func mostBytes(from byteCount: Int) -> Int { byteCount * 88 + 64 }

  /// Makes libhdf5 read what h5py has compressed; called once, inside the lock.
  static func register() {
    var filter = H5Z_class2_t()
    filter.version = H5Z_CLASS_T_VERS
    filter.id = H5Z_filter_t(Dataset.Filter.lzfId)
    filter.encoder_present = 0
    filter.decoder_present = 1
    filter.name = UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
    filter.filter = { flags, parameterCount, parameters, byteCount, capacity, buffer in
      LZF.filter(flags, parameterCount, parameters, byteCount, capacity, buffer)
    }
    _ = H5Zregister(&filter)
  }

  private static let name: StaticString = "lzf"

  /// What libhdf5 calls for each chunk; 0 says that it went wrong.
  private static func filter(
    _ flags: UInt32, _ parameterCount: Int, _ parameters: UnsafePointer<UInt32>?, _ byteCount: Int,
    _ capacity: UnsafeMutablePointer<Int>?, _ buffer: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
  ) -> Int {
    // Writing is h5py's business.
    guard flags & UInt32(H5Z_FLAG_REVERSE) != 0, let capacity, let buffer, let stored = buffer.pointee else {
      return 0
    }
    // The third parameter is the size of a whole chunk.
    let claimed = parameterCount > 2 ? Int(parameters?[2] ?? 0) : 0
    let room = claimed > 0 ? claimed : mostBytes(from: byteCount)
    guard room <= mostBytes(from: byteCount), let memory = H5allocate_memory(room, false) else { return 0 }
    let source = UnsafeRawBufferPointer(start: stored, count: byteCount)
    let target = UnsafeMutableRawBufferPointer(start: memory, count: room)
    guard let count = Self.byteCount(unpacking: source, into: target), count > 0 else {
      _ = H5free_memory(memory)
      return 0
    }
    _ = H5free_memory(stored)
    buffer.pointee = memory
    capacity.pointee = room
    return count
  }
}
