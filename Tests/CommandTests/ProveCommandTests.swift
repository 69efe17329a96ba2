import Foundation
import HDF5
import TestSupport
import Testing

/// `convoy prove` as a user sees it.
@Suite("convoy prove")
struct ProveCommandTests {
  @Test("prints a line with the same digest for each number of workers and for a restart, and exits with 0")
  func same() throws {
    let folder = try TemporaryDirectory()
    try Sample.dataset(folder.file("data.h5"))
    let config = try Sample.config(folder, network: "[flatten, dropout: {rate: 0.5}, dense: {units: 3}]")
    let result = try Program.run(["prove", config, "--steps", "6", "--workers", "1,2,3,8"])
    #expect(result.code == 0 && result.errors.isEmpty, "\(result.errors)")
    let lines = result.output.split(separator: "\n").map(String.init)
    #expect(lines.count == 7, "\(result.output)")
    #expect(lines.first?.hasPrefix("trial ") == true)
    #expect(lines.last == "the same bytes after each of 6 steps")
    let trials = lines.dropFirst().dropLast()
    for (line, name) in zip(
      trials, ["1 worker ", "2 workers ", "3 workers ", "8 workers ", "resumed after 3 "])
    {
      #expect(line.hasPrefix(name), "\(line)")
    }
    let digests = Set(trials.compactMap { $0.split(separator: " ").last })
    #expect(digests.count == 1 && digests.first?.count == 64, "\(result.output)")
    // Nothing is written.
    #expect(try folder.contents() == ["data.h5", "tiny.yaml"])
  }

  @Test("no more steps are claimed than the config's epochs have")
  func short() throws {
    let folder = try TemporaryDirectory()
    try Sample.dataset(folder.file("data.h5"))
    let config = try Sample.config(folder, epochs: 1)
    let result = try Program.run(["prove", config, "--steps", "50", "--workers", "1,2"])
    #expect(result.code == 0)
    #expect(result.output.contains("resumed after 2 ") && result.output.contains("each of 5 steps"))
  }

  @Test("where data changes between trials their first different steps are named, with exit code 70")
  func different() throws {
    let folder = try TemporaryDirectory()
    let count = 4000
    try Sample.dataset(folder.file("data.h5"), count: count)
    let place = try {
      let file = try HDF5.File.open(folder.file("data.h5"))
      guard case .contiguous(let place?) = try file.root.dataset("train/images").layout() else {
        throw CocoaError(.fileReadUnknown)
      }
      return place
    }()
    // Streamed, so that every trial reads the file again.
    let config = try Sample.config(folder, epochs: 100)
    let program = try Program.start([
      "prove", config, "--steps", "1500", "--workers", "1,2", "--set", "data.memory_limit=30 kB",
    ])
    try program.wait { program.output.contains("1 worker ") }
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.file("data.h5")))
    try file.seek(toOffset: UInt64(place))
    try file.write(contentsOf: Data(repeating: 77, count: count * 30))
    let result = try program.finish()
    #expect(result.code == 70, "\(result.output)\(result.errors)")
    let errors = result.errors
    #expect(
      errors.hasPrefix("error: not the same bytes as with 1 worker: 2 workers from step ")
        && errors.contains(", resumed after 750 from step ") && errors.hasSuffix(" on\n"), "\(errors)")
    #expect(!result.output.contains("the same bytes"))
  }

  @Test("numbers of workers and steps that make no sense are refused", arguments: ["0", "1,x", ""])
  func usage(workers: String) throws {
    let folder = try TemporaryDirectory()
    let config = try Sample.config(folder)
    try expectFailure(["prove", config, "--workers", workers], code: 64, says: "--workers")
    try expectFailure(["prove", config, "--steps", "0"], code: 64, says: "--steps")
  }
}
