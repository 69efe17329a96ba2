internal import ArgumentParser
internal import Foundation
internal import ImageFiles
internal import Insight
internal import Networks
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

  /// The checkpoint's network, ready to be looked into.
  func subject() throws -> Subject {
    let (_, checkpoint) = try CheckpointStore.choose(checkpoint) { TerminalOutput.warn("\($0)") }
    let ends = range.split(separator: ",").map { Float($0) }
    guard ends.count == 2, let low = ends[0], let high = ends[1], low.isFinite, high.isFinite, low < high
    else { throw CommandError.usage("--range takes two numbers like 0,255, not '\(range)'") }
    return try Subject(
      checkpoint.network, values: checkpoint.values, classNames: checkpoint.identity.classNames,
      range: PixelRange(low: low, high: high))
  }

  var folder: PictureFolder { PictureFolder(path: to) }

  /// Writes a picture into the folder.
  ///
  /// - Returns: its path.
  @discardableResult
  func write(_ image: Image, as name: String) throws -> String { try folder.write(image, as: name) }

  /// Writes text into the folder.
  @discardableResult
  func write(_ text: String, as name: String) throws -> String { try folder.write(text, as: name) }

  /// Prints the object for machines, or the text and, where the terminal shows them, the pictures.
  func report(
    _ object: [String: Any], _ text: String, _ pictures: @autoclosure () -> [(image: Image, caption: String)]
  ) throws {
    try folder.report(object, json: json, text, pictures())
  }
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
    do { try Data(text.utf8).write(to: URL(fileURLWithPath: file), options: .atomic) } catch {
      throw CommandError(exitCode: 73, description: "cannot write \(file): \(error.localizedDescription)")
    }
    return file
  }

  /// What a file of the folder holds; nil where it is not there.
  func text(of name: String) -> String? { try? String(contentsOfFile: "\(path)/\(name)", encoding: .utf8) }

  func report(
    _ object: [String: Any], json: Bool, _ text: String,
    _ pictures: @autoclosure () -> [(image: Image, caption: String)]
  ) throws {
    if json { return print(try JSONText.make(object)) }
    let terminal = TerminalOutput.standardOutput
    if terminal.isInteractive {
      print(ImageDrawing(terminal).gallery(pictures(), columns: terminal.columns))
    }
    print(text)
  }

  private func makeFolder(of file: String) throws {
    let folder = file.lastIndex(of: "/").map { String(file[..<$0]) } ?? "."
    do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
      throw CommandError(
        exitCode: 73, description: "cannot make the folder \(folder): \(error.localizedDescription)")
    }
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

  /// The picture as the network takes it, and its pixels in 0…1.
  func prepared(for subject: Subject) throws -> (picture: Image, pixels: [Float]) {
    try InsightImage.read(image, large: large, for: subject)
  }

  static func read(_ path: String, large: Bool, for subject: Subject) throws -> (
    picture: Image, pixels: [Float]
  ) {
    let limit = large ? ImageFile.defaultPixelLimit * 10 : 40_000_000
    let image: Image
    do { image = try ImageFile.read(path, pixelLimit: limit) } catch {
      guard error.kind == .badData, error.description.contains("too large") else { throw error }
      throw CommandError.badData("\(error); --large reads larger ones")
    }
    let (pixels, note) = try subject.prepare(image)
    if let note { TerminalOutput.warn("\(path) \(note)") }
    return (subject.picture(pixels), pixels)
  }
}

/// Filters as people write them: `0,5,10-12` or `all`.
enum FilterList {
  static func parse(_ text: String?, count: Int, of layer: String, word: String = "filter") throws -> [Int] {
    guard let text, text != "all" else { return Array(0..<count) }
    var filters: [Int] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard let first = ends.first.flatMap(\.self), let last = ends.last.flatMap(\.self), ends.count <= 2,
        first <= last
      else {
        throw CommandError.usage("--\(word) takes numbers and ranges like 0,5,10-12, or all, not '\(part)'")
      }
      guard first >= 0, last < count else {
        throw CommandError.usage(
          "layer '\(layer)' has no \(word) \(first < 0 ? first : last); it has \(count), from 0 to \(count - 1)"
        )
      }
      filters += Array(first...last)
    }
    return filters
  }
}
