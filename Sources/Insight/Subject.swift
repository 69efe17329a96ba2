public import Compute
public import ImageFiles
public import Networks
public import Tensors
internal import Training

/// A trained network that is looked into: its layers by name, its values, its classes.
public struct Subject: Sendable {
  public let network: ResolvedNetwork
  public let values: CanonicalParameters
  /// By what the network was trained, which says what its outputs mean.
  public let criterion: Criterion
  /// A name for each of the network's outputs; numbers where nobody named them.
  public let classNames: [String]
  /// The names of the classes that samples belong to: two, where a single output tells them apart; empty where nobody named them.
  let sampleClassNames: [String]
  /// What a pixel of 0 and one of 1 are to the network: 0…255 for networks trained on bytes.
  public let range: PixelRange

  /// - Parameters:
  ///   - classNames: of the outputs, or of the two classes that a single output tells apart.
  ///   - criterion: nil for labels where the network ends in a sigmoid, else for classes.
  /// - Throws: ``InsightError`` of kind `badData` where a value is NaN or infinite.
  public init(
    _ network: ResolvedNetwork, values: CanonicalParameters, classNames: [String] = [],
    criterion: Criterion? = nil, range: PixelRange = .bytes
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

  /// The last convolution of any kind, else the last layer of all that gives maps; nil where no layer does.
  public var lastLayerWithMaps: ResolvedLayer? {
    let withMaps = network.layers.filter { $0.outputShape.rank == 3 }
    return withMaps.last { $0.spec.makesMaps } ?? withMaps.last
  }

  /// The layer by name, or else ``lastLayerWithMaps``; it gives maps.
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

  /// The last layer that learned to see something, before the output: a convolution of images or sequences, else a dense layer;
  /// the output where there is none.
  public func lastFeatureLayer() throws(InsightError) -> ResolvedLayer {
    let learned = network.layers.filter { $0.spec.makesMaps || $0.spec.hasFeatures }
    let inner = learned.filter { $0.name != network.network.output.name }
    if let found = learned.last(where: { $0.spec.makesMaps }) ?? inner.last { return found }
    return try layer(network.network.output.name)
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
    let shown = classNames.prefix(20).joined(separator: ", ") + (classNames.count > 20 ? ", …" : "")
    throw .usage("the network has no \(outputNoun) '\(text)'; there are: \(shown)")
  }

  /// What an output stands for, for messages.
  public var outputNoun: String {
    switch criterion.task {
    case .classes: "class"
    case .labels: "label"
    case .values: "output"
    }
  }

  /// The output by name that is meant where nobody says one: the most probable; of numbers, which cannot be compared, the first.
  public func mainOutput(of values: [Double]) -> Int {
    guard criterion.task != .values else { return 0 }
    return values.indices.reduce(0) { values[$1] > values[$0] ? $1 : $0 }
  }

  /// Where the outputs are, without the softmax or sigmoid that belongs to the loss.
  public var logits: LayerTap {
    let output = network.network.output
    let isPartOfLoss =
      switch (criterion.loss.finalActivation, output.spec.finalActivation) {
      case (.softmax, .softmax), (.sigmoid, .sigmoid): true
      default: false
      }
    return LayerTap(output.name, isPartOfLoss ? .beforeActivation : .output)
  }

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

  /// Values as a picture: of an image in 0…1 as it is, of anything else as ``Picture/strip(_:shape:)``.
  public func picture(_ values: [Float]) -> Image {
    network.inputShape.rank == 3
      ? Picture.image(values, shape: network.inputShape)
      : Picture.strip(values, shape: network.inputShape)
  }
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

  /// A vector or sequence `[L]` or `[L, C]` as grey squares, L across and C down, from black for the least value to white for the
  /// greatest; what is longer than 256 goes on in further rows.
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

  /// A level of 0…255 as a byte, whatever the number: 0 for NaN.
  static func level(_ value: Float) -> UInt8 { value > 0 ? UInt8(min(value.rounded(), 255)) : 0 }
}

extension Subject {
  /// What the network says of images of pixels in 0…1: probabilities of classes or of labels, or numbers.
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
