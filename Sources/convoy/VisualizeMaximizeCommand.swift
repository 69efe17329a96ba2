internal import ArgumentParser
internal import Foundation
internal import ImageFiles
internal import Insight
internal import Networks
internal import Parallel
internal import Reporting
internal import Tensors
internal import Training

/// Makes images that excite filters, units or classes most.
struct VisualizeMaximizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "maximize",
    abstract: "Activation maximisation: images that excite filters, units or classes most.",
    discussion: """
      Gradient ascent on the pixels, with the network's parameters fixed. A filter's activation is the sum over its map, a \
      class's is its output before softmax. Pixels are counted from 0 (black) to 1 (white) everywhere, in --rate and the \
      penalties too. With --l1, digits look like digits.

        convoy visualize maximize Results/fashion-mnist/RUN --layer conv2d_1
        convoy visualize maximize Results/fashion-mnist/RUN --class all --l1 0.1
        convoy visualize maximize Results/fashion-mnist/RUN --layer dense --neuron 0-19 --blur 0.5
      """)

  @OptionGroup var options: InsightOptions
  @OptionGroup var targets: TargetOptions
  @OptionGroup var ascent: AscentOptions

  func run() throws {
    let stop = StopSignals.install()
    let subject = try options.subject()
    let targets = try targets.targets(in: subject)
    let settings = try ascent.settings(for: subject)
    let pool = WorkerPool(workers: options.workers.count)
    let progress = TerminalOutput.progressLine()
    let counter = DoneCounter()
    let maxima = try Maximization(subject, settings).run(
      targets, pool: pool, while: { !stop.isRequested }
    ) { _ in
      counter.increment { done in
        progress.update(
          ProgressReading(title: "maximize", done: done, total: targets.count), now: TerminalOutput.seconds)
      }
    }
    progress.finish()
    guard maxima.count == targets.count else { throw ExitCode(75) }
    let probabilities = try subject.probabilities(of: maxima.map(\.image))
    let report = MaximizationReport(subject: subject, maxima: maxima, probabilities: probabilities)
    let name = "maximize-\(self.targets.name)"
    let object = try report.write(into: options.folder, name: name, settings: ascent.object)
    try options.report(object, report.text(options.folder, name: name), report.drawings)
  }
}

/// What is to be maximised.
struct TargetOptions: ParsableArguments {
  @Option(help: ArgumentHelp("A layer; with --filter or --neuron.", valueName: "name"))
  var layer: String?

  @Option(help: ArgumentHelp("Filters of the layer; all by default.", valueName: "0,5,10-12|all"))
  var filter: String?

  @Option(help: ArgumentHelp("Units of a dense layer.", valueName: "0,5,10-12|all"))
  var neuron: String?

  @Option(
    name: .customLong("class"),
    help: ArgumentHelp(
      "Outputs before softmax, by name or number, separated by commas.", valueName: "class|all"))
  var classes: String?

  func validate() throws {
    guard layer != nil || (filter == nil && neuron == nil) else {
      throw ValidationError("--filter and --neuron need --layer")
    }
    guard classes == nil || layer == nil else { throw ValidationError("name either --layer or --class") }
    guard filter == nil || neuron == nil else { throw ValidationError("name either --filter or --neuron") }
    guard classes != nil || layer != nil else {
      throw ValidationError("say what to maximise: --layer (with --filter or --neuron) or --class")
    }
  }

  /// For file names.
  var name: String { layer ?? "classes" }

  func targets(in subject: Subject) throws -> [Target] {
    try Self.targets(layer: layer, filter: filter, neuron: neuron, classes: classes, in: subject)
  }

  static func targets(
    layer: String?, filter: String?, neuron: String?, classes: String?, in subject: Subject
  ) throws -> [Target] {
    if let classes {
      if classes == "all" { return subject.classNames.indices.map { .output($0) } }
      return try classes.split(separator: ",").map {
        .output(try subject.classIndex($0.trimmingCharacters(in: .whitespaces)))
      }
    }
    let layer = try subject.layer(layer ?? "")
    let count = layer.outputShape.dimensions.last ?? 0
    if layer.outputShape.rank == 1 {
      guard filter == nil else {
        throw CommandError.usage("layer '\(layer.name)' has units and no filters; use --neuron")
      }
      return try FilterList.parse(neuron, count: count, of: layer.name, word: "neuron").map {
        .neuron(layer: layer.name, index: $0)
      }
    }
    guard neuron == nil else {
      throw CommandError.usage("layer '\(layer.name)' has filters and no single units; use --filter")
    }
    return try FilterList.parse(filter, count: count, of: layer.name).map {
      .filter(layer: layer.name, index: $0)
    }
  }
}

/// Words of options for what the library knows.
enum RuleName: String, ExpressibleByArgument, CaseIterable {
  case adam
  case sgd

  var rule: AscentRule { self == .adam ? .adam : .sgd }
}

enum ParameterizationName: String, ExpressibleByArgument, CaseIterable {
  case pixels
  case sigmoid

  var parameterization: ImageParameterization { self == .pixels ? .pixels : .sigmoid }
}

/// How an ascent goes.
struct AscentOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Steps for each target.", valueName: "n"))
  var steps = 200

  @Option(help: "adam, or sgd with the gradient normalised.")
  var optimizer = RuleName.adam

  @Option(help: ArgumentHelp("Step size; 0.05 for adam and 0.02 for sgd by default.", valueName: "r"))
  var rate: Double?

  @Option(help: ArgumentHelp("Subtract this times the sum of |x|.", valueName: "lambda"))
  var l1 = 0.0

  @Option(help: ArgumentHelp("Subtract this times the sum of (x - 0.5)².", valueName: "lambda"))
  var l2 = 0.0

  @Option(help: ArgumentHelp("Subtract this times the total variation.", valueName: "lambda"))
  var tv = 0.0

  @Option(
    help: ArgumentHelp("Shift the image by up to this many pixels before each step.", valueName: "pixels"))
  var jitter = 0

  @Option(
    help: ArgumentHelp("Blur every fourth step, with this standard deviation in pixels.", valueName: "sigma"))
  var blur = 0.0

  @Option(help: ArgumentHelp("Where to start.", valueName: "noise|grey|black|image.png"))
  var start = "noise"

  @Option(help: "pixels: held in 0...1 after each step; sigmoid: never at the ends.")
  var parameterization = ParameterizationName.pixels

  @Option(help: ArgumentHelp("Of the noise and the jitter.", valueName: "n"))
  var seed: UInt64 = 0

  @Option(
    help: ArgumentHelp(
      "First steps in which a filter's sums are raised before its activation cuts them off; half by default.",
      valueName: "n"))
  var warmUp: Int?

  @Option(
    help: ArgumentHelp(
      "Tries from other noise, every second one without warm-up; the best image counts.", valueName: "n"))
  var attempts = 2

  func validate() throws {
    guard (1...1_000_000).contains(steps) else {
      throw ValidationError("--steps takes 1 to 1000000, not \(steps)")
    }
    if let rate, !(rate > 0 && rate.isFinite) {
      throw ValidationError("--rate takes a number above 0, not \(rate)")
    }
    for (name, value) in [("l1", l1), ("l2", l2), ("tv", tv)] where !(value >= 0 && value.isFinite) {
      throw ValidationError("--\(name) takes a number from 0, not \(value)")
    }
    guard (0...1000).contains(jitter) else {
      throw ValidationError("--jitter takes 0 to 1000, not \(jitter)")
    }
    guard (1...100).contains(attempts) else {
      throw ValidationError("--attempts takes 1 to 100, not \(attempts)")
    }
    if let warmUp, warmUp < 0 { throw ValidationError("--warm-up takes 0 or more, not \(warmUp)") }
    guard blur >= 0, blur <= 50 else { throw ValidationError("--blur takes 0 to 50, not \(blur)") }
  }

  func settings(for subject: Subject) throws -> AscentSettings {
    let begin: ImageStart
    switch start {
    case "noise": begin = .noise
    case "grey", "gray": begin = .grey
    case "black": begin = .black
    default: begin = .image(try InsightImage.read(start, large: false, for: subject).pixels)
    }
    return AscentSettings(
      steps: steps, rule: optimizer.rule, rate: rate,
      prior: ImagePrior(l1: l1, l2: l2, totalVariation: tv),
      parameterization: parameterization.parameterization,
      start: begin, jitter: jitter, blur: blur, seed: seed, warmUp: warmUp, attempts: attempts)
  }

  var object: [String: Any] {
    [
      "steps": steps, "optimizer": optimizer.rawValue, "rate": rate ?? optimizer.rule.defaultRate, "l1": l1,
      "l2": l2, "tv": tv, "jitter": jitter, "blur": blur, "start": start,
      "parameterization": parameterization.rawValue, "seed": seed, "warm_up": warmUp ?? steps / 2,
      "attempts": attempts,
    ]
  }
}

/// What a maximisation found, for people and machines.
struct MaximizationReport {
  let subject: Subject
  let maxima: [Maximum]
  let probabilities: [[Double]]

  var title: String { "what excites each most: \(maxima.count) images" }

  var tiles: [PictureSheet.Tile] {
    zip(maxima, probabilities).map { maximum, probabilities in
      var second = NumberText.short(maximum.activation)
      if case .output(let index) = maximum.target {
        second += "  p \(NumberText.fixed(probabilities[index], 3))"
      }
      return PictureSheet.Tile(
        subject.picture(maximum.image), [maximum.target.label(in: subject), second])
    }
  }

  var curveTiles: [PictureSheet.Tile] {
    maxima.map { PictureSheet.Tile(CurvePicture.draw($0.curve), [$0.target.label(in: subject)]) }
  }

  var drawings: [(image: Image, caption: String)] { tiles.map { ($0.image, $0.labels[0]) } }

  /// Writes the contact sheets, single pictures and values.
  ///
  /// - Returns: what stands in the JSON file.
  func write(into folder: PictureFolder, name: String, settings: [String: Any]) throws -> [String: Any] {
    let sheet = try folder.write(PictureSheet(title: title, tiles: tiles).picture(), as: name)
    let curves = try folder.write(
      PictureSheet(title: "the objective, step by step", tiles: curveTiles, scale: 1).picture(),
      as: "\(name)-curves")
    let files = try maxima.map { maximum in
      try folder.write(
        subject.picture(maximum.image), as: "\(name)/\(maximum.target.name(in: subject))")
    }
    var object = object(files: files)
    object["picture"] = sheet
    object["curves"] = curves
    if !settings.isEmpty { object["settings"] = settings }
    try folder.write(try JSONText.make(object), as: "\(name).json")
    return object
  }

  func text(_ folder: PictureFolder, name: String) -> String {
    let terminal = TerminalOutput.standardOutput
    return table(columns: terminal.columns, unicode: terminal.hasUnicode)
      + "\(folder.path)/\(name).png\n\(folder.path)/\(name)-curves.png\n\(folder.path)/\(name).json"
  }

  func table(columns: Int, unicode: Bool) -> String {
    var table = Table([
      Table.Column("target"), Table.Column("at start", .trailing), Table.Column("activation", .trailing),
      Table.Column("sum |x|", .trailing), Table.Column("seen as"), Table.Column("p", .trailing),
    ])
    for (maximum, probabilities) in zip(maxima, probabilities) {
      let best = probabilities.indices.reduce(0) { probabilities[$1] > probabilities[$0] ? $1 : $0 }
      table.add([
        maximum.target.label(in: subject), NumberText.short(maximum.curve.first ?? 0),
        NumberText.short(maximum.activation), NumberText.fixed(maximum.pixelSum, 1),
        subject.classNames[best], NumberText.fixed(probabilities[best], 4),
      ])
    }
    return table.text(width: columns, unicode: unicode)
  }

  func object(files: [String]) -> [String: Any] {
    [
      "classes": subject.classNames,
      "targets": maxima.indices.map { index -> [String: Any] in
        let maximum = maxima[index]
        return [
          "target": maximum.target.name(in: subject), "label": maximum.target.label(in: subject),
          "activation": maximum.activation, "objective": maximum.objective, "curve": maximum.curve,
          "pixel_sum": maximum.pixelSum, "probabilities": probabilities[index], "file": files[index],
        ]
      },
    ]
  }
}
