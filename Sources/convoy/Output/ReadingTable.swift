internal import Reporting
internal import Tensors
internal import Training

/// Measured speeds of reading, for people and for machines.
enum ReadingTable {
  /// A row for each storage and way, a column for each number of workers.
  static func text(_ speeds: [ReadingBenchmark.Speed]) -> String {
    var workers: [Int] = []
    for speed in speeds where !workers.contains(speed.workers) { workers.append(speed.workers) }
    var table = Table(
      [Table.Column("stored in"), Table.Column("read"), Table.Column("memory limit", .trailing)]
        + workers.map { Table.Column("images/s, \(counted($0, "worker"))", .trailing) })
    var rows: [(speed: ReadingBenchmark.Speed, cells: [Int: String])] = []
    for speed in speeds {
      let cell = NumberText.grouped(Int(speed.imagesPerSecond))
      let known = rows.firstIndex {
        $0.speed.storage == speed.storage && $0.speed.way == speed.way
          && $0.speed.memoryLimitBytes == speed.memoryLimitBytes && $0.cells[speed.workers] == nil
      }
      if let known {
        rows[known].cells[speed.workers] = cell
      } else {
        rows.append((speed, [speed.workers: cell]))
      }
    }
    for row in rows {
      let way =
        switch row.speed.way {
        case .loading: "into memory"
        case .memory: "from memory, shuffled"
        case .streamed: "streamed, shuffled"
        }
      let limit = "\((row.speed.memoryLimitBytes + 500_000) / 1_000_000) MB"
      table.add([row.speed.storage, way, limit] + workers.map { row.cells[$0] ?? "" })
    }
    return table.text()
  }

  static func json(_ speeds: [ReadingBenchmark.Speed], name: String) throws -> String {
    try ResultJSON.text(speeds.map { ReadingFigures($0, network: name) })
  }
}

/// One measured speed as `bench --reading --json` prints it.
private struct ReadingFigures: Encodable {
  let network: String
  let storage: String
  let way: String
  let workers: Int
  let samples: Int
  let memoryLimitBytes: Int
  let readingImagesPerSecond: Double

  init(_ speed: ReadingBenchmark.Speed, network: String) {
    self.network = network
    (storage, way, workers, samples) = (speed.storage, speed.way.rawValue, speed.workers, speed.samples)
    memoryLimitBytes = speed.memoryLimitBytes
    readingImagesPerSecond = speed.imagesPerSecond
  }
}
