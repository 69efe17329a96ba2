/// Makes libhdf5 go where a program that reads a file will let it go.
///
/// What the library reports as an error is none of its business: whoever reads the file gets the same error.
struct FileSurvey {
  /// Whether the library asked for more memory than there is.
  private(set) var ranOutOfMemory = false
  /// Whether an error of the library's kept the survey from going where another process may be let go.
  private(set) var wasCutShort = false

  /// Bytes of strings that may still be told.
  private var textBytesLeft: Int
  /// Is told of strings of any length.
  private let tell: (SurveyedTexts.Reading, SurveyedTexts.Place) -> Void

  init(mostTextBytes: Int, tell: @escaping (SurveyedTexts.Reading, SurveyedTexts.Place) -> Void) {
    textBytesLeft = mostTextBytes
    self.tell = tell
  }

  /// At most this many objects are looked at.
  private static let mostObjects = 50_000

  /// - Parameter names: the datasets that will be read; nil for all there is.
  mutating func look(into path: String, _ names: [String]?) {
    note { survey in
      let root = try File.open(path).root
      guard let names else { return try survey.look(throughout: root) }
      survey.look(at: root.attributes)
      for name in Set(names) {
        survey.note { try $0.look(alongThe: name, in: root) }
      }
    }
  }

  private mutating func look(throughout root: Group) throws {
    look(at: root.attributes)
    var count = 0
    try root.visit { path, member in
      count += 1
      switch member.kind {
      case .group: note { $0.look(at: try root.group(path).attributes) }
      case .dataset: note { try $0.look(at: root.dataset(path), isNamed: false) }
      case .namedType, .unresolved: break
      }
      return count < Self.mostObjects
    }
  }

  /// Looks at a dataset and at the groups on the way to it.
  private mutating func look(alongThe path: String, in root: Group) throws {
    let components = path.split(separator: "/")
    for length in 1..<max(1, components.count) {
      let group = try root.group(components[..<length].joined(separator: "/"))
      look(at: group.attributes)
    }
    try look(at: root.dataset(path), isNamed: true)
  }

  private mutating func look(at attributes: Attributes) {
    note { survey in
      for name in try attributes.names() {
        let place = try attributes.place(name, "looking at \(name)")
        let isText = survey.read(at: place) { try attributes.variableLengthTexts(name) }
        if isText { continue }
        do { _ = try attributes.strings(name) } catch let error as HDF5Error where error.kind == .mismatch {
          survey.note { _ in _ = try attributes.numbers(name, as: Double.self) }
        } catch {
          survey.remember(error)
        }
      }
    }
  }

  /// Reads strings of any length, and tells them.
  ///
  /// - Parameter texts: reads them; nil where there are none of any length.
  private mutating func read(at place: SurveyedTexts.Place, _ texts: () throws -> [[UInt8]]?) -> Bool {
    do {
      guard let texts = try texts() else { return false }
      // With what an array takes for each.
      textBytesLeft -= texts.reduce(0) { $0 + $1.count + 64 }
      tell(textBytesLeft >= 0 ? .texts(texts) : .tooLong, place)
    } catch {
      remember(error)
      // What a check of our own refuses, such as a filter that is missing, it refuses in the other process as well.
      if let error = error as? HDF5Error, error.kind == .library { tell(.failure(error.reason), place) }
    }
    return true
  }

  private mutating func look(at dataset: Dataset, isNamed: Bool) throws {
    look(at: dataset.attributes)
    let layout = try dataset.layout()
    let filters = try dataset.filters()
    _ = dataset.storedByteCount
    if case .chunked = layout { _ = try dataset.chunkCount() }
    try dataset.checkSources()
    try dataset.checkPlausibleSize()
    if case .string(let isVariable) = dataset.type.class {
      guard isNamed || dataset.elementCount <= Self.fewElements else { return }
      let place = try dataset.place("looking at \(dataset.path)")
      if isVariable {
        _ = read(at: place) { try dataset.readText() }
      } else {
        try dataset.tryFixedText(elements: Self.fewElements)
      }
      return
    }
    guard dataset.type.isNumber, dataset.elementCount > 0 else { return }
    // Filters that unpack by what the file tells them of its numbers' bits are read to the end.
    if filters.contains(where: { Self.intricateFilters.contains($0.id) }) {
      try read(dataset, elements: dataset.elementCount)
    } else if isNamed || dataset.type.exactNumber == nil || layout == .virtual {
      try read(dataset, elements: Self.fewElements)
    }
  }

  /// szip, nbit and scaleoffset.
  private static let intricateFilters = [4, 5, 6]

  private static let fewElements = 1 << 16

  /// Reads whole rows until there are that many elements.
  private mutating func read(_ dataset: Dataset, elements: Int) throws {
    guard let rows = dataset.shape.first else {
      _ = try dataset.read(Float.self)
      return
    }
    let rowElements = dataset.elementCount / rows
    guard rowElements <= 1 << 24 else { return }
    let perRead = max(1, min(rows, Self.fewElements / rowElements))
    var buffer = [Float](repeating: 0, count: perRead * rowElements)
    var row = 0
    while row < rows, row * rowElements < elements {
      let count = min(perRead, rows - row)
      let region = Dataset.Region(
        offset: [row] + dataset.shape.dropFirst().map { _ in 0 }, count: [count] + dataset.shape.dropFirst())
      try buffer.withUnsafeMutableBufferPointer {
        try dataset.read(
          into: UnsafeMutableBufferPointer(rebasing: $0[..<(count * rowElements)]), region: region)
      }
      row += count
    }
  }

  // MARK: - Errors

  private mutating func note(_ body: (inout FileSurvey) throws -> Void) {
    do { try body(&self) } catch {
      remember(error)
      if let error = error as? HDF5Error, error.kind == .library { wasCutShort = true }
    }
  }

  private mutating func remember(_ error: any Error) {
    if let error = error as? HDF5Error, error.isOutOfMemory { ranOutOfMemory = true }
  }
}
