internal import ArgumentParser
internal import Insight

/// Paints one picture in the manner of another.
struct StyleCommand: ParsableCommand {
  enum Optimizer: String, ExpressibleByArgument, CaseIterable {
    case lbfgs
    case adam
  }

  static let configuration = CommandConfiguration(
    commandName: "style",
    abstract: "Style transfer: the content of one picture, the style of another.",
    discussion: """
      The content is held by what filters give, the style by how they go together (Gatys, Ecker & Bethge 2016). Networks \
      from Keras come in by `convoy import keras`. A transfer that was stopped goes on when the command is run again.

        convoy style vgg19.h5 --content cat.png --style painting.jpg --to Results/style
        convoy style vgg19.h5 --content cat.png --style painting.jpg --size 1024 --steps 300 --keep-colour
      """)

  @OptionGroup var options: InsightOptions

  @Option(help: ArgumentHelp("The picture whose content is kept.", valueName: "image"))
  var content: String

  @Option(help: ArgumentHelp("The picture whose style is taken.", valueName: "image"))
  var style: String

  @Option(
    help: ArgumentHelp("Longer side of the result; smaller pictures stay as they are.", valueName: "pixels"))
  var size = 512

  @Option(
    help: ArgumentHelp("Longer side of the style picture; as --size by default.", valueName: "pixels"))
  var styleSize: Int?

  @Option(help: ArgumentHelp("Steps.", valueName: "n"))
  var steps = 200

  @Option(help: "lbfgs, with a line search, or adam.")
  var optimizer = Optimizer.lbfgs

  @Option(help: ArgumentHelp("Of adam, in pixels of 0…255 a step.", valueName: "r"))
  var rate = 2.0

  @Option(help: ArgumentHelp("Layers that hold the content.", valueName: "name:weight,…"))
  var contentLayers: String?

  @Option(help: ArgumentHelp("Layers that hold the style.", valueName: "name:weight,…"))
  var styleLayers: String?

  @Option(help: ArgumentHelp("Weight of the content.", valueName: "alpha"))
  var contentWeight: Double?

  @Option(help: ArgumentHelp("Weight of the style.", valueName: "beta"))
  var styleWeight: Double?

  @Option(help: ArgumentHelp("Weight of the total variation, which smooths.", valueName: "gamma"))
  var tv = 0.0

  @Option(help: ArgumentHelp("Where to start.", valueName: "content|noise|image.png"))
  var start = "content"

  @Flag(help: "Keep the colours of the content, and take the brightness alone.")
  var keepColour = false

  @Option(help: ArgumentHelp("Of the noise.", valueName: "n"))
  var seed: UInt64 = 0

  @Option(help: ArgumentHelp("Write the picture every so many steps, too.", valueName: "steps"))
  var every: Int?

  @Flag(help: "Use direct convolutions alone, which are slower and round more finely.")
  var direct = false

  @OptionGroup var work: LongWorkOptions

  func validate() throws {
    guard size >= 1, styleSize ?? 1 >= 1, steps >= 1, every ?? 1 >= 1 else {
      throw ValidationError("--size, --style-size, --steps and --every take 1 or more")
    }
    guard rate > 0, rate.isFinite else { throw ValidationError("--rate takes a number above 0, not \(rate)") }
    for (name, weight) in [
      ("--content-weight", contentWeight ?? 0), ("--style-weight", styleWeight ?? 0), ("--tv", tv),
    ] where !(weight >= 0 && weight.isFinite) {
      throw ValidationError("\(name) takes a number of 0 or more, not \(weight)")
    }
  }

  func run() throws {
    var look = StyleLook(content: work.image(content), style: work.image(style))
    (look.size, look.styleSize, look.steps) = (size, styleSize, steps)
    look.rule = optimizer == .lbfgs ? .lbfgs : .adam(rate: rate)
    if let contentLayers {
      look.contentLayers = try Photograph.layers(contentLayers, option: "--content-layers")
    }
    if let styleLayers { look.styleLayers = try Photograph.layers(styleLayers, option: "--style-layers") }
    (look.contentWeight, look.styleWeight, look.totalVariation) = (contentWeight, styleWeight, tv)
    look.start = start == "content" ? .content : start == "noise" ? .noise : .image(work.image(start))
    (look.keepsColour, look.seed, look.pictureEvery) = (keepColour, seed, every)
    (look.saveEvery, look.usesExactKernels) = (work.saveEvery, direct)
    try options.perform(look, restarts: work.restart)
  }
}
