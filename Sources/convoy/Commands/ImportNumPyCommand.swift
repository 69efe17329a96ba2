internal import ArgumentParser
internal import Datasets

struct ImportNumPy: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "numpy",
    abstract: "NumPy arrays: .npy files, or arrays of an .npz archive.",
    discussion: """
      Images are [N, H, W, C], [N, H, W] or [N, F]: bytes stay bytes, other numbers become float32. Labels are whole numbers [N]; floats \
      [N] and arrays [N, K] become the dataset targets instead, for regression and for several labels per sample.

        convoy import numpy --images x.npy --labels y.npy --to data.h5
        convoy import numpy --from mnist.npz --images x_train --labels y_train \\
          --test-images x_test --test-labels y_test --to mnist.h5
      """)

  @Option(
    name: .customLong("from"), help: ArgumentHelp("An archive that holds the arrays.", valueName: "file.npz"))
  var archive: String?

  @Option(help: ArgumentHelp("Training images: a file, or an array's name.", valueName: "x"))
  var images: String

  @Option(help: ArgumentHelp("Training labels: a file, or an array's name.", valueName: "y"))
  var labels: String

  @Option(help: ArgumentHelp("Test images.", valueName: "x"))
  var testImages: String?

  @Option(help: ArgumentHelp("Test labels.", valueName: "y"))
  var testLabels: String?

  @Option(help: ArgumentHelp("Weights of the training samples, [N].", valueName: "w"))
  var weights: String?

  @Option(help: ArgumentHelp("Weights of the test samples.", valueName: "w"))
  var testWeights: String?

  @Flag(help: "Images are [N, C, H, W].")
  var channelsFirst = false

  @Flag(help: "Images are [N, H, W, C], even if their shape looks otherwise.")
  var channelsLast = false

  @OptionGroup var classes: ClassesOption
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if (testImages == nil) != (testLabels == nil) {
      throw ValidationError("--test-images and --test-labels need each other")
    }
    if channelsFirst, channelsLast {
      throw ValidationError("--channels-first and --channels-last cannot be given together")
    }
    if testWeights != nil, testImages == nil { throw ValidationError("--test-weights needs --test-images") }
  }

  func run() throws {
    var splits = [NumPyImporter.Split(name: "train", images: images, labels: labels, weights: weights)]
    if let testImages, let testLabels {
      splits.append(.init(name: "test", images: testImages, labels: testLabels, weights: testWeights))
    }
    try output.write(
      NumPyImporter(
        archive: archive, splits: splits, classNames: classes.names,
        channelsFirst: channelsFirst ? true : channelsLast ? false : nil),
      reading: InputFiles([archive, images, labels, testImages, testLabels, weights, testWeights]))
  }
}
