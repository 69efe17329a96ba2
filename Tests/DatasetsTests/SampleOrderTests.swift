import Datasets
import Testing

@Suite("Sample order")
struct SampleOrderTests {
  @Test("every sample comes once per epoch", arguments: [0, 1, 2, 3, 17, 1000])
  func permutation(count: Int) {
    let order = SampleOrder(seed: 5, count: count, shuffle: true)
    for epoch in 0..<4 {
      #expect(order.permutation(epoch: epoch).sorted() == (0..<Int32(count)).map { $0 })
    }
    #expect(
      SampleOrder(seed: 5, count: count, shuffle: false).permutation(epoch: 3)
        == (0..<Int32(count)).map { $0 })
  }

  @Test("the order depends on seed and epoch, and on nothing else")
  func pure() {
    let order = SampleOrder(seed: 5, count: 100, shuffle: true)
    #expect(
      order.permutation(epoch: 2) == SampleOrder(seed: 5, count: 100, shuffle: true).permutation(epoch: 2))
    #expect(order.permutation(epoch: 2) != order.permutation(epoch: 3))
    #expect(
      order.permutation(epoch: 2) != SampleOrder(seed: 6, count: 100, shuffle: true).permutation(epoch: 2))
  }

  @Test("shuffled once, every epoch has the order of the first")
  func once() {
    let order = SampleOrder(seed: 5, count: 100, shuffle: .once)
    let first = SampleOrder(seed: 5, count: 100, shuffle: true).permutation(epoch: 0)
    #expect(order.permutation(epoch: 0) == first)
    #expect(order.permutation(epoch: 3) == first)
  }

  @Test("an order once used never changes")
  func recorded() {
    // Resuming an older run needs the same order from a newer build.
    let order = SampleOrder(seed: 1, count: 10, shuffle: true)
    #expect(order.permutation(epoch: 0) == [9, 2, 6, 5, 0, 8, 4, 1, 3, 7])
    #expect(order.permutation(epoch: 1) == [5, 3, 6, 9, 0, 7, 1, 4, 2, 8])
  }

  @Test("all orders of a few samples are about equally frequent")
  func uniform() {
    var counts: [[Int32]: Int] = [:]
    let order = SampleOrder(seed: 9, count: 4, shuffle: true)
    for epoch in 0..<24_000 { counts[order.permutation(epoch: epoch), default: 0] += 1 }
    #expect(counts.count == 24)
    // 1000 expected, standard deviation 31: six of them.
    #expect(counts.values.allSatisfy { abs($0 - 1000) < 186 })
  }
}
