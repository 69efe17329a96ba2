internal import Compute
public import ImageFiles
public import Networks
public import Parallel
public import Settings
internal import Tensors

/// Deep Dream: changes an image so that a layer sees more of whatever it sees in it.
///
/// The gradient at the chosen layers is the activations themselves: positive values grow and negative ones shrink, which
/// maximises `½·Σ wₗ·Σa²`. The dream runs at several sizes of the image (octaves), and the detail of each size is put into the
/// next larger one. Before each step the image is shifted in a circle (jitter) and cut into tiles, each of which goes through the
/// network by itself: this bounds the memory, and seams vanish because they fall elsewhere each time. Tiles and the order of all
/// sums depend on sizes alone.
/// - SeeAlso: Mordvintsev, Olah & Tyka 2015, "Inceptionism"; <https://github.com/google/deepdream>.
public struct Dream: Hashable, Sendable {
  /// The layers that dream; an empty list leaves the choice to the network, by ``defaultLayers(of:)``.
  public var layers: [WeightedLayer] = []
  /// Steps at each size.
  public var steps = 10
  /// How far a step moves a pixel whose gradient has the mean magnitude, in levels of 0…255.
  public var rate = 1.5
  /// The number of sizes at which the picture is dreamt.
  public var octaves = 4
  /// How many times as large each size is as the one before it.
  public var octaveScale = 1.4
  /// The largest shift before each step, in pixels; where there are several tiles, shifts of up to a whole tile are drawn.
  public var jitter = 32
  /// The longest side that a tile may have, in pixels.
  public var tile = 512
  /// The number of pictures; each dreams on from an enlarged middle of the one before, as frames of a zoom.
  public var frames = 1
  /// How much the middle of a frame is enlarged for the next one.
  public var zoom = 1.05
  /// Seeds the random numbers of the shifts.
  public var seed: UInt64 = 0
  /// What the layers give for a picture whose features are to be enhanced, in place of the strongest ones: `[places, C]` by layer.
  public var guide: [String: [Float]] = [:]

  /// Settings of a dream by some layers, with defaults for all else.
  public init(layers: [WeightedLayer] = []) { self.layers = layers }

  /// Layers in the upper half of the network, which respond to parts of things; for VGG, layers that are often chosen.
  ///
  /// - Throws: ``InsightError`` where no layer of the network gives maps.
  static func defaultLayers(of network: ResolvedNetwork) throws(InsightError) -> [WeightedLayer] {
    let names = network.layers.map(\.name)
    for wanted in [["block4_conv3", "block5_conv1"]] where wanted.allSatisfy(names.contains) {
      return wanted.map { WeightedLayer($0) }
    }
    let maps = network.layersWithFeatures
    guard !maps.isEmpty else {
      throw .usage("no layer of the network gives maps, so there is nothing to dream with")
    }
    return [WeightedLayer(maps[min(maps.count * 2 / 3, maps.count - 1)].name)]
  }

  /// The sizes of the octaves, smallest first, without those that are too small for the layers.
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

  var taps: [LayerTap] { layers.map { LayerTap($0.name) } }

  /// Dreams from beginning to end.
  ///
  /// - Parameters:
  ///   - image: pixels of 0…255, in the network's channels.
  ///   - progress: is told of each step; false ends the dream, and the result is nil.
  /// - Returns: the last frame.
  /// - Throws: ``InsightError``, ``NetworkError`` where the image is too small for a layer.
  public func run(
    _ image: FloatImage, in subject: Subject, pool: WorkerPool,
    progress: (DreamProcess.Reading) -> Bool = { _ in true }
  ) throws -> FloatImage? {
    let process = try DreamProcess(self, on: image, in: subject, pool: pool)
    repeat {
      while !process.isFrameComplete {
        guard progress(try process.advance()) else { return nil }
      }
    } while process.beginNextFrame()
    return process.picture
  }

  /// What the layers give for a picture, for ``guide``.
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

/// The look `dream`: Deep Dream on the picture of a file.
public struct DreamLook: Hashable, Sendable {
  /// The picture to dream on.
  public var image: ImageSource
  /// A picture whose features are enhanced in place of the strongest ones; nil for none.
  public var guide: ImageSource?
  /// The longer side of the result, in pixels; nil keeps the picture's own.
  public var size: Int?
  /// How the dream goes on.
  public var dream = Dream()
  /// Minutes between the states that are saved during the work.
  public var saveEvery = 5.0

  /// A dream on this picture, with defaults for all else.
  public init(image: ImageSource) { self.image = image }

  /// The same look with everything chosen that was left to the network.
  ///
  /// - Throws: ``InsightError`` where no layer of the network gives maps.
  public func resolved(for network: ResolvedNetwork) throws(InsightError) -> DreamLook {
    var look = self
    if dream.layers.isEmpty { look.dream.layers = try Dream.defaultLayers(of: network) }
    return look
  }
}

extension DreamLook: DescribedSettings {
  /// The picture to dream on.
  public static let image = SettingKey<DreamLook>.image(\.image)
  /// The layers that dream.
  public static let layers = SettingKey(
    "layers", \DreamLook.dream.layers, .weightedLayers,
    "Layers that dream, each `{name: …, weight: …}`; `auto` takes those that suit the network.")
  /// The picture whose features are enhanced.
  public static let guide = SettingKey(
    "guide", \DreamLook.guide, .optional("none", .image),
    "A picture whose features are enhanced in place of the strongest ones.")
  /// Steps at each size.
  public static let steps = SettingKey(
    "steps", \DreamLook.dream.steps, .integer(1...1_000_000), "Steps at each size.")
  /// How far a step moves a pixel.
  public static let rate = SettingKey(
    "rate", \DreamLook.dream.rate, .number(.positive),
    "How far a step moves a pixel whose gradient is average, in levels of 0…255.")
  /// The number of sizes.
  public static let octaves = SettingKey(
    "octaves", \DreamLook.dream.octaves, .integer(1...100), "Number of sizes at which the picture is dreamt.")
  /// The ratio of neighbouring sizes.
  public static let octaveScale = SettingKey(
    "octave_scale", \DreamLook.dream.octaveScale,
    .number(NumberRange(minimum: 1, minimumIsAllowed: false, maximum: 10)),
    "Each size is this many times the one before.")
  /// The largest shift before each step.
  public static let jitter = SettingKey(
    "jitter", \DreamLook.dream.jitter, .integer(0...10_000), "Largest shift before each step, in pixels.")
  /// The longest side of a tile.
  public static let tile = SettingKey(
    "tile", \DreamLook.dream.tile, .integer(32...100_000),
    "Longest side of a tile, in pixels; it bounds the memory.")
  /// The longer side of the result.
  public static let size = SettingKey(
    "size", \DreamLook.size, .optional("auto", .integer(1...100_000)),
    "Longer side of the result, in pixels; `auto` keeps the picture's own.")
  /// The number of frames.
  public static let frames = SettingKey(
    "frames", \DreamLook.dream.frames, .integer(1...1_000_000), change: .extend,
    "Frames of a zoom into the dream; each dreams on from the one before.")
  /// How much each frame is enlarged for the next.
  public static let zoom = SettingKey(
    "zoom", \DreamLook.dream.zoom, .number(NumberRange(minimum: 1, maximum: 10)),
    "How much the middle of a frame is enlarged for the next one.")
  /// Minutes between saved states.
  public static let saveEvery = SettingKey<DreamLook>.saveEvery(\.saveEvery)

  /// All settings of a dream, in the order in which references list them.
  public static let settings = SettingsDescription(
    "Deep Dream, with the activations themselves as the gradient.", DreamLook(image: .none),
    [
      image, layers, guide, steps, rate, octaves, octaveScale, jitter, tile, size, frames, zoom, saveEvery,
    ])

  /// The word `dream` with its settings, as one kind of look.
  public static let kind = SettingsKind<Look>(
    "dream", "Deep Dream: layers see more of whatever they see in a picture.", settings.form,
    wrap: { .dream($0) }, unwrap: { if case .dream(let look) = $0 { look } else { nil } })
}

extension Subject {
  var channels: Int { network.inputShape.dimensions.last ?? 0 }

  /// A pixel of 0…255 in the network's units.
  func units(_ pixel: Float) -> Float { range.low + range.width / 255 * pixel }
}
