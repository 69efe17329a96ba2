public import ArgumentParser
public import Datasets
internal import Foundation
internal import ImageFiles
internal import Tensors

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

  func run() throws { try output.write(CIFARImporter(.cifar10, from: path)) }
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

  func run() throws { try output.write(CIFARImporter(coarse ? .cifar100Coarse : .cifar100, from: path)) }
}

extension OrientationUse: ExpressibleByArgument {}

/// The use of the orientation that a camera recorded with a picture.
struct OrientationOption: ParsableArguments {
  @Option(
    name: .customLong("orientation"),
    help:
      "Turn photographs as the camera recorded (upright), or leave their pixels as they are stored (stored).")
  var use = OrientationUse.upright
}

extension ImageFolderImporter.Fit: ExpressibleByArgument {}
extension ImageFolderImporter.Unreadable: ExpressibleByArgument {}

struct ImportImages: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "images",
    abstract: "A folder with one folder of PNG and JPEG files for each class.",
    discussion: """
      DIR/cat/1.png and DIR/dog/2.jpg become the split train; DIR/train/cat/1.png and DIR/test/cat/3.png become the splits train and \
      test (also validation, valid, val, Training, test_set and the like). Classes and files are taken in the order of their names.

      Pixels are taken as the files store them, without regard to gamma or colour profiles. Transparent pictures are laid on \
      black; of 16 bits per channel the upper 8 are kept; CMYK becomes RGB as in Pillow. Photographs are turned as the camera recorded \
      (Exif), as predict, explain and other looks do, too.

        convoy import images --from pets --size 64 --to pets.h5
        convoy dataset split pets.h5 --parts train=0.9,test=0.1 --to pets-split.h5
      """)

  @Option(name: .customLong("from"), help: ArgumentHelp("The folder.", valueName: "dir"))
  var path: String

  @Option(help: ArgumentHelp("Height and width of the samples: 32, or 32x48.", valueName: "hxw"))
  var size: String

  @Option(help: ArgumentHelp("1 for grey, 3 for RGB.", valueName: "n"))
  var channels = 3

  @Option(
    help: "How to reach the proportions: crop (cut off what is too long), stretch, or pad (with black).")
  var fit = ImageFolderImporter.Fit.crop

  @Option(help: "What to do with a file that cannot be read: stop, or skip it with a warning.")
  var unreadable = ImageFolderImporter.Unreadable.stop

  @OptionGroup var orientation: OrientationOption
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard channels == 1 || channels == 3 else {
      throw ValidationError("--channels takes 1 (grey) or 3 (RGB), not \(channels)")
    }
    _ = try sides()
  }

  private func sides() throws -> (Int, Int) {
    let sides = try ShapeText.parse(size, option: "--size")
    guard sides.count <= 2, sides.allSatisfy({ $0 <= 4096 }) else {
      throw ValidationError("--size takes one or two numbers up to 4096, as in 32 or 32x48, not '\(size)'")
    }
    return (sides[0], sides[sides.count - 1])
  }

  func run() throws {
    let (height, width) = try sides()
    try output.write(
      ImageFolderImporter(
        path, height: height, width: width, channels: channels == 1 ? .grey : .rgb, fit: fit,
        unreadable: unreadable, orientation: orientation.use))
  }
}

struct ImportNumPy: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "numpy",
    abstract: "NumPy arrays: .npy files, or arrays of an .npz archive.",
    discussion: """
      Images are [N, H, W, C], [N, H, W] or [N, F]: bytes stay bytes, other numbers become float32. Labels are whole numbers [N]; floats \
      [N] and arrays [N, K] become the dataset targets instead, for regression and for several labels per sample.

        convoy import numpy --images x.npy --labels y.npy --to data.h5
        convoy import numpy --from mnist.npz --images x_train --labels y_train \\
          --test-images x_test --test-labels y_test --to mnist.h5
      """)

  @Option(
    name: .customLong("from"), help: ArgumentHelp("An archive that holds the arrays.", valueName: "file.npz"))
  var archive: String?

  @Option(help: ArgumentHelp("Training images: a file, or an array's name.", valueName: "x"))
  var images: String

  @Option(help: ArgumentHelp("Training labels: a file, or an array's name.", valueName: "y"))
  var labels: String

  @Option(help: ArgumentHelp("Test images.", valueName: "x"))
  var testImages: String?

  @Option(help: ArgumentHelp("Test labels.", valueName: "y"))
  var testLabels: String?

  @Option(help: ArgumentHelp("Weights of the training samples, [N].", valueName: "w"))
  var weights: String?

  @Option(help: ArgumentHelp("Weights of the test samples.", valueName: "w"))
  var testWeights: String?

  @Flag(help: "Images are [N, C, H, W].")
  var channelsFirst = false

  @OptionGroup var classes: ClassesOption
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if (testImages == nil) != (testLabels == nil) {
      throw ValidationError("--test-images and --test-labels need each other")
    }
    if testWeights != nil, testImages == nil { throw ValidationError("--test-weights needs --test-images") }
  }

  func run() throws {
    var splits = [NumPyImporter.Split(name: "train", images: images, labels: labels, weights: weights)]
    if let testImages, let testLabels {
      splits.append(.init(name: "test", images: testImages, labels: testLabels, weights: testWeights))
    }
    try output.write(
      NumPyImporter(
        archive: archive, splits: splits, classNames: classes.names, channelsFirst: channelsFirst))
  }
}

struct ImportCSV: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "csv",
    abstract: "A table with a sample in each row, plain or gzip.",
    discussion: """
      Columns of whole numbers from 0 to 255 alone become bytes, others float32; labels may be numbers or words, and targets are \
      numbers. Text is UTF-8, or UTF-16 with its byte-order mark, unless --encoding says otherwise. A column without a name, which pandas \
      writes for its index, is left out. The columns of --test are taken by name where both files have the same names.

        convoy import csv --from train.csv --test test.csv --label label --shape 28x28x1 --to digits.h5
        convoy import csv --from houses.csv --targets price,rent --weight trust --to houses.h5
        convoy import csv --from animals.csv --label kind --delimiter ";" --decimal "," --encoding windows-1252 --to animals.h5
      """)

  @Option(name: .customLong("from"), help: ArgumentHelp("The training samples.", valueName: "file.csv"))
  var path: String

  @Option(help: ArgumentHelp("The test samples.", valueName: "file.csv"))
  var test: String?

  @Option(help: ArgumentHelp("The column of labels: its name, or its number from 1.", valueName: "column"))
  var label: String?

  @Option(
    help: ArgumentHelp(
      "Columns of targets, separated by commas, in place of labels.", valueName: "columns"))
  var targets: String?

  @Option(help: ArgumentHelp("The column of the samples' weights.", valueName: "column"))
  var weight: String?

  @Option(
    help: ArgumentHelp("Columns to leave out, separated by commas.", valueName: "columns"))
  var drop: String?

  @Option(
    help: ArgumentHelp(
      "The shape of the other columns, such as 28x28 or 32x32x3; without it they are features.",
      valueName: "hxwxc"))
  var shape: String?

  @Option(help: ArgumentHelp("The character between columns, or 'tab'.", valueName: "character"))
  var delimiter = ","

  @Option(help: ArgumentHelp("The character before the fraction of a number.", valueName: ".|,"))
  var decimal = "."

  @Option(
    help: ArgumentHelp(
      "The encoding of the text, such as windows-1252, latin1, utf-16, gb18030; UTF-8 by default.",
      valueName: "name"))
  var encoding: String?

  @Flag(inversion: .prefixedNo, help: "Whether the first row holds names; detected by default.")
  var header: Bool?

  @OptionGroup var output: OutputOptions

  private var delimiterByte: Character? {
    let text = delimiter == "tab" ? "\t" : delimiter
    return text.utf8.count == 1 ? text.first : nil
  }

  func validate() throws {
    if delimiterByte == nil {
      throw ValidationError("--delimiter takes one character, or 'tab', not '\(delimiter)'")
    }
    if (label == nil) == (targets == nil) {
      throw ValidationError("name either the column of labels (--label) or those of targets (--targets)")
    }
    if label?.isEmpty == true || (columns(targets) + columns(drop)).contains("") {
      throw ValidationError("a column's name is empty")
    }
    guard decimal == "." || decimal == "," else {
      throw ValidationError("--decimal takes '.' or ',', not '\(decimal)'")
    }
    guard decimal != delimiter else {
      throw ValidationError("--delimiter and --decimal are both '\(decimal)'; they must differ")
    }
    if delimiterByte?.isNewline == true || delimiter == "\"" || delimiter == "\0" {
      throw ValidationError("--delimiter cannot be a quote or the end of a line")
    }
    _ = try textEncoding()
    _ = try sampleShape()
  }

  private func columns(_ text: String?) -> [String] {
    text.map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) } ?? []
  }

  private func textEncoding() throws -> TextEncoding? {
    guard let encoding else { return nil }
    guard let known = TextEncoding(encoding) else {
      throw ValidationError(
        "--encoding takes an encoding's name, such as windows-1252, latin1 or utf-16, not '\(encoding)'")
    }
    return known
  }

  private func sampleShape() throws -> Shape? {
    guard let shape else { return nil }
    let sides = try ShapeText.parse(shape, option: "--shape")
    guard (1...3).contains(sides.count) else {
      throw ValidationError("--shape takes one to three numbers, as in 28x28 or 32x32x3, not '\(shape)'")
    }
    return Shape(sides.count == 2 ? sides + [1] : sides)
  }

  func run() throws {
    var splits = [CSVImporter.Split(name: "train", path: path)]
    if let test { splits.append(.init(name: "test", path: test)) }
    try output.write(
      CSVImporter(
        splits: splits, label: label ?? "", targets: columns(targets), weight: weight, dropped: columns(drop),
        sampleShape: try sampleShape(),
        format: CSVFormat(
          delimiter: delimiterByte ?? ",", decimal: decimal == "," ? "," : ".", encoding: try textEncoding(),
          hasHeader: header)))
  }
}

/// Shapes as people write them: `32x48`.
enum ShapeText {
  static func parse(_ text: String, option: String) throws -> [Int] {
    let parts = text.split(omittingEmptySubsequences: false) { "x×,".contains($0) }
    let sides = parts.compactMap { Int($0) }
    guard sides.count == parts.count, sides.allSatisfy({ $0 > 0 && $0 <= 1 << 24 }) else {
      throw ValidationError(
        "\(option) takes numbers above 0 with 'x' between them, such as 28x28, not '\(text)'")
    }
    // The product of many sides may exceed 64 bits.
    guard sides.reduce(1.0, { $0 * Double($1) }) <= 0x1p31 else {
      throw ValidationError("\(option) \(text) has more than 2^31 elements")
    }
    return sides
  }
}
