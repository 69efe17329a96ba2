public import ImageFiles
public import Parallel
internal import Tensors

/// A dream under way, step by step.
///
/// A state holds all that a step depends on, so that a dream that was saved and goes on gives the same bytes as one that was
/// never interrupted. At the end of a frame the picture stands still until ``beginNextFrame()``.
public final class DreamProcess {
  /// One step, for reports of progress.
  public struct Reading: Hashable, Sendable {
    /// The number of the frame, from 0.
    public let frame: Int
    /// The number of the octave, from 0 for the smallest size.
    public let octave: Int
    /// How many octaves a frame has.
    public let octaves: Int
    /// The number of the step at this octave, from 0.
    public let step: Int
    /// The height of the picture at this octave, in pixels.
    public let height: Int
    /// The width of the picture at this octave, in pixels.
    public let width: Int
    /// `½·Σ wₗ·mean a²` before the step; with a guide, the sum of the matched products.
    public let objective: Double
  }

  /// The settings of the dream.
  public let dream: Dream
  /// The number of the present frame, from 0.
  public private(set) var frame = 0
  /// Every step so far, in order.
  public private(set) var readings: [Reading] = []
  /// The present frame, at the size of the present octave; pixels of 0…255.
  public private(set) var picture: FloatImage

  private var octave = 0
  private var step = 0
  /// The picture that the present frame began with.
  private var source: FloatImage
  private let sizes: [(height: Int, width: Int)]
  private var tiles: DreamTiles?
  private let subject: Subject
  private let pool: WorkerPool

  /// Begins a dream.
  ///
  /// - Parameter image: pixels of 0…255, in the network's channels.
  /// - Throws: ``InsightError`` for a layer that is missing or has no maps.
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
    else { throw Self.doesNotFit }
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

  /// The number of steps in one frame.
  public var stepsInFrame: Int { sizes.count * dream.steps }

  /// Bytes that the dream takes at its largest size, in addition to the network's values: a few copies of the picture, and for
  /// every worker what a tile takes on its way through the network.
  public func peakByteCount() throws -> Int {
    let size = sizes[sizes.count - 1]
    let copies = 5 * size.height * size.width * subject.channels * 4
    return try copies
      + DreamTiles.networkByteCount(dream, subject, height: size.height, width: size.width, pool: pool)
  }

  /// Whether every step of the present frame is done.
  public var isFrameComplete: Bool { octave == sizes.count - 1 && step == dream.steps }

  /// Takes one step in a frame that is not complete yet.
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
  /// - Returns: false where the last frame is complete, or the present one is not.
  public func beginNextFrame() -> Bool {
    guard isFrameComplete, frame + 1 < dream.frames else { return false }
    source = picture.enlargedMiddle(by: dream.zoom)
    frame += 1
    (octave, step) = (0, 0)
    tiles = nil
    picture = source.resized(height: sizes[0].height, width: sizes[0].width)
    return true
  }

  /// Adds what the dream added at this size to the picture at the next size.
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

  /// Takes a step along the gradient, divided by its mean magnitude; pixels stay in 0…255.
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
  /// Nil for the first frame, which begins with the given picture.
  var source: [Float]?
  var picture: [Float]
}

extension FloatImage {
  /// The middle of the picture, enlarged to the picture's size.
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
