internal import Datasets
internal import Digests
internal import Experiments
internal import Foundation
internal import ImageFiles
internal import Insight
internal import Parallel
internal import Reporting
internal import Settings
internal import Training

/// A look into a network that can be carried out, whether options or a configuration asked for it.
protocol RunnableLook {
  func run(in context: LookContext) throws -> LookResult
}

/// The things that a look works with.
struct LookContext {
  let subject: Subject
  /// What the pixels of pictures are to the network.
  let pictures: PictureRange
  /// Serves to recognise samples of another kind than those of the training.
  let checkpoint: Checkpoint
  /// Seeds the random numbers of noise and shifts.
  let seed: UInt64
  /// Whether images of more than 40 megapixels are read.
  let readsLargeImages: Bool
  /// How pictures become samples.
  let samples: SamplePictures
  /// The run's name, for titles.
  let title: String
  /// The digest of the network's contents, by which unfinished work is recognised.
  let networkDigest: String
  let folder: PictureFolder
  let pool: WorkerPool
  let stop: StopRequest
  /// The folder's owner; nil where the folder may hold other looks' results, too.
  let directory: WorkDirectory?
  /// Whether unfinished work is discarded.
  let restarts: Bool

  func log(_ line: String) { directory?.log(line) }

  /// Where long work keeps its states.
  func states(of name: String) -> StateStore { StateStore(folder: "\(folder.path)/states", name: name) }

  /// The error that ends the process after a signal, once the state for going on has been saved.
  ///
  /// - Parameter isKept: false where no state was saved.
  func stopped(_ text: String, isKept: Bool = true) -> any Error {
    let signal = stop.signalNumber.map { StopSignals.name(of: $0) } ?? "a signal"
    let next = isKept ? "resumes there" : "begins again"
    let line = "stopped by \(signal) at \(text); the same command \(next)"
    log(line)
    TerminalOutput.note(line)
    return SilentEnd(.stopped)
  }
}

/// The result of a look.
struct LookResult {
  /// The JSON file's name, without its ending.
  var name: FileName
  /// The findings for machines, in which ``ResultPath`` names files.
  var findings: any Encodable
  /// The findings for people, line by line: a name with a line break in it, as layers of other programs may have, stays in its line.
  var lines: [String]
  /// The pictures for terminals that show them.
  var pictures: [(image: Image, caption: String)] = []
  /// What terminals with colours show before the lines: escape sequences of ours, between texts that were made printable.
  var colored = ""
}

extension LookOptions {
  /// Makes a look from options, carries it out in the folder of `--to`, and prints the result.
  ///
  /// - Parameters:
  ///   - settings: the look's own settings.
  ///   - request: settings that stand beside the look in a configuration, besides these options.
  ///   - restarts: whether unfinished work is discarded.
  func perform(
    _ kind: SettingsKind<Look>, _ settings: [SettingFlag?], request: [SettingFlag?] = [],
    restarts: Bool = false
  ) throws {
    let stop = StopSignals.install()
    let configuration = try LookConfiguration(
      kind.name, settings: settings.compactMap(\.self), request: flags + request.compactMap(\.self))
    let request = configuration.request
    let folder = try PictureFolder(path: to, inputs: InputFiles(configuration.files), kind: kind.name)
    let (path, checkpoint) = try CheckpointStore.choose(request.checkpoint) { TerminalOutput.warn("\($0)") }
    let context = try LookContext(
      path: path, checkpoint, request, folder: folder, workers: workers.count, stop: stop, directory: nil,
      restarts: restarts)
    try context.finish(try request.look.runnable.run(in: context), json: json)
  }
}

extension LookContext {
  /// - Parameter path: the path of the checkpoint.
  init(
    path: String, _ checkpoint: Checkpoint, _ request: LookRequest, folder: PictureFolder, workers: Int,
    stop: StopRequest, directory: WorkDirectory?, restarts: Bool
  ) throws {
    let digest = try CheckpointFile.header(of: path).contentDigest.hexadecimal
    let pictures = try PictureRange(
      checkpoint, black: request.black, white: request.white,
      option: "--black and --white (`black` and `white` in a configuration)")
    self.init(
      subject: try Subject(
        checkpoint.network, values: checkpoint.values, classNames: checkpoint.identity.classNames,
        criterion: checkpoint.identity.criterion, range: pictures.range,
        drawsSpectra: checkpoint.identity.origin?.sounds != nil), pictures: pictures,
      checkpoint: checkpoint, seed: request.seed, readsLargeImages: request.readsLargeImages,
      samples: SamplePictures(checkpoint, fit: request.fit, orientation: request.orientation),
      title: checkpoint.name, networkDigest: digest, folder: folder, pool: WorkerPool(workers: workers),
      stop: stop, directory: directory, restarts: restarts)
  }

  /// Everything that decides a look's results, except how long it goes on; unfinished work is recognised by it.
  func meaning<Root: DescribedSettings>(of look: Root) throws -> String {
    let settings = try Root.settings.meaning(of: look) { try ImageSource($0).digest() }
    let range = subject.range
    // As earlier versions wrote it, which only cropped.
    let fit = samples.fit == .crop ? "" : ", fit \(samples.fit.rawValue)"
    return
      "\(settings), seed \(seed), range \(range.low) \(range.high), orientation \(samples.orientation.rawValue)\(fit), network "
      + networkDigest
  }

  /// Writes the findings and prints the result.
  func finish(_ result: LookResult, json: Bool) throws {
    try folder.write(
      try ResultJSON.text(result.findings, pathsFrom: folder.path) + "\n", as: "\(result.name).json")
    try folder.report(result, json: json)
  }
}

/// Progress of one long piece of work on standard error: on a terminal a line that is overwritten, elsewhere a line now and then.
final class StatusLine {
  private let isInteractive = TerminalOutput.standardError.isInteractive
  private var last = TerminalOutput.seconds

  func update(_ text: @autoclosure () -> String) {
    let now = TerminalOutput.seconds
    guard now - last > (isInteractive ? 0.2 : 30) else { return }
    last = now
    if isInteractive {
      TerminalOutput.write("\r\u{1B}[K\(TextWidth.printable(text()))", to: 2)
    } else {
      TerminalOutput.note(text())
    }
  }

  func finish() {
    if isInteractive { TerminalOutput.write("\r\u{1B}[K", to: 2) }
  }
}
