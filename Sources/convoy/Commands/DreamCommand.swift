internal import ArgumentParser
internal import Experiments
internal import Insight

/// Makes a network's Deep Dream of a picture.
struct DreamCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dream",
    abstract: "Deep Dream: change a picture so that layers see more of whatever they see in it.",
    discussion: """
      The activations of the chosen layers serve as the gradient, so that positive values grow and negative ones shrink. \
      The picture keeps its size; large ones go through the network in tiles.

      The same command resumes a dream that was stopped.

        convoy dream vgg19.h5 sky.jpg --to Results/dream
        convoy dream vgg19.h5 sky.jpg --layers block4_conv3:1,block5_conv1:0.5 --guide flowers.jpg --octaves 5
      """)

  @OptionGroup var options: LookOptions

  @Argument(DreamLook.image) var image: SettingFlag
  @Option(DreamLook.layers) var layers: SettingFlag?
  @Option(DreamLook.guide) var guide: SettingFlag?
  @Option(DreamLook.steps) var steps: SettingFlag?
  @Option(DreamLook.rate) var rate: SettingFlag?
  @Option(DreamLook.octaves) var octaves: SettingFlag?
  @Option(DreamLook.octaveScale) var octaveScale: SettingFlag?
  @Option(DreamLook.jitter) var jitter: SettingFlag?
  @Option(DreamLook.tile) var tile: SettingFlag?
  @Option(DreamLook.size) var size: SettingFlag?
  @Option(DreamLook.frames) var frames: SettingFlag?
  @Option(DreamLook.zoom) var zoom: SettingFlag?
  @Option(DreamLook.saveEvery) var saveEvery: SettingFlag?

  @OptionGroup var seed: SeedOption
  @OptionGroup var pictures: PictureOptions
  @OptionGroup var work: LongWorkOptions

  func run() throws {
    try options.perform(
      DreamLook.kind,
      [
        image, layers, guide, steps, rate, octaves, octaveScale, jitter, tile, size, frames, zoom, saveEvery,
      ], request: [seed.seed] + pictures.flags, restarts: work.restart)
  }
}

/// Options of long work on pictures.
struct LongWorkOptions: ParsableArguments {
  @Flag(help: "Start over even if there is unfinished work to resume.")
  var restart = false
}
