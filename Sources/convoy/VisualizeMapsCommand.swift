internal import ArgumentParser
internal import ImageFiles
internal import Insight
internal import Networks
internal import Reporting

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
    let subject = try options.subject()
    let name = try subject.layerWithMaps(layer).name
    let (picture, pixels) = try image.prepared(for: subject)
    let maps = try FeatureMaps(of: pixels, layer: name, in: subject)
    let filters = try FilterList.parse(filter, count: maps.count, of: name)
    let tiles = filters.map { filter in
      PictureSheet.Tile(
        maps.picture(filter, shared: contrast == .shared),
        ["\(filter)", "sum \(NumberText.short(maps.degree(filter)))"])
    }
    let title = "\(name): maps of \(maps.height)x\(maps.width), with the sum over each"
    let sheet = PictureSheet(title: title, tiles: [PictureSheet.Tile(picture, ["image"])] + tiles)
    let path = try options.write(sheet.picture(), as: "maps-\(name)")
    var table = Table([
      Table.Column("filter", .trailing), Table.Column("degree", .trailing),
      Table.Column("largest", .trailing),
    ])
    let ranked = filters.sorted { (maps.degree($1), $0) < (maps.degree($0), $1) }
    for filter in ranked.prefix(10) {
      table.add([
        "\(filter)", NumberText.short(maps.degree(filter)),
        NumberText.short(Double(maps.map(filter).max() ?? 0)),
      ])
    }
    let terminal = TerminalOutput.standardOutput
    try options.report(
      [
        "layer": name, "image": image.image, "height": maps.height, "width": maps.width, "picture": path,
        "maps": filters.map { ["filter": $0, "degree": maps.degree($0)] as [String: Any] },
      ],
      "\(title); the most active:\n"
        + table.text(width: terminal.columns, unicode: terminal.hasUnicode) + path,
      zip(filters, tiles).map { ($1.image, "\($0): \(NumberText.short(maps.degree($0)))") })
  }
}
