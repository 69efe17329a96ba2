internal import ArgumentParser
internal import Insight

/// Shows which parts of an image a prediction rests on.
struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Why a network takes an image for what it does: gradient saliency, Grad-CAM, occlusion.",
    discussion: """
      Three maps are drawn over the image. Saliency: how much the class's output moves with each pixel. Grad-CAM: the maps of \
      a layer, weighted by what they do for the class. Occlusion: how much the class's probability falls when a square is \
      covered.

        convoy explain Results/fashion-mnist/RUN boot.png
        convoy explain Results/fashion-mnist/RUN boot.png --class Sandal --layer conv2d --patch 5
      """)

  @OptionGroup var options: InsightOptions
  @OptionGroup var image: InsightImage

  @Option(
    name: .customLong("class"),
    help: ArgumentHelp("The class to explain; the most probable one by default.", valueName: "class"))
  var classText: String?

  @Option(help: ArgumentHelp("Layer of Grad-CAM; the last convolution by default.", valueName: "name"))
  var layer: String?

  @Option(
    help: ArgumentHelp("Side of the covered square; a quarter of the image by default.", valueName: "pixels"))
  var patch: Int?

  @Option(help: ArgumentHelp("From square to square; a third of the patch by default.", valueName: "pixels"))
  var stride: Int?

  func validate() throws {
    for (name, value) in [("--patch", patch), ("--stride", stride)] {
      if let value, value < 1 { throw ValidationError("\(name) takes 1 or more, not \(value)") }
    }
  }

  func run() throws {
    try options.perform(
      ExplainLook(
        image: image.source, classText: classText, layer: layer, patch: patch, stride: stride))
  }
}
