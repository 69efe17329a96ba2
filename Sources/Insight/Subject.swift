public import Compute
public import ImageFiles
public import Networks
public import Tensors

/// A trained network that is looked into: its layers by name, its values, its classes.
public struct Subject: Sendable {
  public let network: ResolvedNetwork
  public let values: CanonicalParameters
  /// As many as the network has outputs; numbers where nobody named them.
  public let classNames: [String]
  /// What a pixel of 0 and one of 1 are to the network: 0…255 for networks trained on bytes.
  public let range: PixelRange

  /// - Throws: ``InsightError`` of kind `badData` where a value is NaN or infinite.
  public init(
    _ network: ResolvedNetwork, values: CanonicalParameters, classNames: [String] = [],
    range: PixelRange = .bytes
  ) throws(InsightError) {
    for parameter in values.layout.parameters {
      guard values.values(of: parameter).allSatisfy(\.isFinite) else {
        throw .badData(
          "\(parameter.path) has a value that is NaN or infinite: the training went astray; use an earlier checkpoint"
        )
      }
    }
    self.network = network
    self.values = values
    self.range = range
    let count = network.outputShape.elementCount
    self.classNames = classNames.count == count ? classNames : (0..<count).map { "\($0)" }
  }

  /// `[H, W, C]` of the network's own images.
  ///
  /// - Throws: ``InsightError`` where the input is no image.
  public func imageShape() throws(InsightError) -> Shape {
    guard network.inputShape.rank == 3 else {
      throw .badData("the network takes \(network.inputShape), which is no image")
    }
    return network.inputShape
  }

  // MARK: - Layers

  /// - Throws: ``InsightError`` of kind `usage` that names the layers there are.
  public func layer(_ name: String) throws(InsightError) -> ResolvedLayer {
    guard let layer = network.layers.first(where: { $0.name == name }) else {
      throw .usage("the network has no layer '\(name)'; there are: \(list(network.layers))")
    }
    return layer
  }

  /// Layers with filters whose kernels can be drawn.
  public var convolutions: [ResolvedLayer] {
    network.layers.filter { if case .conv2D = $0.spec { true } else { false } }
  }

  /// The layer by name, or the last convolution; it gives maps.
  public func layerWithMaps(_ name: String?) throws(InsightError) -> ResolvedLayer {
    let layer: ResolvedLayer
    if let name {
      layer = try self.layer(name)
    } else {
      guard let last = convolutions.last else { throw .usage("the network has no convolution") }
      layer = last
    }
    guard layer.outputShape.rank == 3 else {
      throw .usage(
        "layer '\(layer.name)' gives \(layer.outputShape) and no maps; layers with maps: "
          + list(network.layers.filter { $0.outputShape.rank == 3 }))
    }
    return layer
  }

  /// - Throws: ``InsightError`` of kind `usage` that says which filters there are.
  public func check(filter: Int, of layer: ResolvedLayer) throws(InsightError) {
    let count = layer.outputShape.dimensions.last ?? 0
    guard filter >= 0, filter < count else {
      let word = layer.outputShape.rank == 3 ? "filter" : "unit"
      throw .usage("layer '\(layer.name)' has no \(word) \(filter); it has \(count), from 0 to \(count - 1)")
    }
  }

  /// A class by its name or number.
  public func classIndex(_ text: String) throws(InsightError) -> Int {
    if let index = classNames.firstIndex(of: text) { return index }
    if let index = Int(text), classNames.indices.contains(index) { return index }
    throw .usage("the network has no class '\(text)'; there are: \(classNames.joined(separator: ", "))")
  }

  /// Where the logits are: the output before a softmax.
  public var logits: LayerTap { LayerTap(network.network.output.name, .beforeActivation) }

  private func list(_ layers: [ResolvedLayer]) -> String { layers.map(\.name).joined(separator: ", ") }

  // MARK: - Images

  /// An image in the network's channels.
  ///
  /// - Returns: the image, and what was changed of the channels, for telling; nil where nothing was.
  public func withOwnChannels(_ image: Image) throws(InsightError) -> (image: Image, note: String?) {
    let shape = try imageShape()
    guard let channels = Image.Channels(rawValue: shape[2]), channels != .rgba else {
      throw .badData("the network takes images of \(shape[2]) channels, which no image file has")
    }
    let note: String? =
      switch (image.channels, channels) {
      case (.grey, .rgb): "is grey and was made three equal channels for this network of colour images"
      case (.rgb, .grey), (.rgba, .grey): "was turned grey for this network of grey images"
      default: nil
      }
    return (image.converted(to: channels), note)
  }

  /// An image as the network takes it: its channels, and its size by cutting to its proportions and resizing.
  ///
  /// - Returns: the values in 0…1, and what was changed of the channels, for telling; nil where nothing was.
  public func prepare(_ image: Image) throws(InsightError) -> (values: [Float], note: String?) {
    let shape = try imageShape()
    let (own, note) = try withOwnChannels(image)
    return (own.filling(height: shape[0], width: shape[1]).pixels.map { Float($0) / 255 }, note)
  }

  /// Values in 0…1 as a picture.
  public func picture(_ values: [Float]) -> Image { Picture.image(values, shape: network.inputShape) }
}

/// How pixels in 0…1 become what a network takes: `low + (high − low)·x`.
public struct PixelRange: Hashable, Sendable {
  public let low: Float
  public let high: Float

  public init(low: Float, high: Float) {
    precondition(low < high, "a range from \(low) to \(high) has no width")
    self.low = low
    self.high = high
  }

  public static let bytes = PixelRange(low: 0, high: 255)
  public static let unit = PixelRange(low: 0, high: 1)

  public var width: Float { high - low }
}

/// Values as pictures.
enum Picture {
  /// An image of values in 0…1; of other than one or three channels the mean.
  static func image(_ values: [Float], shape: Shape) -> Image {
    let channels = shape[2]
    func byte(_ value: Float) -> UInt8 { value > 0 ? UInt8(min((value * 255).rounded(), 255)) : 0 }
    if channels == 1 || channels == 3 {
      return Image(
        height: shape[0], width: shape[1], channels: channels == 1 ? .grey : .rgb, pixels: values.map(byte))
    }
    let pixels = (0..<shape[0] * shape[1]).map { pixel -> UInt8 in
      var sum: Float = 0
      for channel in 0..<channels { sum += values[pixel * channels + channel] }
      return byte(sum / Float(channels))
    }
    return Image(height: shape[0], width: shape[1], channels: .grey, pixels: pixels)
  }
}

extension Subject {
  /// Probabilities of all classes for images of pixels in 0…1: softmax over the logits.
  public func probabilities(of images: [[Float]]) throws -> [[Double]] {
    let trace = try LayerTrace(network, values: values, taps: [logits], gradient: false)
    let session = try trace.makeSession()
    return try images.map { image in
      let pixels = image.map { range.low + range.width * $0 }
      return Explanation.softmax(try session.values(for: pixels)[logits] ?? [])
    }
  }
}
