internal import ArgumentParser
internal import Datasets
internal import Foundation
internal import Tensors

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

  @OptionGroup var encoding: EncodingOption

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
    _ = try sampleShape()
  }

  private func columns(_ text: String?) -> [String] {
    text.map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) } ?? []
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
          delimiter: delimiterByte ?? ",", decimal: decimal == "," ? "," : ".", encoding: encoding.encoding,
          hasHeader: header)), reading: InputFiles([path, test]))
  }
}
