internal import HDF5

/// The arrays of one split, found and checked; pixels are read when they are written.
final class HDF5ImportInput {
  let name: String
  /// The images, for messages: `"x" of a.h5`.
  let imagesName: String
  /// Where the images are: files and names.
  let places: [String]
  let sampleShape: [Int]
  let pixelType: PixelType
  /// The chosen rows, rising; they are counted through all files.
  let rows: [Int]
  let labels: FoundLabels?
  let targets: (values: [Float], width: Int, names: [String]?)?
  let weights: [Float]?

  private let images: [Dataset]
  private let axes: AxisOrder
  /// The first row of each file's images, and then the number of all rows.
  private let starts: [Int]
  private let scratch = ScratchMemory()

  init(_ split: HDF5Importer.Split, axes given: AxisOrder?) throws {
    name = split.name
    images = try Self.datasets(split.images, in: split.files)
    imagesName = Self.quoted(images[0])
    places = images.map { "\($0.file.name):\($0.path)" }
    let axes = try Self.axes(images[0], given)
    self.axes = axes
    for image in images { try Self.checkImages(image, axes) }
    let shapes = images.map { axes.sampleShape($0.shape) }
    for (image, shape) in zip(images, shapes) {
      guard shape == shapes[0] else {
        throw DatasetError(
          .badData,
          "\(Self.quoted(image)) has samples of \(Self.format(shape)), but \(imagesName) has \(Self.format(shapes[0]))"
        )
      }
    }
    sampleShape = shapes[0]
    let isBytes = images.map { $0.type.exactNumber == .uint8 }
    if let other = zip(images, isBytes).first(where: { $0.1 != isBytes[0] })?.0 {
      throw DatasetError(
        .badData,
        "\(Self.quoted(other)) holds \(other.type), but others hold \(images[0].type): bytes and other numbers do not mix"
      )
    }
    pixelType = isBytes[0] ? .uint8 : .float32
    var starts = [0]
    for image in images { starts.append(starts[starts.count - 1] + image.shape[axes.samplePlace]) }
    self.starts = starts
    let count = starts[starts.count - 1]
    guard count <= Int(Int32.max) else {
      throw DatasetError(.badData, "\(imagesName) has \(count) samples; at most \(Int32.max) are possible")
    }
    let (imagesName, files) = (imagesName, split.files)
    let rows =
      try split.rows?.rows(of: count, name: imagesName) {
        try Self.wholeNumbers(Self.datasets($0, in: files))
      }
      ?? Array(0..<count)
    self.rows = rows
    switch split.target {
    case .labels(let name):
      let found = try Self.labels(Self.datasets(name, in: files), count: count, images: imagesName)
      try Self.checkCount(found.count, count, found.name, "labels", imagesName)
      labels = found.choosing(rows)
      targets = nil
    case .values(let name):
      labels = nil
      let table = try Self.table(Self.datasets(name, in: files), count: count, images: imagesName, axes)
      targets = (
        rows.flatMap { table.values[($0 * table.width)..<(($0 + 1) * table.width)] }, table.width, table.names
      )
    }
    weights = try split.weights.map { name in
      let table = try Self.table(Self.datasets(name, in: files), count: count, images: imagesName)
      guard table.width == 1 else {
        throw DatasetError(
          .badData, "\(name) has \(table.width) numbers for each sample, but a weight is one number")
      }
      if let bad = table.values.firstIndex(where: { $0 < 0 }) {
        throw DatasetError(
          .badData, "\(name): sample \(bad) has weight \(table.values[bad]), which is below 0")
      }
      return rows.map { table.values[$0] }
    }
  }

  // MARK: - Finding arrays

  /// The datasets that a name stands for: `FILE:NAME`, or one in each file.
  static func datasets(_ name: String, in files: [String]) throws -> [Dataset] {
    if let colon = name.lastIndex(of: ":"), RawFile.isFile(String(name[..<colon])) {
      return [try dataset(String(name[name.index(after: colon)...]), in: String(name[..<colon]))]
    }
    return try files.map { try dataset(name, in: $0) }
  }

  private static func dataset(_ name: String, in path: String) throws -> Dataset {
    let root = try File.open(path, reading: [name]).root
    do { return try root.dataset(name) } catch let error as HDF5Error
      where error.kind == .noSuchName || error.kind == .mismatch
    {
      try File.check(path)
      let names = (try? root.datasetNames(atMost: 21, links: .hardAndSoft)) ?? []
      let found = names.isEmpty ? "there are none" : "there are \(names.prefix(20).joined(separator: ", "))"
      throw DatasetError(
        .badData, "\(path) has no dataset \"\(name)\": \(found)\(names.count > 20 ? ", …" : "")")
    }
  }

  static func quoted(_ dataset: Dataset) -> String {
    "\"\(dataset.path.drop { $0 == "/" })\" of \(dataset.file.name)"
  }

  static func format(_ shape: [Int]) -> String {
    shape.isEmpty ? "scalar" : shape.map(String.init).joined(separator: "×")
  }

  // MARK: - Images

  private static func axes(_ images: Dataset, _ given: AxisOrder?) throws -> AxisOrder {
    let shape = images.shape
    let name = "\(quoted(images)) has shape \(format(shape))"
    if let given {
      guard given.letters.count == shape.count else {
        throw DatasetError(.badData, "\(name), and --axes \(given) names \(given.letters.count) dimensions")
      }
      return given
    }
    guard let usual = AxisOrder(rank: shape.count) else {
      throw DatasetError(
        .badData,
        "\(name), but images need samples × height × width, or these × channels, or samples × features")
    }
    if AxisOrder.looksChannelsFirst(shape) {
      throw DatasetError(
        .badData,
        "\(name), which looks as if channels came first: pass --axes NCHW, or --axes NCWH for MATLAB's order, or --axes NHWC if "
          + "they are last")
    }
    return usual
  }

  private static func checkImages(_ images: Dataset, _ axes: AxisOrder) throws {
    let name = quoted(images)
    guard images.shape.count == axes.letters.count, !images.shape.contains(0) else {
      throw DatasetError(
        .badData,
        "\(name) has no samples of \(axes.letters.count) dimensions: its shape is \(format(images.shape))")
    }
    guard images.type.isNumber else {
      throw DatasetError(.badData, "\(name) holds \(images.type), but images need numbers")
    }
    try images.checkPlausibleSize()
    try images.checkFilters()
    try images.checkSources()
  }

  /// Writes the pixels of some of the chosen samples, as the dataset file has them.
  func fill(_ memory: UnsafeMutableRawBufferPointer, _ range: Range<Int>) throws {
    switch pixelType {
    case .uint8: try fill(memory.bindMemory(to: UInt8.self), range)
    case .float32:
      let values = memory.bindMemory(to: Float.self)
      try fill(values, range)
      guard let bad = values.firstIndex(where: { !$0.isFinite }) else { return }
      let row = rows[range.lowerBound + bad / sampleShape.reduce(1, *)]
      throw DatasetError(
        .badData, "row \(row) of \(imagesName) has a value that is not a number or is too large for float32")
    }
  }

  private func fill<T: HDF5Number>(_ target: UnsafeMutableBufferPointer<T>, _ range: Range<Int>) throws {
    let size = sampleShape.reduce(1, *)
    var place = range.lowerBound
    while place < range.upperBound {
      let first = rows[place]
      let file = (starts.firstIndex { $0 > first } ?? 1) - 1
      // One long read beats many short ones until most of it is thrown away.
      var end = place + 1
      while end < range.upperBound, rows[end] < starts[file + 1], rows[end] - first < 8 * (end + 1 - place) {
        end += 1
      }
      let part = UnsafeMutableBufferPointer(
        rebasing: target[((place - range.lowerBound) * size)..<((end - range.lowerBound) * size)])
      try read(place..<end, of: images[file], start: starts[file], into: part)
      place = end
    }
  }

  /// Reads chosen samples that lie close together in one file.
  private func read<T: HDF5Number>(
    _ places: Range<Int>, of images: Dataset, start: Int, into target: UnsafeMutableBufferPointer<T>
  ) throws {
    let first = rows[places.lowerBound]
    let span = rows[places.upperBound - 1] - first + 1
    let size = sampleShape.reduce(1, *)
    var (offset, count) = (images.shape.map { _ in 0 }, images.shape)
    offset[axes.samplePlace] = first - start
    count[axes.samplePlace] = span
    let region = Dataset.Region(offset: offset, count: count)
    if axes.isKept, span == places.count { return try images.read(into: target, region: region) }
    let bytes = scratch.bytes(2 * span * size * MemoryLayout<T>.stride)
    let values = bytes.bindMemory(to: T.self)
    let stored = UnsafeMutableBufferPointer(rebasing: values[..<(span * size)])
    let arranged = UnsafeMutableBufferPointer(rebasing: values[(span * size)..<(2 * span * size)])
    try images.read(into: stored, region: region)
    axes.arrange(UnsafeBufferPointer(stored), shape: count, into: arranged)
    for place in places {
      let from = (rows[place] - first) * size
      let to = (place - places.lowerBound) * size
      for index in 0..<size { target[to + index] = arranged[from + index] }
    }
  }

  // MARK: - Labels and numbers

  private static func checkCount(
    _ found: Int, _ count: Int, _ name: String, _ noun: String, _ images: String
  ) throws {
    guard found == count else {
      throw DatasetError(
        .badData,
        "\(images) has \(count) samples, but \(name) has \(found) \(noun); --axes says which dimension of the images is N"
      )
    }
  }

  /// The labels of all files, one after another.
  private static func labels(_ datasets: [Dataset], count: Int, images: String) throws -> FoundLabels {
    try FoundLabels.joined(
      datasets.map { try labels($0, count: datasets.count == 1 ? count : nil, images: images) })
  }

  /// - Parameter count: how many there should be, where that is known; it tells rows from columns.
  private static func labels(_ dataset: Dataset, count: Int?, images: String) throws -> FoundLabels {
    let names = try names(dataset, ["class_names"])
    if case .string = dataset.type.class {
      return FoundLabels(values: .text(try words(dataset)), names: names, name: quoted(dataset))
    }
    guard dataset.type.isNumber else {
      throw DatasetError(
        .badData,
        "\(quoted(dataset)) holds \(dataset.type), but labels are whole numbers, truth values or words")
    }
    let shape = dataset.shape
    if shape.count == 1 || (shape.count == 2 && shape.contains(1)) {
      let numbers = try wholeNumbers([dataset])
      if case .enumeration(let known) = dataset.type.class, dataset.type.namesFromZero == nil {
        return try labels(numbers, of: known, names: names, name: quoted(dataset))
      }
      return FoundLabels(
        values: .numbers(numbers), names: names ?? dataset.type.namesFromZero, name: quoted(dataset))
    }
    guard shape.count == 2 else {
      throw DatasetError(
        .badData, "\(quoted(dataset)) has shape \(format(shape)), but labels need one value per sample")
    }
    let table = try table([dataset], count: count ?? shape[0], images: images)
    let ones = try (0..<table.values.count / table.width).map { row in
      let values = table.values[(row * table.width)..<((row + 1) * table.width)]
      guard values.allSatisfy({ $0 == 0 || $0 == 1 }), values.count(where: { $0 == 1 }) == 1,
        let place = values.firstIndex(of: 1)
      else {
        throw DatasetError(
          .badData,
          "\(quoted(dataset)) has \(table.width) numbers for each sample, and those of sample \(row) are not a single 1 among "
            + "zeros; --targets takes rows of numbers")
      }
      return Int64(place - values.startIndex)
    }
    return FoundLabels(
      values: .oneHot(ones, width: table.width), names: names ?? table.names, name: quoted(dataset))
  }

  /// Labels of an enumeration whose values do not count from 0: its names are the classes, in the order of the values.
  private static func labels(
    _ numbers: [Int64], of known: [Datatype.Name], names: [String]?, name: String
  ) throws -> FoundLabels {
    let sorted = known.sorted { $0.value < $1.value }
    let places = Dictionary(
      sorted.enumerated().map { ($1.value, Int64($0)) }, uniquingKeysWith: { first, _ in first })
    let labels = try numbers.enumerated().map { row, number in
      guard let place = places[number] else {
        throw DatasetError(
          .badData, "\(name) has \(number) for sample \(row), which its enumeration does not name")
      }
      return place
    }
    return FoundLabels(values: .numbers(labels), names: names ?? sorted.map(\.text), name: name)
  }

  /// Names from an attribute of the dataset, its group or the file.
  private static func names(_ dataset: Dataset, _ keys: [String]) throws -> [String]? {
    let root = try dataset.file.root
    let parent = dataset.path.split(separator: "/").dropLast().joined(separator: "/")
    let owners =
      [dataset.attributes] + (parent.isEmpty ? [] : [try root.group(parent).attributes]) + [root.attributes]
    for owner in owners {
      for key in keys where try owner.contains(key) {
        let names = try owner.strings(key)
        return names.isEmpty ? nil : names
      }
    }
    return nil
  }

  /// Words, which must be UTF-8: replaced characters would make one class of several.
  static func words(_ dataset: Dataset) throws -> [String] {
    guard dataset.elementCount == dataset.shape.max() ?? 1 else {
      throw DatasetError(
        .badData, "\(quoted(dataset)) has shape \(format(dataset.shape)), but words must be in one row")
    }
    return try dataset.readText().enumerated().map { index, bytes in
      guard let word = String(validating: bytes, as: UTF8.self) else {
        throw DatasetError(
          .badData,
          "\(quoted(dataset)): element \(index) is not UTF-8 (byte values \(bytes.prefix(12))); rewrite it as UTF-8"
        )
      }
      return word
    }
  }

  private static func wholeNumbers(_ datasets: [Dataset]) throws -> [Int64] {
    try datasets.flatMap { dataset in
      guard dataset.type.isNumber, dataset.elementCount == dataset.shape.max() ?? 1 else {
        throw DatasetError(
          .badData,
          "\(quoted(dataset)) is \(dataset.type) of shape \(format(dataset.shape)), but a row of whole numbers is needed"
        )
      }
      do { return try WholeNumbers.read(dataset) } catch let error as WholeNumbers.NotWhole {
        throw DatasetError(
          .badData,
          "\(quoted(dataset)): element \(error.index) is \(error.number), but whole numbers of 64 bits are needed; --targets takes others"
        )
      }
    }
  }

  /// What the dimensions are of an array that has numbers for each point of an image.
  private static func points(_ dataset: Dataset, _ images: String, _ axes: AxisOrder) throws -> AxisOrder {
    guard let order = axes.ofPoints(rank: dataset.shape.count) else {
      throw DatasetError(
        .badData,
        "\(quoted(dataset)) has shape \(format(dataset.shape)), and the images have the dimensions \(axes): it is not clear which is "
          + "which; give it as many dimensions as \(images) has, or one fewer for a number at each point")
    }
    return order
  }

  /// Rows of finite numbers, one for each sample; the file may have columns instead, as MATLAB's do.
  ///
  /// - Parameter axes: what the images' dimensions are; numbers for each point of an image are laid out as
  ///   the image is, and become a row that goes through the points as pixels do. Nil where a sample may have
  ///   no more than one row.
  private static func table(
    _ datasets: [Dataset], count: Int, images: String, _ axes: AxisOrder? = nil
  ) throws -> (values: [Float], width: Int, names: [String]?) {
    var result: (values: [Float], width: Int, names: [String]?) = ([], 0, nil)
    var found = 0
    for dataset in datasets {
      let shape = dataset.shape
      guard dataset.type.isNumber, (1...(axes == nil ? 2 : 4)).contains(shape.count), !shape.contains(0)
      else {
        throw DatasetError(
          .badData,
          "\(quoted(dataset)) is \(dataset.type) of shape \(format(shape)), but "
            + (axes == nil ? "rows of numbers are needed" : "rows or images of numbers are needed"))
      }
      let order = try shape.count > 2 ? axes.map { try points(dataset, images, $0) } : nil
      let isTurned = shape.count == 2 && datasets.count == 1 && shape[0] != count && shape[1] == count
      let rows = order.map { shape[$0.samplePlace] } ?? shape[isTurned ? 1 : 0]
      let width = shape.reduce(1, *) / rows
      guard result.width == 0 || result.width == width else {
        throw DatasetError(
          .badData,
          "\(quoted(dataset)) has \(width) numbers for each sample, but others have \(result.width)")
      }
      var stored = try dataset.read(Float.self)
      if let order, !order.isKept {
        let inFile = stored
        inFile.withUnsafeBufferPointer { source in
          stored.withUnsafeMutableBufferPointer { order.arrange(source, shape: shape, into: $0) }
        }
      }
      if let bad = stored.firstIndex(where: { !$0.isFinite }) {
        throw DatasetError(
          .badData,
          "\(quoted(dataset)): sample \(isTurned ? bad % rows : bad / width) has a number that is \(stored[bad])"
        )
      }
      result.values +=
        isTurned ? (0..<rows).flatMap { row in (0..<width).map { stored[$0 * rows + row] } } : stored
      result.width = width
      let names = try names(dataset, ["target_names", "class_names"])
      result.names = result.names ?? (names?.count == width ? names : nil)
      found += rows
    }
    try checkCount(found, count, quoted(datasets[0]), "rows", images)
    return result
  }
}
