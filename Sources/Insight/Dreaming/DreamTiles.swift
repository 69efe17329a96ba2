internal import Compute
internal import ImageFiles
internal import Networks
internal import Parallel
internal import Tensors

/// An image cut into tiles of one size, each of which goes through the network by itself.
final class DreamTiles {
  let count: Int
  /// The tiles' longer side.
  let side: Int
  /// The gradient of the whole image, pixel by pixel in its own order.
  let gradient: AlignedBuffer<Float>
  private let dream: Dream
  private let subject: Subject
  private let height: Int
  private let width: Int
  private let rows: Cut
  private let columns: Cut
  private let trace: LayerTrace
  private let sessions: [LayerTrace.Session]
  private let pool: WorkerPool

  init(_ dream: Dream, _ subject: Subject, height: Int, width: Int, pool: WorkerPool) throws {
    self.dream = dream
    self.subject = subject
    (self.height, self.width, self.pool) = (height, width, pool)
    rows = Cut(height, limit: dream.tile)
    columns = Cut(width, limit: dream.tile)
    side = max(rows.size, columns.size)
    count = rows.origins.count * columns.origins.count
    gradient = AlignedBuffer(count: height * width * subject.channels)
    trace = try Self.trace(dream, subject, rows, columns, pool)
    let trace = self.trace
    sessions = try (0..<Self.sessionCount(rows, columns, pool)).map { _ in try trace.makeSession() }
  }

  /// All workers compute a single tile together; several tiles are computed by one worker each.
  private static func trace(
    _ dream: Dream, _ subject: Subject, _ rows: Cut, _ columns: Cut, _ pool: WorkerPool
  ) throws -> LayerTrace {
    let isSingle = rows.origins.count * columns.origins.count == 1
    return try LayerTrace(
      subject.network, values: subject.values, taps: dream.layers.map { LayerTap($0.name) },
      imageShape: [rows.size, columns.size, subject.channels], parts: isSingle ? StyleObjective.parts : 1,
      pool: isSingle ? pool : nil)
  }

  private static func sessionCount(_ rows: Cut, _ columns: Cut, _ pool: WorkerPool) -> Int {
    let count = rows.origins.count * columns.origins.count
    return count == 1 ? 1 : min(pool.workerCount, count)
  }

  /// Bytes that all workers' passes through the network take for an image of this size.
  static func networkByteCount(
    _ dream: Dream, _ subject: Subject, height: Int, width: Int, pool: WorkerPool
  ) throws -> Int {
    let (rows, columns) = (Cut(height, limit: dream.tile), Cut(width, limit: dream.tile))
    return try trace(dream, subject, rows, columns, pool).sessionByteCount * sessionCount(rows, columns, pool)
  }

  /// Computes the gradient of an image that is shifted in a circle and then cut; where tiles overlap, the later one counts.
  ///
  /// - Returns: the objective, a mean over the tiles.
  func updateGradient(of image: FloatImage, down: Int, right: Int) throws -> Double {
    let results = IndexedValues<Double>(count: count)
    nonisolated(unsafe) let tiles = self
    if sessions.count == 1 {
      for index in 0..<count { results[index] = try run(index, image, (down, right), sessions[0]) }
    } else {
      // Each worker writes the part of the gradient that is its tile's alone.
      try pool.forEach(count: count) { index, worker throws(any Error) in
        results[index] = try tiles.run(index, image, (down, right), tiles.sessions[worker])
      }
    }
    return (0..<count).reduce(0) { $0 + (results[$1] ?? 0) } / Double(count)
  }

  private func run(
    _ index: Int, _ image: FloatImage, _ shift: (down: Int, right: Int), _ session: LayerTrace.Session
  ) throws -> Double {
    let channels = image.channels
    let (top, left) = (
      rows.origins[index / columns.origins.count], columns.origins[index % columns.origins.count]
    )
    let sourceRows = (0..<rows.size).map { Self.place(top + $0 - shift.down, height) * width * channels }
    let sourceColumns = (0..<columns.size).map { Self.place(left + $0 - shift.right, width) * channels }
    let input = AlignedBuffer<Float>(count: rows.size * columns.size * channels)
    image.values.withUnsafeBufferPointer { values in
      var target = input.baseAddress
      for row in sourceRows {
        for column in sourceColumns {
          for channel in 0..<channels { target[channel] = subject.units(values[row + column + channel]) }
          target += channels
        }
      }
    }
    try session.forward(input.baseAddress)
    let objective = writeSeeds(session)
    let found = try session.backward()
    let own = (rows: rows.owned(top), columns: columns.owned(left))
    for row in 0..<own.rows {
      for column in 0..<own.columns {
        let source = (row * columns.size + column) * channels
        let target = sourceRows[row] + sourceColumns[column]
        for channel in 0..<channels { gradient.baseAddress[target + channel] = found[source + channel] }
      }
    }
    return objective
  }

  private static func place(_ index: Int, _ count: Int) -> Int { (index % count + count) % count }

  /// Takes the layers' values themselves as the gradient, or those of the guide.
  ///
  /// - Returns: the tile's objective.
  private func writeSeeds(_ session: LayerTrace.Session) -> Double {
    var objective = 0.0
    for layer in dream.layers {
      let tap = LayerTap(layer.name)
      let (values, seed) = (session.value(of: tap), session.seed(of: tap))
      let factor = Float(layer.weight / Double(values.count))
      if let guide = dream.guide[layer.name] {
        objective += GuideMatch.writeSeed(
          seed, values: values, guide: guide, channels: trace.shape(of: tap)?.dimensions.last ?? 1,
          factor: factor)
        continue
      }
      guard let base = values.baseAddress else { continue }
      objective += Double(factor) * FixedOrder.dot(base, base, count: values.count) / 2
      for place in seed.indices { seed[place] = factor * values[place] }
    }
    return objective
  }
}

/// An axis cut into pieces of one size.
private struct Cut {
  let length: Int
  let size: Int
  let origins: [Int]

  init(_ length: Int, limit: Int) {
    let count = (length + limit - 1) / limit
    let size = (length + count - 1) / count
    (self.length, self.size) = (length, size)
    // The last ones overlap a little where the length is no multiple.
    origins = (0..<count).map { min($0 * size, length - size) }
  }

  /// How much of the piece that begins at `origin` belongs to it: all up to where the next piece begins.
  func owned(_ origin: Int) -> Int { (origins.first { $0 > origin } ?? length) - origin }
}

/// At each place, enhances the feature of the guide that is most like the one there.
private enum GuideMatch {
  /// - Returns: the sum of the matched products.
  static func writeSeed(
    _ seed: UnsafeMutableBufferPointer<Float>, values: UnsafeBufferPointer<Float>, guide: [Float],
    channels: Int, factor: Float
  ) -> Double {
    guard let source = values.baseAddress else { return 0 }
    var total = 0.0
    guide.withUnsafeBufferPointer { guide in
      guard let features = guide.baseAddress else { return }
      for place in stride(from: 0, to: values.count, by: channels) {
        var best = 0
        var largest = -Double.infinity
        for feature in stride(from: 0, to: guide.count, by: channels) {
          let product = FixedOrder.dot(source + place, features + feature, count: channels)
          if product > largest { (largest, best) = (product, feature) }
        }
        total += largest
        for channel in 0..<channels { seed[place + channel] = factor * features[best + channel] }
      }
    }
    return total * Double(factor)
  }
}
