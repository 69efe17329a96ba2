import HDF5
import Testing

@Suite("HDF5 datasets")
struct DatasetTests {
  @Test(
    "regions are written and read at odd places, any layout", arguments: [nil, [4, 3], [1, 1], [10, 7]])
  func regions(chunks: [Int]?) throws {
    let file = try File.createInMemory()
    let dataset = try file.root.makeDataset(
      "deep/er/x", type: .int16, shape: [10, 7], chunks: chunks, deflateLevel: chunks == nil ? nil : 1)
    var expected = [Int](repeating: 0, count: 70)
    for (step, (row, column)) in [(0, 0), (3, 2), (7, 4), (3, 3)].enumerated() {
      let region = Dataset.Region(offset: [row, column], count: [3, 3])
      let values = (0..<9).map { Int16($0 + 100 * step) }
      try dataset.write(values, region: region)
      for index in 0..<9 { expected[(row + index / 3) * 7 + column + index % 3] = Int(values[index]) }
    }
    #expect(try dataset.read(Int.self) == expected)
    var part = [Float](repeating: -1, count: 6)
    try part.withUnsafeMutableBufferPointer {
      try dataset.read(into: $0, region: Dataset.Region(offset: [4, 3], count: [2, 3]))
    }
    #expect(part == (0..<6).map { Float(expected[(4 + $0 / 3) * 7 + 3 + $0 % 3]) })
    var none: [Float] = []
    try none.withUnsafeMutableBufferPointer {
      try dataset.read(into: $0, region: Dataset.Region(offset: [10, 0], count: [0, 7]))
    }
  }

  @Test("chunks written raw are read as data")
  func rawChunks() throws {
    let file = try File.createInMemory()
    let dataset = try file.root.makeDataset("x", type: .uint8, shape: [5, 2], chunks: [2, 2])
    for row in stride(from: 0, to: 5, by: 2) {
      let bytes = (0..<4).map { UInt8(row * 2 + $0) }
      try bytes.withUnsafeBytes { try dataset.writeChunk($0, at: [row, 0]) }
    }
    #expect(try dataset.read(UInt8.self) == (0..<10).map { UInt8($0) })
    #expect(try dataset.chunkCount() == 3)
    #expect(dataset.storedByteCount == 12)
  }

  @Test("every number type keeps its extremes")
  func extremes() throws {
    let root = try File.createInMemory().root
    func check<Number: HDF5Number & Equatable>(_ values: [Number]) throws {
      let dataset = try root.write("\(Number.self)", values, shape: [values.count])
      #expect(dataset.type.exactNumber == Number.numberType)
      #expect(try dataset.read(Number.self) == values)
      try root.attributes.write("\(Number.self)", values)
      #expect(try root.attributes.numbers("\(Number.self)") == values)
    }
    try check([Int8.min, .max])
    try check([Int16.min, .max])
    try check([Int32.min, .max])
    try check([Int64.min, .max])
    try check([UInt8.min, .max])
    try check([UInt16.min, .max])
    try check([UInt32.min, .max])
    try check([UInt64.min, .max])
    try check([Float.greatestFiniteMagnitude, .leastNonzeroMagnitude, -0.0, .infinity])
    try check([Double.greatestFiniteMagnitude, .leastNonzeroMagnitude, -0.0, .infinity])
  }

  @Test(
    "lists beyond what an object's header takes are written in pieces, as Keras writes them, and read as one",
    arguments: [4_032, 4_033, 20_000])
  func longAttributes(count: Int) throws {
    try withTemporaryFolder { try longAttributes(count, in: $0) }
  }

  private func longAttributes(_ count: Int, in folder: String) throws {
    let names = (0..<count).map { "layer \($0)" }
    let numbers = (0..<count).map { Double($0) * 3 }
    do {
      let attributes = try File.create("\(folder)/long.h5").root.attributes
      try attributes.write("names", names)
      try attributes.write("numbers", numbers)
      try attributes.write("shrunk", names)
      try attributes.write("shrunk", ["a", "b"])
    }
    let attributes = try File.open("\(folder)/long.h5").root.attributes
    #expect(try attributes.contains("names") && attributes.contains("numbers"))
    #expect(try attributes.strings("names") == names)
    #expect(try attributes.numbers("numbers", as: Double.self) == numbers)
    #expect(try attributes.strings("shrunk") == ["a", "b"])
    let stored = try attributes.names()
    #expect(stored.contains("names") == (count <= 4_032) && stored.contains("names0") == (count > 4_032))
    #expect(!stored.contains("shrunk0") && !stored.contains("shrunk1"))
    #expect(try !attributes.contains("name"))
  }

  @Test("an attribute is replaced by a later one of its name")
  func replacedAttribute() throws {
    let attributes = try File.createInMemory().root.attributes
    try attributes.write("a", "text")
    try attributes.write("a", [1, 2, 3])
    #expect(try attributes.numbers("a", as: Int.self) == [1, 2, 3])
    #expect(hdf5Error(.mismatch) { try attributes.write("a", "zero \0 byte") }.contains("zero byte"))
    #expect(try attributes.numbers("a", as: Int.self) == [1, 2, 3])
  }

  @Test("dimensions that mean more than the file can hold are refused before memory is taken")
  func implausibleSize() throws {
    let file = try File.createInMemory()
    for shape in [[1 << 40], [1 << 20, 1 << 20]] {
      let dataset = try file.root.makeDataset(
        "x\(shape.count)", type: .uint8, shape: shape, chunks: shape.map { _ in 1 << 10 })
      #expect(hdf5Error(.tooLarge) { _ = try dataset.read(UInt8.self) }.contains("more data than a file"))
    }
    let path = "huge"
    #expect(
      hdf5Error(.tooLarge) {
        _ = try file.root.makeDataset(path, type: .uint8, shape: [1 << 31, 1 << 31], chunks: [16, 16])
      }.contains("larger than any memory"))
  }

  @Test("dimensions of what is stored as it is are held against its own bytes, however large the file is")
  func implausibleSizeInLargeFile() throws {
    let file = try File.createInMemory()
    try file.root.makeDataset("other", type: .uint8, shape: [8 << 20]).write(
      [UInt8](repeating: 1, count: 8 << 20))
    try file.root.makeDataset("x", type: .float32, shape: [12345]).write([Float](repeating: 1, count: 12345))
    try file.root.makeDataset("y", type: .uint8, shape: [4, 23456], chunks: [1, 23456]).write(
      [UInt8](repeating: 1, count: 4 * 23456))
    var image = try file.image()
    func change(_ number: UInt32, into other: UInt32) throws {
      let bytes = withUnsafeBytes(of: number.littleEndian, Array.init) + [0, 0, 0, 0]
      let place = try #require(image.indices.first { image[$0...].starts(with: bytes) })
      image.replaceSubrange(place..<place + 4, with: withUnsafeBytes(of: other.littleEndian, Array.init))
    }
    try change(12345, into: 1 << 30)
    let long = try File.open(image: image, name: "long").root
    #expect(hdf5Error(.tooLarge) { _ = try long.dataset("x").read(Float.self) }.contains("more data than"))
    #expect(try long.dataset("y").read(UInt8.self).count == 4 * 23456)
    #expect(try long.dataset("other").read(UInt8.self).count == 8 << 20)
  }

  @Test("a path that is taken cannot be made again")
  func takenName() throws {
    let root = try File.createInMemory().root
    _ = try root.makeGroup("a/b")
    _ = hdf5Error(.library) { _ = try root.makeGroup("a/b") }
    _ = hdf5Error(.library) { _ = try root.makeDataset("a/b", type: .uint8, shape: [1]) }
    #expect(try root.group("a").members().map(\.name) == ["b"])
  }
}
