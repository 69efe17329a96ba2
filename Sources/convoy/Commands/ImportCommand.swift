internal import ArgumentParser
internal import Datasets
internal import Foundation
internal import ImageFiles
internal import Parallel
internal import Paths
internal import Reporting
internal import Tensors
internal import Training

/// Brings datasets into the HDF5 form that training reads, and Keras networks into checkpoints.
struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Make a dataset file or a checkpoint from another format.",
    subcommands: [
      ImportFashionMNIST.self, ImportIDX.self, ImportCIFAR10.self, ImportCIFAR100.self, ImportImages.self,
      ImportNumPy.self, ImportCSV.self, ImportHDF5.self, ImportKeras.self,
    ])
}

/// The new dataset file, and how it is stored.
struct OutputOptions: ParsableArguments {
  @Option(name: .customLong("to"), help: ArgumentHelp("The dataset file to write.", valueName: "file.h5"))
  var path: String

  @Flag(help: "Replace the file if it exists.")
  var overwrite = false

  @Option(1...9, help: ArgumentHelp("Compress with deflate, 1 (fast) to 9 (small).", valueName: "level"))
  var compress: Int?

  @Flag(help: "Group bytes of equal significance before compression; helps with floats.")
  var shuffleFilter = false

  @Option(1...1 << 24, help: ArgumentHelp("Samples in a chunk; about 128 KiB by default.", valueName: "n"))
  var chunk: Int?

  @Flag(help: "Print what was written as a JSON object.")
  var json = false

  /// Makes the file's folder, and listens to signals, which leave no file behind.
  func prepare() throws -> DatasetOutput {
    let stop = StopSignals.install()
    try OutputFile.makeFolder(Folder.parent(of: path))
    return DatasetOutput(
      path, overwrite: overwrite,
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
  func write(_ importer: some DatasetImporter) throws {
    let output = try prepare()
    let summary = try Self.withProgress("import") { try importer.write(to: output, progress: $0) }
    for note in summary.notes { TerminalOutput.warn(note) }
    if json { return print(try ResultJSON.text(DatasetResult(summary))) }
    let counts = summary.counts.map { "\(NumberText.grouped($0.count)) \($0.name)" }.joined(
      separator: " and ")
    print(
      "\(PathText.readable(summary.path)): \(counts) samples of \(summary.sampleShape), \(summary.classNames.count) \(summary.hasTargets ? "target(s)" : "classes")"
    )
  }
}

struct ImportFashionMNIST: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fashion-mnist",
    abstract: "Fashion-MNIST: 60,000 + 10,000 grey images of clothing, ten classes.",
    discussion: "Debian's package dataset-fashion-mnist has the files; Scripts/quickstart installs it.")

  @Option(name: .customLong("from"), help: ArgumentHelp("Folder with the four IDX files.", valueName: "dir"))
  var folder = FashionMNIST.defaultFolder

  @OptionGroup var output: OutputOptions

  func run() throws { try output.write(FashionMNIST.importer(from: folder)) }
}

struct ImportIDX: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "idx",
    abstract: "Any pair of IDX files like MNIST's, plain or gzip.",
    discussion: """
        convoy import idx --images train-images.gz --labels train-labels.gz \\
          --test-images test-images.gz --test-labels test-labels.gz --classes cat,dog --to pets.h5
      """)

  @Option(help: ArgumentHelp("Training images (IDX, 3 or 4 dimensions).", valueName: "file"))
  var images: String

  @Option(help: ArgumentHelp("Training labels (IDX, 1 dimension).", valueName: "file"))
  var labels: String

  @Option(help: ArgumentHelp("Test images.", valueName: "file"))
  var testImages: String?

  @Option(help: ArgumentHelp("Test labels.", valueName: "file"))
  var testLabels: String?

  @OptionGroup var classes: ClassesOption
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if (testImages == nil) != (testLabels == nil) {
      throw ValidationError("--test-images and --test-labels go together")
    }
  }

  func run() throws {
    var splits = [IDXImporter.Split(name: "train", imagesPath: images, labelsPath: labels)]
    if let testImages, let testLabels {
      splits.append(.init(name: "test", imagesPath: testImages, labelsPath: testLabels))
    }
    try output.write(IDXImporter(splits: splits, classNames: classes.names))
  }
}

/// Names of classes on the command line.
struct ClassesOption: ParsableArguments {
  @Option(
    help: ArgumentHelp("Class names in the order of the labels, separated by commas.", valueName: "a,b,…"))
  var classes: String?

  var names: [String]? { classes.map(Self.names) }

  func validate() throws {
    if let names, let empty = names.firstIndex(of: "") {
      throw ValidationError("--classes: class \(empty) has no name")
    }
  }

  /// Names separated by commas, without blanks around them.
  static func names(_ text: String) -> [String] {
    text.split(separator: ",", omittingEmptySubsequences: false).map {
      $0.trimmingCharacters(in: .whitespaces)
    }
  }
}
