internal import ArgumentParser
internal import Audio
internal import Compute
internal import Datasets
internal import Foundation
internal import ImageFiles
internal import Networks
internal import Parallel
internal import Paths
internal import Reporting
internal import Tensors
internal import Texts
internal import Training

/// Shows a trained network's answers for images.
struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract:
      "Show a network's outputs for images, texts or sounds: the most probable classes or labels, or its numbers.",
    discussion: """
      Images are PNG or JPEG files of any size. They are brought to the network's proportions and size as the pictures of its training \
      were (--fit), turned grey or coloured as it needs, laid on black where they are transparent, and their pixels are scaled to what the network was trained on. Rows of a \
      dataset are taken as they are. A network that was trained on texts takes texts in place of files, and those of a file's lines by --lines; \
      its checkpoint has the vocabulary. One that was trained on sounds takes WAV, FLAC and OGG files, or folders of them.

        convoy predict Results/fashion-mnist/RUN shirt.png boot.jpg
        convoy predict Results/fashion-mnist/RUN pictures/ --csv answers.csv
        convoy predict Results/fashion-mnist/RUN --data Results/data/fashion-mnist.h5 --rows 0,5,10-12
        convoy predict Results/words/RUN recording.wav
        convoy predict Results/kim-cnn/RUN "a film that is too long by half" "an unexpected delight"
      """)

  @Argument(help: "A checkpoint or a run directory.", completion: .file())
  var checkpoint: String

  @Argument(
    help:
      "PNG or JPEG files, or folders with such files in them and below; texts or sound files, for a network that takes these.",
    completion: .file())
  var files: [String] = []

  @Option(
    help: ArgumentHelp("A file with a text in each line, for a network that takes texts.", valueName: "file"),
    completion: .file())
  var lines: String?

  @Option(help: ArgumentHelp("A dataset file, for --rows.", valueName: "file.h5"))
  var data: String?

  @OptionGroup var names: SampleNames

  @Option(help: ArgumentHelp("Rows of the dataset, from 0.", valueName: "0,5,10-12"))
  var rows: String?

  @Option(.counts, help: ArgumentHelp("Number of classes or labels to show.", valueName: "k"))
  var top = 3

  @Option(
    help:
      "Average the outputs over mirrored views as well: horizontal, vertical or both, or eight for all turns and reflections of a board."
  )
  var flips = TestTimeFlips.none

  @OptionGroup var answer: FlippedAnswerOption

  @OptionGroup var range: RangeOption
  @OptionGroup var sampling: SamplePictureOptions
  @OptionGroup var workers: WorkersOption

  @Option(
    help: ArgumentHelp(
      "Write a table to this file instead of printing one: a row for each input, with all outputs.",
      valueName: "file.csv"), completion: .file(extensions: ["csv"]))
  var csv: String?

  @OptionGroup var overwrite: OverwriteOption

  @Flag(help: "Print a JSON list with all outputs.")
  var json = false

  func validate() throws {
    guard [!files.isEmpty, lines != nil, data != nil].filter({ $0 }).count == 1 else {
      throw ValidationError("name either image files, folders or texts, or --lines, or --data with --rows")
    }
    guard (data == nil) == (rows == nil) else { throw ValidationError("--data and --rows need each other") }
  }

  func run() throws {
    let stop = StopSignals.install()
    let ranks = try RankProcess.join()
    if let csv {
      try overwrite.check("--csv", csv, inputs: InputFiles([checkpoint, data, lines], pictures: files))
    }
    let (path, checkpoint) = try CheckpointStore.choose(checkpoint) { TerminalOutput.warn("\($0)") }
    let predictions: [Prediction]?
    if data != nil {
      predictions = try ofRows(path, checkpoint, ranks, stop)
    } else if let handling = checkpoint.identity.origin?.texts {
      predictions = try ofTexts(path, checkpoint, handling, ranks, stop)
    } else if let handling = checkpoint.identity.origin?.sounds, lines == nil {
      predictions = try ofSounds(path, checkpoint, handling, ranks, stop)
    } else {
      predictions = try ofFiles(path, checkpoint, ranks, stop)
    }
    guard let predictions else { throw SilentEnd(.stopped) }
    guard ranks.communicator.isFirst else { return }
    if let csv { try OutputFile.write(CSVText.text(Prediction.rows(predictions)), to: csv) }
    if json {
      print(try ResultJSON.text(predictions.map(\.result)))
    } else if let csv {
      TerminalOutput.printPath(csv)
    } else {
      let terminal = TerminalOutput.standardOutput
      print(
        Prediction.table(predictions, top: top).text(width: terminal.tableWidth, unicode: terminal.hasUnicode)
      )
    }
  }

  // MARK: - Inputs

  private func ofTexts(
    _ path: String, _ checkpoint: Checkpoint, _ handling: TextHandling, _ ranks: Ranks, _ stop: StopRequest
  ) throws -> [Prediction]? {
    let texts = try lines.map(SampleTexts.lines) ?? SampleTexts.checked(files)
    let predictor = try checkpoint.predictor(path, samples: texts.count, workers: workers.count, ranks: ranks)
    try answer.check(flips, predictor)
    let sampling = SampleTexts(handling, path, predictor.network.inputShape)
    let names = classNames(checkpoint, nil, count: predictor.outputCount)
    var all: [Prediction] = []
    for start in stride(from: 0, to: texts.count, by: Predictor.batch) {
      let part = texts[start..<min(start + Predictor.batch, texts.count)]
      guard
        let outputs = try predictor.logits(
          try sampling.minibatch(part), stop: stop, flips: flips, answer: answer.place)
      else { return nil }
      all += predictions(of: Array(part), outputs, predictor, names)
    }
    return all
  }

  private func ofSounds(
    _ path: String, _ checkpoint: Checkpoint, _ handling: SoundHandling, _ ranks: Ranks, _ stop: StopRequest
  ) throws -> [Prediction]? {
    let files = try PictureFiles.all(files, noun: "sound") { Sound.isSound(path: $0) }
    let predictor = try checkpoint.predictor(path, samples: files.count, workers: workers.count, ranks: ranks)
    try answer.check(flips, predictor)
    let sampling = try SampleSounds(handling, path, predictor.network.inputShape)
    let names = classNames(checkpoint, nil, count: predictor.outputCount)
    var all: [Prediction] = []
    for start in stride(from: 0, to: files.count, by: Predictor.batch) {
      let part = files[start..<min(start + Predictor.batch, files.count)]
      let minibatch = Minibatch(
        values: try part.flatMap { try sampling.sample($0) }, sampleShape: predictor.network.inputShape)
      guard
        let outputs = try predictor.logits(minibatch, stop: stop, flips: flips, answer: answer.place)
      else { return nil }
      all += predictions(of: part.map(PathText.readable), outputs, predictor, names)
    }
    return all
  }

  private func ofFiles(
    _ path: String, _ checkpoint: Checkpoint, _ ranks: Ranks, _ stop: StopRequest
  ) throws -> [Prediction]? {
    if let lines {
      throw CommandError.badData(
        "\(path) was not trained on texts that `convoy import text` made, so it cannot take the lines of \(lines)"
      )
    }
    let shape = checkpoint.network.inputShape
    guard shape.rank == 3, let channels = Image.Channels(rawValue: shape[2]), channels != .rgba else {
      throw CommandError.badData(
        "\(path): the network takes inputs of \(shape), which are no images; use --data with --rows")
    }
    let pictures = try range.pictures(for: checkpoint)
    try pictures.check()
    let sampling = sampling.pictures(for: checkpoint)
    let files = try PictureFiles.all(files)
    let predictor = try checkpoint.predictor(path, samples: files.count, workers: workers.count, ranks: ranks)
    try answer.check(flips, predictor)
    let names = classNames(checkpoint, nil, count: predictor.outputCount)
    var all: [Prediction] = []
    // A folder may have more pictures than memory has room for.
    for start in stride(from: 0, to: files.count, by: Predictor.batch) {
      let part = files[start..<min(start + Predictor.batch, files.count)]
      let pixels = try part.flatMap { file in
        let image = try ImageFile.read(file, orientation: sampling.orientation)
        sampling.check(image, height: shape[0], width: shape[1], path: file)
        return image.converted(to: channels).fitted(sampling.fit, height: shape[0], width: shape[1]).pixels
      }
      let minibatch =
        pictures.values(pixels).map { Minibatch(values: $0, sampleShape: shape) }
        ?? Minibatch(pixels: pixels, sampleShape: shape)
      guard
        let outputs = try predictor.logits(minibatch, stop: stop, flips: flips, answer: answer.place)
      else { return nil }
      all += predictions(of: part.map(PathText.readable), outputs, predictor, names)
    }
    return all
  }

  private func ofRows(
    _ path: String, _ checkpoint: Checkpoint, _ ranks: Ranks, _ stop: StopRequest
  ) throws -> [Prediction]? {
    let dataset = try names.open(data ?? "", for: checkpoint)
    let wanted = try RowList.parse(rows ?? "", count: dataset.count)
    let predictor = try checkpoint.predictor(
      path, samples: wanted.count, workers: workers.count, ranks: ranks)
    try predictor.check(dataset)
    try answer.check(flips, predictor)
    try checkpoint.warnOfPixels(dataset)
    let names = classNames(checkpoint, dataset, count: predictor.outputCount)
    return try predictor.logits(try dataset.samples(wanted), stop: stop, flips: flips, answer: answer.place)
      .map {
        predictions(
          of: wanted.map { "row \($0)" }, $0, predictor, names, wanted.map { truth(of: $0, dataset, names) })
      }
  }

  /// The right answer for a row of a dataset.
  private func truth(of row: Int, _ dataset: ImageDataset, _ names: [String]) -> Prediction.Truth {
    if let targets = dataset.targets { return .values(Array(targets[row])) }
    let label = Int(dataset.labels[row])
    let known = names.count > 1 ? names : dataset.classNames ?? []
    return .label(known.indices.contains(label) ? known[label] : "\(label)")
  }

  private func predictions(
    of inputs: [String], _ outputs: [Float], _ predictor: Predictor, _ names: [String],
    _ truths: [Prediction.Truth]? = nil
  ) -> [Prediction] {
    inputs.enumerated().map { index, name in
      let row = outputs[index * names.count..<(index + 1) * names.count]
      return Prediction(
        name: name, criterion: predictor.criterion,
        outputs: Array(zip(names, predictor.values(row))), truth: truths?[index])
    }
  }
}

/// Row numbers as people write them: `0,5,10-12`.
enum RowList {
  static func parse(_ text: String, count: Int) throws -> [Int] {
    var rows: [Int] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard let first = ends.first.flatMap(\.self), let last = ends.last.flatMap(\.self), ends.count <= 2,
        first <= last
      else { throw CommandError.usage("--rows takes numbers and ranges such as 0,5,10-12, not '\(part)'") }
      guard first >= 0, last < count else {
        throw CommandError.usage("row \(last) is not in the dataset, whose rows are 0 to \(count - 1)")
      }
      rows += first...last
    }
    return rows
  }
}
