internal import KernelShapes

/// How the layers of one sample are cut for the workers that share it in inference.
///
/// Parts follow from shapes alone. They are as many as keep each larger than what it costs to hand it out and to wait for the last.
enum SharedWork {
  /// The most parts of a layer.
  private static let most = 16
  /// Operations of a convolution's part at the least: some 10 µs of a core.
  private static let flopsOfPart = 1e6
  /// Multiplications and additions of a part with kernels of Winograd at the least, which come with as much work for transforms.
  private static let flopsOfTiles = 0.5e6
  /// Tiles of such a part at the least: each part reads all weights, which takes longer than to multiply fewer tiles by them.
  private static let tilesOfPart = 4
  /// The same where weights come from beyond the second-level cache.
  private static let tilesOfLargePart = 8
  /// Floats of weights that count as large.
  private static let largeWeights = 1 << 16
  /// Elements of a part of what moves memory and does nothing else, at the least.
  private static let elementsOfPart = 1 << 16

  /// Parts of a convolution's filters.
  static func parts(of problem: ConvolutionProblem) -> Int {
    let flops =
      2 * Double(problem.verticalTaps * problem.horizontalTaps)
      * Double(problem.inputChannels / problem.groups * problem.outputChannels)
    return parts(flops / flopsOfPart)
  }

  /// Parts of a step that goes through this many elements once.
  static func parts(ofElements count: Int) -> Int { parts(Double(count / elementsOfPart)) }

  /// Tiles side by side for a forward pass of Winograd's, and where there are few of them also panels of channels.
  static func parts(of shape: WinogradShape) -> [(tiles: Range<Int>, panels: Range<Int>)] {
    let flops = 2 * Double(WinogradShape.points * shape.inputs * shape.outputs) * Double(shape.tiles)
    let wanted = parts(flops / flopsOfTiles)
    let least = shape.forwardWeightsCount > largeWeights ? tilesOfLargePart : tilesOfPart
    let byTiles = min(wanted, parts(Double(shape.tiles / least)))
    // Each transforms the image anew, which many tiles make dear.
    let panels = shape.tiles >= tilesOfLargePart ? shape.outputPanels / 2 : shape.outputPanels
    let byPanels = min(wanted / byTiles, parts(Double(panels)))
    func cut(_ count: Int, _ part: Int, of parts: Int) -> Range<Int> {
      count * part / parts..<count * (part + 1) / parts
    }
    return (0..<byTiles * byPanels).map {
      (cut(shape.tiles, $0 / byPanels, of: byTiles), cut(shape.outputPanels, $0 % byPanels, of: byPanels))
    }
  }

  /// A power of two, so that no worker of two, four or eight is left without a part while others compute their last.
  private static func parts(_ wanted: Double) -> Int {
    var count = 1
    while 2 * count <= most, Double(2 * count) <= wanted { count *= 2 }
    return count
  }
}
