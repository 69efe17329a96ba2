internal import ArgumentParser
internal import Insight

/// Lets a network see into a picture what it knows.
struct DreamCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dream",
    abstract: "Deep Dream: whatever a layer sees in a picture, it sees more of.",
    discussion: """
      The activations of the chosen layers are taken as the gradient, so that positive values grow and negative ones shrink. \
      The picture keeps its size; large ones go through the network in tiles.

      A dream that was stopped goes on when the command is run again.

        convoy dream vgg19.h5 sky.jpg --to Results/dream
        convoy dream vgg19.h5 sky.jpg --layers block4_conv3:1,block5_conv1:0.5 --guide flowers.jpg --octaves 5
      """)

  @OptionGroup var options: InsightOptions

  @Argument(help: "A PNG or JPEG file.", completion: .file(extensions: ["png", "jpg", "jpeg"]))
  var image: String

  @Option(help: ArgumentHelp("Layers with maps, with weights.", valueName: "name:weight,…"))
  var layers: String?

  @Option(
    help: ArgumentHelp("A picture whose features are enhanced instead of the strongest.", valueName: "image"))
  var guide: String?

  @Option(help: ArgumentHelp("Steps at each size.", valueName: "n"))
  var steps = 10

  @Option(help: ArgumentHelp("Change of a pixel by a mean gradient.", valueName: "pixels"))
  var rate = 1.5

  @Option(help: ArgumentHelp("Sizes at which the picture is dreamt upon.", valueName: "n"))
  var octaves = 4

  @Option(help: ArgumentHelp("From one size to the next.", valueName: "factor"))
  var octaveScale = 1.4

  @Option(help: ArgumentHelp("Largest shift before each step.", valueName: "pixels"))
  var jitter = 32

  @Option(help: ArgumentHelp("Largest side of a tile; bounds the memory.", valueName: "pixels"))
  var tile = 512

  @Option(
    help: ArgumentHelp("Longer side of the result; by default the picture's own size.", valueName: "pixels"))
  var size: Int?

  @Option(help: ArgumentHelp("Frames of a zoom into the dream, each dreamt upon again.", valueName: "n"))
  var frames = 1

  @Option(help: ArgumentHelp("How much a frame of the zoom grows.", valueName: "factor"))
  var zoom = 1.05

  @Option(help: ArgumentHelp("Begins the random shifts of the jitter.", valueName: "n"))
  var seed: UInt64 = 0

  @OptionGroup var work: LongWorkOptions

  func validate() throws {
    guard steps >= 1, octaves >= 1, frames >= 1, jitter >= 0, tile >= 32, size ?? 1 >= 1 else {
      throw ValidationError(
        "--steps, --octaves, --frames and --size take 1 or more, --tile 32 or more, --jitter 0 or more")
    }
    guard rate.isFinite, rate > 0, octaveScale > 1, octaveScale <= 10, zoom >= 1, zoom <= 10 else {
      throw ValidationError(
        "--rate must be above 0, --octave-scale above 1 and at most 10, --zoom from 1 to 10")
    }
  }

  func run() throws {
    var dream = Dream(layers: try layers.map { try Photograph.layers($0, option: "--layers") } ?? [])
    (dream.steps, dream.rate, dream.octaves, dream.octaveScale) = (steps, rate, octaves, octaveScale)
    (dream.jitter, dream.tile, dream.frames, dream.zoom, dream.seed) = (jitter, tile, frames, zoom, seed)
    let look = DreamLook(
      image: work.image(image), guide: guide.map(work.image), size: size, dream: dream,
      saveEvery: work.saveEvery)
    try options.perform(look, restarts: work.restart)
  }
}

/// What long work on pictures takes.
struct LongWorkOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Save what going on needs so often; a signal that stops it saves, too.", valueName: "minutes"))
  var saveEvery = 5.0

  @Flag(help: "Begin anew even if there is unfinished work to go on with.")
  var restart = false

  @Flag(help: "Read pictures of more than 40 megapixels.")
  var large = false

  func validate() throws {
    guard saveEvery > 0, saveEvery.isFinite else {
      throw ValidationError("--save-every takes a number above 0, not \(saveEvery)")
    }
  }

  func image(_ path: String) -> ImageSource { ImageSource(path, isLarge: large) }
}
