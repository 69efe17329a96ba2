public import ImageFiles
public import Networks
internal import Tensors

/// A convolution's kernels as pictures, all with one contrast.
public struct FilterPictures: Sendable {
  /// The convolution.
  public let layer: ResolvedLayer
  /// The number of filters.
  public let count: Int
  /// The magnitude of weights that get the full contrast.
  public let largest: Float
  /// Whether the layer reads the network's input as it is, or rescaled.
  public let readsInput: Bool
  private let kernel: [Float]
  private let height: Int
  private let width: Int
  private let inputs: Int

  /// Takes the kernels of a convolution from the network.
  ///
  /// - Parameter name: the layer's name; nil takes the first convolution that does more than reorder colours.
  /// - Throws: ``InsightError`` of kind `usage` for a layer that is missing or has no kernels to draw.
  public init(of subject: Subject, layer name: String? = nil) throws(InsightError) {
    let layer: ResolvedLayer
    if let name {
      layer = try subject.layer(name)
    } else {
      guard let first = subject.convolutions.first(where: { !$0.mixesColours }) ?? subject.convolutions.first
      else { throw .usage("the network has no conv2d layer whose kernels could be drawn") }
      layer = first
    }
    guard case .conv2D = layer.spec,
      let parameter = subject.values.layout.parameters.first(where: {
        $0.layer == layer.name && $0.spec.name == "kernel"
      })
    else {
      let others = subject.convolutions.map(\.name).joined(separator: ", ")
      throw .usage(
        "layer '\(layer.name)' has no kernels to draw; "
          + (others.isEmpty ? "no other layer has any" : "layers that have some: \(others)"))
    }
    let shape = parameter.spec.shape
    self.layer = layer
    readsInput = Self.readsInput(layer, in: subject)
    (height, width, inputs, count) = (shape[0], shape[1], shape[2], shape[3])
    var kernel = Array(subject.values.values(of: parameter))
    if inputs == 3, let colours = Self.colours(before: layer, in: subject) {
      // Seen from the image: w′ = P·w for each place of the kernel.
      let (own, filters) = (kernel, shape[3])
      for place in 0..<shape[0] * shape[1] {
        for channel in 0..<3 {
          for filter in 0..<filters {
            var sum: Float = 0
            for to in 0..<3 { sum += colours[channel * 3 + to] * own[(place * 3 + to) * filters + filter] }
            kernel[(place * 3 + channel) * filters + filter] = sum
          }
        }
      }
    }
    self.kernel = kernel
    largest = kernel.reduce(0) { max($0, abs($1)) }
  }

  /// What happens to an image's colours before the layer, `[from, to]`; nil where the layer does not read the image, or reads it
  /// unchanged.
  ///
  /// Networks from elsewhere may begin with a layer that reorders colours.
  private static func colours(before layer: ResolvedLayer, in subject: Subject) -> [Float]? {
    var name = layer.layer.inputs.first
    var colours: [Float]?
    while let layer = subject.network.layers.first(where: { $0.name == name }) {
      if layer.mixesColours,
        let parameter = subject.values.layout.parameters.first(where: {
          $0.layer == layer.name && $0.spec.name == "kernel"
        })
      {
        guard colours == nil else { return nil }
        colours = Array(subject.values.values(of: parameter))
      } else if !layer.spec.keepsColours {
        return nil
      }
      name = layer.layer.inputs.first
    }
    return colours
  }

  private static func readsInput(_ layer: ResolvedLayer, in subject: Subject) -> Bool {
    var name = layer.layer.inputs.first
    while let before = subject.network.layers.first(where: { $0.name == name }) {
      guard before.spec.keepsColours else { return false }
      name = before.layer.inputs.first
    }
    return true
  }

  /// Channels that one kernel reads.
  public var inputChannels: Int { inputs }

  /// The picture of one filter's kernel.
  ///
  /// A kernel over an image of three channels is drawn in that image's colours, with mid-grey for 0; any other is drawn as a grid of
  /// grey pictures, one for each input channel.
  public func picture(_ filter: Int) -> Image {
    if inputs == 3 || inputs == 1 {
      var pixels: [UInt8] = []
      for y in 0..<height {
        for x in 0..<width {
          for channel in 0..<inputs { pixels.append(shade(y, x, channel, filter)) }
        }
      }
      return Image(height: height, width: width, channels: inputs == 1 ? .grey : .rgb, pixels: pixels)
    }
    var columns = 1
    while columns * columns < inputs { columns += 1 }
    let rows = (inputs + columns - 1) / columns
    let (cellHeight, cellWidth) = (height + 1, width + 1)
    let (totalHeight, totalWidth) = (rows * cellHeight - 1, columns * cellWidth - 1)
    var pixels = [UInt8](repeating: 40, count: totalHeight * totalWidth)
    for channel in 0..<inputs {
      let (top, left) = (channel / columns * cellHeight, channel % columns * cellWidth)
      for y in 0..<height {
        for x in 0..<width { pixels[(top + y) * totalWidth + left + x] = shade(y, x, channel, filter) }
      }
    }
    return Image(height: totalHeight, width: totalWidth, channels: .grey, pixels: pixels)
  }

  /// The channels in which a filter's kernel is strongest, by the sum of its squares, the strongest first.
  public func strongestChannels(_ filter: Int, count wanted: Int) -> [Int] {
    let strengths = (0..<inputs).map { channel in
      (0..<height * width).reduce(Float(0)) { sum, place in
        let weight = kernel[(place * inputs + channel) * count + filter]
        return sum + weight * weight
      }
    }
    return Array(
      strengths.indices.sorted { (strengths[$1], $0) < (strengths[$0], $1) }.prefix(wanted))
  }

  /// The picture of a filter's kernel for one channel: red where it is above 0, blue where it is below, white for 0.
  public func picture(_ filter: Int, channel: Int) -> Image {
    var pixels: [UInt8] = []
    for place in 0..<height * width {
      let weight = kernel[(place * inputs + channel) * count + filter]
      let share = largest > 0 ? min(abs(weight) / largest, 1).squareRoot() : 0
      let faded = UInt8((255 * (1 - share)).rounded())
      pixels += weight > 0 ? [255, faded, faded] : [faded, faded, 255]
    }
    return Image(height: height, width: width, channels: .rgb, pixels: pixels)
  }

  /// The largest weight of a filter in a channel, by magnitude, and how far it lies below and right of the kernel's centre.
  public func peak(_ filter: Int, channel: Int) -> (weight: Float, down: Int, right: Int) {
    var best: (weight: Float, down: Int, right: Int) = (0, 0, 0)
    for y in 0..<height {
      for x in 0..<width {
        let weight = kernel[((y * width + x) * inputs + channel) * count + filter]
        if abs(weight) > abs(best.weight) { best = (weight, y - height / 2, x - width / 2) }
      }
    }
    return best
  }

  private func shade(_ y: Int, _ x: Int, _ channel: Int, _ filter: Int) -> UInt8 {
    let weight = kernel[((y * width + x) * inputs + channel) * count + filter]
    guard largest > 0 else { return 128 }
    return UInt8(min(max((127.5 + weight / largest * 127.5).rounded(), 0), 255))
  }
}

extension ResolvedLayer {
  /// Whether the layer only mixes three colours into three: importers make such a layer of another order of colours.
  var mixesColours: Bool {
    guard case .conv2D(let conv) = spec else { return false }
    return conv.kernel == .one && conv.filters == 3 && inputShapes.first?.dimensions.last == 3
      && conv.groups == 1
      && conv.activation == .linear
  }
}
