internal import Compute
public import ImageFiles
public import Networks
public import Parallel
internal import Tensors

/// Deep Dream: an image is changed so that whatever a layer sees in it, it sees more of.
///
/// The gradient at the chosen layers is the activations themselves: what is positive grows, what is negative shrinks, which
/// maximises `½·Σ wₗ·Σa²`. The image is dreamt upon at several sizes (octaves); detail of the smaller one is put into the
/// larger. Before each step the image is moved in a circle (jitter) and cut into tiles, each by itself through the network,
/// so that memory is bounded and seams, which fall elsewhere each time, vanish. Tiles and the order of all sums depend on
/// sizes alone.
/// - SeeAlso: Mordvintsev, Olah & Tyka 2015, "Inceptionism"; <https://github.com/google/deepdream>.
public struct Dream: Sendable {
  public var layers: [WeightedLayer]
  public var steps = 10
  /// Change of a pixel by a mean gradient, in pixels of 0…255.
  public var rate = 1.5
  public var octaves = 4
  public var octaveScale = 1.4
  /// Largest shift before each step, in pixels; where there are tiles, they are shifted by up to a whole one.
  public var jitter = 32
  /// Largest side of a tile.
  public var tile = 512
  public var seed: UInt64 = 0
  /// The layers' values of a picture whose features are to be enhanced instead of the strongest: `[places, C]` by layer.
  public var guide: [String: [Float]] = [:]

  public init(layers: [WeightedLayer]) { self.layers = layers }

  /// Layers in the upper half of the network, where there are parts of things; of VGG the paper's successors' choice.
  public static func defaultLayers(of network: ResolvedNetwork) throws(InsightError) -> [WeightedLayer] {
    let names = network.layers.map(\.name)
    for wanted in [["block4_conv3", "block5_conv1"]] where wanted.allSatisfy(names.contains) {
      return wanted.map { WeightedLayer($0) }
    }
    let maps = network.layers.filter { layer in
      if case .conv2D(let conv) = layer.spec { conv.filters > 4 } else { false }
    }
    guard !maps.isEmpty else { throw .usage("the network has no convolution to dream with") }
    return [WeightedLayer(maps[(maps.count - 1) * 2 / 3].name)]
  }

  public struct Progress: Sendable {
    public let octave: Int
    public let octaves: Int
    public let step: Int
    public let height: Int
    public let width: Int
    /// `½·Σ wₗ·mean a²` before the step.
    public let objective: Double
  }

  /// Sizes of the octaves, smallest first; those that the layers do not fit are left out.
  public func sizes(height: Int, width: Int, in subject: Subject) -> [(height: Int, width: Int)] {
    var sizes = [(height, width)]
    var scale = 1.0
    while sizes.count < octaves {
      scale *= octaveScale
      let size = (Int((Double(height) / scale).rounded()), Int((Double(width) / scale).rounded()))
      guard min(size.0, size.1) >= 16, fits(size, subject) else { break }
      sizes.append(size)
    }
    return sizes.reversed()
  }

  private func fits(_ size: (Int, Int), _ subject: Subject) -> Bool {
    (try? LayerTrace.shapes(of: subject.network, for: taps, imageShape: [size.0, size.1, subject.channels]))
      != nil
  }

  private var taps: [LayerTap] { layers.map { LayerTap($0.name) } }

  /// Dreams upon an image.
  ///
  /// - Parameters:
  ///   - image: pixels of 0…255, in the network's channels.
  ///   - progress: told after each step; false ends the dream, and the result is nil.
  /// - Throws: ``InsightError``, ``NetworkError`` where the image is too small for a layer.
  public func run(
    _ image: FloatImage, in subject: Subject, pool: WorkerPool, progress: (Progress) -> Bool = { _ in true }
  ) throws -> FloatImage? {
    for layer in layers { _ = try subject.layerWithMaps(layer.name) }
    let sizes = self.sizes(height: image.height, width: image.width, in: subject)
    var detail: FloatImage?
    var result = image
    for (octave, size) in sizes.enumerated() {
      let base = image.resized(height: size.height, width: size.width)
      var current = base
      if let detail {
        let grown = detail.resized(height: size.height, width: size.width)
        FixedOrder.add(1, grown.values, to: &current.values)
      }
      let tiles = try DreamTiles(self, subject, height: size.height, width: size.width, pool: pool)
      for step in 0..<steps {
        var stream = RandomStream(seed: seed, purpose: .insight, a: UInt64(octave), b: UInt64(step))
        let reach = tiles.count > 1 ? max(jitter, tiles.side) : jitter
        let down = reach > 0 ? stream.nextInteger(below: 2 * reach + 1) - reach : 0
        let right = reach > 0 ? stream.nextInteger(below: 2 * reach + 1) - reach : 0
        let moved = current.rolled(down: down, right: right)
        let (gradient, objective) = try tiles.gradient(of: moved)
        let back = FloatImage(
          height: size.height, width: size.width, channels: image.channels, values: gradient
        ).rolled(down: -down, right: -right)
        advance(&current, by: back.values)
        let report = Progress(
          octave: octave, octaves: sizes.count, step: step, height: size.height, width: size.width,
          objective: objective)
        guard progress(report) else { return nil }
      }
      result = current
      detail = FloatImage(
        height: size.height, width: size.width, channels: image.channels,
        values: FixedOrder.difference(current.values, base.values))
    }
    return result
  }

  /// A step along the gradient over its mean magnitude; pixels stay in 0…255.
  private func advance(_ image: inout FloatImage, by gradient: [Float]) {
    var sum = 0.0
    for value in gradient { sum += Double(abs(value)) }
    let factor = Float(rate / max(sum / Double(gradient.count), 1e-30))
    for index in gradient.indices {
      image.values[index] = min(max(image.values[index] + factor * gradient[index], 0), 255)
    }
  }

  /// A picture's values of the layers, for ``guide``.
  public func features(of picture: FloatImage, in subject: Subject, pool: WorkerPool) throws -> [String:
    [Float]]
  {
    let trace = try LayerTrace(
      subject.network, values: subject.values, taps: taps,
      imageShape: [picture.height, picture.width, picture.channels], gradient: false, pool: pool)
    let values = try trace.makeSession().values(for: picture.values.map { subject.units($0) })
    return values.reduce(into: [:]) { $0[$1.key.layer] = $1.value }
  }
}

extension Subject {
  var channels: Int { network.inputShape.dimensions.last ?? 0 }

  /// A pixel of 0…255 in the network's units.
  func units(_ pixel: Float) -> Float { range.low + range.width / 255 * pixel }
}

/// An image cut into tiles of one size, each through the network by itself.
private final class DreamTiles {
  let count: Int
  /// The tiles' longer side.
  let side: Int
  private let dream: Dream
  private let subject: Subject
  private let height: Int
  private let width: Int
  private let tileHeight: Int
  private let tileWidth: Int
  private let origins: [(row: Int, column: Int)]
  private let trace: LayerTrace
  private let sessions: [LayerTrace.Session]
  private let pool: WorkerPool

  init(_ dream: Dream, _ subject: Subject, height: Int, width: Int, pool: WorkerPool) throws {
    self.dream = dream
    self.subject = subject
    (self.height, self.width, self.pool) = (height, width, pool)
    func cut(_ length: Int) -> (size: Int, origins: [Int]) {
      let count = (length + dream.tile - 1) / dream.tile
      let size = (length + count - 1) / count
      // The last ones overlap a little where the length is no multiple.
      return (size, (0..<count).map { min($0 * size, length - size) })
    }
    let (rows, columns) = (cut(height), cut(width))
    (tileHeight, tileWidth) = (rows.size, columns.size)
    side = max(tileHeight, tileWidth)
    origins = rows.origins.flatMap { row in columns.origins.map { (row, $0) } }
    count = origins.count
    // A single tile is computed by all workers together, several by one each.
    let isSingle = count == 1
    trace = try LayerTrace(
      subject.network, values: subject.values, taps: dream.layers.map { LayerTap($0.name) },
      imageShape: [tileHeight, tileWidth, subject.channels], parts: isSingle ? StyleObjective.parts : 1,
      pool: isSingle ? pool : nil)
    let trace = self.trace
    sessions = try (0..<(isSingle ? 1 : min(pool.workerCount, count))).map { _ in try trace.makeSession() }
  }

  /// The gradient of the whole image, where tiles overlap the later one's, and the objective.
  func gradient(of image: FloatImage) throws -> (gradient: [Float], objective: Double) {
    var gradient = [Float](repeating: 0, count: image.values.count)
    var objective = 0.0
    // As many tiles as there are workers at once: memory for gradients stays small.
    let results = Slots<(gradient: [Float], objective: Double)>(count: count)
    nonisolated(unsafe) let tiles = self
    if sessions.count == 1 {
      for index in 0..<count { results[index] = try run(index, image, sessions[0]) }
    } else {
      try pool.forEach(count: count) { index, worker throws(any Error) in
        results[index] = try tiles.run(index, image, tiles.sessions[worker])
      }
    }
    for index in 0..<count {
      guard let result = results[index] else { continue }
      objective += result.objective
      let (top, left) = origins[index]
      let stride = tileWidth * image.channels
      for row in 0..<tileHeight {
        let target = ((top + row) * width + left) * image.channels
        for column in 0..<stride { gradient[target + column] = result.gradient[row * stride + column] }
      }
    }
    return (gradient, objective / Double(count))
  }

  private func run(
    _ index: Int, _ image: FloatImage, _ session: LayerTrace.Session
  ) throws -> (gradient: [Float], objective: Double) {
    let (top, left) = origins[index]
    var pixels: [Float] = []
    pixels.reserveCapacity(tileHeight * tileWidth * image.channels)
    for row in 0..<tileHeight {
      let start = ((top + row) * width + left) * image.channels
      for place in start..<start + tileWidth * image.channels {
        pixels.append(subject.units(image.values[place]))
      }
    }
    try pixels.withUnsafeBufferPointer { if let base = $0.baseAddress { try session.forward(base) } }
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
    return (Array(try session.backward()), objective)
  }
}

/// Enhances, at each place, the guide's feature that is most like what is there.
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
