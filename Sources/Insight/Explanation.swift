internal import Compute
public import ImageFiles
public import Networks
public import Parallel
internal import Tensors
internal import Training

/// Three maps of the parts of an image that a network's answer rests on.
public struct Explanation: Sendable {
  /// A weight for each place of a grid over the image; weights are at least 0, and all are 0 where nothing counts.
  public struct Map: Hashable, Sendable {
    /// Rows of the grid.
    public let height: Int
    /// Columns of the grid.
    public let width: Int
    /// The weights, `[height, width]`.
    public let values: [Float]
    /// Where the middles of the grid's rows and columns lie in the image, in pixels from the middle of the first one; nil where the
    /// grid is the image at another size.
    public var places: Places?

    /// The middles of a grid's places in the image.
    public struct Places: Hashable, Sendable {
      /// The middle of each row of the grid, in pixels from the middle of the image's first row.
      public let rows: [Float]
      /// The middle of each column of the grid, in pixels from the middle of the image's first column.
      public let columns: [Float]
      /// Height and width of the image, in pixels.
      public let size: Size2D
    }
  }

  /// The output that is explained.
  public let classIndex: Int
  /// The network's answer for the image: probabilities of classes or labels, or numbers.
  public let outputs: [Double]
  /// `max_c |∂y/∂x_c|` for every pixel (Simonyan 2013), y being the output without softmax or sigmoid.
  public let saliency: Map
  /// `ReLU(Σ_k α_k Aᵏ)` with α_k the mean of `∂y/∂Aᵏ` over the map (Selvaraju 2017); nil where no layer has maps.
  ///
  /// The derivative follows all ways from the layer to the output; what goes around the layer is held constant.
  public let gradCAM: Map?
  /// How much the output's probability falls when a square is covered with mid-grey (Zeiler and Fergus 2014), at least 0; for an
  /// output that is a number, how far it moves either way.
  ///
  /// The squares begin at every multiple of the stride that leaves room for one, and the last ones end at the image's edges.
  public let occlusion: Map

  /// How the maps of an explanation are made.
  public struct Settings: Hashable, Sendable {
    /// The output to explain; nil takes the most probable one, or the first where outputs are numbers.
    public var classIndex: Int?
    /// The layer whose maps Grad-CAM uses; nil takes the last convolution, or else the last layer that gives maps.
    public var layer: String?
    /// The side of the covered square, in pixels; nil takes a quarter of the image's shorter side.
    public var patch: Int?
    /// The distance from one square to the next, in pixels; nil takes a third of the patch, at least 1.
    public var stride: Int?

    /// Settings; what is nil is chosen by the network and the image's size.
    public init(classIndex: Int? = nil, layer: String? = nil, patch: Int? = nil, stride: Int? = nil) {
      self.classIndex = classIndex
      self.layer = layer
      self.patch = patch
      self.stride = stride
    }
  }

  /// Computes all three maps.
  ///
  /// - Parameter image: pixels in 0…1, in the network's shape.
  /// - Throws: ``InsightError`` for an output or layer that the network lacks, and for a square that does not fit the image.
  public init(of image: [Float], in subject: Subject, _ settings: Settings, pool: WorkerPool) throws {
    let shape = try subject.imageShape()
    let layer = try settings.layer == nil ? subject.lastLayerWithMaps : subject.layerWithMaps(settings.layer)
    let output = subject.logits
    let maps = layer.map { LayerTap($0.name) }
    let trace = try LayerTrace(
      subject.network, values: subject.values,
      taps: output == maps ? [output] : [output] + (maps.map { [$0] } ?? []),
      keptGradients: maps.map { [$0] } ?? [])
    let session = try trace.makeSession()
    let pixels = subject.units(image)
    let values = try session.values(for: pixels)
    let logits = values[output] ?? []
    outputs = subject.criterion.values(logits[...])
    let chosen = settings.classIndex ?? subject.mainOutput(of: outputs)
    guard logits.indices.contains(chosen) else {
      throw InsightError.usage("the network has no output \(chosen); it has \(logits.count), from 0")
    }
    classIndex = chosen
    var seed = [Float](repeating: 0, count: logits.count)
    seed[chosen] = 1
    let gradient = try session.gradient(of: pixels, seeds: [output: seed])
    saliency = Map(
      height: shape[0], width: shape[1],
      values: (0..<shape[0] * shape[1]).map { pixel in
        (0..<shape[2]).reduce(0) { max($0, abs(gradient[pixel * shape[2] + $1])) }
      })
    if let layer, let maps {
      gradCAM = Self.gradCAM(
        values[maps] ?? [], session.gradient(at: maps).map { Array($0) } ?? [], shape: layer.outputShape)
    } else {
      gradCAM = nil
    }
    occlusion = try Self.occlusion(
      of: image, output: chosen, value: outputs[chosen], in: subject, settings, pool)
  }

  // MARK: - Grad-CAM

  /// - Parameters:
  ///   - maps: `[H, W, C]`.
  ///   - gradient: ∂y/∂maps; empty where y does not depend on the layer.
  private static func gradCAM(_ maps: [Float], _ gradient: [Float], shape: Shape) -> Map {
    let (height, width, count) = (shape[0], shape[1], shape[2])
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

  // MARK: - Occlusion

  private static let shard = 16

  private static func occlusion(
    of image: [Float], output: Int, value: Double, in subject: Subject, _ settings: Settings,
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
    let tops = starts(upTo: height - patch, stride)
    let lefts = starts(upTo: width - patch, stride)
    let tap = subject.logits
    let sharding = Sharding(sampleCount: tops.count * lefts.count, shardSize: Self.shard)
    var traces: [Int: LayerTrace] = [:]
    for size in sharding.sizes {
      traces[size] = try LayerTrace(
        subject.network, values: subject.values, taps: [tap], samples: size, gradient: false)
    }
    let known = traces
    let drops = AlignedBuffer<Float>(count: tops.count * lefts.count)
    let grey = subject.range.low + subject.range.width / 2
    let own = subject.units(image)
    let isProbability = subject.criterion.givesProbabilities
    try pool.forEach(count: sharding.count) { shard, _ in
      let range = sharding[shard]
      guard let trace = known[range.count] else { return }
      var pixels: [Float] = []
      for place in range {
        var covered = own
        let (top, left) = (tops[place / lefts.count], lefts[place % lefts.count])
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
        let found = subject.criterion.values(logits[index * classes..<(index + 1) * classes])[output]
        drops.baseAddress[place] = Float(isProbability ? max(value - found, 0) : abs(value - found))
      }
    }
    let middle = Float(patch - 1) / 2
    return Map(
      height: tops.count, width: lefts.count, values: drops.array(),
      places: Map.Places(
        rows: tops.map { Float($0) + middle }, columns: lefts.map { Float($0) + middle },
        size: Size2D(height, width)))
  }

  /// Every multiple of the stride up to the last, and the last.
  private static func starts(upTo last: Int, _ stride: Int) -> [Int] {
    let regular = Array(Swift.stride(from: 0, through: last, by: stride))
    return last.isMultiple(of: stride) ? regular : regular + [last]
  }
}

extension Explanation.Map {
  /// The largest weight; 0 for an empty map.
  public var largest: Float { values.max() ?? 0 }

  /// The map drawn over a picture: the picture in grey, and over it colours from dark (nothing) to bright (most).
  ///
  /// - Parameter strength: the share of the colour where the map is largest, in 0…1.
  public func drawn(over image: Image, strength: Float = 0.75) -> Image {
    let top = largest
    let shares = FloatImage(
      height: height, width: width, channels: 1, values: values.map { top > 0 ? $0 / top : 0 })
    let heat =
      places.map { spread(shares, $0, height: image.height, width: image.width) }
      ?? shares.resized(height: image.height, width: image.width)
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

extension Explanation.Map {
  /// The grid spread over a picture: each value lies at the middle of its place, and values between middles are interpolated.
  ///
  /// The interpolation is linear in rows and columns; beyond the outermost middles their own values go on.
  private func spread(_ grid: FloatImage, _ places: Places, height: Int, width: Int) -> FloatImage {
    /// The two middles around each pixel, and the share of the second.
    func shares(_ middles: [Float], _ pixels: Int, of size: Int) -> [(first: Int, second: Int, share: Float)]
    {
      (0..<pixels).map { pixel in
        let place = (Float(pixel) + 0.5) * Float(size) / Float(pixels) - 0.5
        guard let second = middles.firstIndex(where: { $0 >= place }) else {
          return (middles.count - 1, middles.count - 1, 0)
        }
        guard second > 0 else { return (0, 0, 0) }
        return (second - 1, second, (place - middles[second - 1]) / (middles[second] - middles[second - 1]))
      }
    }
    let rows = shares(places.rows, height, of: places.size.height)
    let columns = shares(places.columns, width, of: places.size.width)
    var values: [Float] = []
    values.reserveCapacity(height * width)
    for row in rows {
      for column in columns {
        func mixed(_ line: Int) -> Float {
          grid.values[line * grid.width + column.first] * (1 - column.share)
            + grid.values[line * grid.width + column.second] * column.share
        }
        values.append(mixed(row.first) * (1 - row.share) + mixed(row.second) * row.share)
      }
    }
    return FloatImage(height: height, width: width, channels: 1, values: values)
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
