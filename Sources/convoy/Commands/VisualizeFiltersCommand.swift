internal import ArgumentParser
internal import Insight

/// Draws kernels.
struct VisualizeFiltersCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "filters",
    abstract: "The kernels of a convolution as one picture.",
    discussion: """
      Kernels that read an image are drawn in its colours, others with a small square for every input channel. Mid-grey is a \
      weight of 0; the contrast is the same for all.

        convoy visualize filters Results/fashion-mnist/RUN
        convoy visualize filters Results/fashion-mnist/RUN --layer conv2d_1 --filter 0-9
      """)

  @OptionGroup var options: InsightOptions

  @Option(help: ArgumentHelp("A convolution; the first one by default.", valueName: "name"))
  var layer: String?

  @Option(help: ArgumentHelp("Which filters.", valueName: "0,5,10-12|all"))
  var filter: String?

  func run() throws {
    try options.perform(FilterLook(layer: layer, filters: try NumberList(option: "--filter", filter)))
  }
}
