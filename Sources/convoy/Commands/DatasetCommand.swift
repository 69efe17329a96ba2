internal import ArgumentParser
internal import Datasets
internal import Experiments
internal import Parallel
internal import Paths
internal import Reporting
internal import Tensors
internal import Training

/// Checks, repacks and splits dataset files.
struct DatasetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dataset",
    abstract: "Check, repack or split a dataset file.",
    subcommands: [DatasetCheckCommand.self, DatasetRepackCommand.self, DatasetSplitCommand.self])
}

struct DatasetCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Read every sample and report errors and oddities.",
    discussion: """
      Errors (exit code 65): labels outside the range of classes, NaN or infinite values, samples that are in two splits, splits \
      that do not match. Warnings: splits whose numbers differ widely in size, samples that occur twice, equal samples with different \
      labels, samples of a single value, classes that have no samples or less than a tenth of the others', storage that is slow to read.

        convoy dataset check data.h5
        convoy dataset check mine.h5 --images x_train --labels y_train --images x_test --labels y_test
        convoy dataset check Configs/fashion-mnist.yaml
      """)

  @Argument(help: "The dataset file, or a config with its data.", completion: .file())
  var path: String

  @OptionGroup var names: DatasetNames

  @Flag(help: "Treat warnings as errors.")
  var strict = false

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let stop = StopSignals.install()
    let file = try dataset()
    let report = try OutputOptions.withProgress("check") { progress in
      try file.report(
        threads: Cores.available().count, check: { try DatasetCheckCommand.check(stop) }, progress: progress)
    }
    print(json ? try ResultJSON.text(DatasetCheckResult(report)) : text(report))
    if report.hasErrors || (strict && !report.findings.isEmpty) { throw SilentEnd(.badData) }
  }

  private func dataset() throws -> DatasetFile {
    guard path.hasSuffix(".yaml") || path.hasSuffix(".yml") else { return try names.open(path) }
    if names.areGiven {
      throw CommandError.usage("--images and the like are for dataset files, but \(path) names its own")
    }
    let data = try ConfigurationFile.load(path: path, overrides: []).run.data
    return try DatasetFile(
      data.train.file,
      splits: ([("train", data.train)] + (data.test.map { [("test", $0)] } ?? [])).map { role, source in
        DatasetFile.Split(
          name: role, images: source.images, target: source.target, weights: source.weights, file: source.file
        )
      })
  }

  private static func check(_ stop: StopRequest) throws {
    if stop.isRequested { throw SilentEnd(.stopped) }
  }

  private func text(_ report: DatasetReport) -> String {
    let terminal = TerminalOutput.standardOutput
    var table = Table([
      Table.Column("split"), Table.Column("samples", .trailing), Table.Column("shape"),
      Table.Column("pixels"), Table.Column("storage"),
      Table.Column("classes", .trailing), Table.Column("per class", .trailing),
    ])
    for split in report.splits {
      let (low, high) = (split.classCounts.min() ?? 0, split.classCounts.max() ?? 0)
      table.add([
        split.name, NumberText.grouped(split.count), "\(split.sampleShape)", "\(split.pixels)",
        split.storage,
        split.hasTargets ? counted(split.classCounts.count, "target") : "\(split.classCounts.count)",
        split.hasTargets
          ? "–"
          : low == high
            ? NumberText.grouped(low) : "\(NumberText.grouped(low)) to \(NumberText.grouped(high))",
      ])
    }
    let findings = report.findings.map { "\($0.severity.rawValue): \($0.text)" }
    let verdict = findings.isEmpty ? ["no problems found"] : findings
    return ([table.text(width: terminal.tableWidth, unicode: terminal.hasUnicode)] + verdict).joined(
      separator: "\n")
  }
}

/// The findings of a check of a dataset, for machines.
private struct DatasetCheckResult: Encodable {
  /// The range in which all samples lie.
  struct Pixels: Encodable {
    let type: String
    let low: Double
    let high: Double

    init(_ pixels: PixelSpan) {
      (type, low, high) = (pixels.type.rawValue, Double(pixels.low), Double(pixels.high))
    }
  }

  struct Split: Encodable {
    let name: String
    let samples: Int
    /// The shape of one sample.
    let shape: [Int]
    let pixels: Pixels
    let storage: String
    let targets: Bool
    let classNames: [String]
    let classCounts: [Int]
    let constantSamples: Int
    let nonFiniteSamples: Int
    let duplicates: Int
    let inOtherSplits: Int

    init(_ split: DatasetReport.SplitFigures) {
      (name, samples, shape) = (split.name, split.count, split.sampleShape.dimensions)
      pixels = Pixels(split.pixels)
      (storage, targets) = (split.storage, split.hasTargets)
      (classNames, classCounts) = (split.classNames, split.classCounts)
      (constantSamples, nonFiniteSamples) = (split.constantSamples, split.nonFiniteSamples)
      (duplicates, inOtherSplits) = (split.duplicates, split.leaks)
    }
  }

  struct Finding: Encodable {
    let severity: String
    let text: String
  }

  let file: String
  let splits: [Split]
  let findings: [Finding]

  init(_ report: DatasetReport) {
    file = report.path
    splits = report.splits.map(Split.init)
    findings = report.findings.map { Finding(severity: $0.severity.rawValue, text: $0.text) }
  }
}

struct DatasetRepackCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "repack",
    abstract: "Write the same samples with other chunks, compression or filters.",
    discussion: """
      Trainings see no difference, so a run may continue with the repacked file.

        convoy dataset repack slow.h5 --to fast.h5
        convoy dataset repack big.h5 --compress 6 --shuffle-filter --to small.h5
      """)

  @Argument(help: "The dataset file.", completion: .file())
  var path: String

  @OptionGroup var names: DatasetNames
  @OptionGroup var output: OutputOptions

  func run() throws {
    let file = try names.open(path)
    for name in file.others {
      TerminalOutput.warn("\"\(name)\" is neither images nor labels and is left out")
    }
    let target = try output.prepare(reading: InputFiles([path]))
    try OutputOptions.withProgress("repack") { try file.repack(to: target, progress: $0) }
    print(
      output.json
        ? try ResultJSON.text(DatasetResult(path: output.path, splits: names.areGiven ? file.splits : nil))
        : try DatasetSummary.text(output.path, splits: names.areGiven ? file.splits : nil))
  }
}

struct DatasetSplitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "split",
    abstract: "Divide a split into several, each with its share of every class.",
    discussion: """
      The seed alone decides which sample goes where. Splits that are not divided are copied.

        convoy dataset split fashion-mnist.h5 --parts train=0.9,validation=0.1 --to fashion-mnist-validation.h5
      """)

  @Argument(help: "The dataset file.", completion: .file())
  var path: String

  @Option(
    help: ArgumentHelp(
      "Names and shares of the parts; the shares add up to at most 1.", valueName: "train=0.9,test=0.1"))
  var parts: String

  @Option(name: .customLong("from"), help: ArgumentHelp("The split to divide.", valueName: "name"))
  var source: String?

  @Option(help: ArgumentHelp("Seeds the choice of which sample goes where.", valueName: "n"))
  var seed: UInt64 = 0

  @OptionGroup var dataset: DatasetNames
  @OptionGroup var output: OutputOptions

  func validate() throws { _ = try parsedParts() }

  private func parsedParts() throws -> [(name: String, share: Double)] {
    let parsed = try parts.split(separator: ",", omittingEmptySubsequences: false).map {
      part -> (name: String, share: Double) in
      let sides = part.split(separator: "=", omittingEmptySubsequences: false)
      guard sides.count == 2, let share = Double(sides[1]), share > 0, share <= 1, !sides[0].isEmpty,
        sides[0].allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") })
      else {
        throw ValidationError(
          "--parts takes names with shares above 0, as in train=0.9,test=0.1, not '\(part)'")
      }
      return (String(sides[0]), share)
    }
    guard Set(parsed.map(\.name)).count == parsed.count else {
      throw ValidationError("--parts names a part twice: \(parts)")
    }
    let total = parsed.reduce(0) { $0 + $1.share }
    guard total <= 1 + 1e-9 else {
      throw ValidationError(
        "--parts: the shares add up to \(NumberText.short(total)), expected at most 1")
    }
    return parsed
  }

  func run() throws {
    let file = try dataset.open(path)
    let names = file.splits.map { $0.name.isEmpty ? "images" : $0.name }
    let wanted = source ?? (names.count == 1 ? names[0] : "train")
    guard let index = names.firstIndex(of: wanted) else {
      throw CommandError.badData(
        "\(path) has no split \"\(wanted)\"; its splits are \(names.joined(separator: ", ")), of which --from names one"
      )
    }
    let target = try output.prepare(reading: InputFiles([path]))
    try OutputOptions.withProgress("split") {
      try file.split(
        file.splits[index], into: try parsedParts(), seed: seed, to: target, progress: $0)
    }
    print(
      output.json
        ? try ResultJSON.text(DatasetResult(path: output.path)) : try DatasetSummary.text(output.path))
  }
}

/// The names of a file's datasets that hold samples, where these are not called `images`, `labels` and so on.
struct DatasetNames: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Dataset of images, with --labels or --targets; repeat it for another split. By default all datasets called images.",
      valueName: "name"))
  var images: [String] = []

  @Option(
    help: ArgumentHelp("Dataset of the images' classes, one --labels for each --images.", valueName: "name"))
  var labels: [String] = []

  @Option(help: ArgumentHelp("Dataset of the images' numbers, in place of classes.", valueName: "name"))
  var targets: [String] = []

  @Option(
    help: ArgumentHelp("Dataset of the samples' weights, for all of the images or none.", valueName: "name"))
  var weights: [String] = []

  @OptionGroup var plugIns: PlugInsOption

  var areGiven: Bool { !images.isEmpty || !labels.isEmpty || !targets.isEmpty || !weights.isEmpty }

  func validate() throws {
    if !labels.isEmpty, !targets.isEmpty {
      throw ValidationError("--labels and --targets cannot be given together")
    }
    guard images.count == labels.count + targets.count else {
      throw ValidationError(
        "found \(images.count) --images and \(labels.count + targets.count) --labels or --targets, expected as many of both"
      )
    }
    guard weights.isEmpty || weights.count == images.count else {
      throw ValidationError(
        "found \(images.count) --images and \(weights.count) --weights, expected as many of both")
    }
  }

  func open(_ path: String) throws -> DatasetFile {
    guard areGiven else { return try DatasetFile(path) }
    let right = labels.map { TargetName.labels($0) } + targets.map { TargetName.values($0) }
    return try DatasetFile(
      path,
      splits: images.indices.map { index in
        let name = images[index]
        let group = name.hasSuffix("/images") ? String(name.dropLast("/images".count)) : name
        return DatasetFile.Split(
          name: group, images: name, target: right[index], weights: weights.isEmpty ? nil : weights[index])
      })
  }
}

/// A line that describes a dataset file.
enum DatasetSummary {
  /// - Parameter known: the file's splits, where they have names of their own.
  static func text(_ path: String, splits known: [DatasetFile.Split]? = nil) throws -> String {
    let file = try known.map { try DatasetFile(path, splits: $0) } ?? DatasetFile(path)
    let datasets = try file.splits.map {
      (name: $0.name.isEmpty ? "images" : $0.name, dataset: try file.open($0))
    }
    let counts = datasets.map { "\(NumberText.grouped($0.dataset.count)) \($0.name)" }.joined(
      separator: " and ")
    let size = FileStatus(path)?.byteCount ?? 0
    let shape = datasets.first.map { "\($0.dataset.sampleShape), \($0.dataset.storage)" } ?? ""
    return "\(path): \(counts) samples of \(shape); \(NumberText.grouped(size)) bytes"
  }
}
