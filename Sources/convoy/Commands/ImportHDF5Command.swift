internal import ArgumentParser
internal import Datasets

/// Turns HDF5 files of any layout into dataset files.
struct ImportHDF5: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hdf5",
    abstract: "HDF5 files of any layout, such as those of h5py, PyTables and MATLAB.",
    discussion: """
      Labels may be whole numbers of any type (also as floats), truth values, words, or rows with a single 1; words become classes \
      in the order of their bytes. Class names come from --classes, from an attribute class_names, or from an \
      enumeration. Bytes and truth values stay bytes, other numbers become float32. Samples keep the order of the file.

      A name is that of a dataset in each file of --from, or FILE:NAME. --axes has a letter for each dimension as h5py shows \
      it: N samples, H rows, W columns, C channels, L steps, F features. PyTorch's order is NCHW; MATLAB's H×W×C×N is NCWH, \
      because HDF5 stores it reversed.

        convoy import hdf5 --from a.h5 --images x --labels y --to data.h5
        convoy import hdf5 --from a.h5 --images x --labels y --axes NCHW \\
          --rows 0:800 --test-rows 800: --to data.h5
        convoy import hdf5 --from a.h5 --from b.h5 --images x \\
          --labels labels.h5:y --first-label 1 --to data.h5
      """)

  @Option(
    name: .customLong("from"),
    help: ArgumentHelp("A file with the arrays; several are read one after another.", valueName: "file.h5"))
  var files: [String] = []

  @Option(
    name: .customLong("test-from"),
    help: ArgumentHelp("A file with the arrays of the test samples; --from by default.", valueName: "file.h5")
  )
  var testFiles: [String] = []

  @Option(help: ArgumentHelp("Training images.", valueName: "name"))
  var images: String

  @Option(help: ArgumentHelp("Training labels.", valueName: "name"))
  var labels: String?

  @Option(
    help: ArgumentHelp(
      "Numbers in place of labels: a row for each sample, or some for each point of an image.",
      valueName: "name"))
  var targets: String?

  @Option(help: ArgumentHelp("Weights of the training samples.", valueName: "name"))
  var weights: String?

  @Option(
    help: ArgumentHelp(
      "Training rows from 0, such as 0:800 or 5,7,10:20:2, or a dataset of row numbers or truth values.",
      valueName: "rows"))
  var rows: String?

  @Option(help: ArgumentHelp("Test images.", valueName: "name"))
  var testImages: String?

  @Option(help: ArgumentHelp("Test labels.", valueName: "name"))
  var testLabels: String?

  @Option(help: ArgumentHelp("Test targets.", valueName: "name"))
  var testTargets: String?

  @Option(help: ArgumentHelp("Weights of the test samples.", valueName: "name"))
  var testWeights: String?

  @Option(
    help: ArgumentHelp(
      "Test rows; they count in the training images unless test images are named.", valueName: "rows")
  )
  var testRows: String?

  @Option(
    help: ArgumentHelp(
      "The dimensions of the images, outermost first; NHWC by default.", valueName: "letters"))
  var axes: String?

  @Option(
    -1_000_000...1_000_000,
    help: ArgumentHelp("The number of the first class, where labels do not count from 0.", valueName: "n"))
  var firstLabel: Int?

  @Flag(help: "Renumber the labels from 0 in rising order; their old numbers become class names.")
  var renumber = false

  @Option(
    help: ArgumentHelp(
      "Class names in the order of the labels, separated by commas, or a dataset of words.",
      valueName: "a,b,…|name"))
  var classes: String?

  @OptionGroup var plugIns: PlugInsOption
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if files.isEmpty { throw ValidationError("name a file with --from FILE.h5") }
    if (labels == nil) == (targets == nil) {
      throw ValidationError("name either the labels (--labels) or the targets (--targets)")
    }
    if labels == nil, firstLabel != nil || renumber {
      throw ValidationError("--first-label and --renumber need --labels")
    }
    if firstLabel != nil, renumber {
      throw ValidationError("--first-label and --renumber cannot be given together")
    }
    if testImages != nil, testFiles.isEmpty, testLabels == nil, testTargets == nil {
      throw ValidationError("--test-images needs --test-labels or --test-targets")
    }
    if !hasTest, testLabels != nil || testTargets != nil || testWeights != nil {
      throw ValidationError("test labels, targets and weights need --test-images, --test-from or --test-rows")
    }
    if (testLabels != nil && labels == nil) || (testTargets != nil && targets == nil) {
      throw ValidationError("training and test samples must both have labels, or both targets")
    }
    if case .list(let names) = names, let problem = ClassNaming.problem(names) {
      throw ValidationError("--classes: \(problem)")
    }
    _ = try axisOrder()
    _ = try choice(rows, "--rows")
    _ = try choice(testRows, "--test-rows")
  }

  private var hasTest: Bool { testImages != nil || !testFiles.isEmpty || testRows != nil }

  private func axisOrder() throws -> AxisOrder? {
    guard let axes else { return nil }
    guard let order = AxisOrder(axes) else {
      throw ValidationError(
        "--axes takes the letters of NHWC, NHW, NLC or NF in the order of the file, such as NCHW, not '\(axes)'"
      )
    }
    return order
  }

  private func choice(_ text: String?, _ option: String) throws -> RowChoice? {
    guard let text else { return nil }
    guard let rows = RowChoice(text) else {
      throw ValidationError(
        "\(option) takes rows from 0, such as 0:800 or 5,7,10:20:2, or a dataset's name, not '\(text)'")
    }
    return rows
  }

  func run() throws {
    var splits = [
      HDF5Importer.Split(
        name: "train", files: files, images: images, target: target(labels, targets), weights: weights,
        rows: try choice(rows, "--rows"))
    ]
    if hasTest {
      splits.append(
        HDF5Importer.Split(
          name: "test", files: testFiles.isEmpty ? files : testFiles, images: testImages ?? images,
          target: target(testLabels ?? labels, testTargets ?? targets),
          weights: testWeights ?? (testImages == nil ? weights : nil),
          rows: try choice(testRows, "--test-rows")))
    }
    try output.write(
      HDF5Importer(
        splits: splits, axes: try axisOrder(),
        labelReading: LabelReading(firstLabel: firstLabel, renumbers: renumber), classNames: names),
      reading: InputFiles(files + testFiles))
  }

  private func target(_ labels: String?, _ targets: String?) -> TargetName {
    labels.map { .labels($0) } ?? .values(targets ?? "")
  }

  private var names: HDF5Importer.ClassNames? {
    classes.map { text in
      text.contains(",")
        ? .list(ClassesOption.names(text)) : .dataset(text)
    }
  }
}
