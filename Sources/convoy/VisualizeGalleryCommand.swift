internal import ArgumentParser
internal import Insight
internal import Networks
internal import Parallel
internal import Reporting
internal import Training

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
    let stop = StopSignals.install()
    let (path, checkpoint) = try CheckpointStore.choose(options.checkpoint)
    let subject = try options.subject()
    let dataset = try data.open()
    let settings = Gallery.Settings(
      ascent: try ascent.settings(for: subject), filters: filters, examples: top, inputs: inputs)
    let gallery = try Gallery(
      of: subject, dataset, settings, pool: WorkerPool(workers: options.workers.count),
      while: { !stop.isRequested },
      progress: { layer in
        if TerminalOutput.standardError.isInteractive { TerminalOutput.write("gallery: \(layer)\n", to: 2) }
      })
    guard let gallery else { throw ExitCode(75) }
    let file = try options.write(try gallery.html(title: checkpoint.name), as: "gallery.html")
    let rooms = gallery.rooms.map { room -> [String: Any] in
      [
        "layer": room.layer.name,
        "filters": room.filters.map { filter in
          [
            "filter": filter.index, "activation": filter.maximum.activation, "mean": filter.mean,
            "active_share": filter.activeShare,
          ] as [String: Any]
        },
      ]
    }
    try options.report(["checkpoint": path, "page": file, "layers": rooms], file, [])
  }
}
