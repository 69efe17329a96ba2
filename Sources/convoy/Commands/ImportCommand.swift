internal import ArgumentParser
internal import Datasets
internal import Foundation
internal import ImageFiles
internal import Parallel
internal import Paths
internal import Reporting
internal import Tensors
internal import Training

/// Brings datasets into the HDF5 form that training reads, and networks of other programs into checkpoints.
struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Make a dataset file or a checkpoint from another format.",
    subcommands: [
      ImportFashionMNIST.self, ImportIDX.self, ImportCIFAR10.self, ImportCIFAR100.self, ImportImages.self,
      ImportNumPy.self, ImportCSV.self, ImportText.self, ImportAudio.self, ImportSGF.self, ImportHDF5.self,
      ImportKeras.self, ImportONNX.self, ImportSafetensors.self,
    ])
}

/// The new dataset file, and how it is stored.
struct OutputOptions: ParsableArguments {
  @Option(name: .customLong("to"), help: ArgumentHelp("The dataset file to write.", valueName: "file.h5"))
  var path: String

  @OptionGroup var overwrite: OverwriteOption

  @Option(1...9, help: ArgumentHelp("Compress with deflate, 1 (fast) to 9 (small).", valueName: "level"))
  var compress: Int?

  @Flag(help: "Group bytes of equal significance before compression; helps with floats.")
  var shuffleFilter = false

  @Option(1...1 << 24, help: ArgumentHelp("Samples in a chunk; about 128 KiB by default.", valueName: "n"))
  var chunk: Int?

  @Flag(help: "Print what was written as a JSON object.")
  var json = false

  /// Makes the file's folder, and listens to signals, which leave no file behind.
  ///
  /// - Parameter inputs: what the command reads.
  func prepare(reading inputs: InputFiles) throws -> DatasetOutput {
    let stop = StopSignals.install()
    try overwrite.check("--to", path, inputs: inputs)
    try OutputFile.makeFolder(Folder.parent(of: path))
    return DatasetOutput(
      path, overwrite: overwrite.isGiven,
      storage: DatasetStorage(
        compressionLevel: compress, shuffle: shuffleFilter, samplesPerChunk: chunk),
      threads: Cores.available().count, check: { try Self.check(stop) }, note: { TerminalOutput.warn($0) })
  }

  static func check(_ stop: StopRequest) throws {
    guard let signal = stop.signalNumber else { return }
    throw CommandError(
      .stopped, "stopped by \(StopSignals.name(of: signal)); nothing was written, so run the command again")
  }

  /// Runs work with a progress line on a terminal.
  static func withProgress<Result>(
    _ title: String, _ body: ((Double) throws -> Void) throws -> Result
  ) throws -> Result {
    let line = TerminalOutput.progressLine()
    let start = TerminalOutput.seconds
    defer { line.finish() }
    return try body { share in
      try check(StopSignals.request)
      let now = TerminalOutput.seconds
      line.update(
        ProgressReading(
          title: title, done: Int(share * 10_000), total: 10_000,
          secondsLeft: share > 0.02 ? (now - start) * (1 - share) / share : nil), now: now)
    }
  }

  /// Runs an import and prints what was written.
  ///
  /// - Parameter inputs: what it reads.
  func write(_ importer: some DatasetImporter, reading inputs: InputFiles) throws {
    let output = try prepare(reading: inputs)
    let summary = try Self.withProgress("import") { try importer.write(to: output, progress: $0) }
    for note in summary.notes { TerminalOutput.warn(note) }
    if json { return print(try ResultJSON.text(DatasetResult(summary))) }
    let parts = summary.counts.map { "\(NumberText.grouped($0.count)) \($0.name)" }
    let counts = [parts.dropLast().joined(separator: ", "), parts.last ?? ""].filter { !$0.isEmpty }.joined(
      separator: " and ")
    let isOne = summary.counts.count == 1 && summary.counts[0].count == 1
    print(
      "\(PathText.readable(summary.path)): \(counts) \(isOne ? "sample" : "samples") of \(summary.sampleShape), "
        + counted(summary.classNames.count, summary.hasTargets ? "target" : "class"))
    for line in summary.details { print("  \(line)") }
  }
}

/// Names of classes on the command line.
struct ClassesOption: ParsableArguments {
  @Option(
    help: ArgumentHelp("Class names in the order of the labels, separated by commas.", valueName: "a,b,…"))
  var classes: String?

  var names: [String]? { classes.map(Self.names) }

  func validate() throws {
    if let problem = names.flatMap(ClassNaming.problem) { throw ValidationError("--classes: \(problem)") }
  }

  /// Names separated by commas, without blanks around them.
  static func names(_ text: String) -> [String] {
    text.split(separator: ",", omittingEmptySubsequences: false).map {
      $0.trimmingCharacters(in: .whitespaces)
    }
  }
}
