internal import Tensors

/// A sample, or its answer, on its way through the steps: at first where it came from, then in one of two
/// places.
struct Frame<T: PixelValue> {
  private(set) var current: UnsafePointer<T>
  private let first: UnsafeMutablePointer<T>
  private let second: UnsafeMutablePointer<T>
  private let count: Int

  /// - Parameters:
  ///   - first, second: two places that have room for it.
  ///   - count: how many numbers it has.
  init(
    _ source: UnsafeRawPointer, _ first: AlignedBuffer<UInt8>, _ second: AlignedBuffer<UInt8>, count: Int
  ) {
    current = source.assumingMemoryBound(to: T.self)
    self.first = UnsafeMutableRawPointer(first.baseAddress).assumingMemoryBound(to: T.self)
    self.second = UnsafeMutableRawPointer(second.baseAddress).assumingMemoryBound(to: T.self)
    self.count = count
  }

  /// Writes the sample anew, from where it is to the other place.
  @inline(__always)
  mutating func replace(_ body: (UnsafePointer<T>, UnsafeMutablePointer<T>) -> Void) {
    let target = current == UnsafePointer(first) ? second : first
    body(current, target)
    current = UnsafePointer(target)
  }

  /// The sample in a place where it may be changed.
  mutating func writable() -> UnsafeMutablePointer<T> {
    if current == UnsafePointer(first) { return first }
    if current == UnsafePointer(second) { return second }
    first.update(from: current, count: count)
    current = UnsafePointer(first)
    return first
  }
}
