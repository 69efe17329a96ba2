internal import ArgumentParser
internal import Experiments
internal import Insight
internal import Settings

/// Finds the images that excite filters most.
struct LookExamplesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "examples",
    abstract:
      "Show the images or phrases of a dataset that excite filters most, and the part of each that the filter saw.",
    discussion: """
      Images are ranked by the sum over the filter's map. The frame is the receptive field of the map's largest value. Sequences \
      and vectors are drawn as squares from black for their least value to white for their largest. Labels or targets are shown \
      where the file has them beside the images. Of texts, the phrases that a filter sees are listed, each once, ranked by the largest \
      value of the filter's map.

        convoy look examples Results/fashion-mnist/RUN --data Results/data/fashion-mnist.h5 --layer conv2d_1
        convoy look examples Results/kim-cnn/RUN --data Results/data/mr-1.h5 --layer three --which 0-9 --top 5
      """)

  @OptionGroup var options: LookOptions
  @OptionGroup var data: LookData

  @Option(ExampleLook.layer) var layer: SettingFlag?
  @Option(ExampleLook.which) var which: SettingFlag?
  @Option(former: "filter", ExampleLook.which) var filter: SettingFlag?
  @Option(ExampleLook.top) var top: SettingFlag?
  @Option(ExampleLook.rank) var rank: SettingFlag?

  func run() throws {
    try options.perform(ExampleLook.kind, data.flags + [layer, filter, which, top, rank])
  }
}

/// The samples that the look is about.
struct LookData: ParsableArguments {
  @Option(DataSource.file, named: ExampleLook.data.name, under: [ExampleLook.data.name])
  var data: SettingFlag
  @Option(DataSource.images, under: [ExampleLook.data.name]) var images: SettingFlag?
  @Option(DataSource.labels, under: [ExampleLook.data.name]) var labels: SettingFlag?

  @OptionGroup var plugIns: PlugInsOption

  var flags: [SettingFlag?] { [data, images, labels] }
}
