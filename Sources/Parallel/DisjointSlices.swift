public import Tensors

/// One buffer seen as consecutive slices, so that each piece of parallel work may write to its own.
///
/// - Complexity: every access is O(1); nothing is copied.
public struct DisjointSlices<Element: BitwiseCopyable & Sendable>: Sendable {
  private let buffer: AlignedBuffer<Element>
  /// Elements of a slice; the last one may have fewer.
  public let sliceLength: Int

  /// Sees a buffer as slices of one length.
  ///
  /// - Parameter sliceLength: elements of a slice, 1 or more; the last slice may be shorter.
  public init(_ buffer: AlignedBuffer<Element>, sliceLength: Int) {
    precondition(sliceLength >= 1, "a slice needs at least 1 element, got \(sliceLength)")
    self.buffer = buffer
    self.sliceLength = sliceLength
  }

  /// The number of slices.
  public var count: Int { (buffer.count + sliceLength - 1) / sliceLength }

  /// Elements of the buffer that belong to a slice.
  public func range(of slice: Int) -> Range<Int> {
    precondition(slice >= 0 && slice < count, "slice \(slice) is outside 0..<\(count)")
    return slice * sliceLength..<min((slice + 1) * sliceLength, buffer.count)
  }

  /// The memory of a slice; only the piece of work with this index may write to it.
  public subscript(slice: Int) -> UnsafeMutableBufferPointer<Element> {
    UnsafeMutableBufferPointer(rebasing: buffer.elements[range(of: slice)])
  }
}
