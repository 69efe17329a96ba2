internal import CHDF5

/// Reading with a bounded amount of the library's memory.
extension Dataset {
  /// Chunks over which one call of the library may go: for each that a call touches it keeps about 5 KB, so that a small file with tiny chunks
  /// would take gigabytes.
  static let mostChunks = 4096

  /// Reads a region into memory of its elements, in calls over few chunks each.
  ///
  /// - Parameters:
  ///   - count: the elements that there is memory for, as many as the region has.
  ///   - region: nil for all elements.
  ///   - body: reads what is selected in the file to what is selected in memory.
  func read(
    _ count: Int, _ region: Region?, _ context: String,
    _ body: (_ memory: hid_t, _ file: hid_t) throws -> Void
  ) throws {
    guard case .chunked(let chunk) = try layout(), chunk.count == shape.count else {
      return try transfer(count, region, context, body)
    }
    let whole = region ?? Region(offset: shape.map { _ in 0 }, count: shape)
    let pieces = whole.pieces(ofChunks: chunk, most: Self.mostChunks)
    guard pieces.count > 1 else { return try transfer(count, region, context, body) }
    for piece in pieces { try transfer(count, whole, piece, context, body) }
  }
}

extension Dataset.Region {
  /// Boxes that make up the region, the ends of chunks between them.
  ///
  /// - Parameters:
  ///   - chunk: the extent of a chunk in each dimension.
  ///   - most: over how many chunks a box may go.
  func pieces(ofChunks chunk: [Int], most: Int) -> [Dataset.Region] {
    guard elementCount > 0 else { return [self] }
    let first = zip(offset, chunk).map { $0 / $1 }
    let chunkCounts = offset.indices.map { (offset[$0] + count[$0] - 1) / chunk[$0] - first[$0] + 1 }
    var room = most
    var steps = chunkCounts
    for dimension in steps.indices.reversed() {
      steps[dimension] = min(chunkCounts[dimension], max(1, room))
      room /= steps[dimension]
    }
    var pieces = [Dataset.Region(offset: [], count: [])]
    for dimension in offset.indices {
      let end = offset[dimension] + count[dimension]
      let spans = stride(from: 0, to: chunkCounts[dimension], by: steps[dimension]).map { step in
        let chunks = first[dimension] + step
        return max(
          offset[dimension], chunks * chunk[dimension])..<min(
            end, (chunks + steps[dimension]) * chunk[dimension])
      }
      pieces = pieces.flatMap { piece in
        spans.map {
          Dataset.Region(offset: piece.offset + [$0.lowerBound], count: piece.count + [$0.count])
        }
      }
    }
    return pieces
  }
}
