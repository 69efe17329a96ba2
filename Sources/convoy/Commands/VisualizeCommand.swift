internal import ArgumentParser
internal import Foundation
internal import ImageFiles
internal import Insight
internal import Reporting
internal import Training

/// Shows what a trained network has learned.
struct VisualizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "visualize",
    abstract: "What a trained network sees: filters, maps, examples, activation maximisation, gallery.",
    discussion: """
      CHECKPOINT is a checkpoint file or a run directory, of which the best checkpoint is taken. Pictures go into the folder of \
      --to; the same checkpoint and options give the same bytes on any number of workers.
      """,
    subcommands: [
      VisualizeFiltersCommand.self, VisualizeMapsCommand.self, VisualizeExamplesCommand.self,
      VisualizeMaximizeCommand.self, VisualizeGalleryCommand.self, VisualizeRunCommand.self,
    ])
}

/// What every look into a network needs.
struct InsightOptions: ParsableArguments {
  @Argument(help: "A checkpoint or a run directory.", completion: .file())
  var checkpoint: String

  @Option(help: ArgumentHelp("Folder for the pictures; made if it is missing.", valueName: "folder"))
  var to = "Results/insight"

  @Option(
    help: ArgumentHelp(
      "What a black and a white pixel are to the network: 0,255 where it was trained on bytes.",
      valueName: "low,high"))
  var range = "0,255"

  @OptionGroup var workers: WorkersOption

  @Flag(help: "Print one JSON object.")
  var json = false

  func pixelRange() throws -> PixelRange {
    let ends = range.split(separator: ",").map { Float($0) }
    guard ends.count == 2, let low = ends[0], let high = ends[1], low.isFinite, high.isFinite, low < high
    else { throw CommandError.usage("--range takes two numbers like 0,255, not '\(range)'") }
    return PixelRange(low: low, high: high)
  }

  var folder: PictureFolder { PictureFolder(path: to) }
}

/// Where pictures go; made when the first one comes.
struct PictureFolder: Sendable {
  let path: String

  @discardableResult
  func write(_ image: Image, as name: String) throws -> String {
    let file = "\(path)/\(name).png"
    try makeFolder(of: file)
    try ImageFile.write(image, to: file)
    return file
  }

  @discardableResult
  func write(_ text: String, as name: String) throws -> String {
    let file = "\(path)/\(name)"
    try makeFolder(of: file)
    try OutputFile.write(text, to: file)
    return file
  }

  /// What a file of the folder holds; nil where it is not there.
  func text(of name: String) -> String? { try? String(contentsOfFile: "\(path)/\(name)", encoding: .utf8) }

  func report(_ result: LookResult, json: Bool) throws {
    if json { return print(try ResultJSON.text(result.findings)) }
    let terminal = TerminalOutput.standardOutput
    if terminal.isInteractive {
      print(ImageDrawing(terminal).gallery(result.pictures, columns: terminal.columns))
    }
    print(result.text)
  }

  private func makeFolder(of file: String) throws {
    try OutputFile.makeFolder(file.lastIndex(of: "/").map { String(file[..<$0]) } ?? ".")
  }
}

/// An image file for a network.
struct InsightImage: ParsableArguments {
  @Argument(
    help: "A PNG or JPEG file; it is cut to the network's proportions and resized.",
    completion: .file(extensions: ["png", "jpg", "jpeg"]))
  var image: String

  @Flag(help: "Read images of more than 40 megapixels, which take 4 bytes of memory for each pixel and more.")
  var large = false

  var source: ImageSource { ImageSource(image, isLarge: large) }
}
