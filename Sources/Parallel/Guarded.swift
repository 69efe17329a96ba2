public import Synchronization

/// A value that one thread at a time may touch, after the one before is done with it.
///
/// What `Mutex` is, with its order visible: a contended mutex waits and wakes inside the kernel, which a sanitizer of threads
/// does not see, and it then takes every access under the lock for a race. Here each holder also reads an atomic number
/// with acquire semantics and leaves it with release semantics. On x86 these are plain instructions.
public struct Guarded<Value: ~Copyable>: ~Copyable, Sendable {
  @usableFromInline let mutex: Mutex<Value>
  @usableFromInline let order = Atomic<Bool>(false)

  /// Takes the value that is to be guarded.
  @inlinable public init(_ value: consuming sending Value) { mutex = Mutex(value) }

  /// Runs `body` with the value, alone.
  ///
  /// - Note: not re-entrant, like `Mutex`.
  @inlinable public borrowing func withLock<Result: ~Copyable, Failure: Error>(
    _ body: (inout sending Value) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    try mutex.withLock { (value: inout sending Value) throws(Failure) -> sending Result in
      _ = order.load(ordering: .acquiring)
      defer { order.store(true, ordering: .releasing) }
      return try body(&value)
    }
  }
}
