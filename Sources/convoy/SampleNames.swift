internal import ArgumentParser
internal import Compute
internal import Datasets
internal import Training

/// The names of a file's datasets with samples and their answers.
struct SampleNames: ParsableArguments {
  @Option(help: ArgumentHelp("Dataset of images in the file.", valueName: "name"))
  var images = "test/images"

  @Option(
    help: ArgumentHelp(
      "Dataset of classes in the file; by default `labels` beside the images for a network that was trained on classes.",
      valueName: "name"
    ))
  var labels: String?

  @Option(
    help: ArgumentHelp(
      "Dataset of numbers, or of 0 and 1 for labels, in the file; by default `targets` beside the images for a network that was trained "
        + "on them.",
      valueName: "name"))
  var targets: String?

  @Option(help: ArgumentHelp("Dataset of weights of the samples' losses in the file.", valueName: "name"))
  var weights: String?

  @OptionGroup var plugIns: PlugInsOption

  func validate() throws {
    if labels != nil, targets != nil {
      throw ValidationError("--labels and --targets cannot be given together")
    }
  }

  /// Opens the samples, with classes in the order of the network that they are for.
  func open(_ file: String, for checkpoint: Checkpoint) throws -> ImageDataset {
    let criterion = checkpoint.identity.criterion ?? .classification
    let target: TargetName
    if let targets {
      target = .values(targets)
    } else if let labels {
      target = .labels(labels)
    } else if let beside = TargetName(beside: images, criterion.targets) {
      target = beside
    } else {
      throw CommandError.usage(
        "--images \(images) needs --labels NAME or --targets NAME, because only a dataset called images has them beside it"
      )
    }
    if case .labels(let name) = target, criterion.task == .labels, criterion.targets == .values {
      TerminalOutput.warn(
        "the network was trained on samples with several labels, but --labels \(name) gives each sample one; "
          + "--targets NAME takes a number of 0 or 1 for each label")
    }
    return try checkpoint.matched(
      ImageDataset(path: file, images: images, target: target, weights: weights))
  }
}

extension TargetName {
  /// The answers in the group of a dataset `images`; nil for a dataset of another name.
  init?(beside images: String, _ kind: Criterion.Targets) {
    guard images == "images" || images.hasSuffix("/images") else { return nil }
    let group = images.dropLast("images".count)
    self = kind == .values ? .values("\(group)targets") : .labels("\(group)labels")
  }
}

extension Checkpoint {
  /// A dataset with classes and targets in the order of the network's names; it warns where that is another than the file's.
  ///
  /// - Throws: `DatasetError` for samples of classes that the network does not have, and for words of another vocabulary.
  func matched(_ dataset: ImageDataset) throws -> ImageDataset {
    try dataset.checkOrigin(
      identity.origin, channels: identity.channelNames.isEmpty ? nil : identity.channelNames)
    let (matched, note) = try dataset.matched(to: identity.classNames)
    if let note { TerminalOutput.warn(note) }
    return matched
  }
}

extension Checkpoint {
  /// The network with its values, ready to predict.
  ///
  /// - Parameters:
  ///   - path: the checkpoint's file, for messages.
  ///   - samples: how many will be predicted.
  ///   - ranks: those that predict together.
  func predictor(
    _ path: String, samples: Int, workers: Int, ranks: Ranks = Ranks()
  ) throws -> Predictor {
    do {
      return try Predictor(
        network, values: values, criterion: identity.criterion, sampleCount: samples, workers: workers,
        ranks: ranks)
    } catch let error as ComputeError {
      guard case .output(let reason) = error else { throw error }
      throw CommandError.badData("\(path): \(reason)")
    }
  }
}

/// The names of a network's outputs: the checkpoint's, or else the dataset's, or else numbers.
///
/// A single output that tells two classes apart has the name of the second.
func classNames(_ checkpoint: Checkpoint, _ dataset: ImageDataset?, count: Int) -> [String] {
  (checkpoint.identity.criterion ?? .classification).outputNames(
    [checkpoint.identity.classNames, dataset?.classNames ?? []], count: count)
}
