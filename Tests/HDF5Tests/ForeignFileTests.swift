import Foundation
import HDF5
import Paths
import TestSupport
import Testing

/// Reading what h5py wrote: old and new file format, with a user block.
@Suite("Files made by h5py")
struct ForeignFileTests {
  static let names = ["h5py.h5", "h5py-latest.h5", "h5py-user-block.h5"]

  @Test("numbers of any stored type are converted", arguments: names)
  func numbers(name: String) throws {
    let numbers = try File.open(fixture(name)).root.group("numbers")
    let big = try numbers.dataset("int16-big")
    #expect(big.shape == [2, 3])
    #expect("\(big.type)" == "int16 big-endian")
    #expect(big.type.exactNumber == nil)
    #expect(try big.read(Float.self) == [1, -2, 3, -400, 500, -600])
    #expect(try big.read(Int.self) == [1, -2, 3, -400, 500, -600])
    let region = Dataset.Region(offset: [0, 1], count: [2, 2])
    var part = [Int32](repeating: 0, count: 4)
    try part.withUnsafeMutableBufferPointer { try big.read(into: $0, region: region) }
    #expect(part == [-2, 3, 500, -600])
    #expect(try numbers.dataset("float64").read(Double.self) == [0.5, -1.25, 3e38])
    #expect(try numbers.dataset("float64").type.exactNumber == .float64)
    #expect(try numbers.dataset("float32-big").read(Float.self) == [0.5, -1.25])
    #expect(try numbers.dataset("scalar").read(Int.self) == [7])
    #expect(try numbers.dataset("scalar").shape == [])
    #expect(try numbers.dataset("enum").type.isBoolean)
    #expect(try numbers.dataset("enum").read(Int.self) == [1, 0])
    #expect(try numbers.dataset("enum").read(Float.self) == [1, 0])
    #expect(hdf5Error(.mismatch) { _ = try numbers.dataset("compound").read(Int.self) }.contains("compound"))
    let text = try File.open(fixture(name)).root.dataset("text/fixed")
    #expect(hdf5Error(.mismatch) { _ = try text.read(Int.self) }.contains("string of 5 bytes"))
  }

  @Test("numbers of more bytes than any number has are no numbers, and take no memory")
  func hugeNumbers() throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("a.h5")
    let made = try File.create(path)
    try made.root.makeDataset("x", type: .float32, shape: [2]).write([1, 2] as [Float])
    try made.close()
    var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    // The message of the type: class and version, bits, and the number of bytes.
    let type: [UInt8] = [0x11, 0x20, 0x1f, 0, 4, 0, 0, 0]
    let places = bytes.indices.filter { bytes[$0...].starts(with: type) }
    let place = try #require(places.first)
    #expect(places.count == 1)
    bytes.replaceSubrange(place + 4..<place + 8, with: [0x55, 0x55, 0x55, 0x55])
    try folder.write(bytes, to: "a.h5")
    let dataset = try File.open(path).root.dataset("x")
    #expect(!dataset.type.isNumber)
    #expect(hdf5Error(.mismatch) { _ = try region(dataset) }.contains("not numbers"))
  }

  private func region(_ dataset: Dataset) throws -> [Float] {
    var part: [Float] = [0]
    try part.withUnsafeMutableBufferPointer {
      try dataset.read(into: $0, region: Dataset.Region(offset: [0], count: [1]))
    }
    return part
  }

  @Test("the names of an enumeration are in the order of their values, whatever order the file has")
  func enumerations() throws {
    let root = try File.open(fixture("h5py-enum.h5")).root
    #expect(try root.dataset("unordered").type.namesFromZero == ["zero", "one", "two"])
    #expect(try root.dataset("gap").type.namesFromZero == nil)
  }

  @Test("attributes of every kind of string and number are read", arguments: names)
  func attributes(name: String) throws {
    let attributes = try File.open(fixture(name)).root.attributes
    #expect(try attributes.string("variable") == "größer")
    #expect(try attributes.strings("variable-array") == ["a", "", "ccc"])
    #expect(try attributes.string("variable-ascii") == "plain")
    #expect(try attributes.string("fixed") == "fixed text")
    #expect(try attributes.strings("fixed-array") == ["ab", "", "cde"])
    #expect(try attributes.strings("empty-float-array") == [])
    #expect(try attributes.numbers("null", as: Float.self) == [])
    #expect(try attributes.number("number", as: Double.self) == -3)
    #expect(try attributes.numbers("numbers", as: Float.self) == [1.5, 2.5])
    #expect(hdf5Error(.mismatch) { _ = try attributes.string("number") }.contains("not a string but int16"))
    #expect(hdf5Error(.mismatch) { _ = try attributes.string("fixed-array") }.contains("found 3"))
    #expect(hdf5Error(.noSuchName) { _ = try attributes.string("none") }.contains("\"none\""))
    #expect(try attributes.contains("none") == false)
  }

  @Test(
    "names that are not UTF-8 are told apart and lead to what they name; texts that are not are refused by name"
  )
  func notUnicode() throws {
    let root = try File.open(fixture("h5py-latin1.h5")).root
    let names = try root.members().map(\.name)
    #expect(names.map(PathText.bytes) == [[0x42, 0xE4, 0x72], [0x42, 0xF6, 0x72], Array("enum".utf8)])
    #expect(try names.prefix(2).map { try root.dataset($0).read(Int.self) } == [[0xE4], [0xF6]])
    #expect(try root.datasetNames(atMost: 9) == names)
    let enumeration = try #require(try root.dataset("enum").type.namesFromZero)
    #expect(enumeration == Array(names.prefix(2)))
    for (name, place, text) in [("fixed", 0, "B\\xE4r"), ("variable", 1, "B\\xF6r")] {
      let error = hdf5Error(.mismatch) { _ = try root.attributes.strings(name) }
      #expect(error.contains("\"\(name)\"") && error.contains("h5py-latin1.h5"), "\(error)")
      #expect(error.contains("string \(place) of it, \"\(text)\", is not UTF-8"), "\(error)")
    }
    // And written: what comes back are the same bytes.
    let made = try File.createInMemory().root
    let odd = PathText.text(of: [0xFF, 0x2F, 0xC3])
    try made.write(odd, [7], shape: [1])
    try made.attributes.write(PathText.text(of: [0xE9]), 3)
    #expect(try made.datasetNames(atMost: 9) == [odd] && made.dataset(odd).read(Int.self) == [7])
    #expect(try made.attributes.names() == [PathText.text(of: [0xE9])])
    #expect(try made.attributes.number(PathText.text(of: [0xE9])) == 3)
  }

  @Test("members tell their kinds and links", arguments: names)
  func members(name: String) throws {
    let root = try File.open(fixture(name)).root
    #expect(try root.members().map(\.name) == ["links", "numbers", "stored", "text"])
    #expect(try root.members().allSatisfy { $0.kind == .group && $0.link == .hard })
    let links = try root.group("links").members()
    func member(_ name: String) throws -> Group.Member { try #require(links.first { $0.name == name }) }
    #expect(try member("soft").link == .soft(to: "/numbers/float64"))
    #expect(try member("soft").kind == .dataset)
    #expect(try member("soft-group").kind == .group)
    #expect(try member("dangling").kind == .unresolved)
    #expect(try member("circle").kind == .unresolved)
    #expect(try member("external").link == .external)
    #expect(try member("external").kind == .unresolved)
  }

  @Test("links are followed only where allowed, never into other files", arguments: names)
  func links(name: String) throws {
    let links = try File.open(fixture(name)).root.group("links")
    #expect(try links.dataset("soft").read(Double.self).count == 3)
    #expect(try links.dataset("soft-group/float64").read(Double.self).count == 3)
    for path in ["soft", "soft-group/float64", "external", "external/data"] {
      #expect(
        hdf5Error(.refusedLink) { _ = try links.dataset(path, links: .hardOnly) }.contains("not followed"))
    }
    for path in ["external", "external/data"] {
      #expect(hdf5Error(.refusedLink) { _ = try links.dataset(path) }.contains("another file"))
    }
    for path in ["dangling", "circle", "none", "none/deeper", "soft/deeper", ""] {
      _ = hdf5Error(.noSuchName) { _ = try links.dataset(path) }
    }
    #expect(hdf5Error(.mismatch) { _ = try links.dataset("soft-group") }.contains("not a dataset"))
    #expect(hdf5Error(.mismatch) { _ = try links.group("soft") }.contains("not a group"))
    for path in ["external-data", "virtual"] {
      let dataset = try links.dataset(path)
      let text = hdf5Error(.refusedLink) { _ = try dataset.read(UInt8.self) }
      #expect(text.contains("not opened") || text.contains("other.h5 is not there"), "\(text)")
    }
    #expect(try links.dataset("external-data").layout() == .externalFiles)
    #expect(try links.dataset("virtual").layout() == .virtual)
  }

  @Test("stored bytes are found where the table of chunks says", arguments: names)
  func storage(name: String) throws {
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: fixture(name))))
    let stored = try File.open(fixture(name)).root.group("stored")

    let contiguous = try stored.dataset("contiguous")
    guard case .contiguous(let offset?) = try contiguous.layout() else {
      Issue.record("expected contiguous data with an offset")
      return
    }
    #expect(Array(bytes[offset..<(offset + 35)]) == (0..<35).map { UInt8($0) })

    let chunked = try stored.dataset("gzip-shuffle")
    #expect(try chunked.layout() == .chunked([3, 2]))
    #expect(
      try chunked.filters().map { [$0.id] + $0.parameters.map(Int.init) } == [[2, 2], [1, 4]])
    let chunks = try chunked.chunks()
    let corners = [0, 3, 6].flatMap { row in [0, 2, 4].map { [row, $0] } }
    #expect(chunks.map(\.offset).sorted { $0.lexicographicallyPrecedes($1) } == corners)
    for chunk in chunks {
      let raw = try #require(try chunked.readChunk(at: chunk.offset, maximumByteCount: 100))
      #expect(raw.mask == chunk.filterMask)
      #expect(raw.bytes == Array(bytes[chunk.fileOffset..<(chunk.fileOffset + chunk.byteCount)]))
      #expect(
        hdf5Error(.tooLarge) { _ = try chunked.readChunk(at: chunk.offset, maximumByteCount: 1) }
          .contains("at most 1"))
    }

    let unwritten = try stored.dataset("unwritten")
    #expect(try unwritten.read(UInt8.self) == [9, 9, 9, 9])
    #expect(try unwritten.chunkCount() == 0)
    #expect(try unwritten.readChunk(at: [2], maximumByteCount: 100)?.bytes == nil)
  }
}
