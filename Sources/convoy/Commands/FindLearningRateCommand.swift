internal import ArgumentParser
internal import Experiments
internal import Foundation
internal import Interchange
internal import Parallel
internal import Reporting
internal import Settings
internal import Training

/// Finds a learning rate.
struct FindLearningRateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "find-lr",
    abstract:
      "Find a learning rate: train with a rising rate, and see where the loss falls and where it diverges.",
    discussion: """
      The range test (Smith 2017): each step has a slightly higher rate than the one before. The suggested rate is where the loss \
      falls most steeply. The rate with the least loss is already too high to train with for long, and beyond it the training \
      diverges. The suggestion suits one_cycle's peak and constant rates alike.

      The config's optimizer, batch, augmentation and clipping are used, but not its schedule. Rates are those that the config would \
      name: with base_batch they are multiplied as in a training. Only the file of --plot is written, and no run directory \
      is touched. The same config gives the same curve on any number of workers.

        convoy find-lr Configs/fashion-mnist.yaml --plot lr.png
      """)

  @OptionGroup var config: ConfigurationArguments
  @OptionGroup var workers: WorkersOption

  @Option(1e-30...1e30, help: ArgumentHelp("The first rate.", valueName: "rate"))
  var from = 1e-6

  @Option(1e-30...1e30, help: ArgumentHelp("The last rate.", valueName: "rate"))
  var to = 10.0

  @Option(
    10...1_000_000, help: ArgumentHelp("Number of steps from the first rate to the last.", valueName: "n"))
  var steps = 200

  @Option(
    help: ArgumentHelp("Draw the curve into a PNG or SVG file.", valueName: "file"), completion: .file())
  var plot: String?

  @OptionGroup var overwrite: OverwriteOption

  @Flag(help: "Print one JSON object with every step.")
  var json = false

  func validate() throws {
    guard to > from else {
      throw ValidationError("--to must be above --from, but \(to) is not above \(from)")
    }
    if let plot, !plot.hasSuffix(".png"), !plot.hasSuffix(".svg") {
      throw ValidationError("--plot takes a file name that ends in .png or .svg, not \(plot)")
    }
  }

  func run() throws {
    let stop = StopSignals.install()
    let loaded = try ConfigurationFile.load(path: config.config, overrides: config.settings)
    if let plot {
      try overwrite.check("--plot", plot, inputs: InputFiles(loaded.files))
      if Gnuplot.find() == nil { throw Gnuplot.Failure.notInstalled }
    }
    let finder = try LearningRateFinder(
      RunRequest(
        configuration: loaded.run, resolvedConfiguration: loaded.resolvedYAML, directory: "",
        workers: workers.count, model: KerasModelWriter()), stop: stop)
    let line = TerminalOutput.progressLine()
    let range = LearningRateFinder.Range(from: from, to: to, steps: steps)
    let curve = try finder.run(range) { step, rate, loss in
      let reading = ProgressReading(
        title: "rate \(Self.text(rate))", done: step, total: steps, loss: loss)
      if !json { line.update(reading, now: TerminalOutput.seconds) }
    }
    line.finish()
    guard !curve.points.isEmpty else {
      throw CommandError(
        .notFinite,
        "the loss is not finite even at a rate of \(Self.text(from)); lower --from")
    }
    if let plot { try write(chart(curve, loaded.run.name), to: plot) }
    print(json ? try ResultJSON.text(LearningRateResult(curve)) : text(curve, loaded))
  }

  /// The rate with three significant digits, as a config would have it.
  private static func text(_ rate: Double) -> String {
    let short = String(format: "%.3g", rate)
    return Double(short).map { "\($0)" } ?? short
  }

  // MARK: - For people

  private func text(_ curve: LearningRateCurve, _ loaded: LoadedConfiguration) -> String {
    let terminal = TerminalOutput.standardOutput
    var table = Table([
      Table.Column("learning rate", .trailing), Table.Column("loss", .trailing),
      Table.Column("smoothed", .trailing), Table.Column(""),
    ])
    for index in shown(curve) {
      let point = curve.points[index]
      let marks = [
        index == curve.steepest ? "steepest fall: suggested" : nil,
        index == curve.minimum ? "least loss" : nil,
        curve.hasDiverged && index == curve.points.count - 1 ? "diverges" : nil,
      ].compactMap(\.self)
      table.add([
        Self.text(point.rate), NumberText.short(point.loss), NumberText.short(curve.smoothed[index]),
        marks.joined(separator: ", "),
      ])
    }
    var lines = [
      table.text(width: terminal.tableWidth, unicode: terminal.hasUnicode), verdict(curve, loaded),
    ]
    if let plot { lines.append("chart   \(plot)") }
    return lines.joined(separator: "\n")
  }

  /// About a dozen steps, and those that are marked.
  private func shown(_ curve: LearningRateCurve) -> [Int] {
    let count = curve.points.count
    let even = stride(from: 0, to: count, by: max(count / 12, 1)).map { $0 }
    return Set(even + [curve.steepest, curve.minimum, count - 1].compactMap(\.self)).sorted()
  }

  private func verdict(_ curve: LearningRateCurve, _ loaded: LoadedConfiguration) -> String {
    guard let steepest = curve.steepest else {
      return
        "no suggestion: the loss does not fall between \(Self.text(from)) and \(Self.text(curve.points.last?.rate ?? to)); "
        + "try another range with --from and --to, or more --steps"
    }
    let rate = Self.text(curve.points[steepest].rate)
    let least = curve.minimum.map { Self.text(curve.points[$0].rate) } ?? rate
    let end =
      curve.hasDiverged
      ? "it diverges before \(Self.text(curve.points.last?.rate ?? to))"
      : "it does not diverge up to \(Self.text(to))"
    let settings = config.overrides + ["learning_rate=\(rate)"]
    let next =
      ["convoy", "train", config.config] + config.plugIns.words + settings.flatMap { ["--set", $0] }
    return """
      The loss falls most steeply at \(rate) and is least at \(least); \(end).
      next    \(next.map(\.shellWord).joined(separator: " "))
      """
  }

  // MARK: - As a picture

  private func chart(_ curve: LearningRateCurve, _ name: String) -> Chart {
    func points(_ losses: [Double]) -> [Chart.Point] {
      zip(curve.points, losses).map { Chart.Point($0.rate, $1) }
    }
    var chart = Chart(
      "Learning rates of \(name)", x: "learning rate", y: "loss",
      [
        Chart.Series("minibatches", points(curve.points.map(\.loss)), style: .faint),
        Chart.Series("smoothed", points(curve.smoothed)),
      ])
    chart.isLogarithmicX = true
    if let steepest = curve.steepest {
      let rate = curve.points[steepest].rate
      chart.marks = [Chart.Mark(x: rate, Self.text(rate))]
    }
    // The diverging end must not flatten the rest of the curve.
    if let low = curve.smoothed.min(), let first = curve.smoothed.first, low < first {
      chart.yRange = min(0, low)...first * 1.5
    }
    return chart
  }

  private func write(_ chart: Chart, to path: String) throws {
    let data =
      path.hasSuffix(".png")
      ? Data(try Gnuplot.png(chart)) : Data(try Gnuplot.svg(chart, width: 960, height: 540).utf8)
    try OutputFile.write(data, to: path)
  }
}

/// A curve of losses over rates, for machines.
private struct LearningRateResult: Encodable {
  struct Step: Encodable {
    let learningRate: Double
    let loss: Double
    let smoothed: Double
  }

  let diverged: Bool
  let steps: [Step]
  /// The rate at which the loss falls most steeply; left out where it does not fall.
  let suggestion: Double?
  let leastLossAt: Double?

  init(_ curve: LearningRateCurve) {
    diverged = curve.hasDiverged
    steps = zip(curve.points, curve.smoothed).map {
      Step(learningRate: $0.rate, loss: $0.loss, smoothed: $1)
    }
    suggestion = curve.steepest.map { curve.points[$0].rate }
    leastLossAt = curve.minimum.map { curve.points[$0].rate }
  }
}
