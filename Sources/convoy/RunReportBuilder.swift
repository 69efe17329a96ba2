internal import Datasets
internal import Experiments
internal import Foundation
internal import ImageFiles
internal import Networks
internal import Paths
internal import Reporting
internal import Tensors
internal import Training

/// Gathers the contents of a run's report from its directory, its best checkpoint and its test data.
struct RunReportBuilder {
  let directory: String
  let workers: Int
  /// The bytes of memory for the test samples.
  private let memoryLimit: Int
  private let epochs: RunTable

  /// - Parameter memoryLimit: the bytes of memory for the test samples; what does not fit is streamed.
  /// - Throws: ``CommandError`` where the folder is no run directory.
  init(directory: String, workers: Int, memoryLimit: Int = 1 << 30) throws {
    let directory = RunPath.resolve(directory)
    guard FileStatus.isFolder(directory) else {
      throw CommandError.missing("there is no run directory \(directory)")
    }
    guard let epochs = RunTable.epochs(ofRun: directory) else {
      throw CommandError.missing("\(directory) is not a run directory: it has no metrics.csv")
    }
    self.directory = directory
    self.workers = workers
    self.memoryLimit = memoryLimit
    self.epochs = epochs
  }

  private static func path(ofRun directory: String) -> String { "\(directory)/\(RunDirectory.reportName)" }

  /// Whether a run has its report.
  static func hasReport(_ directory: String) -> Bool {
    FileStatus.exists(path(ofRun: directory))
  }

  /// Whether a path leads to the run's own report.
  func isOwn(_ path: String) -> Bool {
    Folder.name(of: path) == RunDirectory.reportName
      && FileStatus(Folder.parent(of: path))?.identity == FileStatus(directory)?.identity
  }

  /// The files that a report is made from.
  var inputs: InputFiles {
    InputFiles([directory] + ((try? ConfigurationFile.load(path: "\(directory)/config.yaml").files) ?? []))
  }

  /// A report that was written.
  struct Written {
    let path: String
    let report: RunReport
    /// What is missing from it although the run has it, and why.
    let warnings: [String]
  }

  /// Writes the report.
  ///
  /// - Parameters:
  ///   - path: nil writes `report.html` in the run directory.
  ///   - replacesFuller: whether it may replace one with parts that cannot be made now.
  /// - Throws: ``CommandError`` where it may not, and the older report stays.
  func write(to path: String?, replacesFuller: Bool, stop: StopRequest) throws -> Written {
    let path = path ?? Self.path(ofRun: directory)
    let (report, problem, warnings) = try make(stop: stop)
    let page = try report.html()
    if !replacesFuller { try check(page, replacing: path, problem) }
    try OutputFile.write(page, to: path)
    return Written(path: path, report: report, warnings: warnings)
  }

  /// Refuses to replace a page by one that lacks parts of it.
  private func check(_ page: String, replacing path: String, _ problem: (any Error)?) throws(CommandError) {
    guard let older = WholeFile.text(path) else { return }
    let sections = RunReport.sections(ofPage: page)
    let lost = RunReport.sections(ofPage: older).filter { !sections.contains($0) }
    let areCurvesLost = lost.contains(RunReport.curves)
    // A network that makes no mistakes any more has no section for them.
    guard !lost.isEmpty, problem != nil || areCurvesLost else { return }
    let reason = problem.map { "\($0)" } ?? "gnuplot is not installed"
    throw CommandError(
      problem.flatMap { ExitStatus($0) } ?? .cannotCreate,
      "\(path) stays, since a new report would lack parts of it (\(lost.joined(separator: ", "))): \(reason); pass --overwrite to "
        + "replace it, or name another file with --output")
  }

  // MARK: - The parts

  private func make(
    stop: StopRequest
  ) throws -> (report: RunReport, problem: (any Error)?, warnings: [String]) {
    var problem: (any Error)?
    var warnings: [String] = []
    let configuration = text("config.yaml") ?? ""
    let loaded = try? ConfigurationFile.load(text: configuration, path: "\(directory)/config.yaml")
    var report = RunReport(
      name: loaded?.run.name
        ?? PathText.readable(Folder.name(of: Folder.parent(of: Folder.absolute(directory)))),
      run: PathText.readable(Folder.name(of: Folder.absolute(directory))), state: "")
    report.configuration = configuration
    report.environment = environment()
    report.epochs = epochRows()
    report.figureNames = epochs.figureNames
    report.ranks = ranks()
    let monitor = loaded?.run.training.monitor ?? .accuracy
    report.learningRate = learningRates()
    do {
      let (path, checkpoint) = try CheckpointStore.choose(directory) { warnings.append("\($0)") }
      report.bestEpoch = checkpoint.progress.best?.epoch
      report.filters = filters(checkpoint)
      if let loaded {
        try evaluate(path, checkpoint, on: loaded.run.data.test, into: &report, stop: stop)
      }
    } catch let error as StoppedEarly {
      throw error
    } catch {
      problem = error
      warnings.append("Classes, mistakes and filters are left out: \(error)")
    }
    report.notes += warnings
    let wanted = loaded?.run.training.epochs
    let done = report.epochs.last?.number ?? 0
    report.state =
      wanted.map { done >= $0 ? "\(counted(done, "epoch")), complete" : "\(done) of \(counted($0, "epoch"))" }
      ?? counted(done, "epoch")
    report.highlights = highlights(report, monitor)
    return (report, problem, warnings)
  }

  private func text(_ name: String) -> String? {
    WholeFile.text("\(directory)/\(name)")
  }

  private func epochRows() -> [RunReport.Epoch] {
    // Each column is read once: a run may have thousands of epochs.
    let numbers = epochs.numbers("epoch")
    let paths: [(String, WritableKeyPath<RunReport.Epoch, Double?>)] = [
      ("learning_rate", \.learningRate), ("data_wait_seconds", \.dataWaitSeconds),
      ("test_seconds", \.testSeconds),
      ("checkpoint_seconds", \.checkpointSeconds),
    ]
    let columns = paths.map { (values: epochs.numbers($0.0), path: $0.1) }
    let figures = epochs.figureNames.map { name in
      (
        name: name, train: epochs.numbers("train_\(name)"), validation: epochs.numbers("validation_\(name)"),
        test: epochs.numbers("test_\(name)")
      )
    }
    // The table counts seconds from the start of the run.
    let clock = epochs.numbers("seconds")
    return numbers.indices.compactMap { index in
      guard let number = numbers[index].flatMap({ Int(exactly: $0) }) else { return nil }
      var epoch = RunReport.Epoch(number: number)
      for column in columns { epoch[keyPath: column.path] = column.values[index] }
      for figure in figures {
        epoch.train[figure.name] = figure.train[index]
        epoch.validation[figure.name] = figure.validation[index]
        epoch.test[figure.name] = figure.test[index]
      }
      epoch.seconds = clock[index].map { $0 - (index > 0 ? clock[index - 1] ?? 0 : 0) }
      return epoch
    }
  }

  /// The ranks with the times of all epochs that they have trained; those of the last crew where it has changed.
  private func ranks() -> [RunReport.Rank] {
    guard let table = RunTable.ranks(ofRun: directory), let cells = table.cells("rank"),
      let nodes = table.cells("node"), let last = cells.last.flatMap({ Int($0) })
    else { return [] }
    let phases = table.columns.filter { $0.hasSuffix("_seconds") }
      .map { (name: $0.dropLast("_seconds".count).replacing("_", with: " "), seconds: table.numbers($0)) }
    let rows = Dictionary(grouping: cells.indices) { Int(cells[$0]) ?? -1 }
    return rows.keys.filter { $0 >= 0 && $0 <= last }.sorted().map { rank in
      let rows = rows[rank] ?? []
      return RunReport.Rank(
        name: "\(rank) (\(rows.last.map { nodes[$0] } ?? ""))",
        phases: phases.map { phase in
          RunReport.Rank.Phase(
            String(phase.name), seconds: rows.reduce(0) { $0 + (phase.seconds[$1] ?? 0) })
        })
    }
  }

  /// The learning rates of at most about a thousand steps, which is all that the curve shows.
  private func learningRates() -> [Chart.Point] {
    guard let steps = RunTable.steps(ofRun: directory) else { return [] }
    let (numbers, rates) = (steps.numbers("step"), steps.numbers("learning_rate"))
    let stride = max(1, numbers.count / 1000)
    return Swift.stride(from: 0, to: numbers.count, by: stride).compactMap { index in
      guard let number = numbers[index], let rate = rates[index] else { return nil }
      return Chart.Point(number, rate)
    }
  }

  private func environment() -> [RunReport.Fact] {
    guard let environment = RunEnvironment.read(directory: directory) else { return [] }
    let versions = environment.versions.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    let facts: [(name: String, value: String?)] = [
      ("command line", PathText.readable(environment.commandLine.joined(separator: " "))),
      ("cores", environment.cores),
      ("cpu", environment.cpu), ("git revision", environment.gitRevision), ("host", environment.host),
      ("instruction set", environment.instructionSet), ("slurm job", environment.slurmJob),
      ("started at", environment.startedAt), ("versions", versions.joined(separator: ", ")),
      ("workers", "\(environment.workers)"),
      ("ranks", environment.nodes.map { "\($0.count) on \(Set($0).sorted().joined(separator: ", "))" }),
    ]
    return facts.compactMap { fact in fact.value.map { RunReport.Fact(fact.name, $0) } }
  }

  private func filters(_ checkpoint: Checkpoint) -> RunReport.Filters? {
    for layer in checkpoint.network.layers {
      guard case .conv2D = layer.spec, let source = layer.inputShapes.first,
        source == checkpoint.network.inputShape,
        let kernel = checkpoint.values.layout.parameters.first(where: {
          $0.layer == layer.name && $0.spec.name == "kernel"
        })
      else { continue }
      let shape = kernel.spec.shape
      return RunReport.Filters(
        layer: layer.name, kernel: UnsafeBufferPointer(checkpoint.values.values(of: kernel)),
        height: shape[0], width: shape[1], channels: shape[2], filters: shape[3])
    }
    return nil
  }

  // MARK: - The test data

  private static let mistakeLimit = 24

  private func evaluate(
    _ path: String, _ checkpoint: Checkpoint, on source: SampleSource?, into report: inout RunReport,
    stop: StopRequest
  ) throws {
    guard let source else {
      report.notes.append("The run has no test data, so classes and mistakes are left out.")
      return
    }
    let (dataset, note) = try source.open().matched(to: checkpoint.identity.classNames)
    if let note { report.notes.append(note) }
    let store = try SampleStore(dataset, memoryLimitByteCount: memoryLimit, threads: workers)
    let predictor = try checkpoint.predictor(path, samples: dataset.count, workers: workers)
    guard let evaluation = try predictor.evaluate(store, stop: stop),
      let mistakes = try predictor.confidentMistakes(store, limit: Self.mistakeLimit, stop: stop)
    else { throw StoppedEarly("stopped by a signal; no report was written") }
    let names = classNames(checkpoint, dataset, count: predictor.outputCount)
    let figures = EvaluationReport(
      path, evaluation, outputs: names, classes: checkpoint.identity.classNames, dataset)
    (report.confusion, report.labels, report.errors) = (figures.confusion, figures.labels, figures.errors)
    report.evaluated =
      "\(Folder.name(of: path)) (epoch \(checkpoint.progress.epoch)) on "
      + "\(NumberText.grouped(dataset.count)) test samples: \(figures.headline)"
    report.mistakes = try pictures(of: mistakes, dataset, names)
  }

  private func pictures(
    of mistakes: [ConfidentMistake], _ dataset: ImageDataset, _ names: [String]
  ) throws -> [RunReport.Mistake] {
    guard dataset.sampleShape.rank == 3, let channels = Image.Channels(rawValue: dataset.sampleShape[2])
    else { return [] }
    let samples = try dataset.samples(mistakes.map(\.row))
    return mistakes.enumerated().map { index, mistake in
      let pixels = Self.bytes(of: index, samples)
      let image = Image(
        height: dataset.sampleShape[0], width: dataset.sampleShape[1], channels: channels, pixels: pixels)
      return RunReport.Mistake(
        image: image, label: names[Int(mistake.label)], predicted: names[Int(mistake.predicted)],
        probability: mistake.probability, row: mistake.row)
    }
  }

  /// A sample's pixels from 0 to 255; floats are stretched over their own range.
  private static func bytes(of index: Int, _ samples: Minibatch) -> [UInt8] {
    if samples.pixelType == .uint8 { return samples.withSample(index) { Array($0) } }
    var floats = [Float](repeating: 0, count: samples.sampleShape.elementCount)
    floats.withUnsafeMutableBufferPointer { samples.copyPixels(of: index..<index + 1, to: $0) }
    let (low, high) = (floats.min() ?? 0, floats.max() ?? 1)
    return floats.map { UInt8((high > low ? ($0 - low) / (high - low) : 0) * 255) }
  }

  // MARK: - Highlights

  private func highlights(_ report: RunReport, _ monitor: MonitoredFigure) -> [RunReport.Fact] {
    var facts: [RunReport.Fact] = []
    let last = report.epochs.last
    let name = monitor.name
    let words = name.replacing("_", with: " ")
    if let figure = last?.test[name] {
      facts.append(.init("test \(words), last epoch", NumberText.short(figure)))
    }
    if let best = report.bestEpoch, let epoch = report.epochs.first(where: { $0.number == best }) {
      if let figure = epoch.validation[name] {
        facts.append(.init("best validation \(words) (epoch \(best))", NumberText.short(figure)))
      } else if let figure = epoch.test[name] {
        facts.append(.init("best test \(words) (epoch \(best))", NumberText.short(figure)))
      }
    }
    if name != "loss" || last?.test.isEmpty == true, let loss = last?.test["loss"] ?? last?.train["loss"] {
      facts.append(.init(last?.test["loss"] == nil ? "training loss" : "test loss", NumberText.short(loss)))
    }
    if let seconds = epochs.numbers("seconds").last ?? nil {
      facts.append(.init("time", NumberText.duration(seconds)))
    }
    if let rate = epochs.numbers("samples_per_second").last ?? nil {
      facts.append(.init("samples/s, last epoch", NumberText.grouped(rate)))
    }
    return facts
  }
}
