internal import ArgumentParser
internal import Datasets
internal import Foundation
internal import Parallel
internal import Training

/// Brings data sets into the HDF5 form that training reads, and other people's networks into checkpoints.
struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Write a dataset file, or a checkpoint, from another format.",
    subcommands: [ImportFashionMNIST.self, ImportIDX.self, ImportKeras.self])
}

/// What every importer is told.
struct ImportOutput: ParsableArguments {
  @Option(name: .customLong("to"), help: ArgumentHelp("The dataset file to write.", valueName: "file.h5"))
  var path: String

  @Flag(help: "Replace the file if it exists.")
  var overwrite = false

  @Option(help: ArgumentHelp("Compress with deflate, 1 (fast) to 9 (small).", valueName: "level"))
  var compress: Int?

  func validate() throws {
    if let compress, !(1...9).contains(compress) {
      throw ValidationError("--compress takes a level from 1 to 9, not \(compress)")
    }
  }

  /// Runs the import with a progress line on a terminal, and says what was written.
  ///
  /// - Throws: ``StoppedEarly`` after a signal; what stood under the path before still does.
  func write(_ importer: IDXImporter) throws {
    let stop = StopSignals.install()
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let summary = try importer.write(
      to: path, overwrite: overwrite, compressionLevel: compress, threads: Cores.available().count
    ) { _ in
      if let number = stop.signalNumber {
        throw StoppedEarly("stopped by \(StopSignals.name(of: number)); \(path) was not written")
      }
    }
    let counts = summary.counts.map { "\($0.count) \($0.name)" }.joined(separator: " and ")
    print("\(summary.path): \(counts) samples of \(summary.sampleShape), \(summary.classNames.count) classes")
  }
}

struct ImportFashionMNIST: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fashion-mnist",
    abstract: "Fashion-MNIST: 60,000 + 10,000 grey images of clothing, ten classes.",
    discussion: "Debian's package dataset-fashion-mnist has the files, and Scripts/quickstart installs it.")

  @Option(name: .customLong("from"), help: ArgumentHelp("Folder with the four IDX files.", valueName: "dir"))
  var folder = FashionMNIST.defaultFolder

  @OptionGroup var output: ImportOutput

  func run() throws { try output.write(FashionMNIST.importer(from: folder)) }
}

struct ImportIDX: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "idx",
    abstract: "Any MNIST-like pair of IDX files, plain or gzip.",
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

  @Option(help: ArgumentHelp("Class names in the order of the labels, comma-separated.", valueName: "a,b,…"))
  var classes: String?

  @OptionGroup var output: ImportOutput

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
    let names = classes?.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    try output.write(IDXImporter(splits: splits, classNames: names))
  }
}
