import Foundation
import HDF5
import TestSupport
import Testing

/// Files in which the library does not come to an end, or takes memory without one.
@Suite("A library that knows no measure")
struct EndlessFileTests {
  @Test("a file of which a block claims 400 MB is refused before so much is taken")
  func greed() throws {
    let folder = try TemporaryDirectory()
    let data = try Sample.dataset(folder.file("data.h5"))
    var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: data)))
    // The oldest superblock: at 40 the end of the file, at 48 the address of a block for drivers, which none of ours has.
    try #require(bytes[8] == 0)
    func put(_ value: Int, _ count: Int, at place: Int) {
      for index in 0..<count { bytes[place + index] = UInt8(value >> (8 * index) & 0xFF) }
    }
    put(bytes.count, 8, at: 48)
    // Its version, the size of what follows, and whose it is.
    bytes += [0, 0, 0, 0] + [0, 0, 0, 0x18] + Array("NCSAmult".utf8)
    put(bytes.count, 8, at: 40)
    try folder.write(bytes, to: "data.h5")
    try expectFailure(["inspect", data], code: 65, says: "libhdf5 wants more than", "MiB of memory")
  }

  @Test("one wrong label does not make millions of classes", arguments: [300_000, 16_777_216, 2_000_000_000])
  func classes(label: Int32) throws {
    let folder = try TemporaryDirectory()
    let file = try File.create(folder.file("data.h5"))
    try file.root.write("train/images", [UInt8](repeating: 3, count: 4 * 6), shape: [4, 3, 2, 1])
    try file.root.write("train/labels", [0, 1, label, 1], shape: [4])
    try file.close()
    for command in [["dataset", "check"], ["inspect"]] {
      try expectFailure(
        command + [folder.file("data.h5")], code: 65, says: "sample 2 of \"train/labels\" in ",
        "has label \(label), which makes \(label) classes and one of 4 samples", "--renumber")
    }
  }

  /// The process that looks first comes by, and the one that reads goes round in circles.
  @Test("a file in which libhdf5 never comes to an end ends the program, in one line")
  func hang() throws {
    let folder = try TemporaryDirectory()
    let data = try Sample.dataset(folder.file("data.h5"))
    let start = Date()
    try expectFailure(
      ["inspect", data], code: 65, says: "libhdf5 does not finish reading a file",
      shell: try Self.hanging("datasets", in: folder))
    // The shim was in the way: the limit is in seconds of the processor, which the clock never undercuts.
    #expect(Date().timeIntervalSince(start) > 5)
  }

  /// Where a string lies, and how long it is, other bytes of the file say, which lead anywhere if they are damaged.
  @Test(
    "strings of any length are read by the process that looks first, and by no other",
    arguments: [
      ["inspect", "data.h5"], ["import", "keras", "model.h5", "--to", "new.h5"], ["inspect", "own.h5"],
    ])
  func strings(command: [String]) throws {
    let folder = try TemporaryDirectory()
    try Sample.dataset(folder.file("data.h5"))
    let model = "\(Program.projectFolder)/Tests/InterchangeTests/Fixtures/sequential-keras3.h5"
    try FileManager.default.copyItem(atPath: model, toPath: folder.file("model.h5"))
    try #require(
      Program.run(["import", "keras", "model.h5", "--to", "own.h5"], in: folder.path).code == 0)
    let result = try Program.run(
      command, in: folder.path, shell: try Self.hanging("strings", in: folder))
    #expect(result.code == 0, "\(result.errors)")
  }

  /// What a shell does before the program starts, for libhdf5 to hang in it.
  ///
  /// - Parameter what: as the shim has it.
  private static func hanging(_ what: String, in folder: TemporaryDirectory) throws -> String {
    let shim = folder.file("hang_shim.so")
    let compiled = try Program.run(
      [
        "clang", "-O1", "-shared", "-fPIC", "-o", shim, "\(Program.projectFolder)/Tests/HangShim/hang_shim.c",
        "-ldl",
      ],
      program: "/usr/bin/env")
    try #require(compiled.code == 0, "\(compiled.errors)")
    return "HANGS=\(what) LD_PRELOAD='\(shim)'; export HANGS LD_PRELOAD"
  }
}
