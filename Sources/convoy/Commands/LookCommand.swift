internal import ArgumentParser
internal import Experiments
internal import Foundation
internal import ImageFiles
internal import Insight
internal import Paths
internal import Reporting
internal import Settings
internal import Training

/// Shows what a trained network has learned.
struct LookCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "look",
    abstract: "Look into a trained network: filters, maps, examples, activation maximisation, gallery.",
    discussion: """
      CHECKPOINT is a checkpoint file or a run directory, whose best checkpoint is taken; Results/NAME/last and \
      Results/NAME/best stand for runs. Pictures go into the folder of \
      --to; the same checkpoint and options give the same bytes on any number of workers. Options have the names of the keys in \
      configurations, which `convoy look run` takes.
      """,
    subcommands: [
      LookFiltersCommand.self, LookMapsCommand.self, LookExamplesCommand.self, LookMaximizeCommand.self,
      LookGalleryCommand.self, LookRunCommand.self,
    ], aliases: ["visualize"])
}

/// Options that every look into a network has.
struct LookOptions: ParsableArguments {
  @Argument(LookRequest.checkpoint) var checkpoint: SettingFlag

  @Option(help: ArgumentHelp("Folder for the pictures; made if it does not exist.", valueName: "folder"))
  var to = "Results/insight"

  @Option(LookRequest.black) var black: SettingFlag?
  @Option(LookRequest.white) var white: SettingFlag?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Black and white in one option, such as 0,1.", valueName: "black,white"))
  var range: String?

  @OptionGroup var workers: WorkersOption

  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    if let range, range.split(separator: ",").count != 2 {
      throw ValidationError(
        "--range takes two numbers such as 0,255, not '\(range)'; see also --black and --white")
    }
  }

  /// The settings beside the look in a configuration.
  var flags: [SettingFlag] {
    let ends = (range ?? "").split(separator: ",")
    let both = zip([LookRequest.black.name, LookRequest.white.name], ends).map { key, text in
      SettingFlag([key], option: "--range", text: String(text))
    }
    return [checkpoint] + both + [black, white].compactMap(\.self)
  }

}

/// The seed of random numbers.
struct SeedOption: ParsableArguments {
  @Option(LookRequest.seed) var seed: SettingFlag?
}

/// How the pictures of files are read.
struct PictureOptions: ParsableArguments {
  @Flag(LookRequest.largeImages) var largeImages: Bool
  @Flag(help: .hidden) var large = false
  @Option(LookRequest.orientation) var orientation: SettingFlag?

  var flags: [SettingFlag?] { [LookRequest.largeImages.flag(largeImages || large), orientation] }
}

/// How pictures of files become samples for the network.
struct SampleFitOption: ParsableArguments {
  @Option(LookRequest.fit) var fit: SettingFlag?
}

/// The folder of the pictures, made when the first one comes.
struct PictureFolder: Sendable {
  let path: String
  /// What the look reads, which no picture may replace.
  let inputs: InputFiles

  /// - Parameter kind: the word of the look, which its main picture is called by.
  /// - Throws: ``CommandError`` where that picture is among the files that the look reads.
  init(path: String, inputs: InputFiles, kind: String) throws(CommandError) {
    (self.path, self.inputs) = (path, inputs)
    _ = try place(of: "\(kind).png")
  }

  /// The path of a file in the folder, which may replace an older one but no input.
  private func place(of name: String) throws(CommandError) -> String {
    let file = "\(path)/\(name)"
    try OverwriteOption.refuse(file, among: inputs, "another folder with --to, or --run-dir")
    return file
  }

  @discardableResult
  func write(_ image: Image, as name: FileName) throws -> String {
    let file = try place(of: "\(name.text).png")
    try makeFolder(of: file)
    try ImageFile.write(image, to: file)
    return file
  }

  @discardableResult
  func write(_ text: String, as name: FileName) throws -> String {
    let file = try place(of: name.text)
    try makeFolder(of: file)
    try OutputFile.write(text, to: file)
    return file
  }

  /// The contents of a file in the folder; nil where there is none.
  func text(of name: FileName) -> String? {
    WholeFile.text("\(path)/\(name.text)")
  }

  func report(_ result: LookResult, json: Bool) throws {
    if json { return print(try ResultJSON.text(result.findings)) }
    let terminal = TerminalOutput.standardOutput
    if terminal.isInteractive {
      // Colours are escape sequences, and no text of anybody's.
      TerminalOutput.write(
        ImageDrawing(terminal).gallery(result.pictures, columns: terminal.columns) + "\n", to: 1)
    }
    if terminal.hasColor, !result.colored.isEmpty { TerminalOutput.write(result.colored + "\n", to: 1) }
    print(result.lines.map(TextWidth.printable).joined(separator: "\n"))
  }

  private func makeFolder(of file: String) throws {
    try OutputFile.makeFolder(Folder.parent(of: file))
  }
}
