internal import Compute
internal import Foundation
public import ImageFiles
internal import Networks
public import Parallel
internal import Tensors

/// Which parts of an image a prediction rests on, by three methods.
public struct Explanation: Sendable {
  /// A weight for each place of a grid over the image, at least 0 and not all 0 unless nothing counts.
  public struct Map: Hashable, Sendable {
    public let height: Int
    public let width: Int
    public let values: [Float]
  }

  public let classIndex: Int
  /// The probability of each class, by softmax over the logits.
  public let probabilities: [Double]
  /// `max_c |∂y/∂x_c|` for every pixel (Simonyan 2013).
  public let saliency: Map
  /// `ReLU(Σ_k α_k Aᵏ)` with α_k the mean of `∂y/∂Aᵏ` over the map (Selvaraju 2017); nil where no layer has maps.
  public let gradCAM: Map?
  /// How much the class's probability falls when a square there is covered with mid-grey (Zeiler and Fergus 2014); not below 0.
  public let occlusion: Map

  /// How the maps of an explanation are made.
  public struct Settings: Hashable, Sendable {
    /// Nil explains the most probable class.
    public var classIndex: Int?
    /// The layer that Grad-CAM looks at; nil takes the last convolution.
    public var layer: String?
    /// Side of the covered square; nil takes a quarter of the image's shorter side.
    public var patch: Int?
    /// The distance from one square to the next, in pixels; nil takes a third of the patch, at least 1.
    public var stride: Int?

    public init(classIndex: Int? = nil, layer: String? = nil, patch: Int? = nil, stride: Int? = nil) {
      self.classIndex = classIndex
      self.layer = layer
      self.patch = patch
      self.stride = stride
    }
  }

  /// - Parameter image: pixels in 0…1, in the network's shape.
  public init(of image: [Float], in subject: Subject, _ settings: Settings, pool: WorkerPool) throws {
    let shape = try subject.imageShape()
    let tap = subject.logits
    let trace = try LayerTrace(subject.network, values: subject.values, taps: [tap])
    let session = try trace.makeSession()
    let pixels = image.map { subject.range.low + subject.range.width * $0 }
    let logits = try session.values(for: pixels)[tap] ?? []
    probabilities = Self.softmax(logits)
    let chosen = settings.classIndex ?? Self.largest(logits)
    guard logits.indices.contains(chosen) else {
      throw InsightError.usage("the network has no class \(chosen); it has \(logits.count), from 0")
    }
    classIndex = chosen
    var seed = [Float](repeating: 0, count: logits.count)
    seed[chosen] = 1
    let gradient = try session.gradient(of: pixels, seeds: [tap: seed])
    saliency = Map(
      height: shape[0], width: shape[1],
      values: (0..<shape[0] * shape[1]).map { pixel in
        (0..<shape[2]).reduce(0) { max($0, abs(gradient[pixel * shape[2] + $1])) }
      })
    gradCAM = try Self.gradCAM(of: pixels, seed, in: subject, layer: settings.layer)
    occlusion = try Self.occlusion(
      of: image, classIndex: chosen, probability: probabilities[chosen], in: subject, settings, pool)
  }

  private static func largest(_ logits: [Float]) -> Int {
    logits.indices.reduce(0) { logits[$1] > logits[$0] ? $1 : $0 }
  }

  static func softmax(_ logits: [Float]) -> [Double] {
    let top = Double(logits.max() ?? 0)
    let powers = logits.map { exp(Double($0) - top) }
    let sum = powers.reduce(0, +)
    return powers.map { $0 / sum }
  }

  // MARK: - Grad-CAM

  private static func gradCAM(
    of pixels: [Float], _ seed: [Float], in subject: Subject, layer name: String?
  ) throws -> Map? {
    if name == nil, subject.convolutions.isEmpty { return nil }
    let layer = try subject.layerWithMaps(name)
    let tap = LayerTap(layer.name)
    let head = try LayerTrace(subject.network, values: subject.values, taps: [tap], gradient: false)
    let maps = try head.makeSession().values(for: pixels)[tap] ?? []
    // What follows the layer, as a network of its own whose image is the layer's maps.
    let tail = try LayerTrace(
      try rest(of: subject.network, after: layer), values: subject.values, taps: [subject.logits])
    let gradient = try tail.makeSession().gradient(of: maps, seeds: [subject.logits: seed])
    let (height, width, count) = (layer.outputShape[0], layer.outputShape[1], layer.outputShape[2])
    var weights = [Double](repeating: 0, count: count)
    for index in gradient.indices { weights[index % count] += Double(gradient[index]) }
    let values = (0..<height * width).map { place -> Float in
      var sum = 0.0
      for filter in 0..<count {
        sum += weights[filter] / Double(height * width) * Double(maps[place * count + filter])
      }
      return Float(max(sum, 0))
    }
    return Map(height: height, width: width, values: values)
  }

  private static func rest(of network: ResolvedNetwork, after layer: ResolvedLayer) throws -> ResolvedNetwork
  {
    var known: Set<String> = [layer.name]
    var layers: [Layer] = []
    for next in network.network.layers where !known.isDisjoint(with: next.inputs) {
      guard known.isSuperset(of: next.inputs) else {
        throw InsightError.usage(
          "layer '\(next.name)' also takes what goes around '\(layer.name)'; choose a layer that everything passes through"
        )
      }
      known.insert(next.name)
      let inputs = next.inputs.map { $0 == layer.name ? Network.inputName : $0 }
      layers.append(Layer(name: next.name, inputs: inputs, spec: next.spec))
    }
    guard layers.last?.name == network.network.output.name else {
      throw InsightError.usage("nothing follows layer '\(layer.name)'; choose one before the output")
    }
    return try Network(inputShape: layer.outputShape, layers: layers).resolved()
  }

  // MARK: - Occlusion

  private static let shard = 16

  private static func occlusion(
    of image: [Float], classIndex: Int, probability: Double, in subject: Subject, _ settings: Settings,
    _ pool: WorkerPool
  ) throws -> Map {
    let shape = subject.network.inputShape
    let (height, width, channels) = (shape[0], shape[1], shape[2])
    let patch = settings.patch ?? max(1, min(height, width) / 4)
    let stride = settings.stride ?? max(1, patch / 3)
    guard patch >= 1, patch <= min(height, width), stride >= 1 else {
      throw InsightError.usage(
        "a square of \(patch) pixels every \(stride) does not fit an image of \(shape)")
    }
    let rows = (height - patch) / stride + 1
    let columns = (width - patch) / stride + 1
    let tap = subject.logits
    let sharding = Sharding(sampleCount: rows * columns, shardSize: Self.shard)
    var traces: [Int: LayerTrace] = [:]
    for size in sharding.sizes {
      traces[size] = try LayerTrace(
        subject.network, values: subject.values, taps: [tap], samples: size, gradient: false)
    }
    let known = traces
    let drops = AlignedBuffer<Float>(count: rows * columns)
    let grey = subject.range.low + subject.range.width / 2
    try pool.forEach(count: sharding.count) { shard, _ in
      let range = sharding[shard]
      guard let trace = known[range.count] else { return }
      var pixels: [Float] = []
      for place in range {
        var covered = image.map { subject.range.low + subject.range.width * $0 }
        let (top, left) = (place / columns * stride, place % columns * stride)
        for y in top..<top + patch {
          for index in (y * width + left) * channels..<(y * width + left + patch) * channels {
            covered[index] = grey
          }
        }
        pixels += covered
      }
      let logits = try trace.makeSession().values(for: pixels)[tap] ?? []
      let classes = logits.count / range.count
      for (index, place) in range.enumerated() {
        let found = softmax(Array(logits[index * classes..<(index + 1) * classes]))[classIndex]
        drops.baseAddress[place] = Float(max(probability - found, 0))
      }
    }
    return Map(height: rows, width: columns, values: drops.array())
  }
}

extension Explanation.Map {
  public var largest: Float { values.max() ?? 0 }

  /// The map over a picture: the picture in grey, and over it colours from dark (nothing) to bright (most).
  ///
  /// - Parameter strength: share of the colour where the map is largest, in 0…1.
  public func drawn(over image: Image, strength: Float = 0.75) -> Image {
    let top = largest
    let heat = FloatImage(
      height: height, width: width, channels: 1, values: values.map { top > 0 ? $0 / top : 0 }
    ).resized(height: image.height, width: image.width)
    let grey = image.converted(to: .grey)
    var pixels: [UInt8] = []
    pixels.reserveCapacity(image.height * image.width * 3)
    for index in grey.pixels.indices {
      let level = min(max(heat.values[index], 0), 1)
      let color = HeatColor.color(level)
      let share = strength * level.squareRoot()
      let under = Float(grey.pixels[index]) * 0.8
      for channel in 0..<3 {
        pixels.append(UInt8(min(max(under * (1 - share) + color[channel] * share, 0), 255)))
      }
    }
    return Image(height: image.height, width: image.width, channels: .rgb, pixels: pixels)
  }
}

/// Colours whose brightness grows evenly from black through purple and orange to yellow.
enum HeatColor {
  private static let stops: [[Float]] = [
    [10, 5, 40], [90, 20, 110], [190, 55, 85], [245, 125, 25], [252, 225, 90],
  ]

  /// - Parameter level: in 0…1.
  static func color(_ level: Float) -> [Float] {
    let place = min(max(level, 0), 1) * Float(stops.count - 1)
    let index = min(Int(place), stops.count - 2)
    let share = place - Float(index)
    return (0..<3).map { stops[index][$0] * (1 - share) + stops[index + 1][$0] * share }
  }
}
