internal import ArgumentParser
internal import Foundation
internal import ImageFiles
internal import Insight
internal import Parallel
internal import Reporting
internal import Tensors
internal import Training

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

  @Option(help: ArgumentHelp("Save what going on needs every so many steps.", valueName: "steps"))
  var saveEvery = 25

  @Flag(help: "Use direct convolutions alone, which are slower and round more finely.")
  var direct = false

  @Flag(help: "Begin anew even if there is a transfer to go on with.")
  var restart = false

  @Flag(help: "Read pictures of more than 40 megapixels.")
  var large = false

  func validate() throws {
    guard size >= 1, styleSize ?? 1 >= 1, steps >= 1, saveEvery >= 1, every ?? 1 >= 1 else {
      throw ValidationError("--size, --style-size, --steps, --every and --save-every take 1 or more")
    }
    guard rate > 0, rate.isFinite else { throw ValidationError("--rate takes a number above 0, not \(rate)") }
    for (name, weight) in [
      ("--content-weight", contentWeight ?? 0), ("--style-weight", styleWeight ?? 0), ("--tv", tv),
    ] where !(weight >= 0 && weight.isFinite) {
      throw ValidationError("\(name) takes a number of 0 or more, not \(weight)")
    }
  }

  func run() throws {
    let stop = StopSignals.install()
    let subject = try options.subject()
    let settings = try chosenSettings(subject)
    let picture = try Photograph.read(content, side: size, large: large, for: subject)
    let stylePicture = try Photograph.read(style, side: styleSize ?? size, large: large, for: subject)
    let layers = settings.contentLayers + settings.styleLayers
    Photograph.warnIfSmall(content, picture, layers, subject.network)
    let pool = WorkerPool(workers: options.workers.count)
    let objective = try StyleObjective(
      subject, settings: settings, content: units(picture, subject), style: units(stylePicture, subject),
      pool: pool, exactKernels: direct
    ) { bytes in
      try Photograph.checkMemory(bytes, advice: "take a smaller --size, or layers nearer to the image")
    }
    let transfer = try begin(objective, settings, picture, subject)
    try go(transfer, picture, subject, stop)
  }

  // MARK: - Setting up

  private func chosenSettings(_ subject: Subject) throws -> StyleSettings {
    var settings = try StyleSettings(defaultsFor: subject.network)
    if let contentLayers {
      settings.contentLayers = try Photograph.layers(contentLayers, option: "--content-layers")
    }
    if let styleLayers {
      settings.styleLayers = try Photograph.layers(styleLayers, option: "--style-layers")
    }
    settings.contentWeight = contentWeight ?? settings.contentWeight
    settings.styleWeight = styleWeight ?? settings.styleWeight
    settings.totalVariation = tv
    return settings
  }

  private func units(_ image: FloatImage, _ subject: Subject) -> FloatImage {
    let (low, factor) = (subject.range.low, subject.range.width / 255)
    return FloatImage(
      height: image.height, width: image.width, channels: image.channels,
      values: image.values.map { low + factor * $0 })
  }

  private var statePath: String { "\(options.to)/style.state.h5" }
  private var rule: StyleTransfer.Rule { optimizer == .lbfgs ? .lbfgs : .adam(rate: rate) }

  /// Everything that decides the result, for recognising a transfer to go on with.
  private func identity(_ settings: StyleSettings) -> String {
    "\(settings.text) of \(content) in \(style) size \(size) \(styleSize ?? size) \(optimizer.rawValue) \(rate) from \(start) "
      + "seed \(seed) range \(options.range) \(direct ? "direct " : "")network \(options.checkpoint)"
  }

  private func begin(
    _ objective: StyleObjective, _ settings: StyleSettings, _ picture: FloatImage, _ subject: Subject
  ) throws -> StyleTransfer {
    if !restart, FileManager.default.fileExists(atPath: statePath) {
      let transfer = try StyleStateFile.read(
        statePath, settings: identity(settings), objective, rule: rule, count: picture.values.count)
      TerminalOutput.write("going on at step \(transfer.step)\n", to: 2)
      return transfer
    }
    let values: [Float]
    switch start {
    case "content": values = picture.values
    case "noise":
      var stream = RandomStream(seed: seed, purpose: .insight)
      values = picture.values.map { _ in 64 + 128 * stream.nextUniform() }
    default:
      let image = try Photograph.read(start, side: nil, large: large, for: subject)
      values = image.resized(height: picture.height, width: picture.width).values
    }
    let image = FloatImage(
      height: picture.height, width: picture.width, channels: picture.channels, values: values)
    return try StyleTransfer(objective, rule: rule, start: units(image, subject).values)
  }

  // MARK: - Steps

  private func go(
    _ transfer: StyleTransfer, _ picture: FloatImage, _ subject: Subject, _ stop: StopRequest
  ) throws {
    let settings = identity(try chosenSettings(subject))
    var curve: [[String: Any]] = [entry(transfer)]
    let interactive = TerminalOutput.standardError.isInteractive
    var lastLine = 0.0
    let began = TerminalOutput.seconds
    try FileManager.default.createDirectory(atPath: options.to, withIntermediateDirectories: true)
    while transfer.step < steps, !stop.isRequested {
      guard try transfer.advance() else { break }
      curve.append(entry(transfer))
      let now = TerminalOutput.seconds
      if now - lastLine > (interactive ? 0.5 : 30) {
        lastLine = now
        let text =
          "step \(transfer.step)/\(steps)  loss \(NumberText.short(transfer.losses.total))  content "
          + "\(NumberText.short(transfer.losses.content))  style \(NumberText.short(transfer.losses.style))"
        TerminalOutput.write(interactive ? "\r\u{1B}[K\(text)" : "\(text)\n", to: 2)
      }
      if let every, transfer.step.isMultiple(of: every) {
        let number = String(format: "%05d", transfer.step)
        try options.write(result(transfer, picture, subject), as: "style-step-\(number)")
      }
      if transfer.step.isMultiple(of: saveEvery) {
        try StyleStateFile.write(transfer, settings: settings, to: statePath)
      }
    }
    if interactive { TerminalOutput.write("\r\u{1B}[K", to: 2) }
    try StyleStateFile.write(transfer, settings: settings, to: statePath)
    if stop.isRequested, transfer.step < steps, !transfer.hasConverged { throw ExitCode(75) }
    let path = try options.write(result(transfer, picture, subject), as: "style")
    let object: [String: Any] = [
      "picture": path, "steps": transfer.step, "evaluations": transfer.evaluations,
      "converged": transfer.hasConverged, "settings": settings, "losses": curve,
    ]
    try options.write(try JSONText.make(object), as: "style.json")
    let seconds = TerminalOutput.seconds - began
    try options.report(
      object,
      "\(transfer.step) steps, \(transfer.evaluations) evaluations\(transfer.hasConverged ? " (no further step lowers the loss)" : "")"
        + " in \(NumberText.fixed(seconds, 1)) s: content \(NumberText.short(transfer.losses.content)), style "
        + "\(NumberText.short(transfer.losses.style))\n\(path)", [])
  }

  private func entry(_ transfer: StyleTransfer) -> [String: Any] {
    [
      "step": transfer.step, "content": transfer.losses.content, "style": transfer.losses.style,
      "variation": transfer.losses.variation,
    ]
  }

  private func result(_ transfer: StyleTransfer, _ picture: FloatImage, _ subject: Subject) -> Image {
    let (low, factor) = (subject.range.low, 255 / subject.range.width)
    let painted = FloatImage(
      height: picture.height, width: picture.width, channels: picture.channels,
      values: transfer.image.map { ($0 - low) * factor })
    let shown = keepColour ? picture.withBrightness(of: painted) : painted
    return shown.image ?? Image(height: 1, width: 1, channels: .grey, pixels: [0])
  }
}
