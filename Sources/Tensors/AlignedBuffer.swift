#if canImport(Glibc)
  internal import Glibc
#endif

/// Memory for `count` elements, aligned to 64 bytes (a cache line, an AVX-512 register) and zeroed.
///
/// A class, so that one buffer can be lent to several workers; which of them may touch which part is decided by
/// `Parallel`, not here. Large buffers start on a 2 MiB boundary and ask for huge pages.
public final class AlignedBuffer<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
  // @unchecked because the memory itself is shared freely: writers keep to ranges that `Parallel` hands out.

  /// How many elements it holds.
  public let count: Int
  /// Where the first element lies; valid while this object lives.
  public let baseAddress: UnsafeMutablePointer<Element>

  /// Memory for zeros; a refusal by the system ends the process (``MemoryRefusal``).
  ///
  /// - Parameter count: number of elements, 0 or more. Memory for zero elements is still a valid address.
  public init(count: Int) {
    precondition(count >= 0, "a buffer cannot have \(count) elements")
    let hugePage = 2 << 20
    let byteCount = max(64, (count * MemoryLayout<Element>.stride + 63) & ~63)
    let alignment = byteCount >= hugePage ? hugePage : 64
    var raw: UnsafeMutableRawPointer?
    let status = posix_memalign(&raw, alignment, byteCount)
    guard status == 0, let raw else { MemoryRefusal.refused(byteCount: byteCount) }
    if byteCount >= hugePage { madvise(raw, byteCount, Int32(MADV_HUGEPAGE)) }
    memset(raw, 0, byteCount)
    self.count = count
    self.baseAddress = raw.bindMemory(to: Element.self, capacity: max(count, 1))
  }

  /// Memory that holds a copy of these elements.
  public convenience init(_ elements: some Collection<Element>) {
    self.init(count: elements.count)
    _ = UnsafeMutableBufferPointer(start: baseAddress, count: count).update(fromContentsOf: elements)
  }

  deinit { free(UnsafeMutableRawPointer(baseAddress)) }

  /// The size of the elements in bytes.
  public var byteCount: Int { count * MemoryLayout<Element>.stride }

  /// The memory as a buffer pointer; valid while this object lives.
  public var elements: UnsafeMutableBufferPointer<Element> {
    UnsafeMutableBufferPointer(start: baseAddress, count: count)
  }

  /// One element, with a check that the index is in `0..<count`.
  public subscript(index: Int) -> Element {
    get {
      precondition(index >= 0 && index < count, "index \(index) is outside 0..<\(count)")
      return baseAddress[index]
    }
    set {
      precondition(index >= 0 && index < count, "index \(index) is outside 0..<\(count)")
      baseAddress[index] = newValue
    }
  }

  /// Copies all elements of `other`, which has the same count.
  public func copy(from other: AlignedBuffer<Element>) {
    precondition(other.count == count, "expected \(count) elements, got \(other.count)")
    baseAddress.update(from: other.baseAddress, count: count)
  }

  /// Sets every element.
  public func fill(with value: Element) { elements.update(repeating: value) }

  /// A plain array of the elements, for tests and small results.
  public func array() -> [Element] { Array(elements) }
}
