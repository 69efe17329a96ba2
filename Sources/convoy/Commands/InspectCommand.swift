internal import ArgumentParser
internal import Compute
internal import Datasets
internal import Digests
internal import Experiments
internal import Foundation
internal import HDF5
internal import ImageFiles
internal import Interchange
internal import Networks
internal import Paths
internal import Reporting
internal import Tensors
internal import Training

/// Shows what a file is and what it contains.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show the contents of a dataset, checkpoint, model, run directory or config.",
    discussion: """
        convoy inspect Results/data/fashion-mnist.h5
        convoy inspect Results/data/fashion-mnist.h5 --augment Configs/resnet20-fashion-mnist.yaml --sheet sheet.png

      Of a network that was trained on positions of Go, boards show how probable it holds each move:

        convoy inspect Results/go-small/best --data Results/data/go.h5 --rows 0,100,200 --sheet boards.png
        convoy inspect Results/go-small/best --record game.sgf --move 57
      """)

  @Argument(help: "A file or a run directory.", completion: .file())
  var path: String

  @Option(0...10_000, help: ArgumentHelp("Number of a dataset's samples to draw.", valueName: "n"))
  var samples = 8

  @Option(
    help: ArgumentHelp(
      "Draw samples of a dataset as this config's training sees them.", valueName: "config.yaml"))
  var augment: String?

  @Option(
    1...1000, help: ArgumentHelp("For --augment: number of epochs whose variants are drawn.", valueName: "n"))
  var epochs = 10

  @Option(
    help: ArgumentHelp(
      "Write a contact sheet; augmentation.png by default with --augment.", valueName: "file.png"))
  var sheet: String?

  @OptionGroup var overwrite: OverwriteOption

  @Option(
    help: ArgumentHelp(
      "Images in the file for a contact sheet; the config's or train/images by default.", valueName: "name"))
  var images: String?

  @Option(
    help: ArgumentHelp("For a network that plays Go: a dataset with positions to draw.", valueName: "file.h5")
  )
  var data: String?

  @Option(help: ArgumentHelp("For --data: rows of the dataset, from 0.", valueName: "0,5,10-12"))
  var rows: String?

  @Option(
    help: ArgumentHelp(
      "For a network that plays Go: a record with a position to draw.", valueName: "file.sgf"))
  var record: String?

  @Option(
    .counts,
    help: ArgumentHelp(
      "For --record: the move to be made, from 1; after the last by default.", valueName: "n"))
  var move: Int?

  @OptionGroup var plugIns: PlugInsOption

  @Flag(help: "Print a JSON object.")
  var json = false

  func validate() throws {
    if json, augment != nil || sheet != nil {
      throw ValidationError(
        "--json describes a file and cannot be given with --augment or --sheet, which draw one")
    }
    if data != nil, record != nil { throw ValidationError("--data and --record cannot be given together") }
    if rows != nil, data == nil { throw ValidationError("--rows needs --data") }
    if move != nil, record == nil { throw ValidationError("--move needs --record") }
    if json || augment != nil, data != nil || record != nil {
      throw ValidationError("--data and --record draw boards and cannot be given with --json or --augment")
    }
  }

  func run() throws {
    let path = RunPath.resolve(self.path)
    guard let status = FileStatus(path) else {
      throw CommandError.missing("there is no file or folder \(path)")
    }
    if data != nil || record != nil {
      try showMoves(try CheckpointStore.choose(path) { TerminalOutput.warn("\($0)") })
    } else if augment != nil || sheet != nil {
      try writeSheet()
    } else if status.kind == .folder {
      try show(try CheckpointStore.choose(path) { TerminalOutput.warn("\($0)") })
    } else if path.hasSuffix(".yaml") || path.hasSuffix(".yml") {
      let loaded = try ConfigurationFile.load(path: path, overrides: [])
      if json {
        return print(
          try ResultJSON.text(
            ConfigurationInspection(
              path: path, name: loaded.run.name, epochs: loaded.run.training.epochs,
              layers: LayerResult.all(loaded.network))))
      }
      print("\(path): the config of '\(loaded.run.name)', \(counted(loaded.run.training.epochs, "epoch"))\n")
      print(layers(loaded.network))
    } else if let header = try? CheckpointFile.header(of: path), header.step >= 0 {
      try show((path, try CheckpointFile.read(path)))
    } else {
      try showData()
    }
  }

  // MARK: - Checkpoints

  private func show(_ found: (path: String, checkpoint: Checkpoint)) throws {
    let checkpoint = found.checkpoint
    if json { return print(try ResultJSON.text(CheckpointInspection(found.path, checkpoint))) }
    let progress = checkpoint.progress
    print("\(found.path): a checkpoint of '\(checkpoint.name)', which is also a Keras model file")
    print(
      "after step \(progress.step): \(counted(progress.epoch, "epoch")) done, and \(counted(progress.position, "sample")) of the next"
    )
    let criterion = checkpoint.identity.criterion ?? .classification
    let shards = checkpoint.identity.shardSize
    // Of an imported network only the meaning of its outputs is known.
    let origin = shards > 0 ? "trained with" : "imported; its outputs are \(criterion.task.noun):"
    print("\(origin) \(criterion.loss.name), evaluated by \(criterion.figureNames.joined(separator: ", "))")
    if let start = checkpoint.identity.start {
      print("began with \(start.path), step \(start.step), contents SHA-256 \(start.digest)")
    }
    if let pixels = checkpoint.identity.pixels { print("trained on samples of \(pixels)") }
    if !checkpoint.identity.channelNames.isEmpty {
      print("its channels: \(checkpoint.identity.channelNames.joined(separator: ", "))")
    }
    if let origin = checkpoint.identity.origin {
      print("its samples were \(origin.noun), \(origin.pairs.joined(separator: ", "))")
    }
    if let best = progress.best {
      print("best epoch \(best.epoch): \(NumberText.short(abs(best.score)))")
    }
    if checkpoint.trained != nil {
      print(
        "the model's weights are a moving average; /convoy/trained holds the weights with which training goes on"
      )
    }
    print("run \(checkpoint.identity.runID)" + (shards > 0 ? ", shards of \(shards)" : ""))
    let digest = try checkpoint.contentDigest().hexadecimal
    print("contents SHA-256 \(digest)\n")
    print(layers(checkpoint.network))
  }

  private func layers(_ network: ResolvedNetwork) -> String {
    let terminal = TerminalOutput.standardOutput
    return Table(network).text(width: terminal.tableWidth, unicode: terminal.hasUnicode)
  }

  // MARK: - Models of other programs

  /// Describes a model of Keras.
  ///
  /// - Returns: false where the file's contents are worth showing like those of any other file.
  private func showModel(_ file: KerasFile) throws -> Bool {
    let version = file.version.map { " (Keras \($0))" } ?? ""
    let hint = "convoy import keras \(path) --to \(suggestedName)"
    switch file.contents {
    case .weights, .store:
      let names = try file.layerNames()
      let known = KnownArchitecture(layerNames: names)
      print(
        "\(path): weights of a Keras model\(version), \(counted(names.count, "layer")), without the architecture"
      )
      print("To make a checkpoint of it: \(hint)" + (known == nil ? " --architecture CONFIG.yaml" : ""))
      return false
    case .wholeModel, .archive:
      print("\(path): a Keras model\(version), not a checkpoint of Convoy")
      print("To make a checkpoint of it: \(hint)\n")
      do {
        print(layers(try KerasImport().read(path).checkpoint.network))
        return true
      } catch {
        print("It cannot be imported as it is: \(error)")
        return file.contents == .archive
      }
    }
  }

  private func show(_ model: ONNXSummary) {
    print("\(path): a model of ONNX" + (model.producer.isEmpty ? "" : ", written by \(model.producer)"))
    print(
      "operators of version \(model.opset): "
        + model.operators.map { "\($0.count) \($0.name)" }.joined(separator: ", "))
    print("takes \(model.inputs.joined(separator: ", ")), gives \(model.outputs.joined(separator: ", "))")
    print("To make a checkpoint of it: convoy import onnx \(path) --to \(suggestedName)")
  }

  private var suggestedName: String {
    let name = Folder.name(of: path)
    return "\(name[..<(name.lastIndex(of: ".") ?? name.endIndex)])-convoy.h5"
  }

  // MARK: - Contact sheets

  private static let defaultSheet = "augmentation.png"

  private func writeSheet() throws {
    let inputs = InputFiles([path, augment])
    if let sheet {
      try overwrite.check("--sheet", sheet, inputs: inputs)
    } else {
      try OverwriteOption.refuse(Self.defaultSheet, among: inputs, "--sheet with another name")
    }
    let run = try augment.map { try ConfigurationFile.load(path: $0, overrides: []).run }
    let file = try DatasetFile(path)
    let wanted =
      images
      ?? (run?.data.train.images).flatMap { name in
        file.splits.contains { $0.images == name } ? name : nil
      }
    guard let split = wanted.map({ name in file.splits.first { $0.images == name } }) ?? file.splits.first
    else {
      throw CommandError.badData(
        "\(path) has no \"\(wanted ?? "images")\" with labels or targets; it has \(file.splits.map(\.images).joined(separator: ", "))"
      )
    }
    let dataset = try file.open(split)
    let steps = run?.training.augmentation ?? .none
    if run == nil, dataset.planes != nil {
      let rows = Array(0..<min(max(1, samples), dataset.count))
      try BoardInspection.write(
        try BoardInspection.entries(of: dataset, rows: rows, policy: nil), to: sheet ?? "")
      return TerminalOutput.printPath(sheet ?? "")
    }
    if run != nil, steps.steps.isEmpty {
      throw CommandError.usage("\(augment ?? "") has no training.augmentation, so there is nothing to show")
    }
    let target = sheet ?? Self.defaultSheet
    let rows = Array(0..<min(max(1, samples), dataset.count))
    let image = try ContactSheet.draw(
      dataset, rows: rows, augmentation: steps, seed: run?.seed ?? 0, epochs: epochs)
    try ImageFile.write(image, to: target)
    let what =
      run == nil
      ? "\(counted(rows.count, "sample")) of \(split.images)"
      : "\(counted(rows.count, "sample")) of \(split.images), each as it is and as it appears in epochs 1 to \(epochs)"
    print("\(target): \(what)")
    guard !steps.steps.isEmpty else { return }
    let rate = try AugmentationSpeed.samplesPerSecond(steps, dataset, seed: run?.seed ?? 0)
    print("augmentation reaches \(NumberText.grouped(Int(rate))) samples/s on one core")
  }

  // MARK: - Datasets

  private func showData() throws {
    if json { return print(try ResultJSON.text(inspection())) }
    if let model = ONNXSummary(path: path) { return show(model) }
    if let keras = try KerasFile(path: path), try showModel(keras) { return }
    let names = try objects()
    print("\(path): an HDF5 file")
    var table = Table([
      Table.Column("dataset"), Table.Column("shape"), Table.Column("type"), Table.Column("storage"),
    ])
    for (name, dataset) in names {
      table.add([
        name, dataset.shape.map(String.init).joined(separator: "×"), "\(dataset.type)", try storage(dataset),
      ])
    }
    let terminal = TerminalOutput.standardOutput
    print(table.text(width: terminal.tableWidth, unicode: terminal.hasUnicode))
    for dataset in try samples(names.map(\.name)) { try showSamples(dataset) }
  }

  /// Images that have labels or targets beside them.
  private func samples(_ names: [String]) throws -> [ImageDataset] {
    let known = Set(names)
    return try names.filter { $0.hasSuffix("images") }.flatMap { name in
      let group = String(name.dropLast("images".count))
      let weights = known.contains("\(group)weights") ? "\(group)weights" : nil
      return try [TargetName.labels("\(group)labels"), .values("\(group)targets")]
        .filter { known.contains($0.name) }
        .map { try ImageDataset(path: path, images: name, target: $0, weights: weights) }
    }
  }

  private func inspection() throws -> DataInspection {
    let names = try objects()
    return DataInspection(
      path: path,
      datasets: try names.map { name, dataset in
        DataInspection.Dataset(
          name: name, shape: dataset.shape, type: "\(dataset.type)", storage: try storage(dataset))
      },
      samples: try samples(names.map(\.name)).map { dataset in
        let counts = dataset.classCounts()
        return DataInspection.Samples(
          images: dataset.imagesName, samples: dataset.count, shape: dataset.sampleShape.dimensions,
          classNames: dataset.classNames ?? counts.indices.map { "\($0)" }, classCounts: counts,
          hasTargets: dataset.targets != nil)
      })
  }

  private func objects() throws -> [(name: String, dataset: Dataset)] {
    let root = try File.open(path).root
    return try root.datasetNames(atMost: 100).map { ($0, try root.dataset($0, links: .hardOnly)) }
  }

  private func storage(_ dataset: Dataset) throws -> String {
    let filters = try dataset.filters().map(\.name).joined(separator: ", ")
    switch try dataset.layout() {
    case .chunked(let shape):
      return "chunks of \(shape.map(String.init).joined(separator: "×"))"
        + (filters.isEmpty ? "" : ", \(filters)")
    case .contiguous: return "contiguous"
    case .compact: return "compact"
    case .virtual: return "virtual"
    case .externalFiles: return "in other files"
    }
  }

  private func showSamples(_ dataset: ImageDataset) throws {
    let terminal = TerminalOutput.standardOutput
    let counts = dataset.classCounts()
    let names = dataset.classNames ?? counts.indices.map { "\($0)" }
    let pixels = try dataset.pixelSpan()
    print(
      "\(dataset.imagesName): \(counted(dataset.count, "sample", as: NumberText.grouped(dataset.count))) of \(dataset.sampleShape), "
        + "\(pixels)\(dataset.packing == nil ? "" : ", held as bits")"
    )
    if let names = dataset.channelNames {
      print("channels: \(names.enumerated().map { "\($0) \($1)" }.joined(separator: ", "))")
    }
    if dataset.planes != nil {
      print("classes: the points row by row, from A\(dataset.sampleShape[0]) on, and pass\n")
      let rows = Array(0..<min(samples, 2, dataset.count))
      return BoardInspection.show(try BoardInspection.entries(of: dataset, rows: rows, policy: nil))
    }
    if let weights = dataset.weights, let least = weights.min(), let most = weights.max() {
      let mean = weights.reduce(0.0) { $0 + Double($1) } / Double(weights.count)
      print(
        "\(dataset.weightsName ?? "weights"): \(NumberText.short(Double(least))) to \(NumberText.short(Double(most))), "
          + "mean \(NumberText.short(mean))")
    }
    if let targets = dataset.targets {
      print(
        TargetSummary(targets, names: dataset.classNames).table.text(
          width: terminal.tableWidth, unicode: terminal.hasUnicode))
    } else {
      var table = Table([
        Table.Column("", .trailing), Table.Column("class"), Table.Column("samples", .trailing),
      ])
      for (index, count) in counts.enumerated() {
        table.add(["\(index)", index < names.count ? names[index] : "", NumberText.grouped(count)])
      }
      print(table.text(width: terminal.tableWidth, unicode: terminal.hasUnicode))
    }
    guard dataset.pixelType == .uint8, dataset.sampleShape.rank == 3,
      let channels = Image.Channels(rawValue: dataset.sampleShape[2]), samples > 0
    else { return }
    let rows = Array(0..<min(samples, dataset.count))
    let minibatch = try dataset.samples(rows)
    let entries = rows.map { row -> (image: Image, caption: String) in
      let pixels = minibatch.withSample(row) { Array($0) }
      let image = Image(
        height: dataset.sampleShape[0], width: dataset.sampleShape[1], channels: channels, pixels: pixels)
      if let targets = dataset.targets { return (image, TargetSummary(targets, names: names).caption(row)) }
      let label = Int(dataset.labels[row])
      return (image, label < names.count ? names[label] : "\(label)")
    }
    TerminalOutput.write(ImageDrawing(terminal).gallery(entries, columns: terminal.columns) + "\n", to: 1)
  }
}
