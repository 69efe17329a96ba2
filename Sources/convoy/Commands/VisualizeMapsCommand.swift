internal import ArgumentParser
internal import Insight

/// Draws what filters give for an image.
struct VisualizeMapsCommand: ParsableCommand {
  enum Contrast: String, ExpressibleByArgument, CaseIterable {
    case shared
    case each
  }

  static let configuration = CommandConfiguration(
    commandName: "maps",
    abstract: "The feature maps of an image, each with its degree of activation: the sum over the map.",
    discussion: """
        convoy visualize maps Results/fashion-mnist/RUN boot.png --layer conv2d_1
      """)

  @OptionGroup var options: InsightOptions
  @OptionGroup var image: InsightImage

  @Option(help: ArgumentHelp("A layer with maps; the last convolution by default.", valueName: "name"))
  var layer: String?

  @Option(help: ArgumentHelp("Which filters.", valueName: "0,5,10-12|all"))
  var filter: String?

  @Option(help: "shared: white is the largest value of all maps; each: of every map by itself.")
  var contrast = Contrast.shared

  func run() throws {
    try options.perform(
      MapLook(
        image: image.source, layer: layer, filters: try NumberList(option: "--filter", filter),
        sharesContrast: contrast == .shared))
  }
}
