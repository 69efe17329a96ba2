import Foundation
import HDF5
import ImageFiles
import Paths
import TestSupport
import Testing
import Training

@testable import Reporting

/// A folder with a small dataset and a config.
struct SmallTraining {
  let folder: TemporaryDirectory
  let config: String

  init() throws {
    folder = try TemporaryDirectory()
    // Ten classes of 8×8 images: a bright column at a place that follows from the class, over made-up noise.
    var state: UInt32 = 1
    let count = 120
    var pixels: [UInt8] = []
    let labels = (0..<count).map { UInt8($0 % 10) }
    for label in labels {
      for place in 0..<64 {
        state = state &* 1_664_525 &+ 1_013_904_223
        pixels.append(place % 8 == Int(label) % 8 ? 200 + UInt8(label) : UInt8(state >> 24) / 4)
      }
    }
    func number(_ value: Int) -> [UInt8] { [0, 0, UInt8(value >> 8), UInt8(value & 255)] }
    try folder.write([0, 0, 8, 3] + number(count) + number(8) + number(8) + pixels, to: "images")
    try folder.write([0, 0, 8, 1] + number(count) + labels, to: "labels")
    let imported = try Program.run([
      "import", "idx", "--images", folder.file("images"), "--labels", folder.file("labels"), "--to",
      folder.file("data.h5"),
    ])
    try #require(imported.code == 0, "\(imported.errors)")
    config = try folder.write(
      """
      name: small
      data:
        train: {file: data.h5, images: train/images, labels: train/labels}
      network:
        input: [8, 8, 1]
        layers: [rescale: {scale: 1/255}, conv2d: {filters: 4, kernel: 3}, flatten, dense: {units: 10}]
      training:
        epochs: 3
        batch: 16
        loss: softmax_cross_entropy
        optimizer: {sgd: {learning_rate: 0.1, momentum: 0}}
      """, to: "small.yaml")
  }
}

@Suite("Commands on runs")
struct RunCommandTests {
  @Test("the commands that a training proposes do what they say when they are pasted into a shell")
  func proposedCommands() throws {
    let small = try SmallTraining()
    let run = small.folder.file("a run")
    let trained = try Program.run(["train", small.config, "--run-dir", run])
    let lines = trained.output.split(separator: "\n").drop { !$0.hasPrefix("next ") }
    let commands = lines.map { $0.drop { $0 != "/" && $0 != "." } }
    try #require(commands.count == 3, "\(trained.output)")
    let outputs = try commands.map { command in
      let result = try Program.run(["-c", String(command)], program: "/bin/sh")
      #expect(result.code == 0, "\(command): \(result.errors)")
      return result.output
    }
    #expect(outputs[0].contains("conv2d") && outputs[1].contains("120 samples"))
    #expect((0...4).allSatisfy { outputs[2].contains("row \($0)") }, "\(outputs[2])")
  }

  @Test("the proposed evaluation gives the table's figures, also of weighted samples")
  func proposedWeights() throws {
    let small = try SmallTraining()
    let plain = try HDF5.File.open(small.folder.file("data.h5")).root
    let file = try HDF5.File.create(small.folder.file("weighted.h5"))
    do {
      try file.root.makeDataset("train/images", type: .uint8, shape: [120, 8, 8, 1])
        .write(plain.dataset("train/images").read(UInt8.self))
      try file.root.makeDataset("train/labels", type: .uint8, shape: [120])
        .write(plain.dataset("train/labels").read(UInt8.self))
      try file.root.makeDataset("train/weights", type: .float32, shape: [120])
        .write((0..<120).map { Float($0 % 7) / 3 })
    }
    try file.close()
    let source = "{file: weighted.h5, images: train/images, labels: train/labels, weights: train/weights}"
    let config = try small.folder.write(
      String(contentsOfFile: small.config, encoding: .utf8).replacing(
        "  train: {file: data.h5, images: train/images, labels: train/labels}",
        with: "  train: \(source)\n  test: \(source)"), to: "weighted.yaml")
    let run = small.folder.file("run")
    let trained = try Program.run(["train", config, "--run-dir", run])
    let command = try #require(
      trained.output.split(separator: "\n").first { $0.contains(" evaluate ") }?.drop {
        $0 != "/" && $0 != "."
      },
      "\(trained.output)\(trained.errors)")
    #expect(command.hasSuffix("--images train/images --weights train/weights"), "\(command)")
    let evaluated = try Program.run(["-c", "\(command) --json"], program: "/bin/sh")
    let figures = try #require(
      try JSONSerialization.jsonObject(with: Data(evaluated.output.utf8)) as? [String: Any],
      "\(evaluated.errors)")
    let table = try #require(RunTable.epochs(ofRun: run))
    let losses = table.numbers("test_loss").compactMap(\.self)
    let loss = try #require(figures["loss"] as? Double)
    #expect(losses.contains { abs($0 - loss) < 1e-5 * loss }, "\(loss) is not among \(losses)")
  }

  @Test("labels are those beside the images, or have to be named")
  func labelsBesideImages() throws {
    let small = try SmallTraining()
    let data = small.folder.file("data.h5")
    let run = small.folder.file("run")
    #expect(try Program.run(["train", small.config, "--run-dir", run, "-q"]).code == 0)
    let parts = small.folder.file("parts.h5")
    let split = try Program.run([
      "dataset", "split", data, "--parts", "train=0.5,test=0.5", "--to", parts,
    ])
    #expect(split.code == 0, "\(split.errors)")
    for name in ["train", "test"] {
      let own = ["evaluate", run, "--data", parts, "--images", "\(name)/images"]
      let short = try Program.run(own)
      #expect(short.code == 0, "\(short.errors)")
      #expect(try Program.run(own + ["--labels", "\(name)/labels"]).output == short.output)
    }
    try expectFailure(
      ["predict", run, "--data", parts, "--images", "train/pictures", "--rows", "0"], code: 64,
      says: "--images train/pictures needs --labels NAME")
  }

  @Test(
    "a softmax in front of the loss's own is warned of, unless it is the last layer",
    arguments: [
      ("dense: {units: 3}, softmax, softmax", "leave 'softmax' out"),
      ("dense: {units: 3}, softmax, dropout: {rate: 0.5}", "leave 'softmax' out"),
      ("dense: {units: 3, activation: softmax}, softmax", "leave its activation out"),
      ("dense: {units: 3}, softmax", nil), ("dense: {units: 3, activation: softmax}", nil),
    ])
  func softmaxTwice(layers: String, advice: String?) throws {
    let folder = try TemporaryDirectory()
    let checked = try Program.run([
      "config", "check", try Sample.config(folder, network: "[flatten, \(layers)]"),
    ])
    #expect(checked.code == 0)
    #expect(advice.map { checked.errors.contains($0) } ?? checked.errors.isEmpty, "\(checked.errors)")
  }

  @Test("a number that 32 bits hold as 0 is refused")
  func vanishingNumber() throws {
    let folder = try TemporaryDirectory()
    try expectFailure(
      ["config", "check", try Sample.config(folder), "--set", "learning_rate=1e-50"], code: 78,
      says: "found '1e-50', which is 0 as 32 bits hold it")
  }

  @Test(
    "a run is resumed from its newest checkpoint, and an imported network is not the checkpoint of a training"
  )
  func resumedRun() throws {
    let small = try SmallTraining()
    let (first, second) = (small.folder.file("first"), small.folder.file("second"))
    #expect(try Program.run(["train", small.config, "--run-dir", first, "-q"]).code == 0)
    let longer = try Program.run([
      "train", small.config, "--set", "training.epochs=4", "--resume", first, "--run-dir", second, "-q",
    ])
    #expect(longer.code == 0 && longer.output.contains("complete after 4 epochs"), "\(longer.errors)")
    // What is refused says nothing of going on.
    let refused = try Program.run([
      "train", small.config, "--set", "training.epochs=2", "--run-dir", second,
    ])
    #expect(refused.code == 78 && !refused.errors.contains("going on"), "\(refused.errors)")
  }

  @Test(
    "a config is checked against the number of samples, and its errors name keys and limits",
    arguments: [
      ("data.validation={fraction: 0.999}", "120 of the 120 samples"),
      ("training.accumulate=50", "50 minibatches of 16 are more than the 120 samples"),
      ("training.limits={train: 5}", "did you mean 'training'?"),
      ("training.limits={test: 5}", "did you mean 'evaluation'?"),
      ("name=\(String(repeating: "a", count: 300))", "a name of at most 200 letters"),
    ])
  func checkedConfig(setting: String, says: String) throws {
    let small = try SmallTraining()
    try expectFailure(["config", "check", small.config, "--set", setting], code: 78, says: says)
  }

  @Test(
    "a command that would train a network that is too large says what memory it takes",
    arguments: [
      ["plan"], ["train", "--run-dir", "run"], ["bench", "--seconds", "0.1"], ["find-lr"], ["prove"],
    ])
  func largeNetwork(command: [String]) throws {
    let small = try SmallTraining()
    let config = try small.folder.write(
      String(contentsOfFile: small.config, encoding: .utf8).replacing(
        "flatten, dense", with: "flatten, dense: {units: 300000}, dense: {units: 300000}, dense"),
      to: "large.yaml")
    let arguments =
      [command[0], config] + command.dropFirst() + (command[0] == "prove" ? [] : ["--workers", "1"])
    let result = try Program.run(arguments, in: small.folder.path)
    #expect(result.code == 78, "\(result.errors)")
    // 300,000 × 300,000 floats of weights alone.
    let pattern =
      /error: the training on \d+ workers? takes (\d+) MiB of memory, but only \d+ MiB are free; use fewer/
    let found = try #require(result.errors.firstMatch(of: pattern), "\(result.errors)")
    #expect(Int(found.1) ?? 0 > 343_000)
  }

  @Test("runs are listed, compared step by step, and removed")
  func runs() throws {
    let small = try SmallTraining()
    func train(_ run: String, _ more: String...) throws -> Program.Result {
      try Program.run(["train", small.config, "--run-dir", small.folder.file("runs/\(run)"), "-q"] + more)
    }
    #expect(try train("a", "--workers", "1").code == 0)
    #expect(try train("b", "--workers", "2", "--steps", "5").code == 0)
    #expect(try train("c", "--workers", "1", "--set", "learning_rate=0.2").code == 0)
    let (a, b, c) = (small.folder.file("runs/a"), small.folder.file("runs/b"), small.folder.file("runs/c"))
    let list = try Program.run(["runs", small.folder.file("runs")])
    #expect(list.output.contains("finished") && list.output.contains("stopped"))
    let comparison = try Program.run(["compare", a, b, c, "--output", small.folder.file("compare.html")])
    #expect(comparison.code == 0, "\(comparison.errors)")
    #expect(comparison.output.contains("A and B: the same losses, bit for bit, in all 5 common steps"))
    // The first step's loss comes before the first update.
    #expect(comparison.output.contains("A and C: diverge at step 2 (epoch 1)"))
    #expect(comparison.output.contains("training.optimizer.sgd.learning_rate"))
    #expect(try Program.run(["runs", "rm", a, small.folder.file("runs")]).code == 66)
    #expect(FileManager.default.fileExists(atPath: a))
    #expect(try Program.run(["runs", "rm", "--yes", a, b]).code == 0)
    #expect(!FileManager.default.fileExists(atPath: a) && FileManager.default.fileExists(atPath: c))
  }

  @Test("a folder with files of its own becomes no run directory, and only what is a run's is removed")
  func foreignFolders() throws {
    let small = try SmallTraining()
    let folder = small.folder
    let files = FileManager.default
    func train(_ run: String, in place: String? = nil) throws -> Program.Result {
      try Program.run(["train", small.config, "--run-dir", run, "--quiet"], in: place ?? folder.path)
    }
    // A project, a folder with nothing but a config, another program's run, and a file called lock.
    for (name, paths) in [
      "project": ["config.yaml", "log.txt", "notes.txt"], "single": ["config.yaml"],
      "other": ["config.yaml", "checkpoints/epoch-1.pt"], "locked": ["lock"],
    ] {
      for path in paths {
        try files.createDirectory(
          atPath: URL(fileURLWithPath: folder.file("\(name)/\(path)")).deletingLastPathComponent().path,
          withIntermediateDirectories: true)
        try folder.write("mine\n", to: "\(name)/\(path)")
      }
      let before = try files.subpathsOfDirectory(atPath: folder.file(name)).sorted()
      let refused = try train(".", in: folder.file(name))
      #expect(
        refused.code == 73 && refused.errors.contains("name a new or an empty folder"), "\(refused.errors)")
      let removed = try Program.run(["runs", "rm", "--yes", folder.file(name)])
      #expect([65, 66].contains(removed.code), "\(name): \(removed.errors)")
      #expect(try files.subpathsOfDirectory(atPath: folder.file(name)).sorted() == before)
      for path in paths {
        #expect(try String(contentsOfFile: folder.file("\(name)/\(path)"), encoding: .utf8) == "mine\n")
      }
    }
    // An empty folder is as good as a new one; later the user puts notes there.
    try files.createDirectory(atPath: folder.file("run/.hidden"), withIntermediateDirectories: true)
    #expect(try train("run").code == 0)
    try folder.write("mine\n", to: "run/notes.txt")
    #expect(try train("run").output.contains("already complete"))
    let removed = try Program.run(["runs", "rm", "--yes", folder.file("run")])
    #expect(removed.code == 0 && removed.output.contains("the folder stays"), "\(removed.errors)")
    #expect(removed.output.contains(": .hidden, notes.txt"), "\(removed.output)")
    #expect(try files.contentsOfDirectory(atPath: folder.file("run")).sorted() == [".hidden", "notes.txt"])
    // A look's folder and a dream's are no others' either.
    try folder.write("name: look\ncheckpoint: again\nlook: filters\n", to: "look.yaml")
    #expect(try train("again").code == 0)
    let look = try Program.run(
      ["look", "run", folder.file("look.yaml"), "--run-dir", folder.file("project")])
    #expect(look.code == 73 && look.errors.contains("project already holds other files"), "\(look.errors)")
    try LookSample.picture(folder.file("a.png"), height: 8, width: 8, channels: .grey)
    try expectFailure(
      ["dream", folder.file("again"), folder.file("a.png"), "--to", folder.file("project")], code: 73,
      says: "log.txt")
  }

  @Test(
    "tune and a training that times kernels say so on standard error, and results stay alone on standard output"
  )
  func tuningIsAnnounced() throws {
    let small = try SmallTraining()
    let tune = try Program.run(["tune", "small.yaml", "--json"], in: small.folder.path)
    #expect(tune.code == 0 && tune.output.hasPrefix("["))
    #expect(tune.errors.contains("timing the kernels of 1 convolution, "), "\(tune.errors)")
    let train = try Program.run(
      ["train", "small.yaml", "--set", "training.tuning=measured", "--run-dir", "tuned"],
      in: small.folder.path,
      shell: "export XDG_CACHE_HOME='\(small.folder.file("cache"))'")
    #expect(train.code == 0)
    let log = String(
      decoding: try Data(contentsOf: URL(fileURLWithPath: small.folder.file("tuned/log.txt"))), as: UTF8.self)
    #expect(log.contains("timing the kernels of 1 convolution"), "\(log)")
  }

  @Test("a file that a user names is replaced only with --overwrite, and one that the command reads never")
  func namedOutputs() throws {
    let small = try SmallTraining()
    let folder = small.folder
    func run(_ arguments: String...) throws -> Program.Result {
      try Program.run(arguments, in: folder.path)
    }
    func text(_ name: String) throws -> String {
      String(decoding: try Data(contentsOf: URL(fileURLWithPath: folder.file(name))), as: UTF8.self)
    }
    #expect(try run("train", "small.yaml", "--run-dir", "run", "--quiet").code == 0)
    try LookSample.picture(folder.file("explain.png"), height: 8, width: 8, channels: .grey)
    try LookSample.picture(folder.file("b.png"), height: 8, width: 8, channels: .grey)
    let names = ["explain.png", "b.png", "data.h5", "small.yaml", "run/config.yaml"]
    let before = try names.map(text)
    try folder.write("old\n", to: "old.png")
    let commands = [
      ["predict", "run", "b.png", "--csv"], ["report", "run", "--output"],
      ["compare", "run", "run", "--output"],
      ["tune", "small.yaml", "--save"], ["find-lr", "small.yaml", "--steps", "10", "--plot"],
      ["inspect", "data.h5", "--sheet"], ["dataset", "repack", "data.h5", "--to"],
    ]
    for command in commands {
      let result = try Program.run(command + ["old.png"], in: folder.path)
      #expect(result.code == 73 && result.errors.contains("--overwrite"), "\(command): \(result.errors)")
      #expect(try text("old.png") == "old\n")
    }
    // The first picture of an unquoted pattern.
    #expect(try run("predict", "run", "--csv", "explain.png", "b.png").code == 73)
    for command in [
      ["predict", "run", "b.png", "--csv", "./b.png"], ["predict", "run", ".", "--csv", "b.png"],
      ["predict", "run", "--data", "data.h5", "--rows", "0", "--csv", "data.h5"],
      ["report", "run", "--output", "run/config.yaml"], ["report", "run", "--output", "data.h5"],
      ["compare", "run", "run", "--output", "run/config.yaml"],
      ["tune", "small.yaml", "--save", "small.yaml"],
      ["dataset", "repack", "data.h5", "--to", "data.h5"],
    ] {
      let result = try Program.run(command + ["--overwrite"], in: folder.path)
      #expect(
        result.code == 64 && result.errors.contains("among the files that this command reads"),
        "\(command): \(result.errors)")
    }
    #expect(try run("explain", "run", "explain.png", "--to", ".").code == 64)
    #expect(try names.map(text) == before)
    #expect(try run("predict", "run", "b.png", "--csv", "old.png", "--overwrite").code == 0)
    #expect(try text("old.png").hasPrefix("input,class"))
    // The run's own report is made anew each time.
    #expect(try run("report", "run").code == 0)
    #expect(try run("report", "run", "--output", "run/report.html").code == 0)
  }

  @Test(
    "a report of a table with impossible ranks is written, without them",
    arguments: ["-5", "9000000000000000000", "x", "1"])
  func impossibleRanks(last: String) throws {
    let small = try SmallTraining()
    #expect(try Program.run(["train", small.config, "--run-dir", small.folder.file("run")]).code == 0)
    try small.folder.write(
      "step,epoch,rank,node,data_wait_seconds,shards_seconds\n8,1,0,here,0.25,0.5\n8,1,\(last),there,0,0.125\n",
      to: "run/ranks.csv")
    let report = try Program.run(["report", small.folder.file("run")])
    #expect(report.code == 0, "\(report.errors)")
    let page = try String(contentsOfFile: small.folder.file("run/report.html"), encoding: .utf8)
    #expect(page.contains("1 (there)") == (last == "1") && !page.contains("-5 (there)"))
  }

  @Test("links are written through, and devices and pipes written into")
  func otherOutputs() throws {
    let small = try SmallTraining()
    let folder = small.folder
    let files = FileManager.default
    func run(_ arguments: String..., shell: String? = nil) throws -> Program.Result {
      try Program.run(arguments, in: folder.path, shell: shell)
    }
    #expect(try run("train", "small.yaml", "--run-dir", "run", "--quiet").code == 0)
    try LookSample.picture(folder.file("a.png"), height: 8, width: 8, channels: .grey)
    try files.createDirectory(atPath: folder.file("inner"), withIntermediateDirectories: true)
    for (link, target) in [
      ("table.csv", "inner/table.csv"), ("copy.h5", "inner/copy.h5"), ("full", "/dev/full"),
      ("null", "/dev/null"),
    ] { try files.createSymbolicLink(atPath: folder.file(link), withDestinationPath: target) }
    #expect(try run("predict", "run", "a.png", "--csv", "table.csv").code == 0)
    #expect(try run("predict", "run", "a.png", "--csv", "table.csv").code == 73)
    #expect(try run("predict", "run", "a.png", "--csv", "table.csv", "--overwrite").code == 0)
    #expect(try run("dataset", "repack", "data.h5", "--to", "copy.h5").code == 0)
    #expect(try run("report", "run", "--output", "null").code == 0)
    let full = try run("report", "run", "--output", "full")
    #expect(full.code == 74 && full.errors.contains("No space left on device"), "\(full.errors)")
    #expect(try run("dataset", "repack", "data.h5", "--to", "null", "--overwrite").code == 73)
    for link in ["table.csv", "copy.h5", "full", "null"] {
      #expect((try? files.destinationOfSymbolicLink(atPath: folder.file(link))) != nil, "\(link)")
    }
    #expect(files.fileExists(atPath: folder.file("inner/table.csv")))
    // What reads a pipe gets whole names.
    let name = String(repeating: "long-", count: 20) + ".png"
    try files.copyItem(atPath: folder.file("a.png"), toPath: folder.file(name))
    #expect(try run("predict", "run", name).output.contains(name))
    let narrow = try run("predict", "run", name, shell: "export COLUMNS=80").output
    #expect(narrow.contains("long-") && !narrow.contains(name))
    // Nothing but the table comes out, behind what the file had.
    let piped = try run("predict", "run", "a.png", "--csv", "/dev/stdout")
    #expect(piped.code == 0 && piped.output.hasPrefix("input,class") && !piped.output.contains("/dev/stdout"))
    #expect(
      try run("predict", "run", "a.png", "--csv", "/dev/stdout", shell: "echo first > log; exec >> log").code
        == 0)
    let log = try String(contentsOfFile: folder.file("log"), encoding: .utf8)
    #expect(log.hasPrefix("first\ninput,class"), "\(log)")
    let pipe = try run(
      "predict", "run", "a.png", "--csv", "pipe", shell: "mkfifo pipe; cat pipe > from-pipe & exec > said")
    #expect(pipe.code == 0, "\(pipe.errors)")
    #expect(FileStatus(folder.file("pipe"))?.kind == .other)
  }

  @Test("the folder of plug-ins is handed on to commands that a command proposes")
  func plugIns() throws {
    let small = try SmallTraining()
    try FileManager.default.createDirectory(
      atPath: small.folder.file("my filters"), withIntermediateDirectories: true)
    func run(_ arguments: String...) throws -> String {
      let result = try Program.run(arguments + ["--hdf5-plugins", "my filters"], in: small.folder.path)
      #expect(result.code == 0, "\(result.errors)")
      return result.output
    }
    let next = try run("train", "small.yaml", "--run-dir", "run", "--quiet")
    #expect(next.components(separatedBy: "--hdf5-plugins 'my filters'").count == 3, "\(next)")
    #expect(
      try run("find-lr", "small.yaml", "--steps", "40", "--from", "0.001", "--to", "1").contains(
        "train small.yaml --hdf5-plugins 'my filters'"))
    // Whatever opens a dataset takes the option.
    _ = try run("report", "run")
    _ = try run("config", "check", "small.yaml")
    _ = try run("bench", "small.yaml", "--seconds", "0.01", "--training-only")
    _ = try run(
      "look", "examples", "run", "--data", "data.h5", "--images", "train/images", "--labels", "train/labels")
  }

  @Test(
    "a report with less than the one before takes its place only with --overwrite, and says what is missing")
  func fullerReport() throws {
    let small = try SmallTraining()
    let folder = small.folder
    func run(_ arguments: String...) throws -> Program.Result {
      try Program.run(arguments, in: folder.path)
    }
    func hasClasses(_ name: String) throws -> Bool {
      try String(contentsOfFile: folder.file(name), encoding: .utf8).contains("<section id=\"classes\">")
    }
    #expect(
      try run(
        "train", "small.yaml", "--run-dir", "run", "--quiet", "--set",
        "data.test={file: data.h5, images: train/images, labels: train/labels}"
      ).code == 0)
    #expect(try hasClasses("run/report.html"))
    try FileManager.default.moveItem(atPath: folder.file("data.h5"), toPath: folder.file("away.h5"))
    let kept = try run("report", "run")
    #expect(kept.code == 66 && kept.errors.contains("run/report.html stays"), "\(kept.errors)")
    #expect(try hasClasses("run/report.html"))
    let other = try run("report", "run", "--output", "short.html")
    #expect(
      other.code == 0 && other.errors.hasPrefix("warning: Classes, mistakes and filters"), "\(other.errors)")
    #expect(try run("report", "run", "--overwrite").errors.hasPrefix("warning: "))
    #expect(try !hasClasses("run/report.html"))
    try FileManager.default.moveItem(atPath: folder.file("away.h5"), toPath: folder.file("data.h5"))
    #expect(try run("report", "run").errors.isEmpty)
    #expect(try hasClasses("run/report.html"))
  }
}
