internal import ArgumentParser
internal import Datasets
internal import ImageFiles
internal import Insight
internal import Networks
internal import Parallel
internal import Reporting
internal import Tensors
internal import Training

/// Finds the images that excite filters most.
struct VisualizeExamplesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "examples",
    abstract: "The images of a dataset that excite filters most, with the part of each that the filter saw.",
    discussion: """
      Images are ranked by the sum over the filter's map. The frame is the receptive field of the map's largest value.

        convoy visualize examples Results/fashion-mnist/RUN --data Results/data/fashion-mnist.h5 --layer conv2d_1
      """)

  @OptionGroup var options: InsightOptions
  @OptionGroup var data: InsightData

  @Option(help: ArgumentHelp("A layer; the last convolution by default.", valueName: "name"))
  var layer: String?

  @Option(help: ArgumentHelp("Which filters or units.", valueName: "0,5,10-12|all"))
  var filter: String?

  @Option(help: ArgumentHelp("How many images of each.", valueName: "n"))
  var top = 8

  func validate() throws {
    guard (1...100).contains(top) else { throw ValidationError("--top takes 1 to 100, not \(top)") }
  }

  func run() throws {
    let stop = StopSignals.install()
    let subject = try options.subject()
    let layer = try layer.map { try subject.layer($0) } ?? subject.layerWithMaps(nil)
    let filters = try FilterList.parse(filter, count: layer.outputShape.dimensions.last ?? 0, of: layer.name)
    let dataset = try data.open()
    let pool = WorkerPool(workers: options.workers.count)
    let progress = TerminalOutput.progressLine()
    let found = try TopExamples(
      dataset, layer: layer.name, in: subject, keep: top, pool: pool, while: { !stop.isRequested },
      progress: { done in
        progress.update(
          ProgressReading(title: "examples", done: done, total: dataset.count), now: TerminalOutput.seconds)
      })
    progress.finish()
    guard let found else { throw ExitCode(75) }
    let names = subject.classNames
    func caption(_ example: TopExamples.Example) -> String {
      let label = Int(example.label)
      return names.indices.contains(label) ? names[label] : "\(label)"
    }
    let side = max(subject.network.inputShape[0], subject.network.inputShape[1])
    let scale = max(1, (72 + side / 2) / side)
    var tiles: [PictureSheet.Tile] = []
    for filter in filters {
      for example in found.examples[filter] {
        let picture = try InsightData.picture(dataset, row: example.row, subject)
        tiles.append(
          PictureSheet.Tile(
            TopExamples.picture(picture, example, layer: layer.name, in: subject.network, scale: scale),
            ["\(filter): \(NumberText.short(example.activation))", caption(example)]))
      }
    }
    let title = "\(layer.name): images that excite each filter most, of \(dataset.count)"
    let path = try options.write(
      PictureSheet(title: title, tiles: tiles, columns: min(top, dataset.count), scale: 1).picture(),
      as: "examples-\(layer.name)")
    let dead = filters.filter { found.activeCounts[$0] == 0 }
    try options.report(
      [
        "layer": layer.name, "data": dataset.path, "samples": dataset.count, "picture": path, "dead": dead,
        "filters": filters.map { filter in
          [
            "filter": filter, "mean": found.means[filter], "active_samples": found.activeCounts[filter],
            "examples": found.examples[filter].map { example in
              object(example, caption(example), layer.name, subject.network)
            },
          ] as [String: Any]
        },
      ],
      title + "\n" + (dead.isEmpty ? "" : "never active: \(dead.map(String.init).joined(separator: ", "))\n")
        + path,
      zip(filters.flatMap { filter in found.examples[filter].map { _ in filter } }, tiles).map {
        ($1.image, "\($0) \($1.labels[1])")
      })
  }

  private func object(
    _ example: TopExamples.Example, _ label: String, _ layer: String, _ network: ResolvedNetwork
  ) -> [String: Any] {
    var object: [String: Any] = ["row": example.row, "label": label, "activation": example.activation]
    if let peak = example.peak,
      let field = ReceptiveField(row: peak.row, column: peak.column, of: layer, in: network)
    {
      object["receptive_field"] = [
        "top": field.rows.lowerBound, "bottom": field.rows.upperBound, "left": field.columns.lowerBound,
        "right": field.columns.upperBound,
      ]
    }
    return object
  }
}

/// A dataset to look for examples in.
struct InsightData: ParsableArguments {
  @Option(help: ArgumentHelp("The dataset file.", valueName: "file.h5"))
  var data: String

  @Option(help: ArgumentHelp("Images in the file.", valueName: "name"))
  var images = "test/images"

  @Option(help: ArgumentHelp("Labels in the file.", valueName: "name"))
  var labels = "test/labels"

  func open() throws -> ImageDataset { try ImageDataset(path: data, images: images, labels: labels) }

  /// A sample as a picture, by the network's range of pixels.
  static func picture(_ dataset: ImageDataset, row: Int, _ subject: Subject) throws -> Image {
    subject.picture(try pixels(dataset, row: row, subject))
  }

  /// A sample's pixels in 0…1.
  static func pixels(_ dataset: ImageDataset, row: Int, _ subject: Subject) throws -> [Float] {
    let batch = try dataset.samples([row])
    var pixels = [Float](repeating: 0, count: dataset.sampleShape.elementCount)
    pixels.withUnsafeMutableBufferPointer { batch.copyPixels(of: 0..<1, to: $0) }
    return pixels.map { ($0 - subject.range.low) / subject.range.width }
  }
}
