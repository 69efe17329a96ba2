internal import ArgumentParser
internal import Insight

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
    try options.perform(
      ExampleLook(
        data: data.source, layer: layer, filters: try NumberList(option: "--filter", filter), top: top))
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

  var source: DataSource { DataSource(file: data, images: images, labels: labels) }
}
