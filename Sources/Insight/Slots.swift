internal import Parallel

/// Results of parallel pieces of work, each written by the piece with its index.
final class Slots<Element: Sendable>: Sendable {
  private let values: Guarded<[Int: Element]>
  let count: Int

  init(count: Int) {
    self.count = count
    values = Guarded([:])
  }

  subscript(index: Int) -> Element? {
    get { values.withLock { $0[index] } }
    set { values.withLock { $0[index] = newValue } }
  }

  subscript(index: Int, default missing: Element) -> Element {
    get { self[index] ?? missing }
    set { self[index] = newValue }
  }
}
