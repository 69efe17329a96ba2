internal import Compute
public import ImageFiles
internal import Networks
public import Parallel
internal import Tensors

/// How far an image is from one picture's content and another's style; each part includes its weight.
public struct StyleLosses: Hashable, Sendable {
  /// The loss of the content.
  public var content = 0.0
  /// The loss of the style.
  public var style = 0.0
  /// The loss of the total variation.
  public var variation = 0.0

  /// The sum of the three, which a transfer lowers.
  public var total: Double { content + style + variation }
}

/// The loss of a style transfer and its gradient, for images of one size.
///
/// It works on one image at a time. The pool computes each layer in parts, side by side; the number of workers changes no bit.
public final class StyleObjective {
  /// The number of parts into which a layer's channels are cut; it belongs to the numerics.
  public static let parts = 4

  /// Layers and weights.
  public let settings: StyleSettings
  /// The height of the images, in pixels.
  public let height: Int
  /// The width of the images, in pixels.
  public let width: Int

  private let channels: Int
  private let session: LayerTrace.Session
  private let contentTaps: [(tap: LayerTap, weight: Double, target: [Float])]
  private let styleTaps: [(tap: LayerTap, weight: Double, target: [Double], places: Double)]

  /// Measures the content and the style that images are compared with.
  ///
  /// - Parameters:
  ///   - content: in the network's units; it has the size of the images.
  ///   - style: in the network's units, of any size that fits the layers.
  ///   - exactKernels: whether to use direct convolutions alone; Winograd's are faster and round more coarsely.
  ///   - memoryLimit: is told how many bytes are needed before they are taken, and may throw.
  /// - Throws: ``InsightError`` for a layer that is missing or has no maps; ``NetworkError`` for an image that is too small.
  public init(
    _ subject: Subject, settings: StyleSettings, content: FloatImage, style: FloatImage, pool: WorkerPool,
    exactKernels: Bool = false,
    memoryLimit: (Int) throws -> Void = { _ in }
  ) throws {
    self.settings = settings
    (height, width, channels) = (content.height, content.width, content.channels)
    for layer in settings.contentLayers + settings.styleLayers { _ = try subject.layerWithMaps(layer.name) }
    let contentNames = settings.contentLayers.map { LayerTap($0.name) }
    let grams = settings.styleLayers.map { LayerTap($0.name, .gram) }
    func trace(_ taps: [LayerTap], of image: FloatImage, gradient: Bool) throws -> LayerTrace {
      let trace = try LayerTrace(
        subject.network, values: subject.values, taps: taps,
        imageShape: [image.height, image.width, image.channels], gradient: gradient,
        kernels: exactKernels ? .direct : .costModel, parts: Self.parts, pool: pool)
      try memoryLimit(trace.sessionByteCount)
      return trace
    }
    func places(_ tap: LayerTap, _ trace: LayerTrace) -> Double {
      let shape = trace.network.shape(of: tap.layer) ?? [1, 1, 1]
      return Double(shape[0] * shape[1])
    }
    // The network for the style picture is released before that for the image is made.
    var styleTargets: [LayerTap: [Double]] = [:]
    if !grams.isEmpty {
      let styleTrace = try trace(grams, of: style, gradient: false)
      for (tap, values) in try styleTrace.makeSession().values(for: style.values) {
        let count = places(tap, styleTrace)
        styleTargets[tap] = values.map { Double($0) / count }
      }
    }
    let own = try trace(contentNames + grams, of: content, gradient: true)
    session = try own.makeSession()
    let contentTargets = try session.values(for: content.values)
    contentTaps = zip(contentNames, settings.contentLayers).map { tap, layer in
      let target = contentTargets[tap] ?? []
      let scale = settings.isRelative ? 1 / max(FixedOrder.dot(target, target) / 2, 1e-30) : 1
      return (tap, layer.weight * settings.contentWeight * scale, target)
    }
    styleTaps = zip(grams, settings.styleLayers).map { tap, layer in
      let target = styleTargets[tap] ?? []
      let filters = Double(target.count).squareRoot()
      let square = target.reduce(0) { $0 + $1 * $1 }
      let scale = settings.isRelative ? 1 / max(square, 1e-30) : 1 / (4 * filters * filters)
      return (tap, layer.weight * settings.styleWeight * scale, target, places(tap, own))
    }
  }

  /// The losses of an image, `[height, width, channels]` in the network's units, and the gradient of their sum.
  public func evaluate(_ image: [Float]) throws -> (losses: StyleLosses, gradient: [Float]) {
    precondition(image.count == height * width * channels, "an image of another size: \(image.count) values")
    try image.withUnsafeBufferPointer { image in
      if let base = image.baseAddress { try session.forward(base) }
    }
    var losses = StyleLosses()
    for entry in contentTaps {
      losses.content += content(entry.tap, entry.weight, entry.target)
    }
    for entry in styleTaps {
      losses.style += style(entry.tap, entry.weight, entry.target, entry.places)
    }
    var gradient = Array(try session.backward())
    losses.variation = variation(of: image, addingTo: &gradient)
    return (losses, gradient)
  }

  /// `w·½·Σ(F − P)²`; its gradient `w·(F − P)` goes into the seed.
  private func content(_ tap: LayerTap, _ weight: Double, _ target: [Float]) -> Double {
    let (values, seed) = (session.value(of: tap), session.seed(of: tap))
    let factor = Float(weight)
    target.withUnsafeBufferPointer { target in
      for index in seed.indices { seed[index] = values[index] - target[index] }
    }
    guard let base = seed.baseAddress else { return 0 }
    let sum = FixedOrder.dot(base, base, count: seed.count)
    for index in seed.indices { seed[index] *= factor }
    return weight * sum / 2
  }

  /// `w·Σ(G/M − A)²`; its gradient `2w·(G/M − A)/M` goes into the seed.
  private func style(_ tap: LayerTap, _ weight: Double, _ target: [Double], _ places: Double) -> Double {
    let (values, seed) = (session.value(of: tap), session.seed(of: tap))
    var sum = 0.0
    target.withUnsafeBufferPointer { target in
      for index in seed.indices {
        let difference = Double(values[index]) / places - target[index]
        sum += difference * difference
        seed[index] = Float(2 * weight * difference / places)
      }
    }
    return weight * sum
  }

  /// `γ·Σ(x − x_below)² + γ·Σ(x − x_right)²`.
  private func variation(of image: [Float], addingTo gradient: inout [Float]) -> Double {
    guard settings.totalVariation > 0 else { return 0 }
    let factor = Float(2 * settings.totalVariation)
    let stride = width * channels
    var sum = 0.0
    image.withUnsafeBufferPointer { x in
      gradient.withUnsafeMutableBufferPointer { gradient in
        func pair(_ left: Int, _ right: Int) {
          let difference = x[right] - x[left]
          sum += Double(difference) * Double(difference)
          gradient[right] += factor * difference
          gradient[left] -= factor * difference
        }
        for row in 0..<height {
          for index in 0..<stride {
            let place = row * stride + index
            if row + 1 < height { pair(place, place + stride) }
            if index + channels < stride { pair(place, place + channels) }
          }
        }
      }
    }
    return settings.totalVariation * sum
  }
}
