internal import Parallel

/// Values of parallel pieces of work or of workers; each is written, under its own index, by whoever it belongs to.
final class IndexedValues<Element: Sendable>: Sendable {
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
