import Foundation
import HDF5
import Testing

@Suite("HDF5 files")
struct FileTests {
  /// A file with one of everything that a checkpoint needs.
  static func sampleImage() throws -> [UInt8] {
    let file = try File.createInMemory()
    let root = try file.root
    try root.attributes.write("model_config", String(repeating: "{\"ü\": 1}", count: 20_000))
    try root.attributes.write("keras_version", "3.15.1")
    let weights = try root.makeGroup("model_weights/conv")
    try weights.attributes.write("weight_names", ["conv/kernel", "conv/bias"])
    try weights.write("conv/kernel", (0..<30).map { Float($0) }, shape: [3, 2, 5])
    try weights.write("conv/bias", [Float](), shape: [0])
    let empty = try root.makeGroup("model_weights/flatten")
    try empty.attributes.write("weight_names", [String]())
    try root.attributes.write("step", UInt64.max)
    try root.attributes.write("sums", [1.5, -2.5])
    let chunked = try root.makeDataset(
      "convoy/state", type: .uint8, shape: [1000, 7], chunks: [64, 7], deflateLevel: 6, shuffle: true)
    try chunked.write((0..<7000).map { UInt8(truncatingIfNeeded: $0 / 3) })
    return try file.image()
  }

  @Test("what is written to memory is read back from its bytes")
  func roundTrip() throws {
    let file = try File.open(image: Self.sampleImage(), name: "sample")
    let root = try file.root
    #expect(try root.attributes.string("model_config") == String(repeating: "{\"ü\": 1}", count: 20_000))
    #expect(try root.attributes.names() == ["keras_version", "model_config", "step", "sums"])
    #expect(try root.attributes.number("step", as: UInt64.self) == .max)
    #expect(try root.attributes.numbers("sums", as: Double.self) == [1.5, -2.5])
    let weights = try root.group("model_weights/conv", links: .hardOnly)
    #expect(try weights.attributes.strings("weight_names") == ["conv/kernel", "conv/bias"])
    #expect(try weights.attributes.shape("weight_names") == [2])
    let kernel = try weights.dataset("conv/kernel", links: .hardOnly)
    #expect(kernel.shape == [3, 2, 5])
    #expect(kernel.type.exactNumber == .float32)
    #expect(try kernel.read(Float.self) == (0..<30).map { Float($0) })
    #expect(try weights.dataset("conv/bias").read(Float.self) == [])
    #expect(try root.group("model_weights/flatten").attributes.strings("weight_names") == [])
    #expect(try root.group("model_weights/flatten").attributes.shape("weight_names") == [0])
    let state = try root.dataset("convoy/state")
    #expect(try state.read(UInt8.self) == (0..<7000).map { UInt8(truncatingIfNeeded: $0 / 3) })
    #expect(try state.layout() == .chunked([64, 7]))
    #expect(try state.filters().map(\.id) == [Dataset.Filter.shuffleId, Dataset.Filter.deflateId])
  }

  @Test("the same contents give the same bytes, whenever they are written")
  func deterministic() throws {
    let first = try Self.sampleImage()
    // Times are kept in whole seconds where they are kept.
    Thread.sleep(forTimeInterval: 1.1)
    #expect(try Self.sampleImage() == first)
  }

  @Test("an image opens behind 512 bytes of a user block, in memory and on disk")
  func userBlock() throws {
    let image = [UInt8](repeating: 0x55, count: 512) + (try Self.sampleImage())
    let inMemory = try File.open(image: image, name: "with a user block")
    #expect(try inMemory.userBlockByteCount == 512)
    #expect(try inMemory.root.dataset("model_weights/conv/conv/kernel").read(Float.self)[29] == 29)
    try withTemporaryFolder { folder in
      let path = "\(folder)/a.h5"
      try Data(image).write(to: URL(fileURLWithPath: path))
      let onDisk = try File.open(path)
      #expect(try onDisk.userBlockByteCount == 512)
      #expect(try onDisk.root.attributes.string("keras_version") == "3.15.1")
    }
  }

  @Test("a file on disk is written, closed, and not overwritten unasked")
  func onDisk() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/a.h5"
      let file = try File.create(path)
      try file.root.write("x", [1, 2, 3] as [Int32], shape: [3])
      try file.close()
      #expect(try File.open(path).root.dataset("x").read(Int.self) == [1, 2, 3])
      #expect(hdf5Error(.exists) { _ = try File.create(path) }.contains("exists already"))
      try File.create(path, overwrite: true).close()
      #expect(try File.open(path).root.members().isEmpty)
    }
  }

  @Test("closing reports objects that are still open")
  func closeWithOpenObjects() throws {
    try withTemporaryFolder { folder in
      let file = try File.create("\(folder)/a.h5")
      let dataset = try file.root.makeDataset("x", type: .float32, shape: [2])
      _ = withExtendedLifetime(dataset) { hdf5Error(.library) { try file.close() } }
    }
  }

  @Test("what cannot be opened says why in one line")
  func failures() throws {
    try withTemporaryFolder { folder in
      #expect(
        hdf5Error(.missingFile) { _ = try File.open("\(folder)/none.h5") }
          == "opening \(folder)/none.h5: there is no such file")
      #expect(hdf5Error(.missingFile) { _ = try File.open(folder) }.contains("it is a folder"))
      let path = "\(folder)/a.h5"
      for contents in [Data(), Data("name: mnist\n".utf8), Data(repeating: 0, count: 4096)] {
        try contents.write(to: URL(fileURLWithPath: path))
        #expect(hdf5Error(.notHDF5) { _ = try File.open(path) }.contains("it is not an HDF5 file"))
      }
      let image = try Self.sampleImage()
      for length in [9, 100, 2000, image.count / 2, image.count - 1] {
        try Data(image.prefix(length)).write(to: URL(fileURLWithPath: path))
        #expect(hdf5Error(.notHDF5) { _ = try File.open(path) }.contains("damaged"))
        #expect(
          hdf5Error(.notHDF5) { _ = try File.open(image: Array(image.prefix(length)), name: "a.h5") }
            .contains("opening a.h5"))
      }
      #expect(hdf5Error(.library) { _ = try File.create("\(folder)/no/folder.h5") }.contains("H5Fcreate"))
    }
  }

  @Test("the library's error stack is kept, outermost call first")
  func errorStack() throws {
    do {
      _ = try File.create("/no-such-folder/a.h5")
      Issue.record("nothing was thrown")
    } catch let error as HDF5Error {
      #expect(error.function == "H5Fcreate")
      #expect(error.frames.first?.function == "H5Fcreate")
      #expect(error.frames.count > 2)
      #expect(error.description.contains("No such file or directory"))
      #expect(!error.isOutOfSpace)
    }
  }

  @Test("many threads at once share the library and leave nothing open", .timeLimit(.minutes(1)))
  func threads() async throws {
    // In a process of its own, because other suites open objects at the same time.
    await #expect(processExitsWith: .success) {
      @Sendable func work(_ index: Int) throws {
        let file = try File.open(image: FileTests.sampleImage(), name: "sample \(index)")
        let kernel = try file.root.dataset("model_weights/conv/conv/kernel")
        let count = try kernel.read(Float.self).count
        precondition(count == 30)
        precondition((try? file.root.dataset("none")) == nil)
        precondition((try? file.root.attributes.number("keras_version", as: Int.self)) == nil)
        _ = try file.root.members()
        _ = try file.root.dataset("convoy/state").chunks()
      }
      try work(0)
      let before = Library.openObjectCount()
      DispatchQueue.concurrentPerform(iterations: 64) { index in
        do { try work(index) } catch { preconditionFailure("\(error)") }
      }
      precondition(
        Library.openObjectCount() == before, "\(Library.openObjectCount() - before) objects leaked")
    }
  }
}
