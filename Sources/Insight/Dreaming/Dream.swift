internal import Compute
public import ImageFiles
public import Networks
public import Parallel
public import Settings
internal import Tensors

/// Deep Dream: an image is changed so that whatever a layer sees in it, it sees more of.
///
/// The gradient at the chosen layers is the activations themselves: what is positive grows, what is negative shrinks, which
/// maximises `½·Σ wₗ·Σa²`. The image is dreamt upon at several sizes (octaves); detail of the smaller one is put into the
/// larger. Before each step the image is moved in a circle (jitter) and cut into tiles, each by itself through the network,
/// so that memory is bounded and seams, which fall elsewhere each time, vanish. Tiles and the order of all sums depend on
/// sizes alone.
/// - SeeAlso: Mordvintsev, Olah & Tyka 2015, "Inceptionism"; <https://github.com/google/deepdream>.
public struct Dream: Hashable, Sendable {
  /// None leaves the choice to the network, by ``defaultLayers(of:)``.
  public var layers: [WeightedLayer] = []
  public var steps = 10
  /// Change of a pixel by a mean gradient, in pixels of 0…255.
  public var rate = 1.5
  public var octaves = 4
  public var octaveScale = 1.4
  /// Largest shift before each step, in pixels; where there are tiles, they are shifted by up to a whole one.
  public var jitter = 32
  /// Largest side of a tile.
  public var tile = 512
  /// Pictures, each dreamt upon an enlarged middle of the one before: the frames of a zoom.
  public var frames = 1
  /// How much a frame's middle is enlarged for the next.
  public var zoom = 1.05
  /// Begins the random numbers of the shifts.
  public var seed: UInt64 = 0
  /// The layers' values of a picture whose features are to be enhanced instead of the strongest: `[places, C]` by layer.
  public var guide: [String: [Float]] = [:]

  public init(layers: [WeightedLayer] = []) { self.layers = layers }

  /// Layers in the upper half of the network, where there are parts of things; of VGG the paper's successors' choice.
  public static func defaultLayers(of network: ResolvedNetwork) throws(InsightError) -> [WeightedLayer] {
    let names = network.layers.map(\.name)
    for wanted in [["block4_conv3", "block5_conv1"]] where wanted.allSatisfy(names.contains) {
      return wanted.map { WeightedLayer($0) }
    }
    let maps = network.layersWithFeatures
    guard !maps.isEmpty else {
      throw .usage("no layer of the network gives maps, so that there is nothing to dream with")
    }
    return [WeightedLayer(maps[min(maps.count * 2 / 3, maps.count - 1)].name)]
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

  var taps: [LayerTap] { layers.map { LayerTap($0.name) } }

  /// Dreams upon an image, from beginning to end.
  ///
  /// - Parameters:
  ///   - image: pixels of 0…255, in the network's channels.
  ///   - progress: told after each step; false ends the dream, and the result is nil.
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

/// Deep Dream upon a picture of a file.
public struct DreamLook: Hashable, Sendable {
  public var image: ImageSource
  /// A picture whose features are enhanced instead of the strongest.
  public var guide: ImageSource?
  /// The longer side of the result, in pixels; nil keeps the picture's.
  public var size: Int?
  public var dream = Dream()
  /// Minutes between states that are saved on the way.
  public var saveEvery = 5.0

  public init(image: ImageSource) { self.image = image }

  /// The same with everything chosen that was left to the network.
  public func resolved(for network: ResolvedNetwork) throws(InsightError) -> DreamLook {
    var look = self
    if dream.layers.isEmpty { look.dream.layers = try Dream.defaultLayers(of: network) }
    return look
  }
}

extension DreamLook: DescribedSettings {
  public static let image = SettingKey<DreamLook>.image(\.image)
  public static let layers = SettingKey(
    "layers", \DreamLook.dream.layers, .weightedLayers,
    "What dreams, each `{name: …, weight: …}`; `auto` takes what suits the network.")
  public static let guide = SettingKey(
    "guide", \DreamLook.guide, .optional("none", .image),
    "A picture whose features are enhanced instead of the strongest.")
  public static let steps = SettingKey(
    "steps", \DreamLook.dream.steps, .integer(1...1_000_000), "Steps at each size.")
  public static let rate = SettingKey(
    "rate", \DreamLook.dream.rate, .number(.positive), "Change of a pixel of 0…255 by a mean gradient.")
  public static let octaves = SettingKey(
    "octaves", \DreamLook.dream.octaves, .integer(1...100), "Sizes at which the picture is dreamt upon.")
  public static let octaveScale = SettingKey(
    "octave_scale", \DreamLook.dream.octaveScale,
    .number(NumberRange(minimum: 1, minimumIsAllowed: false, maximum: 10)), "From one size to the next.")
  public static let jitter = SettingKey(
    "jitter", \DreamLook.dream.jitter, .integer(0...10_000), "Largest shift before each step, in pixels.")
  public static let tile = SettingKey(
    "tile", \DreamLook.dream.tile, .integer(32...100_000), "Largest side of a tile; bounds the memory.")
  public static let size = SettingKey(
    "size", \DreamLook.size, .optional("auto", .integer(1...100_000)),
    "Longer side of the result; `auto` keeps the picture's own.")
  public static let frames = SettingKey(
    "frames", \DreamLook.dream.frames, .integer(1...1_000_000), change: .extend,
    "Frames of a zoom into the dream, each dreamt upon again.")
  public static let zoom = SettingKey(
    "zoom", \DreamLook.dream.zoom, .number(NumberRange(minimum: 1, maximum: 10)),
    "How much a frame of the zoom grows.")
  public static let saveEvery = SettingKey<DreamLook>.saveEvery(\.saveEvery)

  public static let settings = SettingsDescription(
    "Deep Dream; the activations themselves are taken as the gradient.", DreamLook(image: .none),
    [
      image, layers, guide, steps, rate, octaves, octaveScale, jitter, tile, size, frames, zoom, saveEvery,
    ])

  public static let kind = SettingsKind<Look>(
    "dream", "Deep Dream: whatever layers see in a picture, they see more of.", settings.form,
    wrap: { .dream($0) }, unwrap: { if case .dream(let look) = $0 { look } else { nil } })
}

extension Subject {
  var channels: Int { network.inputShape.dimensions.last ?? 0 }

  /// A pixel of 0…255 in the network's units.
  func units(_ pixel: Float) -> Float { range.low + range.width / 255 * pixel }
}
