import Foundation
import Tensors
import Testing

@testable import Datasets

@Suite("Selections of samples")
struct SampleSelectionTests {
  @Test("an order over some rows has each of them once, shuffled by seed and epoch")
  func rows() {
    let rows: [Int32] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]
    let order = SampleOrder(seed: 4, datasetCount: 30, rows: rows, shuffle: true)
    #expect(order.count == 10 && order.datasetCount == 30)
    for epoch in 0..<3 { #expect(order.permutation(epoch: epoch).sorted() == rows) }
    #expect(order.permutation(epoch: 0) != order.permutation(epoch: 1))
    #expect(
      SampleOrder(seed: 4, datasetCount: 30, rows: rows, shuffle: false).permutation(epoch: 1) == rows)
    // Places are shuffled, so the order is that of all rows of a smaller dataset.
    let plain = SampleOrder(seed: 4, count: 10, shuffle: true).permutation(epoch: 1)
    #expect(order.permutation(epoch: 1) == plain.map { rows[Int($0)] })
  }

  @Test("a limit takes the first samples of each epoch's order, so others come in other epochs")
  func limit() {
    let whole = SampleOrder(seed: 4, count: 100, shuffle: true)
    let order = SampleOrder(seed: 4, datasetCount: 100, rows: nil, shuffle: true, limit: 30)
    #expect(order.count == 30)
    for epoch in 0..<3 {
      #expect(order.permutation(epoch: epoch) == Array(whole.permutation(epoch: epoch)[..<30]))
    }
    let seen = Set((0..<20).flatMap { order.permutation(epoch: $0) })
    #expect(seen.count > 95)
    #expect(SampleOrder(seed: 4, datasetCount: 100, rows: nil, shuffle: true, limit: 300).count == 100)
  }

  @Test("a window repeats the first samples of the first epoch, in every epoch")
  func window() {
    let first = Array(SampleOrder(seed: 4, count: 50, shuffle: true).permutation(epoch: 0)[..<12])
    let order = SampleOrder(seed: 4, datasetCount: 50, rows: nil, shuffle: true, window: 12)
    #expect(order.count == 50)
    for epoch in [0, 1, 7] {
      #expect(order.permutation(epoch: epoch) == first + first + first + first + first[..<2])
    }
  }

  @Test(
    "held-out samples are as many as asked for, and no others than the rest",
    arguments: HeldOut.Choice.allCases,
    [(HeldOut.Amount.fraction(0.1), 30), (.count(33), 33), (.fraction(0.5), 149), (.count(1), 1)])
  func heldOut(choice: HeldOut.Choice, _ asked: (amount: HeldOut.Amount, count: Int)) {
    let (amount, count) = asked
    let labels = (0..<297).map { Int32($0 % 7 == 0 ? 3 : $0 % 3) }
    let rule = HeldOut(amount, choice: choice, seed: 9)
    let (heldOut, left) = rule.rows(labels: labels)
    #expect(rule.count(of: 297) == count && heldOut.count == count)
    #expect(heldOut == heldOut.sorted() && left == left.sorted())
    #expect((heldOut + left).sorted() == (0..<297).map { Int32($0) })
    #expect(rule.rows(labels: labels).heldOut == heldOut)
    switch choice {
    case .first: #expect(heldOut.last == Int32(count - 1))
    case .last: #expect(heldOut.first == Int32(297 - count))
    case .random, .stratified:
      #expect(HeldOut(amount, choice: choice, seed: 10).rows(labels: labels).heldOut != heldOut)
    }
    guard choice == .stratified else { return }
    for label in Int32(0)...3 {
      let all = labels.filter { $0 == label }.count
      let mine = heldOut.filter { labels[Int($0)] == label }.count
      #expect(abs(Double(mine) - Double(all * count) / 297) <= 1, "class \(label): \(mine) of \(all)")
    }
  }

  @Test("streamed and resident minibatches of a selection are the same", arguments: [nil, 6])
  func reading(window: Int?) throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/a.h5"
      try writeDataset(path, count: 50)
      let dataset = try ImageDataset(path: path, images: "train/images", labels: "train/labels")
      let rows = (0..<50).filter { $0 % 3 != 0 }.map { Int32($0) }
      let order = SampleOrder(
        seed: 2, datasetCount: 50, rows: rows, shuffle: true, limit: 22, window: window)
      func read(_ limit: Int, from position: Int) throws -> [[Int32]] {
        let store = try SampleStore(dataset, memoryLimitByteCount: limit)
        let reader = BatchReader(store, order: order, batchSize: 4, epoch: 1, position: position, endEpoch: 3)
        var seen: [[Int32]] = []
        while let minibatch = try reader.next() {
          var bytes: [Int32] = minibatch.sampleIndices
          for index in 0..<minibatch.count {
            minibatch.withSample(index) { bytes += $0.map(Int32.init) }
          }
          seen.append(bytes)
        }
        return seen
      }
      let resident = try read(1 << 20, from: 0)
      #expect(resident.count == 12)
      for limit in [0, 3 * dataset.sampleByteCount, 20 * dataset.sampleByteCount] {
        #expect(try read(limit, from: 0) == resident)
        #expect(try read(limit, from: 8) == Array(resident[2...]))
      }
    }
  }
}
