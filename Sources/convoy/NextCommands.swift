internal import Datasets
internal import Paths
internal import Settings
internal import Training

/// Commands to try on a finished run, ready to paste: the program as it was called, with the data that the run was tested on.
struct NextCommands {
  let directory: String
  let data: DataConfiguration
  /// The options that opening the data takes.
  var dataOptions: [String] = []
  var program = Self.programAsCalled()

  var lines: [String] {
    let source = data.test ?? data.train
    var samples = ["--data", Self.fromHere(source.file)] + dataOptions
    if source.images != "test/images" { samples += ["--images", source.images] }
    if source.target != TargetName(beside: source.images, data.train.target.kind) {
      switch source.target {
      case .labels(let name): samples += ["--labels", name]
      case .values(let name): samples += ["--targets", name]
      }
    }
    let weights = source.weights.map { ["--weights", $0] } ?? []
    let commands = [
      ["inspect", directory], ["evaluate", directory] + samples + weights,
      ["predict", directory] + samples + ["--rows", "0-4"],
    ]
    return commands.map { ([program] + $0).map(\.shellWord).joined(separator: " ") }
  }

  /// The path that started this process; `convoy` where a shell found the program.
  private static func programAsCalled() -> String {
    guard let program = ProgramArguments.all.first, program.utf8.contains(UInt8(ascii: "/")) else {
      return "convoy"
    }
    return fromHere(program)
  }

  /// A path relative to the working directory, where it lies below it.
  private static func fromHere(_ path: String) -> String {
    let here = Folder.current + "/"
    return path.hasPrefix(here) ? String(path.dropFirst(here.count)) : path
  }
}
