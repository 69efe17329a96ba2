internal import ArgumentParser
internal import Datasets
internal import Foundation
internal import ImageFiles
internal import Networks
internal import Reporting
internal import Tensors
internal import Training

/// Says what a trained network takes images for.
struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "The most probable classes of images, with their probabilities.",
    discussion: """
      Images are PNG or JPEG files of any size: they are cut to the network's aspect and resized, and turned grey or coloured as \
      it needs. Rows of a dataset are taken as they are.

        convoy predict Results/fashion-mnist/RUN shirt.png boot.jpg
        convoy predict Results/fashion-mnist/RUN --data Results/data/fashion-mnist.h5 --rows 0,5,10-12
      """)

  @Argument(help: "A checkpoint or a run directory.", completion: .file())
  var checkpoint: String

  @Argument(help: "PNG or JPEG files.", completion: .file(extensions: ["png", "jpg", "jpeg"]))
  var files: [String] = []

  @Option(help: ArgumentHelp("A dataset file, with --rows.", valueName: "file.h5"))
  var data: String?

  @Option(help: ArgumentHelp("Images in the dataset file.", valueName: "name"))
  var images = "test/images"

  @Option(help: ArgumentHelp("Labels in the dataset file.", valueName: "name"))
  var labels = "test/labels"

  @Option(help: ArgumentHelp("Rows of the dataset, from 0.", valueName: "0,5,10-12"))
  var rows: String?

  @Option(help: ArgumentHelp("How many classes to show.", valueName: "k"))
  var top = 3

  @Option(help: "Average the outputs over mirrored views, too: horizontal, vertical or both.")
  var flips = TestTimeFlips.none

  @OptionGroup var workers: WorkersOption

  @Flag(help: "Print a JSON list, with all probabilities.")
  var json = false

  func validate() throws {
    guard files.isEmpty != (data == nil) else {
      throw ValidationError("name either images or --data with --rows")
    }
    guard (data == nil) == (rows == nil) else { throw ValidationError("--data and --rows go together") }
    guard top >= 1 else { throw ValidationError("--top takes 1 or more, not \(top)") }
  }

  func run() throws {
    let stop = StopSignals.install()
    let (_, checkpoint) = try CheckpointStore.choose(checkpoint) { TerminalOutput.warn("\($0)") }
    let predictions = try data == nil ? ofFiles(checkpoint, stop) : ofRows(checkpoint, stop)
    guard let predictions else { throw ExitCode(75) }
    print(json ? try JSONText.make(predictions.map(\.object)) : text(predictions))
  }

  private struct Prediction {
    let name: String
    /// Class names with probabilities, in the order of the classes.
    let classes: [(name: String, probability: Double)]

    var ranked: [(name: String, probability: Double)] {
      classes.enumerated().sorted {
        ($1.element.probability, $0.offset) < ($0.element.probability, $1.offset)
      }.map(\.element)
    }

    var object: [String: Any] {
      [
        "input": name, "class": ranked[0].name, "probability": ranked[0].probability,
        "probabilities": classes.map(\.probability),
      ]
    }
  }

  // MARK: - Inputs

  private func ofFiles(_ checkpoint: Checkpoint, _ stop: StopRequest) throws -> [Prediction]? {
    let shape = checkpoint.network.inputShape
    guard shape.rank == 3, let channels = Image.Channels(rawValue: shape[2]), channels != .rgba else {
      throw CommandError.badData("the network takes \(shape), which is no image; use --data with --rows")
    }
    let pixels = try files.flatMap { path in
      try ImageFile.read(path).converted(to: channels).filling(height: shape[0], width: shape[1]).pixels
    }
    let predictor = try Predictor(
      checkpoint.network, values: checkpoint.values, sampleCount: files.count, workers: workers.count)
    return try predictor.logits(pixels: pixels, stop: stop, flips: flips).map {
      predictions(of: files, $0, classNames(checkpoint, nil, count: predictor.classes))
    }
  }

  private func ofRows(_ checkpoint: Checkpoint, _ stop: StopRequest) throws -> [Prediction]? {
    let dataset = try ImageDataset(path: data ?? "", images: images, labels: labels)
    let wanted = try RowList.parse(rows ?? "", count: dataset.count)
    let predictor = try Predictor(
      checkpoint.network, values: checkpoint.values, sampleCount: wanted.count, workers: workers.count)
    try predictor.check(dataset)
    let names = classNames(checkpoint, dataset, count: predictor.classes)
    return try predictor.logits(try dataset.samples(wanted), stop: stop, flips: flips).map {
      predictions(of: wanted.map { "row \($0) (\(names[Int(dataset.labels[$0])]))" }, $0, names)
    }
  }

  private func predictions(of inputs: [String], _ logits: [Float], _ names: [String]) -> [Prediction] {
    inputs.enumerated().map { index, name in
      let row = logits[index * names.count..<(index + 1) * names.count]
      return Prediction(name: name, classes: Array(zip(names, Predictor.probabilities(row))))
    }
  }

  private func text(_ predictions: [Prediction]) -> String {
    var table = Table([Table.Column("input"), Table.Column("class"), Table.Column("probability", .trailing)])
    for prediction in predictions {
      for (rank, best) in prediction.ranked.prefix(top).enumerated() {
        table.add([rank == 0 ? prediction.name : "", best.name, NumberText.fixed(best.probability, 4)])
      }
    }
    let terminal = TerminalOutput.standardOutput
    return table.text(width: terminal.columns, unicode: terminal.hasUnicode)
  }
}

/// Rows as people write them: `0,5,10-12`.
enum RowList {
  static func parse(_ text: String, count: Int) throws -> [Int] {
    var rows: [Int] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard let first = ends.first.flatMap(\.self), let last = ends.last.flatMap(\.self), ends.count <= 2,
        first <= last
      else { throw CommandError.usage("--rows takes numbers and ranges like 0,5,10-12, not '\(part)'") }
      guard first >= 0, last < count else {
        throw CommandError.usage("row \(last) is not in the dataset, whose rows are 0 to \(count - 1)")
      }
      rows += first...last
    }
    return rows
  }
}
