internal import ArgumentParser
internal import Foundation
internal import ImageFiles
internal import Insight
internal import Networks
internal import Parallel
internal import Reporting
internal import Tensors
internal import Training

/// Lets a network see into a picture what it knows.
struct DreamCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dream",
    abstract: "Deep Dream: whatever a layer sees in a picture, it sees more of.",
    discussion: """
      The activations of the chosen layers are taken as the gradient, so that positive values grow and negative ones shrink. \
      The picture keeps its size; large ones go through the network in tiles.

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

  @Option(help: ArgumentHelp("Of the jitter.", valueName: "n"))
  var seed: UInt64 = 0

  @Flag(help: "Read pictures of more than 40 megapixels.")
  var large = false

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
    let stop = StopSignals.install()
    let subject = try options.subject()
    let pool = WorkerPool(workers: options.workers.count)
    var dream = Dream(layers: try Dream.defaultLayers(of: subject.network))
    if let layers { dream.layers = try Photograph.layers(layers, option: "--layers") }
    (dream.steps, dream.rate, dream.octaves, dream.octaveScale) = (steps, rate, octaves, octaveScale)
    (dream.jitter, dream.tile, dream.seed) = (jitter, tile, seed)
    let picture = try Photograph.read(image, side: size, large: large, for: subject)
    Photograph.warnIfSmall(image, picture, dream.layers, subject.network)
    if let guide {
      // The guide's features are compared with every place: a picture of the network's own size has enough.
      let side = max(subject.network.inputShape[0], subject.network.inputShape[1])
      dream.guide = try dream.features(
        of: try Photograph.read(guide, side: side, large: large, for: subject), in: subject, pool: pool)
    }
    var current = picture
    var written: [String] = []
    var objectives: [[String: Any]] = []
    for frame in 0..<frames {
      dream.seed = seed &+ UInt64(frame)
      if frame > 0 { current = zoomed(current) }
      guard
        let result = try dream.run(
          current, in: subject, pool: pool,
          progress: { reading in
            objectives.append([
              "frame": frame, "octave": reading.octave, "step": reading.step, "height": reading.height,
              "width": reading.width, "objective": reading.objective,
            ])
            show(reading, frame)
            return !stop.isRequested
          })
      else { throw ExitCode(75) }
      current = result
      guard let shown = current.image else { continue }
      let number = String(format: "%05d", frame)
      written.append(try options.write(shown, as: frames == 1 ? "dream" : "dream-\(number)"))
    }
    if TerminalOutput.standardError.isInteractive { TerminalOutput.write("\r\u{1B}[K", to: 2) }
    let object: [String: Any] = [
      "image": image, "height": picture.height, "width": picture.width, "pictures": written,
      "layers": dream.layers.map { ["layer": $0.name, "weight": $0.weight] as [String: Any] },
      "steps": objectives,
    ]
    try options.write(try JSONText.make(object), as: "dream.json")
    try options.report(
      object,
      "\(picture.height)x\(picture.width), dreamt by \(dream.layers.map(\.name).joined(separator: ", "))\n"
        + written.joined(separator: "\n"), current.image.map { [($0, "dream")] } ?? [])
  }

  private func show(_ reading: Dream.Progress, _ frame: Int) {
    guard TerminalOutput.standardError.isInteractive else { return }
    TerminalOutput.write(
      "\r\u{1B}[K\(frames > 1 ? "frame \(frame + 1)/\(frames)  " : "")octave \(reading.octave + 1)/\(reading.octaves) "
        + "(\(reading.height)x\(reading.width))  step \(reading.step + 1)/\(steps)  objective "
        + NumberText.short(reading.objective), to: 2)
  }

  /// The middle of a picture, as large as the picture.
  private func zoomed(_ image: FloatImage) -> FloatImage {
    let height = max(1, Int((Double(image.height) / zoom).rounded()))
    let width = max(1, Int((Double(image.width) / zoom).rounded()))
    let (top, left) = ((image.height - height) / 2, (image.width - width) / 2)
    var values: [Float] = []
    values.reserveCapacity(height * width * image.channels)
    for row in top..<top + height {
      let start = (row * image.width + left) * image.channels
      values += image.values[start..<start + width * image.channels]
    }
    return FloatImage(height: height, width: width, channels: image.channels, values: values)
      .resized(height: image.height, width: image.width)
  }
}
