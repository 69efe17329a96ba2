internal import ArgumentParser
internal import Datasets

struct ImportFashionMNIST: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fashion-mnist",
    abstract: "Fashion-MNIST: 60,000 + 10,000 grey images of clothing, ten classes.",
    discussion: "Debian's package dataset-fashion-mnist has the files; Scripts/quickstart installs it.")

  @Option(name: .customLong("from"), help: ArgumentHelp("Folder with the four IDX files.", valueName: "dir"))
  var folder = FashionMNIST.defaultFolder

  @OptionGroup var output: OutputOptions

  func run() throws { try output.write(FashionMNIST.importer(from: folder), reading: InputFiles([folder])) }
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
    try output.write(
      IDXImporter(splits: splits, classNames: classes.names),
      reading: InputFiles([images, labels, testImages, testLabels]))
  }
}
