import Foundation
import TestSupport
import Testing

@testable import Reporting

@Suite("TensorBoard event files")
struct EventLogTests {
  /// All figures of a folder's event files, in order.
  static func read(_ folder: String) throws -> [String] {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { $0.hasPrefix(EventLog.prefix) }.sorted()
    var lines: [String] = []
    for name in names {
      let bytes = Array(try #require(FileManager.default.contents(atPath: "\(folder)/\(name)")))
      var offset = 0
      while let record = EventRecord.read(bytes, at: offset) {
        let event = try #require(Event(record.message))
        switch event.what {
        case .fileVersion(let version): lines.append(version)
        case .start: lines.append("start at \(event.step)")
        case .value: lines.append("a value")
        case .scalars(let scalars):
          lines += scalars.map { "\(event.step) \($0.tag) \($0.value)" }
        }
        offset = record.end
      }
      #expect(offset == bytes.count)
    }
    return lines
  }

  @Test("the checksum is CRC-32C: the check value of its catalogue and of RFC 3720's zeros")
  func checksum() {
    #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xE306_9283)
    #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
  }

  @Test("a record's bytes are those of protocol buffers, with a figure of 0 written too")
  func bytes() throws {
    let event = Event(time: 1, step: 2, .scalars([EventLog.Scalar("a", 0), EventLog.Scalar("b", 1)]))
    let bytes: [UInt8] = [
      0x09, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0x10, 2, 0x2A, 20,
      0x0A, 8, 0x0A, 1, 0x61, 0x15, 0, 0, 0, 0,
      0x0A, 8, 0x0A, 1, 0x62, 0x15, 0, 0, 0x80, 0x3F,
    ]
    #expect(try event.serialized() == bytes)
    #expect(Event(bytes[...]) == event)
    #expect(Event(bytes.dropLast()) == nil)
  }

  @Test("fields that are not known are passed over, and bytes that are no message give none")
  func unknownFields() throws {
    let event = Event(time: 1, step: -3, .start)
    // Number 9 in each of the four ways to write a field.
    let unknown: [[UInt8]] = [
      [0x48, 0xFF, 0x01], [0x49, 1, 2, 3, 4, 5, 6, 7, 8], [0x4A, 2, 7, 7], [0x4D, 1, 2, 3, 4],
    ]
    for field in unknown {
      #expect(try Event((event.serialized() + field)[...]) == event)
      #expect(try Event((field + event.serialized())[...]) == event)
      #expect(try Event((event.serialized() + field.dropLast())[...]) == nil)
    }
    // A group, the field 0, a length and a number beyond 64 bits, a text that is none.
    let damaged: [[UInt8]] = [
      [0x4B], [0x00, 1], [0x4A] + [UInt8](repeating: 0xFF, count: 9) + [0x01],
      [0x10] + [UInt8](repeating: 0x80, count: 10) + [0x01], [0x1A, 1, 0xFF],
    ]
    for bytes in damaged { #expect(Event(bytes[...]) == nil) }
  }

  @Test("settings, pictures and histograms are messages as TensorBoard defines them, and no figures")
  func plugins() throws {
    let folder = try TemporaryDirectory()
    let log = try EventLog(directory: folder.path, host: "h", goingOnAfter: nil, time: 1)
    try log.append(
      [.init("batch", "64"), .init("nesterov", "true"), .init("optimizer", "sgd")], time: 1)
    try log.append(try #require(Histogram([0, 1, 1, .nan, 3], bins: 3)), tag: "h", step: 5, time: 1)
    try log.append([EventLog.Scalar("loss", 2)], step: 5, time: 1)
    try log.flush()
    #expect(try Self.read(folder.path) == ["brain.Event:2", "5 loss 2.0"])
    let bytes = Array(try #require(FileManager.default.contents(atPath: log.path)))
    func holds(_ part: [UInt8]) -> Bool {
      bytes.indices.contains { bytes[$0...].starts(with: part) }
    }
    // An entry of the map: its key, and a number, a truth or a text as google.protobuf.Value.
    #expect(holds([0x0A, 5] + Array("batch".utf8) + [0x12, 9, 0x11, 0, 0, 0, 0, 0, 0, 0x50, 0x40]))
    #expect(holds([0x0A, 8] + Array("nesterov".utf8) + [0x12, 2, 0x20, 1]))
    #expect(holds([0x0A, 9] + Array("optimizer".utf8) + [0x12, 5, 0x1A, 3] + Array("sgd".utf8)))
    #expect(holds([0x0A, 7] + Array("hparams".utf8)))
    // Three bins with the limits 1, 2, 3 and the counts 1, 2, 1.
    #expect(holds([0x32, 24, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0, 0, 0, 0, 0, 0, 0, 0x40]))
    #expect(
      holds([0x3A, 24, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F])
    )
  }

  @Test("a histogram counts each value once, between its least and its largest")
  func histogram() throws {
    var random = SplitMix64(seed: 9)
    for _ in 0..<200 {
      let values = (0..<Int(random.next() % 60)).map { _ in Float(random.nextUnit()) * 4 - 2 }
      guard let histogram = Histogram(values, bins: 7) else {
        #expect(values.isEmpty)
        continue
      }
      #expect(histogram.counts.reduce(0, +) == values.count && histogram.count == values.count)
      #expect(histogram.limits.last == histogram.largest && histogram.limits == histogram.limits.sorted())
    }
    let same = try #require(Histogram([2, 2, 2]))
    #expect(same.counts == [3] && same.limits == [2] && same.sum == 6 && same.sumOfSquares == 12)
    #expect(Histogram([.nan, .infinity]) == nil)
  }

  @Test("what was written after the step that training goes on from is written once")
  func restart() throws {
    let folder = try TemporaryDirectory()
    do {
      let log = try EventLog(directory: folder.path, host: "a b", goingOnAfter: nil, time: 1000)
      for step in 1...4 { try log.append([EventLog.Scalar("loss", Double(step))], step: step, time: 1000) }
      try log.append([EventLog.Scalar("epoch", 1)], step: 4, time: 1000)
      for step in 5...6 { try log.append([EventLog.Scalar("loss", Double(step))], step: step, time: 1000) }
    }
    do {
      let log = try EventLog(
        directory: folder.path, host: "a b", goingOnAfter: 4,
        keeping: { $0 <= 4 && ($1 ?? 0) <= 1 }, time: 1000)
      try log.append([EventLog.Scalar("loss", 50)], step: 5, time: 1000)
    }
    #expect(
      try Self.read(folder.path) == [
        "brain.Event:2", "1 loss 1.0", "2 loss 2.0", "3 loss 3.0", "4 loss 4.0", "4 epoch 1.0",
        "brain.Event:2", "start at 5", "5 loss 50.0",
      ])
    // The epoch that a checkpoint does not count is evaluated, and recorded, again.
    _ = try EventLog(
      directory: folder.path, host: "a b", goingOnAfter: 4,
      keeping: { $0 <= 4 && ($1 ?? 0) <= 0 }, time: 1000)
    #expect(try Self.read(folder.path).suffix(3) == ["4 loss 4.0", "brain.Event:2", "start at 5"])
    _ = try EventLog(directory: folder.path, host: "a b", goingOnAfter: nil, time: 1000)
    #expect(try Self.read(folder.path) == ["brain.Event:2"])
  }

  @Test("a record that was cut off or damaged ends what is kept", arguments: [0, 11, 12, 20, -1])
  func damage(_ place: Int) throws {
    let folder = try TemporaryDirectory()
    let log = try EventLog(directory: folder.path, host: "h", goingOnAfter: nil, time: 1000)
    try log.append([EventLog.Scalar("loss", 1)], step: 1, time: 1000)
    try log.flush()
    var bytes = try Data(contentsOf: URL(fileURLWithPath: log.path))
    let end = bytes.count
    try log.append([EventLog.Scalar("loss", 2)], step: 2, time: 1000)
    try log.flush()
    bytes = try Data(contentsOf: URL(fileURLWithPath: log.path))
    if place < 0 { bytes.removeLast() } else { bytes[end + place] ^= 4 }
    try bytes.write(to: URL(fileURLWithPath: log.path))
    _ = try EventLog(
      directory: folder.path, host: "h", goingOnAfter: 9,
      keeping: { $0 <= 9 && ($1 ?? 0) <= 9 }, time: 1000)
    #expect(
      try Self.read(folder.path) == ["brain.Event:2", "1 loss 1.0", "brain.Event:2", "start at 10"])
  }

  @Test(
    "TensorBoard's own reader finds the same figures",
    .enabled(
      if: ProcessInfo.processInfo.environment["CONVOY_KERAS_PYTHON"] != nil,
      "needs CONVOY_KERAS_PYTHON; Scripts/test --all sets it"))
  func tensorBoard() throws {
    let python = try #require(ProcessInfo.processInfo.environment["CONVOY_KERAS_PYTHON"])
    let folder = try TemporaryDirectory()
    do {
      let log = try EventLog(directory: folder.path, host: "h", goingOnAfter: nil, time: 1000)
      for step in 1...900 {
        try log.append([EventLog.Scalar("batch/loss", 1 / Double(step))], step: step, time: 1000)
      }
    }
    do {
      let log = try EventLog(
        directory: folder.path, host: "h", goingOnAfter: 600,
        keeping: { $0 <= 600 && ($1 ?? 0) <= 1 }, time: 2000)
      for step in 601...1000 {
        try log.append([EventLog.Scalar("batch/loss", 2 / Double(step))], step: step, time: 2000)
      }
    }
    let script = """
      import sys
      from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
      events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0}).Reload()
      for event in events.Scalars("batch/loss"):
          print(event.step, event.value.hex())
      """
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = ["-c", script, folder.path]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.runBounded()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    let read = text.split(separator: "\n").map { line -> (step: Int, value: Float?) in
      let parts = line.split(separator: " ")
      return (Int(parts[0]) ?? -1, Float(parts[1]))
    }
    #expect(read.map(\.step) == Array(1...1000))
    #expect(read.allSatisfy { $0.value == Float(($0.step > 600 ? 2 : 1) / Double($0.step)) })
  }
}
