internal import ArgumentParser
internal import Experiments
internal import Insight

/// Writes a page about what a network learned.
struct LookGalleryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gallery",
    abstract:
      "Write one HTML page: every filter with its kernel, what maximises it, and the images that excite it most.",
    discussion: """
      The page holds everything it needs. Click an input image to see it flow through the layers.

        convoy look gallery Results/fashion-mnist/RUN --data Results/data/fashion-mnist.h5
      """)

  @OptionGroup var options: LookOptions
  @OptionGroup var data: LookData

  @Option(GalleryLook.filters) var filters: SettingFlag?
  @Option(GalleryLook.top) var top: SettingFlag?
  @Option(GalleryLook.inputs) var inputs: SettingFlag?

  @OptionGroup var ascent: AscentOptions
  @OptionGroup var seed: SeedOption
  @OptionGroup var pictures: PictureOptions
  @OptionGroup var sampling: SampleFitOption

  func run() throws {
    try options.perform(
      GalleryLook.kind, data.flags + [filters, top, inputs] + ascent.flags,
      request: [seed.seed] + pictures.flags + [sampling.fit])
  }
}
