public import ImageFiles
public import Parallel
internal import Tensors

/// A dream under way, step by step.
///
/// All that a step depends on is in the state, so that a dream that was saved and goes on gives the same bytes as one that was
/// never interrupted. At the end of a frame the picture stands still until ``beginNextFrame()``.
public final class DreamProcess {
  /// One step, for telling.
  public struct Reading: Hashable, Sendable {
    public let frame: Int
    public let octave: Int
    public let octaves: Int
    public let step: Int
    public let height: Int
    public let width: Int
    /// `½·Σ wₗ·mean a²` before the step.
    public let objective: Double
  }

  public let dream: Dream
  /// The number of the present frame, from 0.
  public private(set) var frame = 0
  /// Every step so far, in order.
  public private(set) var readings: [Reading] = []
  /// What the present frame has become, at the size of the present octave.
  public private(set) var picture: FloatImage

  private var octave = 0
  private var step = 0
  /// What the present frame began with.
  private var source: FloatImage
  private let sizes: [(height: Int, width: Int)]
  private var tiles: DreamTiles?
  private let subject: Subject
  private let pool: WorkerPool

  /// - Parameter image: pixels of 0…255, in the network's channels.
  /// - Throws: ``InsightError`` for a layer that is not there or has no maps.
  public init(_ dream: Dream, on image: FloatImage, in subject: Subject, pool: WorkerPool) throws {
    (self.dream, self.subject, self.pool) = (dream, subject, pool)
    for layer in dream.layers { _ = try subject.layerWithMaps(layer.name) }
    sizes = dream.sizes(height: image.height, width: image.width, in: subject)
    source = image
    picture = image.resized(height: sizes[0].height, width: sizes[0].width)
  }

  /// Goes on from a state, on the same image with the same settings; only ``Dream/frames`` may differ.
  init(
    _ dream: Dream, on image: FloatImage, in subject: Subject, pool: WorkerPool, state: DreamState
  ) throws {
    (self.dream, self.subject, self.pool) = (dream, subject, pool)
    sizes = dream.sizes(height: image.height, width: image.width, in: subject)
    guard sizes.indices.contains(state.octave), (0...dream.steps).contains(state.step), state.frame >= 0,
      state.source?.count ?? image.values.count == image.values.count,
      state.picture.count == sizes[state.octave].height * sizes[state.octave].width * image.channels
    else { throw InsightError.badData("the state of the dream does not fit its picture; use --restart") }
    (frame, octave, step, readings) = (state.frame, state.octave, state.step, state.readings)
    source = image
    if let values = state.source { source.values = values }
    picture = FloatImage(
      height: sizes[octave].height, width: sizes[octave].width, channels: image.channels,
      values: state.picture)
  }

  var state: DreamState {
    DreamState(
      frame: frame, octave: octave, step: step, readings: readings,
      source: frame == 0 ? nil : source.values, picture: picture.values)
  }

  /// Steps of one frame.
  public var stepsInFrame: Int { sizes.count * dream.steps }

  /// Bytes that the dream takes at its largest size, beside the network's values: a few copies of the picture, and a tile's way
  /// through the network for every worker.
  public func peakByteCount() throws -> Int {
    let size = sizes[sizes.count - 1]
    let copies = 5 * size.height * size.width * subject.channels * 4
    return try copies
      + DreamTiles.networkByteCount(dream, subject, height: size.height, width: size.width, pool: pool)
  }

  public var isFrameComplete: Bool { octave == sizes.count - 1 && step == dream.steps }

  /// One step; not after the end of a frame.
  public func advance() throws -> Reading {
    precondition(!isFrameComplete, "the frame is complete")
    if step == dream.steps { enterNextOctave() }
    let tiles = try presentTiles()
    var stream = RandomStream(
      seed: dream.seed &+ UInt64(frame), purpose: .insight, a: UInt64(octave), b: UInt64(step))
    let reach = tiles.count > 1 ? max(dream.jitter, tiles.side) : dream.jitter
    let down = reach > 0 ? stream.nextInteger(below: 2 * reach + 1) - reach : 0
    let right = reach > 0 ? stream.nextInteger(below: 2 * reach + 1) - reach : 0
    let objective = try tiles.updateGradient(of: picture, down: down, right: right)
    advance(by: tiles.gradient)
    let reading = Reading(
      frame: frame, octave: octave, octaves: sizes.count, step: step, height: picture.height,
      width: picture.width, objective: objective)
    readings.append(reading)
    step += 1
    return reading
  }

  /// Enlarges the middle of a complete frame for the next one.
  ///
  /// - Returns: false after the last frame.
  public func beginNextFrame() -> Bool {
    guard isFrameComplete, frame + 1 < dream.frames else { return false }
    source = picture.enlargedMiddle(by: dream.zoom)
    frame += 1
    (octave, step) = (0, 0)
    tiles = nil
    picture = source.resized(height: sizes[0].height, width: sizes[0].width)
    return true
  }

  /// What the dream added at this size is put into the picture at the next.
  private func enterNextOctave() {
    var detail = source.resized(height: sizes[octave].height, width: sizes[octave].width)
    detail.values = FixedOrder.difference(picture.values, detail.values)
    octave += 1
    step = 0
    // The old tiles' memory goes before the larger ones are made.
    tiles = nil
    let size = sizes[octave]
    picture = detail.resized(height: size.height, width: size.width)
    FixedOrder.add(
      1, source.resized(height: size.height, width: size.width).values, to: &picture.values)
  }

  private func presentTiles() throws -> DreamTiles {
    if let tiles { return tiles }
    let size = sizes[octave]
    let made = try DreamTiles(dream, subject, height: size.height, width: size.width, pool: pool)
    tiles = made
    return made
  }

  /// A step along the gradient over its mean magnitude; pixels stay in 0…255.
  private func advance(by gradient: AlignedBuffer<Float>) {
    var sum = 0.0
    for value in gradient.elements { sum += Double(abs(value)) }
    let factor = Float(dream.rate / max(sum / Double(gradient.count), 1e-30))
    picture.values.withUnsafeMutableBufferPointer { values in
      for index in values.indices {
        values[index] = min(max(values[index] + factor * gradient.baseAddress[index], 0), 255)
      }
    }
  }
}

/// Everything that a dream needs to go on.
struct DreamState {
  var frame: Int
  var octave: Int
  /// Steps done at the octave.
  var step: Int
  var readings: [DreamProcess.Reading]
  /// Nil for the first frame, which begins with the picture itself.
  var source: [Float]?
  var picture: [Float]
}

extension FloatImage {
  /// The middle of the picture, as large as the picture.
  func enlargedMiddle(by factor: Double) -> FloatImage {
    let inner = (
      height: max(1, Int((Double(height) / factor).rounded())),
      width: max(1, Int((Double(width) / factor).rounded()))
    )
    let (top, left) = ((height - inner.height) / 2, (width - inner.width) / 2)
    var part: [Float] = []
    part.reserveCapacity(inner.height * inner.width * channels)
    for row in top..<top + inner.height {
      let start = (row * width + left) * channels
      part += values[start..<start + inner.width * channels]
    }
    return FloatImage(height: inner.height, width: inner.width, channels: channels, values: part)
      .resized(height: height, width: width)
  }
}
