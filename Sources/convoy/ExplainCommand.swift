internal import ArgumentParser
internal import ImageFiles
internal import Insight
internal import Networks
internal import Parallel
internal import Reporting

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

  func run() throws {
    let subject = try options.subject()
    let (picture, pixels) = try image.prepared(for: subject)
    let settings = Explanation.Settings(
      classIndex: try classText.map { try subject.classIndex($0) }, layer: layer, patch: patch, stride: stride
    )
    let explanation = try Explanation(
      of: pixels, in: subject, settings, pool: WorkerPool(workers: options.workers.count))
    let name = subject.classNames[explanation.classIndex]
    let probability = explanation.probabilities[explanation.classIndex]
    let side = max(picture.height, picture.width)
    let large = picture.enlarged(by: max(1, (168 + side / 2) / side))
    var maps: [(name: String, map: Explanation.Map)] = [("saliency", explanation.saliency)]
    if let map = explanation.gradCAM { maps.append(("grad-cam", map)) }
    maps.append(("occlusion", explanation.occlusion))
    var tiles = [PictureSheet.Tile(large.converted(to: .rgb), ["image", ""])]
    var object: [String: Any] = [
      "image": image.image, "class": name, "probability": probability,
      "probabilities": explanation.probabilities, "classes": subject.classNames,
    ]
    for (word, map) in maps {
      let drawn = map.drawn(over: large)
      tiles.append(PictureSheet.Tile(drawn, [word, "most \(NumberText.short(Double(map.largest)))"]))
      let path = try options.write(drawn, as: "explain-\(word)")
      object[word.replacing("-", with: "_")] = [
        "picture": path, "height": map.height, "width": map.width, "largest": Double(map.largest),
        "values": map.values.map { Double($0) },
      ]
    }
    let title = "\(name): p \(NumberText.fixed(probability, 4))"
    let path = try options.write(
      PictureSheet(title: title, tiles: tiles, columns: tiles.count, scale: 1).picture(), as: "explain")
    object["picture"] = path
    try options.report(object, "\(title)\n\(path)", tiles.map { ($0.image, $0.labels[0]) })
  }
}
