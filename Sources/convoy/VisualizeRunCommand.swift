internal import ArgumentParser
internal import Crypto
internal import Experiments
internal import Foundation
internal import ImageFiles
internal import Insight
internal import Parallel
internal import Reporting
internal import Training

/// Looks into a network as a configuration says.
struct VisualizeRunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Do what a configuration says, into a run directory; the same command goes on after a stop.",
    discussion: """
      Configs/README.md explains the keys. The run directory's name follows from the configuration and the checkpoint, so \
      that other settings never mix.

        convoy visualize run Configs/maximize-classes.yaml
      """)

  @Argument(help: "A YAML configuration.", completion: .file(extensions: ["yaml", "yml"]))
  var config: String

  @Option(help: ArgumentHelp("Folder of the results, instead of Results/NAME/ID.", valueName: "folder"))
  var runDir: String?

  @OptionGroup var workers: WorkersOption

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let stop = StopSignals.install()
    let configuration = try InsightConfiguration.load(path: config)
    let (_, checkpoint) = try CheckpointStore.choose(configuration.checkpoint) {
      TerminalOutput.warn("\($0)")
    }
    let subject = try Subject(
      checkpoint.network, values: checkpoint.values, classNames: checkpoint.identity.classNames,
      range: PixelRange(low: Float(configuration.black), high: Float(configuration.white)))
    let contents = try checkpoint.contentDigest().map { String(format: "%02x", $0) }.joined()
    let description = configuration.text + "# checkpoint contents SHA-256 \(contents)\n"
    let digest = SHA256.hash(data: Data(description.utf8)).prefix(4).map { String(format: "%02x", $0) }
      .joined()
    let folder = PictureFolder(path: runDir ?? "Results/\(configuration.name)/\(digest)")
    if let known = folder.text(of: "config.yaml"), known != description {
      throw CommandError(
        exitCode: 78,
        description: "\(folder.path) belongs to another configuration or checkpoint; use another --run-dir")
    }
    try folder.write(description, as: "config.yaml")
    switch configuration.job {
    case .maximize(let job): try maximize(job, configuration.seed, subject, folder, stop)
    }
  }

  private func maximize(
    _ job: InsightConfiguration.Maximize, _ seed: UInt64, _ subject: Subject, _ folder: PictureFolder,
    _ stop: StopRequest
  ) throws {
    let targets: [Target] =
      switch job.target {
      case .filters(let layer, let which):
        try TargetOptions.targets(layer: layer, filter: which, neuron: nil, classes: nil, in: subject)
      case .neurons(let layer, let which):
        try TargetOptions.targets(layer: layer, filter: nil, neuron: which, classes: nil, in: subject)
      case .classes(let which):
        try TargetOptions.targets(layer: nil, filter: nil, neuron: nil, classes: which, in: subject)
      }
    let settings = AscentSettings(
      steps: job.steps, rule: AscentRule(rawValue: job.optimizer) ?? .adam, rate: job.rate,
      prior: ImagePrior(l1: job.l1, l2: job.l2, totalVariation: job.totalVariation),
      parameterization: ImageParameterization(rawValue: job.parameterization) ?? .pixels,
      start: job.start == "grey" ? .grey : job.start == "black" ? .black : .noise, jitter: job.jitter,
      blur: job.blur, seed: seed, warmUp: job.warmUp, attempts: job.attempts)
    // A finished target is a file of its own: what a stopped run has made is not made again.
    func file(_ target: Target) -> String { "targets/\(target.name(in: subject)).json" }
    var known: [Target: Maximum] = [:]
    for target in targets {
      guard let text = folder.text(of: file(target)) else { continue }
      known[target] = try? JSONDecoder().decode(Maximum.self, from: Data(text.utf8))
    }
    let missing = targets.filter { known[$0] == nil }
    let progress = TerminalOutput.progressLine()
    let counter = DoneCounter()
    let finished = known.count
    let names = Dictionary(uniqueKeysWithValues: missing.map { ($0, file($0)) })
    let found = try Maximization(subject, settings).run(
      missing, pool: WorkerPool(workers: workers.count), while: { !stop.isRequested }
    ) { maximum in
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys]
      let text = String(decoding: try encoder.encode(maximum), as: UTF8.self)
      try folder.write(text, as: names[maximum.target] ?? "")
      counter.increment { done in
        progress.update(
          ProgressReading(title: "maximize", done: finished + done, total: targets.count),
          now: TerminalOutput.seconds)
      }
    }
    progress.finish()
    for maximum in found { known[maximum.target] = maximum }
    let maxima = targets.compactMap { known[$0] }
    guard maxima.count == targets.count else { throw ExitCode(75) }
    let report = MaximizationReport(
      subject: subject, maxima: maxima, probabilities: try subject.probabilities(of: maxima.map(\.image)))
    let object = try report.write(into: folder, name: "maxima", settings: [:])
    try folder.report(object, json: json, report.text(folder, name: "maxima"), report.drawings)
  }
}
