internal import ArgumentParser
internal import Experiments
internal import Insight

/// Draws the feature maps of an image.
struct LookMapsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "maps",
    abstract: "Draw the feature maps of an image, each with its degree of activation: the sum over the map.",
    discussion: """
        convoy look maps Results/fashion-mnist/RUN boot.png --layer conv2d_1
      """)

  @OptionGroup var options: LookOptions

  @Argument(MapLook.image) var image: SettingFlag
  @Option(MapLook.layer) var layer: SettingFlag?
  @Option(MapLook.which) var which: SettingFlag?
  @Option(former: "filter", MapLook.which) var filter: SettingFlag?
  @Option(MapLook.contrast) var contrast: SettingFlag?

  @OptionGroup var pictures: PictureOptions
  @OptionGroup var sampling: SampleFitOption

  func run() throws {
    try options.perform(
      MapLook.kind, [image, layer, filter, which, contrast], request: pictures.flags + [sampling.fit])
  }
}
