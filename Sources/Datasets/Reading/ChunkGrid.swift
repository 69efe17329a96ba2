internal import Glibc
internal import HDF5

/// The chunks of an image dataset `[N, H, W, C]`: where they are and what part of a sample they hold.
struct ChunkGrid: Sendable {
  /// The dataset's dimensions and those of a chunk, both with the channels, which the file may leave out.
  let shape: [Int]
  let chunk: [Int]
  let filters: [Dataset.Filter]
  let elementByteCount: Int
  let chunkByteCount: Int
  /// First elements `[h, w, c]` of the chunks that together hold a sample.
  let corners: [[Int]]
  /// Chunks by their place in the grid; nil when there are too many for libhdf5 to list quickly.
  let table: [Int: Dataset.Chunk]?

  private let rank: Int

  /// Listing takes libhdf5 quadratic time: about 0.1 s for this many.
  private static let longestTable = 4096

  /// A sample in more pieces than this is left to libhdf5.
  private static let mostPieces = 4096

  /// - Returns: nil when samples are cut into too many pieces to be put together here.
  init?(_ images: Dataset, chunk: [Int], filters: [Dataset.Filter], elementByteCount: Int) throws {
    let rank = images.shape.count
    let shape = Self.widened(images.shape, with: 1)
    let chunk = Self.widened(chunk, with: 1)
    var pieces = 1.0
    for (size, step) in zip(shape, chunk).dropFirst() { pieces *= Double(size) / Double(step) }
    guard pieces <= Double(Self.mostPieces) else { return nil }
    self.rank = rank
    self.shape = shape
    self.chunk = chunk
    self.filters = filters
    self.elementByteCount = elementByteCount
    // The file format keeps a chunk below 4 GiB.
    chunkByteCount = chunk.reduce(elementByteCount, *)
    let steps = (1..<4).map { Array(stride(from: 0, to: shape[$0], by: chunk[$0])) }
    corners = steps[0].flatMap { h in steps[1].flatMap { w in steps[2].map { [h, w, $0] } } }
    guard try images.chunkCount() <= Self.longestTable else {
      table = nil
      return
    }
    var table: [Int: Dataset.Chunk] = [:]
    for entry in try images.chunks() {
      let offset = Self.widened(entry.offset, with: 0)
      guard zip(offset, shape).allSatisfy({ $0 < $1 }) else { continue }
      table[Self.index(of: offset, shape, chunk)] = entry
    }
    self.table = table
  }

  /// Whether a chunk holds whole samples, so that they lie in it one after another.
  var coversSamples: Bool { corners.count == 1 && chunk[1...] == shape[1...] }

  /// The most bytes that the filters could make of a chunk; deflate adds a little to noise.
  var maximumStoredByteCount: Int { chunkByteCount + chunkByteCount / 8 + 1024 }

  /// Whether a chunk with this mask is stored as it is.
  func isPlain(mask: UInt32) -> Bool {
    filters.indices.allSatisfy { mask & (1 << UInt32($0)) != 0 }
  }

  func index(of offset: [Int]) -> Int { Self.index(of: offset, shape, chunk) }

  private static func index(of offset: [Int], _ shape: [Int], _ chunk: [Int]) -> Int {
    zip(offset, zip(shape, chunk)).reduce(0) { index, dimension in
      let (offset, (size, step)) = dimension
      return index * ((size + step - 1) / step) + offset / step
    }
  }

  /// Makes four dimensions of two, three or four: samples without rows and columns get one of each, those
  /// without channels one channel.
  private static func widened(_ dimensions: [Int], with value: Int) -> [Int] {
    switch dimensions.count {
    case 2: [dimensions[0], value, value, dimensions[1]]
    case 3: dimensions + [value]
    default: dimensions
    }
  }

  /// A chunk's first element in the file's own dimensions.
  func fileOffset(_ offset: [Int]) -> [Int] {
    rank == 2 ? [offset[0], offset[3]] : Array(offset.prefix(rank))
  }

  /// Copies the part of a sample that a chunk holds to its place in the whole sample.
  ///
  /// - Parameters:
  ///   - sample: counted from the chunk's first.
  ///   - elements: the whole chunk.
  func copySample(
    _ sample: Int, of elements: UnsafeRawBufferPointer, corner: [Int],
    into target: UnsafeMutableRawBufferPointer
  ) {
    let sampleByteCount = chunkByteCount / chunk[0]
    let source = UnsafeRawBufferPointer(
      rebasing: elements[(sample * sampleByteCount)..<((sample + 1) * sampleByteCount)])
    if coversSamples { return target.copyMemory(from: source) }
    let rows = min(chunk[1], shape[1] - corner[0])
    let columns = min(chunk[2], shape[2] - corner[1])
    let channels = min(chunk[3], shape[3] - corner[2])
    // Where channels are whole, a row of pixels is one run of bytes in both.
    let isRowWhole = channels == shape[3] && channels == chunk[3]
    let runs = isRowWhole ? 1 : columns
    let run = (isRowWhole ? columns * channels : channels) * elementByteCount
    for y in 0..<rows {
      for x in 0..<runs {
        let from = ((y * chunk[2] + x) * chunk[3]) * elementByteCount
        let to = (((corner[0] + y) * shape[2] + corner[1] + x) * shape[3] + corner[2]) * elementByteCount
        UnsafeMutableRawBufferPointer(rebasing: target[to..<(to + run)])
          .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[from..<(from + run)]))
      }
    }
  }
}
