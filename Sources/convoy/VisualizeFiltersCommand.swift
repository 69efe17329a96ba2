internal import ArgumentParser
internal import ImageFiles
internal import Insight
internal import Networks
internal import Reporting

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
    let subject = try options.subject()
    let pictures = try FilterPictures(of: subject, layer: layer)
    let name = pictures.layer.name
    let filters = try FilterList.parse(filter, count: pictures.count, of: name)
    let tiles = filters.map { PictureSheet.Tile(pictures.picture($0), ["\($0)"]) }
    let title =
      "\(name): \(pictures.count) kernels, full contrast at \(NumberText.short(Double(pictures.largest)))"
    let path = try options.write(
      PictureSheet(title: title, tiles: tiles).picture(), as: "filters-\(name)")
    try options.report(
      [
        "layer": name, "filters": filters, "input_channels": pictures.inputChannels,
        "largest_weight": Double(pictures.largest), "picture": path,
      ],
      "\(title)\n\(path)", zip(filters, tiles).map { ($1.image.enlarged(by: 4), "\($0)") })
  }
}
