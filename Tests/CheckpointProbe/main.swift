// A program that does one thing to a folder and ends, so that tests can run it with disturbed system calls:
//
//   CheckpointProbe commit FOLDER STEP    saves the checkpoint of a step, keeping the last two
//   CheckpointProbe open FOLDER           opens FOLDER as a run directory
//   CheckpointProbe signals NAME…         sends itself signals and says after each whether a stop was asked for
//
// An error ends it with 1; its kind and its text go to standard error.

import Foundation
import Interchange
import Networks
import Tensors
import Training

#if canImport(Glibc)
  import Glibc
#endif

func checkpoint(step: Int) throws -> Checkpoint {
  let network = try Network(
    inputShape: [4, 4, 1], chain: [.flatten, .dense(Dense(units: 3))]
  ).resolved()
  let layout = ParameterLayout(network)
  var progress = TrainingProgress()
  progress.step = step
  return Checkpoint(
    network: network, name: "probe", progress: progress, identity: RunIdentity(runID: "probe"),
    values: layout.initialValues(seed: UInt64(step)),
    optimizer: .sgd(SGD(learningRate: 0.1, momentum: 0.9)),
    slots: [Checkpoint.Slot(name: "momentum", values: AlignedBuffer(count: layout.trainableCount))])
}

func run(_ arguments: [String]) throws {
  switch arguments.first {
  case "commit":
    // As in a training: a file that grows too large is an error, not the end.
    StopSignals.install()
    let store = CheckpointStore(folder: arguments[1])
    let saved = try store.save(
      try checkpoint(step: Int(arguments[2]) ?? 0), model: KerasModelWriter(), keepLast: 2, keepBest: 0)
    print(saved)
  case "open":
    _ = try RunDirectory(path: arguments[1])
  case "signals":
    let request = StopSignals.install()
    for name in arguments.dropFirst() {
      let numbers = Dictionary(
        uniqueKeysWithValues: StopSignals.handled.map { (StopSignals.name(of: $0), $0) })
      kill(getpid(), numbers["SIG\(name)"] ?? (name == "PIPE" ? SIGPIPE : 0))
      print(name, request.signalNumber.map(StopSignals.name) ?? "none")
      fflush(nil)
    }
  default:
    exit(64)
  }
}

do {
  try run(Array(CommandLine.arguments.dropFirst()))
} catch {
  let kind = (error as? TrainingError).map { "\($0.kind)" } ?? "other"
  FileHandle.standardError.write(Data("\(kind): \(error)\n".utf8))
  exit(1)
}
