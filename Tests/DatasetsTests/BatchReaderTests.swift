import Foundation
import HDF5
import Tensors
import Testing

@testable import Datasets

@Suite("Minibatches")
struct BatchReaderTests {
  /// What a minibatch is, for comparing.
  struct Seen: Equatable {
    let epoch: Int
    let position: Int
    let isLast: Bool
    let rows: [Int32]
    let labels: [Int32]
    let bytes: [UInt8]

    init(_ minibatch: Minibatch) {
      epoch = minibatch.epoch
      position = minibatch.position
      isLast = minibatch.isLastOfEpoch
      rows = minibatch.sampleIndices
      labels = minibatch.labels
      bytes = minibatch.bytes
    }
  }

  func read(_ reader: BatchReader, atMost limit: Int = .max) throws -> [Seen] {
    var seen: [Seen] = []
    while seen.count < limit, let minibatch = try reader.next() { seen.append(Seen(minibatch)) }
    return seen
  }

  @Test(
    "streamed minibatches are those of memory, byte for byte, at any limit and number of threads",
    arguments: [nil, 6], [PixelType.uint8, .float32])
  func streamedEqualsResident(compressionLevel: Int?, pixelType: PixelType) throws {
    try withTemporaryFolder { folder in
      // 16 KiB samples make chunks of 8 and of 2.
      let path = "\(folder)/a.h5"
      try writeDataset(
        path, count: 101, shape: [128, 64, 2], pixelType: pixelType, compressionLevel: compressionLevel)
      let dataset = try ImageDataset(path: path, images: "train/images", labels: "train/labels")
      let order = SampleOrder(seed: 7, count: 101, shuffle: true)
      let resident = try SampleStore(dataset, memoryLimitByteCount: dataset.byteCount)
      #expect(resident.isResident)
      let expected = try read(BatchReader(resident, order: order, batchSize: 9, endEpoch: 3))
      #expect(expected.count == 36)
      for samples in [0, 1, 30, 100] {
        for threads in [1, 2, 5] {
          let streamed = try SampleStore(
            dataset, memoryLimitByteCount: samples * dataset.sampleByteCount, threads: threads)
          #expect(!streamed.isResident)
          let seen = try read(BatchReader(streamed, order: order, batchSize: 9, endEpoch: 3))
          // A number in the message, not all bytes of both.
          let first = zip(seen, expected).enumerated().first { $1.0 != $1.1 }?.offset
          #expect(
            first == nil && seen.count == expected.count,
            "limit \(samples) samples, \(threads) threads: minibatch \(first ?? seen.count) differs")
        }
      }
    }
  }

  @Test("minibatches may be kept as long as one likes, whatever the memory limit", arguments: [0, 60])
  func kept(samples: Int) throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/a.h5"
      try writeDataset(path, count: 101, compressionLevel: 1)
      let dataset = try ImageDataset(path: path, images: "train/images", labels: "train/labels")
      let order = SampleOrder(seed: 2, count: 101, shuffle: true)
      let resident = try SampleStore(dataset, memoryLimitByteCount: dataset.byteCount)
      let expected = try read(BatchReader(resident, order: order, batchSize: 7, endEpoch: 2))
      let store = try SampleStore(dataset, memoryLimitByteCount: samples * dataset.sampleByteCount)
      let reader = BatchReader(store, order: order, batchSize: 7, endEpoch: 2)
      var all: [Minibatch] = []
      while let minibatch = try reader.next() { all.append(minibatch) }
      let isSame = all.map(Seen.init) == expected
      #expect(isSame)
    }
  }

  @Test("memory for streamed samples stays within the limit while minibatches are let go")
  func memoryLimit() throws {
    var cells = SampleCells(capacity: 10, sampleByteCount: 1 << 20)
    let numbers = AlignedBuffer<Int32>(count: 12)
    let addresses = AlignedBuffer<UInt>(count: 12)
    let requests = (0..<12).map { UInt64($0) }
    func take(_ range: Range<Int>, isUrgent: Bool = false) -> Bool {
      cells.take(requests[range], numbers: numbers, addresses: addresses, isUrgent: isUrgent)
    }
    #expect(take(0..<7))
    #expect(!take(7..<11))
    #expect(take(7..<10))
    #expect(!take(10..<11))
    #expect(Set(addresses.elements[..<10]).count == 10)
    cells.giveBack(2..<4, of: numbers)
    let returned = Set(addresses.elements[2..<4])
    #expect(take(10..<12))
    #expect(Set(addresses.elements[10..<12]) == returned)
    #expect(take(0..<1, isUrgent: true))
    #expect(!Set(addresses.elements[1...]).contains(addresses[0]))
  }

  @Test("samples of minibatches that are let go make room for those to come", arguments: [14, 60])
  func memoryReturns(samples: Int) throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/a.h5"
      try writeDataset(path, count: 101, compressionLevel: 1)
      let dataset = try ImageDataset(path: path, images: "train/images", labels: "train/labels")
      let store = try SampleStore(dataset, memoryLimitByteCount: samples * dataset.sampleByteCount)
      let order = SampleOrder(seed: 2, count: 101, shuffle: true)
      let reader = BatchReader(store, order: order, batchSize: 7, endEpoch: 10)
      var places: Set<UInt> = []
      while let minibatch = try reader.next() {
        for index in 0..<minibatch.count {
          places.insert(minibatch.withSample(index) { UInt(bitPattern: $0.baseAddress) })
        }
      }
      // 1,010 samples came by. Where the reader waits, memory may exceed the limit rather than stand still.
      #expect(places.count <= 2 * samples)
    }
  }

  @Test("requests are grouped by block in the order of the file, each once", arguments: [1, 3, 40, 1000])
  func requests(samplesPerBlock: Int) {
    let rows = SampleOrder(seed: 5, count: 300, shuffle: true).permutation(epoch: 0).filter { $0 % 3 > 0 }
    let wanted = SampleRequests(
      rows, samplesPerBlock: samplesPerBlock, blockCount: (2000 + samplesPerBlock - 1) / samplesPerBlock)
    #expect(wanted.requests.map { Int32($0 >> 32) }.sorted() == rows.sorted())
    #expect(wanted.requests.allSatisfy { rows[Int($0 & 0xffff_ffff)] == Int32($0 >> 32) })
    #expect(wanted.blocks.flatMap { Array($0) } == Array(rows.indices))
    let found = wanted.blocks.map { block in
      Set(wanted.requests[block].map { Int($0 >> 32) / samplesPerBlock })
    }
    #expect(found.allSatisfy { $0.count == 1 })
    #expect(found.flatMap { $0 } == Set(rows.map { Int($0) / samplesPerBlock }).sorted())
  }

  @Test("pixels and labels are those of the samples that the order names")
  func contents() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/a.h5"
      try writeDataset(path, count: 50)
      let dataset = try ImageDataset(path: path, images: "train/images", labels: "train/labels")
      let order = SampleOrder(seed: 1, count: 50, shuffle: true)
      for limit in [0, 1 << 20] {
        let store = try SampleStore(dataset, memoryLimitByteCount: limit)
        let reader = BatchReader(store, order: order, batchSize: 8, endEpoch: 2)
        for epoch in 0..<2 {
          var rows: [Int32] = []
          while true {
            let minibatch = try #require(try reader.next())
            #expect(minibatch.epoch == epoch)
            #expect(minibatch.position == rows.count)
            for index in 0..<minibatch.count {
              let row = Int(minibatch.sampleIndices[index])
              #expect(minibatch.withSample(index) { Array($0) } == (0..<24).map { writtenPixel(row, $0) })
              #expect(minibatch.label(index) == Int32(row % 3))
            }
            rows += minibatch.sampleIndices
            if minibatch.isLastOfEpoch { break }
          }
          #expect(rows == order.permutation(epoch: epoch))
        }
        #expect(try reader.next() == nil)
        #expect(try reader.next() == nil)
      }
    }
  }

  @Test("starting anywhere gives the rest of the whole sequence", arguments: [false, true], [0, 1 << 20])
  func startAnywhere(dropRemainder: Bool, limit: Int) throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/a.h5"
      try writeDataset(path, count: 23)
      let dataset = try ImageDataset(path: path, images: "train/images", labels: "train/labels")
      let store = try SampleStore(dataset, memoryLimitByteCount: limit)
      let order = SampleOrder(seed: 3, count: 23, shuffle: true)
      let whole = try read(
        BatchReader(store, order: order, batchSize: 5, endEpoch: 3, dropRemainder: dropRemainder))
      #expect(
        whole.map(\.rows.count) == (0..<3).flatMap { _ in dropRemainder ? [5, 5, 5, 5] : [5, 5, 5, 5, 3] })
      #expect(whole.map(\.isLast) == whole.map { $0.position == (dropRemainder ? 15 : 20) })
      for (index, minibatch) in whole.enumerated() {
        let reader = BatchReader(
          store, order: order, batchSize: 5, epoch: minibatch.epoch, position: minibatch.position,
          endEpoch: 3,
          dropRemainder: dropRemainder)
        #expect(try read(reader) == Array(whole[index...]))
        // Where an epoch ended, the next begins.
        let after = BatchReader(
          store, order: order, batchSize: 5, epoch: minibatch.epoch,
          position: minibatch.position + minibatch.rows.count, endEpoch: 3, dropRemainder: dropRemainder)
        #expect(try read(after) == Array(whole[(index + 1)...]))
      }
    }
  }

  @Test(
    "many small chunks come several at a time, in the right order, and nobody waits for ever",
    .timeLimit(.minutes(2)))
  func smallChunks() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/a.h5"
      let file = try HDF5.File.create(path)
      let count = 3001
      let pixels = (0..<count).flatMap { row in (0..<24).map { writtenPixel(row, $0) } }
      try file.root.makeDataset("images", type: .uint8, shape: [count, 4, 3, 2], chunks: [8, 4, 3, 2]).write(
        pixels)
      try file.root.makeDataset("labels", type: .uint8, shape: [count]).write(
        (0..<count).map { UInt8($0 % 3) })
      try file.close()
      let dataset = try ImageDataset(path: path, images: "images", labels: "labels")
      let order = SampleOrder(seed: 3, count: count, shuffle: true)
      for (limit, threads) in [(500, 1), (500, 2), (1000, 4), (2900, 8)] {
        let store = try SampleStore(
          dataset, memoryLimitByteCount: limit * dataset.sampleByteCount, threads: threads)
        let reader = BatchReader(store, order: order, batchSize: 16, endEpoch: 8)
        var rows: [Int32] = []
        var isRight = true
        while let minibatch = try reader.next() {
          rows += minibatch.sampleIndices
          for (index, row) in minibatch.sampleIndices.enumerated() {
            isRight =
              isRight
              && minibatch.withSample(index) {
                $0.elementsEqual(pixels[(Int(row) * 24)..<(Int(row) * 24 + 24)])
              }
          }
        }
        let isWhole = rows == (0..<8).flatMap { order.permutation(epoch: $0) }
        #expect(isRight && isWhole, "limit \(limit) samples, \(threads) threads")
      }
    }
  }

  @Test("without an end epochs go on, and a reader may be left at any time")
  func endless() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/a.h5"
      try writeDataset(path, count: 7)
      let dataset = try ImageDataset(path: path, images: "train/images", labels: "train/labels")
      for limit in [0, 100, 1 << 20] {
        let store = try SampleStore(dataset, memoryLimitByteCount: limit)
        let reader = BatchReader(store, order: SampleOrder(seed: 0, count: 7, shuffle: true), batchSize: 4)
        #expect(try read(reader, atMost: 41).last?.epoch == 20)
      }
    }
  }

  @Test("a batch larger than the dataset is the dataset, or nothing with the remainder dropped")
  func largeBatch() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/a.h5"
      try writeDataset(path, count: 1)
      let dataset = try ImageDataset(path: path, images: "train/images", labels: "train/labels")
      let order = SampleOrder(seed: 0, count: 1, shuffle: true)
      for limit in [0, 1 << 20] {
        let store = try SampleStore(dataset, memoryLimitByteCount: limit)
        #expect(
          try read(BatchReader(store, order: order, batchSize: 4, endEpoch: 2)).map(\.rows) == [[0], [0]])
        #expect(try BatchReader(store, order: order, batchSize: 4, dropRemainder: true).next() == nil)
      }
    }
  }

  @Test("loading stops with the error of its check")
  func cancelledLoading() throws {
    struct Stop: Error {}
    try withTemporaryFolder { folder in
      let path = "\(folder)/a.h5"
      try writeDataset(path, count: 7)
      let dataset = try ImageDataset(path: path, images: "train/images", labels: "train/labels")
      #expect(throws: Stop.self) {
        _ = try SampleStore(dataset, memoryLimitByteCount: 1 << 20) { throw Stop() }
      }
    }
  }

  @Test("samples that are not there cannot be asked for")
  func outside() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/a.h5"
      try writeDataset(path, count: 7)
      let dataset = try ImageDataset(path: path, images: "train/images", labels: "train/labels")
      for rows in [[7], [-1], [0, 100]] {
        #expect(datasetError(.badData) { _ = try dataset.samples(rows) }.contains("it has 7, counted from 0"))
      }
    }
  }
}
