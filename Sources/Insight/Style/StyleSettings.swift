public import Networks

/// The layers and weights of a style transfer.
///
/// With F the outputs of a layer's N filters at M places and G = FᵀF the products of the filters' maps:
/// `α·Σ wₗ·½·Σ(F − F_content)² + β·Σ wₗ/(4N²)·Σ(G/M − G_style/M_style)² + γ·Σ(x − x_neighbour)²`.
/// For a style picture as large as the image the second sum is the paper's. With ``isRelative`` the first two sums of each
/// layer are divided by their values at F = 0 and G = 0, so that weights mean the same for every network.
/// - SeeAlso: Gatys, Ecker & Bethge 2016, "Image style transfer using convolutional neural networks".
public struct StyleSettings: Hashable, Sendable {
  /// The layers l of the first sum, with their weights wₗ.
  public var contentLayers: [WeightedLayer]
  /// The layers l of the second sum, with their weights wₗ.
  public var styleLayers: [WeightedLayer]
  /// α, the weight of the content.
  public var contentWeight: Double
  /// β, the weight of the style.
  public var styleWeight: Double
  /// γ, the weight of the total variation.
  public var totalVariation: Double
  /// Whether each layer's sums are divided by their values at F = 0 and G = 0.
  public var isRelative: Bool

  /// Settings with these layers and weights.
  public init(
    contentLayers: [WeightedLayer], styleLayers: [WeightedLayer], contentWeight: Double = 1,
    styleWeight: Double, totalVariation: Double = 0, isRelative: Bool = false
  ) {
    self.contentLayers = contentLayers
    self.styleLayers = styleLayers
    self.contentWeight = contentWeight
    self.styleWeight = styleWeight
    self.totalVariation = totalVariation
    self.isRelative = isRelative
  }

  /// The paper's layers and weights for VGG16 and VGG19; of any other network, five convolutions from first to last for the
  /// style, and the one at two thirds for the content.
  ///
  /// - Throws: ``InsightError`` where no layer of the network gives maps.
  public init(defaultsFor network: ResolvedNetwork) throws(InsightError) {
    let names = network.layers.map(\.name)
    let vgg = (1...5).map { "block\($0)_conv1" }
    if vgg.allSatisfy(names.contains), names.contains("block4_conv2") {
      self.init(
        contentLayers: [WeightedLayer("block4_conv2")], styleLayers: vgg.map { WeightedLayer($0, 0.2) },
        styleWeight: 1000)
      return
    }
    let maps = network.layersWithFeatures
    guard !maps.isEmpty else {
      throw .usage("no layer of the network gives maps that could hold content and style")
    }
    let count = min(5, maps.count)
    let chosen = (0..<count).map { maps[count == 1 ? 0 : $0 * (maps.count - 1) / (count - 1)].name }
    self.init(
      contentLayers: [WeightedLayer(maps[(maps.count - 1) * 2 / 3].name)],
      styleLayers: chosen.map { WeightedLayer($0, 1 / Double(count)) }, styleWeight: 100, isRelative: true)
  }

  /// The settings on one line; equal settings give equal text.
  public var text: String {
    func list(_ layers: [WeightedLayer]) -> String {
      layers.map { "\($0.name):\($0.weight)" }.joined(separator: ",")
    }
    return "content \(contentWeight) \(list(contentLayers)) style \(styleWeight) \(list(styleLayers)) "
      + "variation \(totalVariation) \(isRelative ? "relative" : "absolute")"
  }
}
