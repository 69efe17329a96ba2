import Foundation
import Testing

@testable import Training

/// The probe writes checkpoints of steps; these tests disturb it and look at what is left.
@Suite("Disturbed checkpoints", .serialized)
struct FaultTests {
  /// A store with the checkpoints of steps 1 and 2, about to get step 3.
  static func withStore(_ body: (String) throws -> Void) throws {
    let folder = try TemporaryFolder()
    let store = folder("store")
    try FileManager.default.createDirectory(atPath: store, withIntermediateDirectories: true)
    for step in ["1", "2"] {
      #expect(try FaultShim.run(["commit", store, step], in: store, faults: nil).status == 0)
    }
    try body(store)
  }

  static func newest(_ store: String) throws -> Int? {
    try CheckpointStore(folder: store).newest()?.checkpoint.progress.step
  }

  /// The calls of one undisturbed commit, which other tests go through one by one.
  ///
  /// - Parameter withoutFlush: number of the flush, from 1, that the program believes in and the disk never sees.
  static func recordCommit(
    withoutFlush flush: Int? = nil
  ) throws -> (before: PowerLoss.Disk, calls: [RecordedCall]) {
    var result: (PowerLoss.Disk, [RecordedCall])?
    try withStore { store in
      var before: PowerLoss.Disk = [:]
      for name in try FileManager.default.contentsOfDirectory(atPath: store) {
        before["\(store)/\(name)"] = FileManager.default.contents(atPath: "\(store)/\(name)").map(Array.init)
      }
      let faults = flush.map { ["NOFLUSH": "\($0)"] } ?? [:]
      #expect(try FaultShim.run(["commit", store, "3"], in: store, faults: faults).status == 0)
      result = (before, try RecordedCall.read(store + ".log"))
    }
    return try #require(result)
  }

  // MARK: - Power loss

  /// Steps of the newest intact checkpoint over all states; nil stands for "none could be read".
  static func survivors(
    _ before: PowerLoss.Disk, _ calls: [RecordedCall], after count: Int
  ) throws -> (steps: Set<Int?>, states: Int) {
    var steps: Set<Int?> = []
    var states = 0
    var known: [[UInt8]: Bool] = [:]
    PowerLoss(before: before, calls: calls).states(after: count) { disk in
      states += 1
      // What `CheckpointStore.newest()` does, without a folder for each of thousands of states.
      let intact = disk.filter { name, bytes in
        guard name.hasSuffix(".h5") else { return false }
        if let answer = known[bytes] { return answer }
        let answer = DamageTests.isIntact(bytes)
        known[bytes] = answer
        return answer
      }
      steps.insert(intact.compactMap { try? CheckpointHeader($0.value[...], file: $0.key).step }.max())
    }
    return (steps, states)
  }

  @Test(
    "whenever the power fails during a commit, the checkpoint before or the new one is found; after it, the new one"
  )
  func powerLoss() throws {
    let (before, calls) = try Self.recordCommit()
    #expect(calls.count >= 7, "\(calls.map(\.kind))")
    var total = 0
    for count in 0...calls.count {
      let (steps, states) = try Self.survivors(before, calls, after: count)
      total += states
      #expect(steps.isSubset(of: [2, 3]), "after \(count) calls")
    }
    #expect(try Self.survivors(before, calls, after: calls.count).steps == [3])
    #expect(total > 300, "\(total) states")
  }

  @Test(
    "with the flush of the file, or that of the folder, left out, the test above fails", arguments: [1, 2])
  func missingFlush(flush: Int) throws {
    let all = try Self.recordCommit().calls.filter { $0.kind == .flush }.count
    #expect(all == 2)
    let (before, calls) = try Self.recordCommit(withoutFlush: flush)
    #expect(calls.filter { $0.kind == .flush }.count == 1)
    let found = try Self.survivors(before, calls, after: calls.count).steps
    #expect(found != [3], "after the commit the new checkpoint should not be certain")
    #expect(found.contains(2))
  }

  // MARK: - Failing calls

  @Test(
    "whichever call of a commit fails, and how, an intact checkpoint stays and the error is one line",
    arguments: [
      // An interruption that never ends would be waited for without end.
      ("ENOSPC", false), ("ENOSPC", true), ("EIO", false), ("EIO", true), ("EDQUOT", false), ("EDQUOT", true),
      ("EINTR", false), ("SHORT", false), ("SHORT", true),
    ])
  func failingCalls(fault: String, always: Bool) throws {
    let numbers = ["ENOSPC": ENOSPC, "EIO": EIO, "EDQUOT": EDQUOT, "EINTR": EINTR]
    for call in 1... {
      var wasDisturbed = false
      try Self.withStore { store in
        var faults = ["CALL": "\(call)"]
        if let number = numbers[fault] { faults["ERRNO"] = "\(number)" } else { faults["SHORT"] = "1" }
        if always { faults["ALWAYS"] = "1" }
        let outcome = try FaultShim.run(["commit", store, "3"], in: store, faults: faults)
        wasDisturbed = try RecordedCall.read(store + ".log").contains { $0.kind == .disturbance }
        let newest = try Self.newest(store)
        if outcome.status == 0 {
          #expect(newest == 3, "call \(call)")
        } else {
          #expect(
            ["cannotCreate", "inputOutput"].contains(outcome.kind) && !outcome.wasKilled,
            "call \(call): \(outcome)")
          #expect(outcome.errors.split(separator: "\n").count == 1, "call \(call): \(outcome.errors)")
          #expect(newest == 2 || newest == 3, "call \(call)")
          #expect(
            fault != "EINTR" && fault != "SHORT",
            "call \(call) should have been made again: \(outcome.errors)")
        }
        // Afterwards, with the cause gone, the same commit works.
        #expect(try FaultShim.run(["commit", store, "3"], in: store, faults: nil).status == 0)
        #expect(try Self.newest(store) == 3)
      }
      if !wasDisturbed {
        #expect(call > 10)
        return
      }
    }
  }

  @Test("killed before any call of a commit, an intact checkpoint stays and the next commit works")
  func killed() throws {
    for call in 1... {
      var wasKilled = false
      try Self.withStore { store in
        let outcome = try FaultShim.run(
          ["commit", store, "3"], in: store, faults: ["CALL": "\(call)", "KILL": "1"])
        wasKilled = outcome.wasKilled
        #expect([2, 3].contains(try Self.newest(store) ?? 0))
        #expect(try FaultShim.run(["commit", store, "4"], in: store, faults: nil).status == 0)
        #expect(try Self.newest(store) == 4)
        #expect(try CheckpointStore(folder: store).entries().count <= 3)
      }
      if !wasKilled {
        #expect(call > 10)
        return
      }
    }
  }

  @Test("a limit on the size of files is an error and not the end")
  func fileSizeLimit() throws {
    try Self.withStore { store in
      // In blocks of 512 bytes: enough for the header, not for the rest.
      let outcome = try FaultShim.run(["commit", store, "3"], in: store, faults: nil, shell: "ulimit -f 8")
      #expect(outcome.kind == "inputOutput" && outcome.errors.contains("File too large"))
      #expect(try Self.newest(store) == 2)
      #expect(try FileManager.default.contentsOfDirectory(atPath: store).count == 2)
    }
  }

  @Test("a run directory on which any call fails is refused before training")
  func runDirectory() throws {
    for call in 1... {
      let folder = try TemporaryFolder()
      let run = folder("run")
      let outcome = try FaultShim.run(
        ["open", run], in: run, faults: ["CALL": "\(call)", "ERRNO": "\(EROFS)"])
      let calls = try RecordedCall.read(run + ".log")
      if !calls.contains(where: { $0.kind == .disturbance }) {
        #expect(outcome.status == 0 && call > 10)
        return
      }
      // What only tidies up (closing what was read, at the very end) may fail unnoticed.
      #expect(
        outcome.status == 0 || ["cannotCreate", "inputOutput"].contains(outcome.kind),
        "call \(call): \(outcome)")
    }
  }

  // MARK: - Signals

  /// Kernels of oneDNN use the stack's register for addresses of their data; a handler on that stack corrupted the heap in about one
  /// of a hundred trainings that a signal stopped.
  @Test("a signal that comes while the stack's register points into data writes nothing there")
  func signalsAmidData() throws {
    for name in ["TERM", "INT", "QUIT", "HUP", "USR1", "USR2", "XCPU", "ALRM", "PWR"] {
      let outcome = try FaultShim.runWithStackAmidData(["signals", name])
      #expect(outcome.status == 0 && outcome.output == "\(name) SIG\(name)\n", "\(name): \(outcome)")
    }
  }

  @Test("the four signals ask to stop, SIGPIPE does not; a second SIGINT ends the process")
  func signals() throws {
    func output(_ names: String...) throws -> FaultShim.Outcome {
      try FaultShim.run(["signals"] + names, in: "/", faults: nil)
    }
    for name in ["TERM", "INT", "USR1", "HUP"] {
      let outcome = try output("PIPE", name, "PIPE")
      #expect(outcome.status == 0)
      #expect(outcome.output == "PIPE none\n\(name) SIG\(name)\nPIPE SIG\(name)\n")
    }
    let twice = try output("INT", "INT", "TERM")
    #expect(twice.status == 130 && twice.output == "INT SIGINT\n")
    #expect(try output("TERM", "TERM", "INT").status == 0)
  }
}
