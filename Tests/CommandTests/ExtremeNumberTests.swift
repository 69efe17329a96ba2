import Foundation
import HDF5
import ImageFiles
import TestSupport
import Testing

/// No number that a user can type makes the program trap, hang, or take all memory.
@Suite("Extreme numbers")
struct ExtremeNumberTests {
  /// What is fed to every option: the ends of whole numbers and what lies beyond, and what is no number that counts.
  static let values = [
    "-9223372036854775808", "9223372036854775807", "9223372036854775808", "18446744073709551615", "0", "-1",
    "1e308", "-1e308", "1e309", "3.5e38", "1e-320", "nan", "inf", "-inf", "",
  ]

  /// Small files to work on, and for every command invocations that end well and soon.
  ///
  /// An option is tried in the first invocation that has it, and in the first one beside.
  private struct Ground {
    let folder: TemporaryDirectory
    let invocations: [String: [[String]]]

    init() throws {
      folder = try TemporaryDirectory()
      try LookSample.network(folder.file("net.h5"))
      try LookSample.picture(folder.file("a.png"), height: 40, width: 36)
      try LookSample.picture(folder.file("b.png"), height: 6, width: 5, channels: .grey)
      try Sample.dataset(folder.file("data.h5"))
      try Sample.dataset(folder.file("pictures.h5"), imageShape: [40, 9, 8, 3])
      _ = try Sample.config(folder)
      _ = try Sample.config(folder, more: "sweep: {grid: {seed: [1, 2]}}", name: "sweep.yaml")
      try folder.write("name: look\ncheckpoint: net.h5\nlook: filters\n", to: "look.yaml")
      try folder.write("(;GM[1]SZ[9]DT[2020-01-01];B[ee];W[ec])\n", to: "game.sgf")
      try folder.write("a,b,label\n1,2,0\n3,4,1\n", to: "table.csv")
      try folder.write([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4], to: "images")
      try folder.write([0, 0, 8, 1, 0, 0, 0, 1, 0], to: "labels")
      for name in ["one", "two"] {
        let result = try Program.run(["train", "tiny.yaml", "--run-dir", name, "--quiet"], in: folder.path)
        try #require(result.code == 0, "\(result.errors)")
      }
      let data = ["--data", "pictures.h5", "--images", "train/images", "--labels", "train/labels"]
      let own = ["--data", "data.h5", "--images", "train/images", "--labels", "train/labels"]
      let pictures = ["--content", "a.png", "--style", "a.png", "--content-layers", "conv2d"]
      let lines: [String: [[String]]] = [
        "train": [["tiny.yaml", "--steps", "1", "--run-dir", "trained"]],
        "evaluate": [["one"] + own],
        "predict": [
          ["one", "b.png"], ["one", "--rows", "0", "--data", "data.h5", "--images", "train/images"],
        ],
        "inspect": [
          ["data.h5"], ["data.h5", "--augment", "tiny.yaml"],
          ["data.h5", "--sheet", "sheet.png", "--overwrite"],
        ],
        "import fashion-mnist": [["--from", "none", "--to", "new.h5"]],
        "import idx": [["--images", "images", "--labels", "labels", "--to", "new.h5", "--overwrite"]],
        "import cifar10": [["--from", "none", "--to", "new.h5"]],
        "import cifar100": [["--from", "none", "--to", "new.h5"]],
        "import images": [["--from", ".", "--size", "8", "--to", "new.h5", "--overwrite"]],
        "import numpy": [["--images", "none.npy", "--labels", "none.npy", "--to", "new.h5"]],
        "import csv": [["--from", "table.csv", "--label", "label", "--to", "new.h5", "--overwrite"]],
        "import sgf": [["game.sgf", "--size", "9", "--test", "0", "--to", "new.h5", "--overwrite"]],
        "gtp": [["one"]],
        "import hdf5": [
          [
            "--from", "data.h5", "--images", "train/images", "--labels", "train/labels", "--to", "new.h5",
            "--overwrite",
          ]
        ],
        "import keras": [[LookSample.model, "--to", "new.h5", "--overwrite"]],
        "import onnx": [["none.onnx", "--to", "new.h5"]],
        "import safetensors": [["none.safetensors", "--architecture", "tiny.yaml", "--to", "new.h5"]],
        "export onnx": [["net.h5", "--to", "new.onnx", "--overwrite"]],
        "export keras": [["net.h5", "--to", "new.keras", "--overwrite"]],
        "export safetensors": [["net.h5", "--to", "new.safetensors", "--overwrite"]],
        "import text": [
          ["--class", "a=table.csv", "--class", "b=table.csv", "--to", "new.h5", "--overwrite"]
        ],
        "import audio": [["--from", ".", "--to", "new.h5", "--overwrite"]],
        "mpi build": [["--mpicc", "none"]],
        "mpi check": [[]],
        "prove": [["tiny.yaml", "--steps", "1", "--workers", "1,2"]],
        "bench": [
          ["tiny.yaml", "--seconds", "0.01", "--training-only", "--batch", "8", "--workers", "1"],
          ["tiny.yaml", "--seconds", "0.01", "--training-only", "--made-up"],
        ],
        "tune": [["tiny.yaml"]],
        "find-lr": [["tiny.yaml", "--steps", "4", "--from", "0.001", "--to", "0.1"]],
        "report": [["one", "--output", "report.html", "--overwrite"]],
        "dataset check": [["data.h5"]],
        "dataset repack": [["data.h5", "--to", "new.h5", "--overwrite"]],
        "dataset split": [["data.h5", "--parts", "train=0.5", "--to", "new.h5", "--overwrite"]],
        "look filters": [["net.h5"]], "look maps": [["net.h5", "a.png"]],
        "look examples": [["net.h5", "--top", "1"] + data],
        "look maximize": [
          ["net.h5", "--classes", "0", "--steps", "2"], ["net.h5", "--layer", "conv2d", "--steps", "2"],
          ["net.h5", "--layer", "dense", "--neurons", "0", "--steps", "2"],
        ],
        "look gallery": [["net.h5", "--steps", "2", "--filters", "1", "--top", "1", "--inputs", "1"] + data],
        "look run": [["look.yaml", "--run-dir", "looked"]],
        "dream": [["net.h5", "a.png", "--layers", "conv2d", "--steps", "1", "--octaves", "2", "--restart"]],
        "style": [
          ["net.h5", "--steps", "1", "--size", "32", "--restart"] + pictures,
          ["net.h5", "--steps", "1", "--size", "32", "--optimizer", "adam", "--restart"] + pictures,
        ],
        "explain": [["net.h5", "a.png"]],
        "sweep": [["sweep.yaml", "--list"]],
        "plan": [
          ["tiny.yaml", "--seconds", "0.01"], ["tiny.yaml", "--seconds", "0.01", "--nodes", "2"],
        ],
        "runs list": [["."]], "runs rm": [["none"]], "compare": [["one", "two"]],
        "manual": [[]], "config check": [["tiny.yaml"]], "config show": [["tiny.yaml"]],
        "config schema": [[]],
        "config reference": [[]], "config diff": [["tiny.yaml", "tiny.yaml"]],
      ]
      invocations = lines
    }

    /// Copies the files, and not the copies made before.
    func copy(to path: String) throws {
      let files = FileManager.default
      try files.createDirectory(atPath: path, withIntermediateDirectories: false)
      for name in try files.contentsOfDirectory(atPath: folder.path) where !name.hasPrefix("command ") {
        try files.copyItem(atPath: folder.file(name), toPath: "\(path)/\(name)")
      }
    }
  }

  // MARK: - What commands there are

  private struct Tool: Decodable {
    struct Command: Decodable {
      struct Argument: Decodable {
        struct Name: Decodable {
          let kind: String
          let name: String
        }
        let kind: String
        let preferredName: Name?
      }
      let commandName: String
      let subcommands: [Command]?
      let arguments: [Argument]?

      /// Every command that does something, with the words that call it.
      func leaves(_ words: [String] = []) -> [(words: [String], options: [String])] {
        let inner = (subcommands ?? []).filter { $0.commandName != "help" }
        if !inner.isEmpty { return inner.flatMap { $0.leaves(words + [$0.commandName]) } }
        let options = (arguments ?? []).filter { $0.kind == "option" }.compactMap(\.preferredName)
        return [(words, options.map { ($0.kind == "long" ? "--" : "-") + $0.name })]
      }
    }
    let command: Command
  }

  private static func commands() throws -> [(words: [String], options: [String])] {
    let help = try Program.run(["--experimental-dump-help"])
    return try JSONDecoder().decode(Tool.self, from: Data(help.output.utf8)).command.leaves()
  }

  @Test("every option of every command takes or refuses every number, in bounded time and memory")
  func options() async throws {
    let ground = try Ground()
    let commands = try Self.commands()
    #expect(Set(commands.map { $0.words.joined(separator: " ") }) == Set(ground.invocations.keys))
    #expect(commands.flatMap(\.options).count > 150)
    try await withThrowingTaskGroup(of: Void.self) { group in
      var index = 0
      for (number, command) in commands.enumerated() {
        let name = command.words.joined(separator: " ")
        let invocations = ground.invocations[name] ?? []
        // The largest whole number for each option, and two others in turn.
        let trials = command.options.map { option in
          index += 2
          let others = [Self.values[index % Self.values.count], Self.values[(index + 7) % Self.values.count]]
          return (option, [Self.values[1]] + others)
        }
        if number >= 2 { try await group.next() }
        // Each command works in a folder of its own.
        let folder = ground.folder.file("command \(number)")
        try ground.copy(to: folder)
        group.addTask {
          for (option, numbers) in trials {
            Self.tryOption(option, of: command.words, numbers, invocations, in: folder)
          }
          try FileManager.default.removeItem(atPath: folder)
        }
      }
      try await group.waitForAll()
    }
  }

  private static func tryOption(
    _ option: String, of words: [String], _ numbers: [String], _ invocations: [[String]], in folder: String
  ) {
    let having = invocations.first { $0.contains(option) }
    let others = invocations.filter { !$0.contains(option) }
    for invocation in [having].compactMap(\.self) + others {
      var rest = invocation
      if let place = rest.firstIndex(of: option) { rest.removeSubrange(place...place + 1) }
      func end(_ value: String) -> BoundedRun {
        BoundedRun(words + rest + ["\(option)=\(value)"], in: folder)
      }
      // An option that takes any word is no number's: a few of them will do.
      let word = end("x")
      let isText = word.code == 0 || word.code == 66 || word.code == 73
      for value in isText ? [numbers[1]] : numbers {
        let run = end(value)
        #expect(
          run.isClean, "\((words + rest).joined(separator: " ")) \(option)=\(value): \(run.description)")
      }
    }
  }
}

/// A run of the program that may take some memory, and ends when it is asked to where its work is long.
struct BoundedRun: CustomStringConvertible {
  let isOver: Bool
  let code: Int32
  let wasKilled: Bool
  let errors: String

  /// What a failure may end with: usage, data, input, a file that cannot be made, an interruption, a loss that is not finite,
  /// configuration.
  private static let failures: Set<Int32> = [64, 65, 66, 73, 75, 76, 78]

  /// Whether it ended in time, well or with a failure that says what is wrong.
  var isClean: Bool { isOver && !wasKilled && (code == 0 || Self.failures.contains(code)) }

  /// Address space, most of which is never touched: threads' stacks, arenas, libraries.
  private static let kilobytes = 6 << 20
  /// What it may take by itself, and then after a signal to end.
  private static let (seconds, secondsToEnd) = (10.0, 30.0)

  init(_ arguments: [String], in folder: String) {
    var (isOver, result) = (false, Program.Result(code: -1, wasKilled: false, output: "", errors: ""))
    do {
      let program = try Program.start(
        arguments, in: folder, shell: "ulimit -c 0; ulimit -v \(Self.kilobytes)")
      func wait(_ seconds: Double) {
        let end = Date(timeIntervalSinceNow: seconds)
        while program.isRunning, Date() < end { usleep(1000) }
      }
      wait(Self.seconds)
      if program.isRunning {
        program.send(SIGTERM)
        wait(Self.secondsToEnd)
      }
      isOver = !program.isRunning
      if !isOver { program.send(SIGKILL) }
      result = try program.finish()
    } catch { result = Program.Result(code: -1, wasKilled: false, output: "", errors: "\(error)") }
    self.isOver = isOver
    (code, wasKilled, errors) = (result.code, result.wasKilled, result.errors)
  }

  var description: String {
    isOver
      ? "\(wasKilled ? "signal" : "code") \(code): \(errors.suffix(600))"
      : "not over \(Int(Self.secondsToEnd)) seconds after it was asked to end"
  }
}
