internal import HDF5
internal import Paths
internal import Settings
internal import Tensors
internal import Texts

/// The HDF5 datasets behind an `ImageDataset`, with the checks of their shapes and types.
struct DatasetContents {
  let path: String
  let root: Group
  let images: Dataset
  /// Labels or targets; the images where there is neither.
  let labels: Dataset
  let weights: Dataset?
  private let imagesName: String
  private let target: TargetName?
  private var labelsName: String { target?.name ?? imagesName }

  init(path: String, _ imagesName: String, _ target: TargetName?, _ weightsName: String?) throws {
    self.path = path
    self.imagesName = imagesName
    self.target = target
    // The list of words is read where there is one.
    let names =
      [imagesName, TextHandling.vocabularyName] + (target.map { [$0.name] } ?? [])
      + (weightsName.map { [$0] } ?? [])
    root = try File.open(path, reading: names).root
    images = try Self.open(imagesName, in: root)
    labels = try target.map { [root] in try Self.open($0.name, in: root) } ?? images
    weights = try weightsName.map { [root] in try Self.open($0, in: root) }
    try checkImages()
    try checkPacking()
    switch target {
    case .labels: try checkLabels()
    case .values: try checkTargets()
    case nil: break
    }
    try checkWeights()
  }

  private static func open(_ name: String, in root: Group) throws -> Dataset {
    do {
      return try root.dataset(name)
    } catch let error as HDF5Error where error.kind == .noSuchName || error.kind == .mismatch {
      try File.check(root.file.name)
      let names = Self.datasetNames(in: root)
      let found = names.isEmpty ? "there are none" : "there are \(names.joined(separator: ", "))"
      throw DatasetError(.badData, "\(root.file.name) has no dataset \"\(name)\": \(found)")
    }
  }

  /// The paths of the datasets, the first twenty.
  private static func datasetNames(in root: Group) -> [String] {
    let names = (try? root.datasetNames(atMost: 21, links: .hardAndSoft)) ?? []
    return names.count > 20 ? names.prefix(20) + ["…"] : names
  }

  private func checkImages() throws {
    let shape = images.shape
    let name = "\"\(imagesName)\" of \(path)"
    guard (2...4).contains(shape.count) else {
      throw DatasetError(
        .badData,
        "\(name) has shape \(format(shape)), but images need samples × height × width, or these × channels, or samples × features"
      )
    }
    guard shape[0] > 0 else {
      throw DatasetError(.badData, "\(name) has no samples: its shape is \(format(shape))")
    }
    guard !shape.contains(0) else {
      throw DatasetError(.badData, "\(name) has images without pixels: its shape is \(format(shape))")
    }
    guard shape[0] <= Int(Int32.max) else {
      throw DatasetError(.badData, "\(name) has \(shape[0]) samples; at most \(Int32.max) are possible")
    }
    guard images.type.isNumber else {
      throw DatasetError(.badData, "\(name) holds \(images.type), but images need integers or floats")
    }
    try images.checkPlausibleSize()
    try images.checkSources()
  }

  private func checkPacking() throws {
    guard let packing = try packing() else { return }
    let shape = images.shape
    guard shape.count == 4, shape[3] == packing.bytesPerPoint, images.type.exactNumber == .uint8 else {
      throw DatasetError(
        .badData,
        "\"\(imagesName)\" of \(path) is \(images.type) of shape \(format(shape)), but its attribute "
          + "\(BitPacking.attribute) says that it holds \(counted(packing.channels, "channel")) as bits, which are uint8 of "
          + "samples × height × width × \(counted(packing.bytesPerPoint, "byte"))")
    }
  }

  private func checkLabels() throws {
    let shape = labels.shape
    let name = "\"\(labelsName)\" of \(path)"
    guard shape.count == 1 || (shape.count == 2 && shape[1] == 1) else {
      throw DatasetError(
        .badData,
        "\(name) has shape \(format(shape)), but labels need one number per sample; `targets: \(labelsName)` takes rows of "
          + "numbers" + advice(where: shape.count == 2, "and, where each row is a single 1 among zeros,"))
    }
    guard labels.type.isNumber else {
      throw DatasetError(
        .badData,
        "\(name) holds \(labels.type), but labels need whole numbers" + advice(where: isText(labels)))
    }
    guard shape[0] == images.shape[0] else {
      throw DatasetError(
        .badData,
        "\"\(imagesName)\" has \(images.shape[0]) samples but \"\(labelsName)\" has \(shape[0]) labels, in \(path)"
          + otherAxes(for: shape[0]))
    }
  }

  private func checkTargets() throws {
    let shape = labels.shape
    let name = "\"\(labelsName)\" of \(path)"
    guard !shape.isEmpty, !shape.dropFirst().contains(0) else {
      throw DatasetError(
        .badData,
        "\(name) has shape \(format(shape)), but targets need samples × numbers, samples × height × width (× numbers of each "
          + "point), or one number per sample")
    }
    try checkNumbers(labels, labelsName, "targets")
    try labels.checkPlausibleSize()
  }

  private func checkWeights() throws {
    guard let weights else { return }
    let shape = weights.shape
    guard shape.count == 1 || (shape.count == 2 && shape[1] == 1) else {
      throw DatasetError(
        .badData,
        "\"\(weights.path)\" of \(path) has shape \(format(shape)), but weights need one number per sample")
    }
    try checkNumbers(weights, weights.path, "weights")
  }

  private func checkNumbers(_ dataset: Dataset, _ name: String, _ noun: String) throws {
    guard dataset.type.isNumber else {
      throw DatasetError(.badData, "\"\(name)\" of \(path) holds \(dataset.type), but \(noun) need numbers")
    }
    guard dataset.shape[0] == images.shape[0] else {
      throw DatasetError(
        .badData,
        "\"\(imagesName)\" has \(images.shape[0]) samples but \"\(name)\" has \(dataset.shape[0]) \(noun), in \(path)"
          + otherAxes(for: dataset.shape[0]))
    }
  }

  /// All targets; every number is finite.
  func readTargets() throws -> TargetTable {
    let width = labels.shape.dropFirst().reduce(1, *)
    let values = try translatingErrors { try labels.read(Float.self) }
    if let bad = values.firstIndex(where: { !$0.isFinite }) {
      throw DatasetError(
        .badData,
        "sample \(bad / width) of \"\(labelsName)\" in \(path) has the value \(values[bad]) in column \(bad % width), but "
          + "targets need finite numbers")
    }
    return TargetTable(values, width: width)
  }

  /// All weights, nil where there are none; every number is finite and at least 0, and one is above it.
  func readWeights() throws -> [Float]? {
    guard let weights else { return nil }
    let values = try translatingErrors { try weights.read(Float.self) }
    if let bad = values.firstIndex(where: { !$0.isFinite || $0 < 0 }) {
      throw DatasetError(
        .badData,
        "sample \(bad) of \"\(weights.path)\" in \(path) has weight \(values[bad]), but weights are finite and at least 0"
      )
    }
    guard values.contains(where: { $0 > 0 }) else {
      throw DatasetError(
        .badData, "all weights of \"\(weights.path)\" in \(path) are 0, so there is nothing to learn")
    }
    return values
  }

  /// The names of the targets' columns, from their own attribute.
  func targetNames(count: Int) throws -> [String]? {
    for name in ["target_names", "class_names"] where try labels.attributes.contains(name) {
      let names = try labels.attributes.strings(name)
      guard names.count == count else {
        throw DatasetError(
          .badData,
          "\"\(labelsName)\" of \(path) has \(count) columns, but its attribute \(name) has \(names.count) names"
        )
      }
      return names
    }
    return nil
  }

  /// All labels; none is negative.
  func readLabels() throws -> [Int32] {
    let wide = try readWholeNumbers()
    if let bad = wide.firstIndex(where: { $0 < 0 || $0 >= Int64(Int32.max) }) {
      throw DatasetError(
        .badData,
        "sample \(bad) of \"\(labelsName)\" in \(path) has label \(wide[bad]), but labels count from 0 to \(Int32.max - 1)"
          + advice(where: true, "", " --renumber"))
    }
    return wide.map { Int32($0) }
  }

  /// How many classes labels stand for that no names are told of.
  ///
  /// A network has an output for each class up to the largest label: one wrong label must not make millions of them.
  func classCount(of labels: [Int32]) throws(DatasetError) -> Int {
    let most = max(Self.mostUnnamedClasses, labels.count)
    if let bad = labels.firstIndex(where: { $0 >= most }) {
      throw DatasetError(
        .badData,
        "sample \(bad) of \"\(labelsName)\" in \(path) has label \(labels[bad]), which makes \(labels[bad]) classes and one of "
          + "\(counted(labels.count, "sample"))" + advice(where: true, "", " --renumber"))
    }
    return Int(labels.max() ?? 0) + 1
  }

  private static let mostUnnamedClasses = 1 << 18

  /// Labels of any number type; floats must be whole.
  private func readWholeNumbers() throws -> [Int64] {
    do { return try translatingErrors { try WholeNumbers.read(labels) } } catch let error
      as WholeNumbers.NotWhole
    {
      throw DatasetError(
        .badData,
        "sample \(error.index) of \"\(labelsName)\" in \(path) has label \(error.number), but labels are whole numbers from 0 to \(Int32.max - 1); "
          + "`targets: \(labelsName)` takes numbers of any kind")
    }
  }

  /// The names in the attribute `class_names` nearest to the labels, or else those that an enumeration has.
  func classNames() throws -> [String]? {
    var owners = [labels.attributes, images.attributes]
    for name in [labelsName, imagesName] {
      let parent = name.split(separator: "/").dropLast().joined(separator: "/")
      if !parent.isEmpty { owners.append(try root.group(parent).attributes) }
    }
    owners.append(root.attributes)
    for attributes in owners where try attributes.contains("class_names") {
      let names = try attributes.strings("class_names")
      return names.isEmpty ? nil : names
    }
    return labels.type.namesFromZero
  }

  /// How samples are held as bits; nil where they are not.
  func packing() throws -> BitPacking? {
    guard try images.attributes.contains(BitPacking.attribute) else { return nil }
    let count: Int = try images.attributes.number(BitPacking.attribute)
    guard (1...1 << 16).contains(count) else {
      throw DatasetError(
        .badData, "\"\(imagesName)\" of \(path) has the attribute \(BitPacking.attribute) = \(count)")
    }
    return BitPacking(channels: count)
  }

  /// The names of the channels; nil where the file does not say.
  func channelNames(count: Int) throws -> [String]? {
    guard try images.attributes.contains(DatasetWriter.channelNames) else { return nil }
    let names = try images.attributes.strings(DatasetWriter.channelNames)
    guard names.count == count else {
      throw DatasetError(
        .badData,
        "\"\(imagesName)\" of \(path) has \(counted(count, "channel")), but its attribute \(DatasetWriter.channelNames) has "
          + counted(names.count, "name"))
    }
    return names
  }

  /// How many moves were made before each position: a dataset `moves` beside the images; nil where there is none.
  func moveNumbers() throws -> [Int32]? {
    guard imagesName == "images" || imagesName.hasSuffix("/images") else { return nil }
    let name = imagesName.dropLast("images".count) + DatasetWriter.moves
    guard try root.datasetNames(atMost: 1000).contains(String(name)) else { return nil }
    let moves = try root.dataset(String(name))
    guard moves.shape == [images.shape[0]], moves.type.isNumber else {
      throw DatasetError(
        .badData,
        "\"\(name)\" of \(path) is \(moves.type) of shape \(format(moves.shape)), but needs a whole number for each sample"
      )
    }
    return try moves.read(Int32.self)
  }

  /// What the images were before; nil where the file does not say.
  func origin() throws -> SampleOrigin? {
    for name in SampleOrigin.attributes where try images.attributes.contains(name) {
      // Another program's attribute of this name means something else.
      guard let pairs = try? images.attributes.strings(name),
        let origin = try SampleOrigin(attribute: name, pairs: pairs, vocabulary: vocabulary)
      else { continue }
      return origin
    }
    return nil
  }

  /// The words by number; nil where the file has no list of text.
  private func vocabulary() throws -> [String]? {
    guard try root.members().contains(where: { $0.name == TextHandling.vocabularyName }) else { return nil }
    let dataset = try root.dataset(TextHandling.vocabularyName)
    guard case .string = dataset.type.class else { return nil }
    return try dataset.readText().map { bytes in
      guard let word = String(validating: bytes, as: UTF8.self) else {
        throw DatasetError(
          .badData,
          "\(path): a word of \"\(TextHandling.vocabularyName)\" is not UTF-8: \(PathText.readable(PathText.text(of: bytes[...])))"
        )
      }
      return word
    }
  }

  // MARK: - What to do

  private func isText(_ dataset: Dataset) -> Bool {
    if case .string = dataset.type.class { true } else { false }
  }

  /// Advice to run the command that makes a dataset of what cannot be trained on as it is.
  ///
  /// - Parameter words: what comes before the command.
  private func advice(where condition: Bool, _ words: String = "", _ options: String = "") -> String {
    guard condition else { return "" }
    let name =
      switch target {
      case .labels(let name): " --labels \(name.shellWord)"
      case .values(let name): " --targets \(name.shellWord)"
      case nil: ""
      }
    return (words.isEmpty ? "; " : ", \(words) ")
      + "`convoy import hdf5 --from \(path.shellWord) --images \(imagesName.shellWord)\(name)\(options) "
      + "--to NEW.h5` makes a dataset of it"
  }

  /// What to do where another dimension of the images is as long as the labels are.
  private func otherAxes(for count: Int) -> String {
    guard let place = images.shape.firstIndex(of: count), place > 0 else { return "" }
    let axes =
      switch (images.shape.count, place) {
      case (2, _): "FN"
      case (3, 2): "HWN"
      case (4, 3): "HWCN"
      default: "an order with N in place \(place + 1)"
      }
    return advice(where: true, "", " --axes \(axes)")
  }

  func describeStorage() throws -> String {
    switch try images.layout() {
    case .compact: return "compact"
    case .contiguous: return "contiguous"
    case .chunked(let chunk):
      return (["chunks of \(format(chunk))"] + (try images.filters().map(\.name))).joined(separator: ", ")
    case .virtual:
      let files = Set(try images.sources().map(\.file)).count
      return "virtual, from \(counted(files, "file"))"
    case .externalFiles: return "in other files"
    }
  }

  private func format(_ shape: [Int]) -> String {
    shape.isEmpty ? "scalar" : shape.map(String.init).joined(separator: "×")
  }
}
