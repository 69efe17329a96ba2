internal import Compute
public import ImageFiles
public import Networks
internal import Tensors

/// The feature maps of a layer for one image.
public struct FeatureMaps: Sendable {
  /// The layer that gives the maps.
  public let layer: ResolvedLayer
  /// The activations, `[H, W, C]`.
  public let values: [Float]
  /// Rows of a map.
  public let height: Int
  /// Columns of a map.
  public let width: Int
  /// The number of maps, one for each filter.
  public let count: Int

  /// Runs the network up to the layer.
  ///
  /// - Parameter image: pixels in 0…1, in the network's shape.
  /// - Throws: ``InsightError`` for a layer that is missing or has no maps.
  public init(of image: [Float], layer name: String, in subject: Subject) throws {
    let layer = try subject.layerWithMaps(name)
    let tap = LayerTap(name)
    let trace = try LayerTrace(
      subject.network, values: subject.values, taps: [tap], gradient: false)
    let pixels = image.map { subject.range.low + subject.range.width * $0 }
    self.init(layer: layer, values: try trace.makeSession().values(for: pixels)[tap] ?? [])
  }

  init(layer: ResolvedLayer, values: [Float]) {
    self.layer = layer
    self.values = values
    (height, width, count) = (layer.outputShape[0], layer.outputShape[1], layer.outputShape[2])
  }

  /// A filter's degree of activation as the lecture defines it: the sum over its map.
  public func degree(_ filter: Int) -> Double {
    var sum = 0.0
    for index in stride(from: filter, to: values.count, by: count) { sum += Double(values[index]) }
    return sum
  }

  /// The activations of one filter, row by row.
  public func map(_ filter: Int) -> [Float] {
    stride(from: filter, to: values.count, by: count).map { values[$0] }
  }

  /// A filter's map in grey: black is the least value of all maps, or 0 where none is negative, and white the greatest.
  ///
  /// - Parameter shared: whether all maps share one scale; otherwise each map takes the whole contrast.
  public func picture(_ filter: Int, shared: Bool = true) -> Image {
    let map = map(filter)
    let all = shared ? values : map
    let low = min(all.min() ?? 0, 0)
    let high = max(all.max() ?? 0, low)
    let scale = high > low ? 255 / (high - low) : 0
    return Image(
      height: height, width: width, channels: .grey,
      pixels: map.map { Picture.level(($0 - low) * scale) })
  }
}
