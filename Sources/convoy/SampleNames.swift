internal import ArgumentParser
internal import Compute
internal import Datasets
internal import Training

/// Which datasets of a file hold samples, and what is right for them.
struct SampleNames: ParsableArguments {
  @Option(help: ArgumentHelp("Images in the file.", valueName: "name"))
  var images = "test/images"

  @Option(
    help: ArgumentHelp(
      "Classes in the file; test/labels by default for a network that was trained on such.", valueName: "name"
    ))
  var labels: String?

  @Option(
    help: ArgumentHelp(
      "Numbers, or 0 and 1 for labels, in the file; test/targets by default for a network that was trained on such.",
      valueName: "name"))
  var targets: String?

  @Option(help: ArgumentHelp("Weights of the samples' losses in the file.", valueName: "name"))
  var weights: String?

  @OptionGroup var plugIns: PlugInsOption

  func validate() throws {
    if labels != nil, targets != nil { throw ValidationError("--labels and --targets exclude each other") }
  }

  /// - Parameter criterion: of the network that the samples are for.
  func open(_ file: String, for criterion: Criterion) throws -> ImageDataset {
    let target: TargetName
    if let targets {
      target = .values(targets)
    } else if let labels {
      target = .labels(labels)
    } else {
      target = criterion.targets == .values ? .values("test/targets") : .labels("test/labels")
    }
    if case .labels(let name) = target, criterion.task == .labels, criterion.targets == .values {
      TerminalOutput.warn(
        "the network was trained on samples of several labels, and --labels \(name) gives each sample one; "
          + "--targets NAME takes numbers of 0 and 1 for each label")
    }
    return try ImageDataset(path: file, images: images, target: target, weights: weights)
  }
}

/// The names of a network's outputs: the checkpoint's, else the dataset's, else numbers.
///
/// A single output that tells two classes apart is called by the second.
func classNames(_ checkpoint: Checkpoint, _ dataset: ImageDataset?, count: Int) -> [String] {
  (checkpoint.identity.criterion ?? .classification).outputNames(
    [checkpoint.identity.classNames, dataset?.classNames ?? []], count: count)
}
