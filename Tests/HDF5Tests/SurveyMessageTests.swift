import Testing

@testable import HDF5

@Suite("What a process tells of a file that it looks into")
struct SurveyMessageTests {
  private let place = SurveyedTexts.Place(address: 1 << 40 + 7, attribute: "Größe")
  private let elements = SurveyedTexts.Place(address: 7, attribute: nil)
  private let texts: [[UInt8]] = [
    Array("one".utf8), [], [0xFF, 0x80], [UInt8](repeating: 65, count: 100_000),
  ]

  private var bytes: [UInt8] {
    [
      .hasBegun, .reading(.texts(texts), place), .reading(.failure("bad heap"), elements),
      .reading(.texts([]), SurveyedTexts.Place(address: 8, attribute: "")), .isDone,
    ].flatMap { (message: SurveyMessage) in message.bytes }
  }

  @Test("strings of any bytes come over with their places, failures with their reasons")
  func whole() throws {
    let messages = SurveyMessage.all(in: bytes)
    #expect(messages.count == 5)
    var surveyed = SurveyedTexts()
    for case .reading(let reading, let place) in messages { surveyed.add(reading, at: place) }
    #expect(try surveyed.texts(at: place, "reading") == texts)
    #expect(try surveyed.texts(at: SurveyedTexts.Place(address: 8, attribute: ""), "reading") == [])
    #expect(try surveyed.texts(at: SurveyedTexts.Place(address: 8, attribute: nil), "reading") == nil)
    let error = hdf5Error(.library) { _ = try surveyed.texts(at: elements, "reading it") }
    #expect(error == "reading it: bad heap")
    guard case .isDone = messages.last else {
      Issue.record("the last message is not that it is done")
      return
    }
  }

  @Test(
    "where damage cut the look short, what was not come to is refused, and what was too long to tell is not")
  func cutShort() throws {
    let messages: [SurveyMessage] = [
      .hasBegun, .reading(.texts(texts), place), .reading(.tooLong, elements), .cutShort, .isDone,
    ]
    var surveyed = SurveyedTexts()
    for message in SurveyMessage.all(in: messages.flatMap(\.bytes)) {
      if case .reading(let reading, let place) = message { surveyed.add(reading, at: place) }
      if case .cutShort = message { surveyed.areCutShort = true }
    }
    #expect(surveyed.areCutShort)
    #expect(try surveyed.texts(at: place, "reading") == texts)
    #expect(try surveyed.texts(at: elements, "reading") == nil)
    let untold = SurveyedTexts.Place(address: 9, attribute: "name")
    let error = hdf5Error(.library) { _ = try surveyed.texts(at: untold, "reading it") }
    #expect(error.contains("reading it: ") && error.contains("damaged"), "\(error)")
    var merged = SurveyedTexts()
    #expect(try merged.texts(at: untold, "reading it") == nil)
    merged.merge(surveyed)
    #expect(hdf5Error(.library) { _ = try merged.texts(at: untold, "reading it") } == error)
  }

  @Test("a message that is cut is none, and those before it stand")
  func cut() {
    let bytes = bytes
    let ends = [0, 1, 2, 9, 20, 60, bytes.count - 60, bytes.count - 2, bytes.count - 1, bytes.count]
    let counts = ends.map { SurveyMessage.all(in: Array(bytes[..<$0])).count }
    #expect(counts == [0, 1, 1, 1, 1, 1, 2, 3, 4, 5])
  }

  @Test(
    "bytes that are no message end what is understood",
    arguments: [[0, 77, 0], [0, 3, 1, 2], [9]] as [[UInt8]])
  func nonsense(bytes: [UInt8]) {
    #expect(SurveyMessage.all(in: bytes).count == (bytes[0] == 0 ? 1 : 0))
  }

  @Test("a length of more than there is ends what is understood")
  func lengths() {
    var bytes = SurveyMessage.reading(.texts([[1, 2, 3]]), elements).bytes
    // The number of strings, and then the length of the first.
    for position in [25, 33] {
      for index in 0..<8 { bytes[position + index] = 0xFF }
      #expect(SurveyMessage.all(in: bytes).isEmpty)
    }
  }
}
