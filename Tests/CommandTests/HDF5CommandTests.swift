import Foundation
import HDF5
import TestSupport
import Testing
import Training

#if canImport(Glibc)
  import Glibc
#endif

/// What the program does with HDF5 files that it did not write; their scripts stand beside them in `DatasetsTests/Fixtures`.
@Suite("HDF5 files of others")
struct HDF5CommandTests {
  private let fixtures = "\(Program.projectFolder)/Tests/DatasetsTests/Fixtures"

  private func expect(
    _ arguments: [String], code: Int32, says part: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let result = try Program.run(arguments)
    let text = result.output + result.errors
    #expect(result.code == code && !result.wasKilled, "\(arguments): \(text)", sourceLocation: sourceLocation)
    #expect(text.contains(part), "\(text)", sourceLocation: sourceLocation)
    if code != 0, code != 64 {
      #expect(result.errors.split(separator: "\n").count == 1, "\(text)", sourceLocation: sourceLocation)
    }
  }

  @Test("the process that looks into a file keeps to the memory that it is allowed")
  func memoryOfTheLook() throws {
    let folder = try TemporaryDirectory()
    try Sample.dataset(folder.file("data.h5"))
    // It says 0 when it begins, what it reads, and 1 when it has seen all.
    func bytes(memory: Int) throws -> [Substring] {
      let look =
        "'\(Program.path)' look-into-hdf5 \(memory) 5 '\(folder.file("data.h5"))' 3>&1 | od -An -v -tu1"
      return try Program.run(["-c", look], program: "/bin/sh").output.split(whereSeparator: \.isWhitespace)
    }
    let whole = try bytes(memory: 64 << 20)
    #expect(whole.first == "0" && whole.last == "1" && whole.count > 30)
    #expect(try bytes(memory: 100_000) == ["0"])
  }

  @Test(
    "labels of one length take no file for harmful, however much they unpack to, and keep zero bytes apart")
  func labelsOfOneLength() throws {
    let folder = try TemporaryDirectory()
    func importing(_ name: String) -> [String] {
      [
        "import", "hdf5", "--from", "\(fixtures)/one-length.h5", "--images", "\(name)/x", "--labels",
        "\(name)/y",
        "--to", folder.file("\(name).h5"),
      ]
    }
    try expect(importing("many"), code: 0, says: "200,000 train samples of 1×1×1, 3 classes")
    // h5py reads three labels.
    try expect(importing("zeros"), code: 65, says: "a string holds a zero byte")
  }

  @Test("a file of any layout becomes a dataset that is in order")
  func importing() throws {
    let folder = try TemporaryDirectory()
    let data = folder.file("data.h5")
    let importing = ["import", "hdf5", "--from", "\(fixtures)/kinds.h5"]
    try expect(
      importing + [
        "--images", "axes/nchw", "--labels", "words/variable", "--axes", "nchw", "--rows", "0:9",
        "--test-rows", "9:",
        "--to", data,
      ], code: 0, says: "9 train and 4 test samples of 4×5×3, 4 classes")
    try expect(["dataset", "check", data], code: 0, says: "train")
    try expect(["inspect", data], code: 0, says: "zèbre")
    try expect(
      importing + ["--images", "images", "--targets", "bool/targets", "--to", data, "--overwrite"], code: 0,
      says: "13 train samples of 4×5×3, 4 targets")
    try expect(
      importing + ["--images", "images", "--labels", "from-1/labels", "--to", folder.file("b.h5")], code: 65,
      says: "--first-label 1")
    #expect(try folder.contents() == ["data.h5"])
  }

  @Test(
    "options of an import that make no sense are usage errors",
    arguments: [
      (["--labels", "labels", "--targets", "pairs"], "name either the labels"),
      ([], "name either the labels"),
      (["--labels", "labels", "--axes", "HWC"], "--axes takes"),
      (["--labels", "labels", "--rows", "1:2:0"], "--rows takes"),
      (["--labels", "labels", "--test-images", "images"], "--test-images needs"),
      (["--labels", "labels", "--test-labels", "labels"], "need --test-images"),
      (["--targets", "pairs", "--first-label", "1"], "need --labels"),
      (["--labels", "labels", "--first-label", "1", "--renumber"], "cannot be given together"),
      (["--labels", "labels", "--hdf5-plugins", "/nowhere"], "no folder /nowhere"),
    ])
  func usage(options: [String], text: String) throws {
    try expect(
      ["import", "hdf5", "--from", "\(fixtures)/kinds.h5", "--images", "images", "--to", "/dev/null/a"]
        + options,
      code: 64, says: text)
  }

  @Test("a check takes the names that a training takes, and a config")
  func check() throws {
    let folder = try TemporaryDirectory()
    let data = "\(fixtures)/kinds.h5"
    try expect(
      [
        "dataset", "check", data, "--images", "bool/images", "--labels", "enum/labels", "--images", "first",
        "--labels", "rows/even",
      ],
      code: 65, says: "6 samples but \"rows/even\" has 7 labels")
    try expect(
      ["dataset", "check", data, "--images", "virtual/other", "--labels", "bits/labels"], code: 0,
      says: "virtual/other")
    try expect(["dataset", "check", data, "--images", "images"], code: 64, says: "expected as many of both")
    try Sample.dataset(folder.file("data.h5"))
    let config = try Sample.config(folder)
    try expect(["dataset", "check", config], code: 0, says: "40")
    try expect(
      ["dataset", "check", config, "--images", "a", "--labels", "b"], code: 64, says: "names its own")
  }

  @Test("planning and checking a config look at the data that is there")
  func shapes() throws {
    let folder = try TemporaryDirectory()
    let config = try Sample.config(folder)
    try expect(["config", "check", config], code: 0, says: "not there yet: ")
    try Sample.dataset(folder.file("data.h5"))
    try expect(["config", "check", config], code: 0, says: "; 40 train samples of 6×5×1")
    try Sample.dataset(folder.file("data.h5"), imageShape: [40, 5, 6, 1])
    for command in [["config", "check", config], ["plan", config, "--seconds", "0.01"]] {
      try expect(command, code: 78, says: "samples of 5×6×1, but the network's input is 6×5×1")
    }
    try Sample.dataset(folder.file("data.h5"), labels: (0..<40).map { Int32(1 + $0 % 3) })
    try expect(["config", "check", config], code: 65, says: "label 3, but there are 3 classes")
  }

  @Test("a text that lies nowhere in its heap is bad data, with few exceptions")
  func strayText() throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("a.h5")
    do {
      let file = try HDF5.File.create(path)
      try file.root.attributes.write("words", ["one", "two"])
    }
    let sound = try Data(contentsOf: URL(fileURLWithPath: path))
    // The second word: three bytes, at the heap's address, the object of number 2.
    let heap = try #require(sound.range(of: Data("GCOL".utf8))).lowerBound
    let reference = [UInt8](repeating: 0, count: 16).indices.map { index -> UInt8 in
      switch index {
      case 0: 3
      case 4..<12: UInt8(truncatingIfNeeded: heap >> (8 * (index - 4)))
      case 12: 2
      default: 0
      }
    }
    let place = try #require(sound.range(of: Data(reference))).lowerBound + 12
    // libhdf5 goes where the number leads. What lies there is now and then sound to the process that looks first, and not to this one.
    var (refused, crashed) = (0, 0)
    for number in Array(stride(from: 200, to: 6000, by: 300)) + [1 << 20, 1 << 31] {
      var bytes = sound
      for index in 0..<4 { bytes[place + index] = UInt8(truncatingIfNeeded: number >> (8 * index)) }
      try bytes.write(to: URL(fileURLWithPath: path))
      let result = try Program.run(["inspect", path])
      refused += result.code == 65 ? 1 : 0
      crashed += [0, 65].contains(result.code) ? 0 : 1
    }
    // Of these 22 the process refused 6 before it was made to notice.
    #expect(refused > 15 && crashed <= 1, "\(refused) refused, \(crashed) crashed")
  }

  @Test(
    "a file in which libhdf5 crashes is bad data, and no crash of the program",
    arguments: [[2892: 155], [2896: 254, 2897: 255], [2992: 99, 2993: 44, 9022: 128]] as [[Int: UInt8]])
  func crash(changes: [Int: UInt8]) throws {
    let folder = try TemporaryDirectory()
    var bytes = try Data(contentsOf: URL(fileURLWithPath: "\(fixtures)/class-names.h5"))
    for (place, byte) in changes { bytes[place] = byte }
    let path = folder.file("a.h5")
    try bytes.write(to: URL(fileURLWithPath: path))
    for command in [
      ["dataset", "check", path], ["inspect", path], ["import", "keras", path, "--to", folder.file("b.h5")],
    ] {
      try expect(command, code: 65, says: "made to do harm")
    }
  }

  /// A heap of attributes' values with an object whose size, and the header's, add up to 0: libhdf5 goes over it for ever.
  private func endless(_ folder: TemporaryDirectory) throws -> String {
    var bytes = try Data(contentsOf: URL(fileURLWithPath: "\(fixtures)/class-names.h5"))
    let heap = try #require(bytes.firstRange(of: Data("GCOL".utf8)))
    bytes.replaceSubrange(
      heap.lowerBound + 24..<heap.lowerBound + 32, with: [0xf0] + [UInt8](repeating: 0xff, count: 7))
    try bytes.write(to: URL(fileURLWithPath: folder.file("a.h5")))
    return folder.file("a.h5")
  }

  @Test("a file that libhdf5 never finishes reading is bad data, after some seconds")
  func hang() throws {
    let folder = try TemporaryDirectory()
    try expect(["dataset", "check", try endless(folder)], code: 65, says: "does not finish reading it")
  }

  @Test("a stop signal ends the wait for a file that is being looked into", arguments: [SIGTERM, SIGINT])
  func stop(signal: Int32) throws {
    let folder = try TemporaryDirectory()
    let running = try Program.start(["dataset", "check", try endless(folder)])
    usleep(1_000_000)
    let begin = ContinuousClock.now
    running.send(signal)
    let result = try running.finish()
    #expect(result.code == 75 && !result.wasKilled, "\(result.errors)")
    #expect(ContinuousClock.now - begin < .seconds(2))
  }

  @Test("a stop signal while the newest checkpoint is opened is no damage and leads to no older one")
  func stopAtCheckpoint() throws {
    let folder = try TemporaryDirectory()
    try Sample.dataset(folder.file("data.h5"))
    let arguments = [
      "train", try Sample.config(folder, epochs: 1), "--run-dir", folder.file("run"), "--quiet",
    ]
    let first = try Program.run(arguments)
    #expect(first.code == 0, "\(first.errors)")
    // Its checksum is right, and libhdf5 comes to no end with it.
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: try endless(folder))))
    try SealedFile.write(
      bytes, step: 1000, isFinished: false, of: "", as: CheckpointStore.fileName(step: 1000),
      in: folder.file("run/checkpoints"))
    let running = try Program.start(arguments + ["--set", "training.epochs=2"])
    usleep(1_000_000)
    running.send(SIGTERM)
    let result = try running.finish()
    #expect(result.code == 75 && !result.wasKilled)
    #expect(
      result.errors.hasPrefix("error: ") && result.errors.split(separator: "\n").count == 1
        && result.errors.contains("stopped by a signal while a file was being opened"), "\(result.errors)")
  }

  @Test("a file that cannot be opened for want of descriptors is no bad data")
  func descriptors() throws {
    let result = try Program.run(
      ["dataset", "check", "\(fixtures)/class-names.h5"], shell: "ulimit -n 4")
    #expect(result.code == 74 && result.errors.contains("open files"), "\(result.errors)")
  }

  @Test("packed data is named with its filter, and read where the plug-ins' folder is given")
  func plugIns() throws {
    let data = "\(fixtures)/packed.h5"
    try expect(
      ["dataset", "check", data, "--images", "zstandard", "--labels", "labels"], code: 65,
      says: "packed by Zstandard (HDF5 filter 32015)")
    try expect(
      ["dataset", "check", data, "--images", "zstandard", "--labels", "labels", "--hdf5-plugins", fixtures],
      code: 65,
      says: "has none for it that can be loaded")
  }
}
