internal import ArgumentParser
internal import Digests
internal import Experiments
internal import Insight
internal import Parallel
internal import Paths
internal import Training

/// Carries out a look that a configuration describes.
struct LookRunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract:
      "Carry out the look of a configuration in a run directory; the same command resumes it after a stop.",
    discussion: """
      A configuration can describe everything that look, explain, dream and style do; Configs/README.md explains the keys. The \
      run directory's name follows from the configuration and the checkpoint, so that other settings never mix with them.

        convoy look run Configs/maximize-classes.yaml
        convoy look run Configs/dream.yaml --set look.dream.steps=20
      """)

  @OptionGroup var arguments: ConfigurationArguments

  @Option(help: ArgumentHelp("Folder for the results, instead of Results/NAME/ID.", valueName: "folder"))
  var runDir: String?

  @Flag(help: "Start over even if there is unfinished work to resume.")
  var restart = false

  @OptionGroup var workers: WorkersOption

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let stop = StopSignals.install()
    let configuration = try LookConfiguration.load(
      path: arguments.config, overrides: arguments.overrides.map { Override($0) })
    let request = configuration.request
    let (checkpointPath, checkpoint) = try CheckpointStore.choose(request.checkpoint) {
      TerminalOutput.warn("\($0)")
    }
    let contents = try CheckpointFile.header(of: checkpointPath).contentDigest.hexadecimal
    let range = try PictureRange(checkpoint, black: request.black, white: request.white).range
    let meaning = configuration.meaning(range).joined(separator: "\n") + "\n\(Self.mark)\(contents)\n"
    let digest = SHA256.digest(of: meaning).hexadecimal.prefix(8)
    let path = runDir ?? "Results/\(request.name)/\(digest)"
    let folder = try PictureFolder(
      path: path, inputs: InputFiles(configuration.files), kind: configuration.kind)
    let directory = try WorkDirectory(path: path)
    try checkOwner(directory.path, meaning, contents, range)
    try directory.write(configuration: configuration.resolvedYAML + "\(Self.mark)\(contents)\n")
    let cores = Cores.available()
    try directory.write(environment: RunEnvironment(workers: workers.count, cores: "\(cores)"))
    directory.log("\(configuration.kind) with \(checkpointPath)")
    let context = try LookContext(
      path: checkpointPath, checkpoint, request, folder: folder,
      workers: workers.count, stop: stop, directory: directory, restarts: restart)
    try context.finish(try request.look.runnable.run(in: context), json: json)
    directory.log("complete")
  }

  private static let mark = "# checkpoint contents SHA-256 "

  /// Refuses a folder with another configuration's results.
  private func checkOwner(
    _ folder: String, _ meaning: String, _ contents: String, _ range: PixelRange
  ) throws {
    let file = "\(folder)/config.yaml"
    guard let text = WholeFile.text(file) else { return }
    let known = try? LookConfiguration.load(text: text, path: file)
    let same =
      known.map { $0.meaning(range).joined(separator: "\n") + "\n\(Self.mark)\(contents)\n" } == meaning
    guard same, text.contains("\(Self.mark)\(contents)\n") else {
      throw CommandError(
        .configuration,
        "\(folder) belongs to another configuration or checkpoint; use another --run-dir")
    }
  }
}

extension Look {
  /// The code that carries the look out.
  var runnable: any RunnableLook {
    switch self {
    case .filters(let look): look
    case .maps(let look): look
    case .examples(let look): look
    case .maximize(let look): look
    case .gallery(let look): look
    case .explain(let look): look
    case .dream(let look): look
    case .style(let look): look
    }
  }
}
