internal import ArgumentParser
internal import Datasets

struct ImportCIFAR10: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cifar10",
    abstract: "CIFAR-10: 50,000 + 10,000 colour images of 32×32, ten classes.",
    discussion: "Takes the binary or the Python version, as the archive offered for download or unpacked.")

  @Option(
    name: .customLong("from"),
    help: ArgumentHelp("The .tar.gz, or the folder with data_batch_1(.bin) and so on.", valueName: "path"))
  var path: String

  @OptionGroup var output: OutputOptions

  func run() throws { try output.write(CIFARImporter(.cifar10, from: path), reading: InputFiles([path])) }
}

struct ImportCIFAR100: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cifar100",
    abstract: "CIFAR-100: 50,000 + 10,000 colour images of 32×32, 100 classes or 20 groups of them.",
    discussion: "Takes the binary or the Python version, as the archive offered for download or unpacked.")

  @Option(
    name: .customLong("from"),
    help: ArgumentHelp("The .tar.gz, or the folder with train(.bin) and test(.bin).", valueName: "path"))
  var path: String

  @Flag(help: "Use the 20 groups of classes as labels.")
  var coarse = false

  @OptionGroup var output: OutputOptions

  func run() throws {
    try output.write(
      CIFARImporter(coarse ? .cifar100Coarse : .cifar100, from: path), reading: InputFiles([path]))
  }
}
