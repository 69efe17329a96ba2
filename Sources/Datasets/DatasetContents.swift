internal import HDF5

/// The HDF5 datasets behind an `ImageDataset`, with the checks of their shapes and types.
struct DatasetContents {
  let path: String
  let root: Group
  let images: Dataset
  /// Labels or targets.
  let labels: Dataset
  let weights: Dataset?
  private let imagesName: String
  private let labelsName: String

  init(path: String, _ imagesName: String, _ target: TargetName, _ weightsName: String?) throws {
    self.path = path
    self.imagesName = imagesName
    labelsName = target.name
    root = try File.open(path).root
    images = try Self.open(imagesName, in: root)
    labels = try Self.open(target.name, in: root)
    weights = try weightsName.map { [root] in try Self.open($0, in: root) }
    try checkImages()
    switch target {
    case .labels: try checkLabels()
    case .values: try checkTargets()
    }
    try checkWeights()
  }

  private static func open(_ name: String, in root: Group) throws -> Dataset {
    do {
      return try root.dataset(name)
    } catch let error as HDF5Error where error.kind == .noSuchName || error.kind == .mismatch {
      let names = Self.datasetNames(in: root)
      let found = names.isEmpty ? "there are none" : "there are \(names.joined(separator: ", "))"
      throw DatasetError(.badData, "\(root.file.name) has no dataset \"\(name)\": \(found)")
    }
  }

  /// The paths of the datasets, the first twenty.
  private static func datasetNames(in root: Group) -> [String] {
    var names: [String] = []
    var pending: [(group: Group, path: String, depth: Int)] = [(root, "", 0)]
    // Groups can hold each other in a circle, hence a depth.
    while let (group, path, depth) = pending.popLast(), names.count <= 20, depth < 6 {
      guard let members = try? group.members() else { continue }
      for member in members where member.kind == .dataset { names.append(path + member.name) }
      for member in members.reversed() where member.kind == .group && member.link == .hard {
        guard let inner = try? group.group(member.name) else { continue }
        pending.append((inner, "\(path)\(member.name)/", depth + 1))
      }
    }
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
  }

  private func checkLabels() throws {
    let shape = labels.shape
    let name = "\"\(labelsName)\" of \(path)"
    guard shape.count == 1 || (shape.count == 2 && shape[1] == 1) else {
      throw DatasetError(
        .badData, "\(name) has shape \(format(shape)), but labels need one number per sample")
    }
    guard case .integer = labels.type.class else {
      throw DatasetError(.badData, "\(name) holds \(labels.type), but labels need integers")
    }
    guard shape[0] == images.shape[0] else {
      throw DatasetError(
        .badData,
        "\"\(imagesName)\" has \(images.shape[0]) samples but \"\(labelsName)\" has \(shape[0]) labels, in \(path)"
      )
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
      )
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
        .badData, "all weights of \"\(weights.path)\" in \(path) are 0, so that there is nothing to learn")
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
    let wide = try translatingErrors { try labels.read(Int64.self) }
    if let bad = wide.firstIndex(where: { $0 < 0 || $0 >= Int64(Int32.max) }) {
      throw DatasetError(
        .badData,
        "sample \(bad) of \"\(labelsName)\" in \(path) has label \(wide[bad]), but labels count from 0")
    }
    return wide.map { Int32($0) }
  }

  /// The names in the attribute `class_names` nearest to the labels.
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
    return nil
  }

  func describeStorage() throws -> String {
    switch try images.layout() {
    case .compact: return "compact"
    case .contiguous: return "contiguous"
    case .chunked(let chunk):
      let filters = try images.filters().map { $0.name.isEmpty ? "filter \($0.id)" : $0.name }
      return (["chunks of \(format(chunk))"] + filters).joined(separator: ", ")
    case .virtual, .externalFiles: return "in other files"
    }
  }

  private func format(_ shape: [Int]) -> String {
    shape.isEmpty ? "scalar" : shape.map(String.init).joined(separator: "×")
  }
}
