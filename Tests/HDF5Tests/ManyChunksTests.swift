import TestSupport
import Testing

@testable import HDF5

@Suite("Reading over very many chunks")
struct ManyChunksTests {
  @Test("pieces cover a region once, end between chunks, and go over few of them", arguments: 0..<200)
  func pieces(seed: UInt64) {
    var dice = SplitMix64(seed: seed)
    let rank = 1 + dice.next(below: 4)
    let chunk = (0..<rank).map { _ in 1 + dice.next(below: 4) }
    let offset = (0..<rank).map { _ in dice.next(below: 5) }
    let count = (0..<rank).map { _ in dice.next(below: 9) }
    let most = 1 + dice.next(below: 12)
    let region = Dataset.Region(offset: offset, count: count)
    let pieces = region.pieces(ofChunks: chunk, most: most)
    var visits: [[Int]: Int] = [:]
    for piece in pieces where piece.elementCount > 0 {
      var chunks = 1
      for dimension in 0..<rank {
        let (start, end) = (
          piece.offset[dimension], piece.offset[dimension] + piece.count[dimension]
        )
        chunks *= (end - 1) / chunk[dimension] - start / chunk[dimension] + 1
        #expect(start == offset[dimension] || start.isMultiple(of: chunk[dimension]))
        #expect(end == offset[dimension] + count[dimension] || end.isMultiple(of: chunk[dimension]))
      }
      #expect(chunks <= most)
      for place in Self.places(piece) { visits[place, default: 0] += 1 }
    }
    #expect(visits.values.allSatisfy { $0 == 1 })
    #expect(Set(visits.keys) == Set(Self.places(region)))
  }

  @Test("numbers in more chunks than one call takes are read right, whole and in part")
  func contents() throws {
    let file = try File.createInMemory()
    let shape = [13, 10, 90]
    #expect(shape.reduce(1, *) > 2 * Dataset.mostChunks)
    let values = (0..<shape.reduce(1, *)).map { UInt16($0 * 7 % 65_521) }
    let dataset = try file.root.makeDataset(
      "x", type: .uint16, shape: shape, chunks: [1, 1, 1], deflateLevel: 1)
    try dataset.write(values)
    #expect(try dataset.read(UInt16.self) == values)
    let region = Dataset.Region(offset: [1, 2, 3], count: [11, 8, 85])
    var part = [Float](repeating: -1, count: region.elementCount)
    try part.withUnsafeMutableBufferPointer { try dataset.read(into: $0, region: region) }
    #expect(part == Self.places(region).map { Float(values[($0[0] * 10 + $0[1]) * 90 + $0[2]]) })
  }

  /// All places of a box, the last dimension fastest.
  private static func places(_ region: Dataset.Region) -> [[Int]] {
    zip(region.offset, region.count).reduce([[]]) { places, span in
      places.flatMap { place in (span.0..<span.0 + span.1).map { place + [$0] } }
    }
  }
}
