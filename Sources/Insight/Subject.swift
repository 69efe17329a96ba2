public import Compute
public import ImageFiles
public import Networks
public import Tensors
internal import Training

/// A trained network to look into: its layers by name, its parameters, its classes.
public struct Subject: Sendable {
  /// The network with the shapes of its layers.
  public let network: ResolvedNetwork
  /// The values of its parameters.
  public let values: CanonicalParameters
  /// The loss that the network was trained on, which says what its outputs mean.
  public let criterion: Criterion
  /// A name for each of the network's outputs; numbers where they have no names.
  public let classNames: [String]
  /// The names of the classes that samples belong to: two where a single output tells them apart, none where they have no names.
  let sampleClassNames: [String]
  /// What pixels of 0 and 1 are to the network: 0 and 255 for networks trained on bytes.
  public let range: PixelRange
  /// Whether samples are spectra of sounds, which are drawn with time to the right.
  public let drawsSpectra: Bool

  /// A network with its parameters.
  ///
  /// - Parameters:
  ///   - classNames: the names of the outputs, or of the two classes that a single output tells apart.
  ///   - criterion: nil takes labels for a network that ends in a sigmoid, and classes for any other.
  /// - Throws: ``InsightError`` of kind `badData` where a value is NaN or infinite.
  public init(
    _ network: ResolvedNetwork, values: CanonicalParameters, classNames: [String] = [],
    criterion: Criterion? = nil, range: PixelRange = .bytes, drawsSpectra: Bool = false
  ) throws(InsightError) {
    for parameter in values.layout.parameters {
      guard values.values(of: parameter).allSatisfy(\.isFinite) else {
        throw .badData(
          "\(parameter.path) has a value that is NaN or infinite: the training diverged; use an earlier checkpoint"
        )
      }
    }
    self.network = network
    self.values = values
    self.range = range
    self.drawsSpectra = drawsSpectra
    let criterion = criterion ?? Self.impliedCriterion(network)
    self.criterion = criterion
    self.classNames = criterion.outputNames([classNames], count: network.outputShape.elementCount)
    let count = network.outputShape.elementCount
    sampleClassNames = classNames.count == count || (count == 1 && classNames.count == 2) ? classNames : []
  }

  private static func impliedCriterion(_ network: ResolvedNetwork) -> Criterion {
    guard network.network.output.spec.finalActivation == .sigmoid else { return .classification }
    return Criterion(
      loss: .sigmoidCrossEntropy(SigmoidCrossEntropy()), targets: .values,
      outputs: network.outputShape.elementCount)
  }

  /// The shape of the network's own images, `[H, W, C]`.
  ///
  /// - Throws: ``InsightError`` where the network takes no images.
  public func imageShape() throws(InsightError) -> Shape {
    guard network.inputShape.rank == 3 else {
      throw .badData("the network takes inputs of \(network.inputShape), which are no images")
    }
    return network.inputShape
  }

  // MARK: - Layers

  /// The layer of this name.
  ///
  /// - Throws: ``InsightError`` of kind `usage` that lists the layers.
  public func layer(_ name: String) throws(InsightError) -> ResolvedLayer {
    guard let layer = network.layers.first(where: { $0.name == name }) else {
      throw .usage("the network has no layer '\(name)'; its layers are \(list(network.layers))")
    }
    return layer
  }

  /// The layers with filters whose kernels can be drawn.
  public var convolutions: [ResolvedLayer] {
    network.layers.filter { if case .conv2D = $0.spec { true } else { false } }
  }

  /// The last convolution of any kind, or else the last layer that gives maps; nil where no layer does.
  var lastLayerWithMaps: ResolvedLayer? {
    let withMaps = network.layers.filter { $0.outputShape.rank == 3 }
    return withMaps.last { $0.spec.makesMaps } ?? withMaps.last
  }

  /// The layer of this name, or the last one with maps where the name is nil.
  ///
  /// - Throws: ``InsightError`` of kind `usage` for a layer that is missing or gives no maps.
  public func layerWithMaps(_ name: String?) throws(InsightError) -> ResolvedLayer {
    let layer: ResolvedLayer
    if let name {
      layer = try self.layer(name)
    } else {
      guard let last = lastLayerWithMaps else { throw .usage("no layer of the network gives maps") }
      layer = last
    }
    guard layer.outputShape.rank == 3 else {
      let others = network.layers.filter { $0.outputShape.rank == 3 }
      throw .usage(
        "layer '\(layer.name)' gives \(layer.outputShape) and no maps; "
          + (others.isEmpty ? "no layer of this network does" : "layers with maps: \(list(others))"))
    }
    return layer
  }

  /// The last layer before the output that learned features: a convolution of images or sequences, else a dense layer; the output
  /// where there is none.
  public func lastFeatureLayer() throws(InsightError) -> ResolvedLayer {
    let learned = network.layers.filter { $0.spec.makesMaps || $0.spec.hasFeatures }
    let inner = learned.filter { $0.name != network.network.output.name }
    if let found = learned.last(where: { $0.spec.makesMaps }) ?? inner.last { return found }
    return try layer(network.network.output.name)
  }

  /// Checks that the layer has a filter or unit of this number.
  ///
  /// - Throws: ``InsightError`` of kind `usage` that says how many there are.
  public func check(filter: Int, of layer: ResolvedLayer) throws(InsightError) {
    let count = layer.outputShape.dimensions.last ?? 0
    guard filter >= 0, filter < count else {
      let word = layer.outputShape.rank == 3 ? "filter" : "unit"
      throw .usage("layer '\(layer.name)' has no \(word) \(filter); it has \(count), from 0 to \(count - 1)")
    }
  }

  /// The number of the output with this name, or of this number, from 0.
  ///
  /// - Throws: ``InsightError`` of kind `usage` that lists the names.
  public func classIndex(_ text: String) throws(InsightError) -> Int {
    if let index = classNames.firstIndex(of: text) { return index }
    if let index = Int(text), classNames.indices.contains(index) { return index }
    let shown = classNames.prefix(20).joined(separator: ", ") + (classNames.count > 20 ? ", …" : "")
    throw .usage("the network has no \(outputNoun) '\(text)'; the names are: \(shown)")
  }

  /// The noun for an output in messages: class, label or output.
  public var outputNoun: String {
    switch criterion.task {
    case .classes: "class"
    case .labels: "label"
    case .values: "output"
    }
  }

  /// The output that is meant where none is named: the most probable, or the first where outputs are numbers, which cannot be compared.
  public func mainOutput(of values: [Double]) -> Int {
    guard criterion.task != .values else { return 0 }
    return values.indices.reduce(0) { values[$1] > values[$0] ? $1 : $0 }
  }

  /// The outputs before a softmax or sigmoid that belongs to the loss.
  public var logits: LayerTap {
    let output = network.network.output
    let isPartOfLoss =
      switch criterion.loss.finalActivation {
      case .softmax: output.spec.finalActivation == .softmax
      case .sigmoid: output.spec.finalActivation == .sigmoid
      case .none: false
      }
    return LayerTap(output.name, isPartOfLoss ? .beforeActivation : .output)
  }

  private func list(_ layers: [ResolvedLayer]) -> String { layers.map(\.name).joined(separator: ", ") }

  // MARK: - Images

  /// An image in the network's channels.
  ///
  /// - Returns: the image, and a note of how the channels were changed, for people; nil where they were not.
  /// - Throws: ``InsightError`` where the network takes no images of one or three channels.
  public func withOwnChannels(_ image: Image) throws(InsightError) -> (image: Image, note: String?) {
    let shape = try imageShape()
    guard let channels = Image.Channels(rawValue: shape[2]), channels != .rgba else {
      throw .badData("the network takes images of \(shape[2]) channels, which no image file has")
    }
    let note: String? =
      switch (image.channels, channels) {
      case (.grey, .rgb): "is grey and was made three equal channels for this network of colour images"
      case (.rgb, .grey), (.rgba, .grey): "was turned grey for this network of grey images"
      case (.grey, .grey), (.rgb, .rgb), (.rgba, .rgb), (_, .rgba): nil
      }
    return (image.converted(to: channels), note)
  }

  /// An image as the network takes it: in its channels, brought to its proportions and resized.
  ///
  /// - Parameter fit: how it is brought to the network's proportions.
  /// - Returns: the values in 0…1, and a note of how the channels were changed, for people; nil where they were not.
  /// - Throws: ``InsightError`` where the network takes no images of one or three channels.
  public func prepare(
    _ image: Image, fit: ImageFit = .crop
  ) throws(InsightError) -> (values: [Float], note: String?) {
    let shape = try imageShape()
    let (own, note) = try withOwnChannels(image)
    return (own.fitted(fit, height: shape[0], width: shape[1]).pixels.map { Float($0) / 255 }, note)
  }

  /// Values as a picture: an image in 0…1 as it is, anything else as ``Picture/strip(_:shape:)``.
  public func picture(_ values: [Float]) -> Image {
    network.inputShape.rank == 3
      ? Picture.image(values, shape: network.inputShape)
      : Picture.strip(values, shape: network.inputShape)
  }
}

/// How pixels in 0…1 become what a network takes: `low + (high − low)·x`.
public struct PixelRange: Hashable, Sendable {
  /// What a black pixel, 0, is to the network.
  public let low: Float
  /// What a white pixel, 1, is to the network.
  public let high: Float

  /// A range; `low` must lie below `high`.
  public init(low: Float, high: Float) {
    precondition(low < high, "a range from \(low) to \(high) has no width")
    self.low = low
    self.high = high
  }

  /// The range of bytes, 0…255.
  public static let bytes = PixelRange(low: 0, high: 255)
  /// The range 0…1.
  public static let unit = PixelRange(low: 0, high: 1)

  /// The difference between white and black.
  public var width: Float { high - low }
}

/// Makes pictures of values.
enum Picture {
  /// An image of values in 0…1; of any number of channels other than one or three, it shows the mean.
  static func image(_ values: [Float], shape: Shape) -> Image {
    let channels = shape[2]
    func byte(_ value: Float) -> UInt8 { level(value * 255) }
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

  /// A vector `[L]` or sequence `[L, C]` as grey squares, L across and C down, from black for the least value to white for the
  /// greatest; whatever is longer than 256 continues in further rows.
  static func strip(_ values: [Float], shape: Shape) -> Image {
    let channels = shape.rank == 2 ? shape[1] : 1
    let length = max(1, values.count / max(1, channels))
    let width = min(length, 256)
    let lines = (length + width - 1) / width
    let (low, high) = (values.min() ?? 0, values.max() ?? 0)
    let scale = high > low ? 255 / (high - low) : 0
    var image = Image(
      height: lines * channels, width: width, channels: .grey,
      pixels: [UInt8](repeating: 0, count: lines * channels * width))
    for (index, value) in values.enumerated() {
      let (place, channel) = (index / channels, index % channels)
      let row = place / width * channels + channel
      image.pixels[row * width + place % width] = level((value - low) * scale)
    }
    return image
  }

  /// A level of 0…255 as a byte; NaN becomes 0.
  static func level(_ value: Float) -> UInt8 { value > 0 ? UInt8(min(value.rounded(), 255)) : 0 }
}

extension Subject {
  /// The network's answers for images of pixels in 0…1: probabilities of classes or labels, or numbers.
  public func outputs(of images: [[Float]]) throws -> [[Double]] {
    let trace = try LayerTrace(network, values: values, taps: [logits], gradient: false)
    let session = try trace.makeSession()
    return try images.map { image in
      criterion.values(try session.values(for: units(image))[logits, default: []][...])
    }
  }

  /// Pixels in 0…1 in the network's units.
  func units(_ pixels: [Float]) -> [Float] { pixels.map { range.low + range.width * $0 } }
}
