internal import ArgumentParser
internal import Insight

/// Writes what a network learned as one page.
struct VisualizeGalleryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gallery",
    abstract:
      "One HTML page: every filter with its kernel, what maximises it, and the images that excite it most.",
    discussion: """
      The page holds everything it needs and loads nothing. Click an input image and see it flow through the layers.

        convoy visualize gallery Results/fashion-mnist/RUN --data Results/data/fashion-mnist.h5
      """)

  @OptionGroup var options: InsightOptions
  @OptionGroup var data: InsightData
  @OptionGroup var ascent: AscentOptions

  @Option(help: ArgumentHelp("At most so many filters of a layer.", valueName: "n"))
  var filters = 64

  @Option(help: ArgumentHelp("Images that excite each filter.", valueName: "n"))
  var top = 4

  @Option(help: ArgumentHelp("Input images that can flow through the layers.", valueName: "n"))
  var inputs = 10

  func validate() throws {
    guard (1...4096).contains(filters) else {
      throw ValidationError("--filters takes 1 to 4096, not \(filters)")
    }
    guard (1...64).contains(top) else { throw ValidationError("--top takes 1 to 64, not \(top)") }
    guard (1...200).contains(inputs) else { throw ValidationError("--inputs takes 1 to 200, not \(inputs)") }
  }

  func run() throws {
    try options.perform(
      GalleryLook(
        data: data.source,
        settings: Gallery.Settings(ascent: ascent.settings, filters: filters, examples: top, inputs: inputs),
        start: ascent.startImage))
  }
}
