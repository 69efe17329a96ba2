import Foundation
import TestSupport
import Testing

/// A file in which the process that looks first comes by, and the one that reads goes round in circles.
@Suite("A library that does not come back")
struct EndlessFileTests {
  @Test("a file in which libhdf5 never comes to an end ends the program, in one line")
  func hang() throws {
    let folder = try TemporaryDirectory()
    let data = try Sample.dataset(folder.file("data.h5"))
    let shim = folder.file("hang_shim.so")
    let compiled = try Program.run(
      [
        "clang", "-O1", "-shared", "-fPIC", "-o", shim, "\(Program.projectFolder)/Tests/HangShim/hang_shim.c",
        "-ldl",
      ],
      program: "/usr/bin/env")
    try #require(compiled.code == 0, "\(compiled.errors)")

    let start = Date()
    try expectFailure(
      ["inspect", data], code: 65, says: "libhdf5 does not finish reading a file",
      shell: "LD_PRELOAD='\(shim)'; export LD_PRELOAD")
    // The shim was in the way: the limit is in seconds of the processor, which the clock never undercuts.
    #expect(Date().timeIntervalSince(start) > 5)
  }
}
