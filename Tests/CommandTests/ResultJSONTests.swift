import Foundation
import ImageFiles
import TestSupport
import Testing

/// What commands print for machines and leave in files, against what was recorded once.
///
/// A program may rely on keys, on what kind of value stands under each, and on the values themselves. To record anew, set
/// `CONVOY_RECORD_RESULTS` to the folder `Fixtures/results`, run this test, and look at what changed.
@Suite("Results for machines")
struct ResultJSONTests {
  @Test("every command's JSON, and every JSON file, has the keys, kinds and values that were recorded")
  func recorded() throws {
    let folder = try TemporaryDirectory()
    try prepare(folder)
    let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/results")
    let recording = ProcessInfo.processInfo.environment["CONVOY_RECORD_RESULTS"]
    var texts: [(name: String, text: String)] = []
    for command in Self.commands {
      let result = try Program.run(command.arguments, in: folder.path)
      // Two epochs are too few to learn anything by heart.
      let code: Int32 = command.name == "train-by-heart" ? 1 : 0
      try #require(result.code == code, "\(command.name): \(result.errors)")
      texts.append((command.name, result.output))
    }
    for (name, path) in Self.files {
      texts.append((name, try String(contentsOfFile: folder.file(path), encoding: .utf8)))
    }
    for (name, text) in texts {
      let text = text.replacing(folder.path, with: "FOLDER")
      let fixture = fixtures.appendingPathComponent("\(name).json")
      if let recording {
        try text.write(toFile: "\(recording)/\(name).json", atomically: true, encoding: .utf8)
        continue
      }
      let wanted = try ResultDocument.all(in: try String(contentsOf: fixture, encoding: .utf8))
      let found = try ResultDocument.all(in: text)
      #expect(ResultDocument.list(found).difference(from: .list(wanted), at: name) == nil)
    }
  }

  /// A command, or an option of one, in what the argument parser tells of all of them.
  private struct Described: Decodable {
    struct Argument: Decodable {
      struct Name: Decodable { let name: String }
      let names: [Name]?
    }

    let commandName: String
    let subcommands: [Described]?
    let arguments: [Argument]?

    /// The commands without any below them, with the words that lead there.
    func leaves(_ words: [String] = []) -> [(words: String, options: [String])] {
      let inner = (subcommands ?? []).filter { $0.commandName != "help" }
      guard inner.isEmpty else { return inner.flatMap { $0.leaves(words + [$0.commandName]) } }
      let names = (arguments ?? []).flatMap { ($0.names ?? []).map(\.name) }
      return [(words.joined(separator: " "), names)]
    }
  }

  private struct Everything: Decodable { let command: Described }

  @Test("every command that has a result prints it for machines")
  func everyCommand() throws {
    let help = try Program.run(["--experimental-dump-help"])
    let all = try JSONDecoder().decode(Everything.self, from: Data(help.output.utf8)).command.leaves()
    #expect(all.count > 30)
    // Documents of their own, and what is done and said on the way.
    let without = ["config schema", "config reference", "gtp", "manual", "runs rm"]
    #expect(all.filter { !$0.options.contains("json") }.map(\.words).sorted() == without.sorted())
  }

  @Test("a number that is not finite is null")
  func notFinite() throws {
    let folder = try TemporaryDirectory()
    try Sample.dataset(folder.file("data.h5"))
    let config = try Sample.config(folder)
    func run(_ arguments: String...) throws -> String {
      let result = try Program.run(arguments, in: folder.path)
      try #require(result.code == 0, "\(result.errors)")
      return result.output
    }
    _ = try run("train", config, "--run-dir", "run", "--quiet")
    let path = folder.file("run/state.json")
    let state = try String(contentsOfFile: path, encoding: .utf8)
    let best = try #require(state.firstMatch(of: /"best" : [^,]*/))
    try state.replacing(best.0, with: "\"best\" : \"inf\"").write(
      toFile: path, atomically: true, encoding: .utf8)
    #expect(try run("runs", ".", "--json").contains("\"best\" : null"))
    #expect(try run("runs", ".").contains("inf"))
  }

  private static let samples = ["--data", "data.h5", "--images", "train/images", "--labels", "train/labels"]
  private static let look = ["--json", "--workers", "1", "--to", "looks"]

  private static func targets(_ name: String) -> [String] {
    ["--data", "\(name).h5", "--images", "train/images", "--targets", "train/targets", "--json"]
  }

  private static let commands: [(name: String, arguments: [String])] = [
    ("train", ["train", "classes.yaml", "--run-dir", "runs/classes", "--json", "--workers", "1"]),
    ("train-labels", ["train", "labels.yaml", "--run-dir", "runs/labels", "--json", "--workers", "1"]),
    (
      "train-steps",
      ["train", "values.yaml", "--run-dir", "runs/values", "--json", "--workers", "1", "--steps", "4"]
    ),
    (
      "train-by-heart",
      [
        "train", "classes.yaml", "--run-dir", "runs/by-heart", "--json", "--workers", "1",
        "--overfit-batches", "1",
      ]
    ),
    ("runs", ["runs", "runs", "--json"]),
    ("report", ["report", "runs/classes", "--json", "--workers", "1"]),
    ("compare", ["compare", "runs/classes", "runs/values", "--json"]),
    ("sweep-list", ["sweep", "classes.yaml", "--list", "--json"]),
    ("sweep-member", ["sweep", "classes.yaml", "--member", "1", "--json", "--workers", "1"]),
    ("sweep", ["sweep", "classes.yaml", "--json", "--workers", "1"]),
    ("sweep-slurm", ["sweep", "classes.yaml", "--slurm", "--json"]),
    (
      "import-keras",
      [
        "import", "keras", LookSample.model, "--to", "imported.h5", "--preprocessing", "none", "--classes",
        "a,b,c,d",
        "--json",
      ]
    ),
    (
      "dataset-split",
      ["dataset", "split", "data.h5", "--parts", "train=0.5,test=0.5", "--to", "halves.h5", "--json"]
    ),
    ("evaluate", ["evaluate", "runs/classes", "--json"] + samples),
    ("evaluate-labels", ["evaluate", "runs/labels"] + targets("labels")),
    ("evaluate-values", ["evaluate", "runs/values"] + targets("values")),
    ("predict", ["predict", "runs/classes", "--rows", "0-1", "--json"] + samples),
    ("predict-file", ["predict", "runs/classes", "picture.png", "--json"]),
    ("predict-labels", ["predict", "runs/labels", "--rows", "0-1"] + targets("labels")),
    ("predict-values", ["predict", "runs/values", "--rows", "0-1"] + targets("values")),
    ("dataset-check", ["dataset", "check", "data.h5", "--json"]),
    ("find-lr", ["find-lr", "classes.yaml", "--steps", "10", "--json"]),
    (
      "plan",
      ["plan", "classes.yaml", "--seconds", "0.01", "--json", "--workers", "1", "--time-limit", "1:00:00"]
    ),
    (
      "plan-without-data",
      [
        "plan", "classes.yaml", "--seconds", "0.01", "--json", "--workers", "1", "--set",
        "data.train.file=none.h5", "--set", "data.test.file=none.h5",
      ]
    ),
    ("bench", ["bench", "classes.yaml", "--seconds", "0.05", "--workers", "1", "--json"]),
    (
      "bench-training",
      ["bench", "classes.yaml", "--seconds", "0.05", "--workers", "1", "--json", "--training-only"]
    ),
    (
      "bench-reading",
      ["bench", "classes.yaml", "--seconds", "0.05", "--workers", "1", "--json", "--reading-as-configured"]
    ),
    ("config", ["config", "show", "classes.yaml", "--json"]),
    ("filters", ["visualize", "filters", "runs/classes"] + look),
    ("maps", ["visualize", "maps", "runs/classes", "looks/inner.png"] + look),
    (
      "examples", ["visualize", "examples", "runs/classes", "--filter", "0-1", "--top", "2"] + samples + look
    ),
    (
      "examples-units",
      ["visualize", "examples", "runs/classes", "--layer", "dense", "--filter", "0", "--top", "1"] + samples
        + look
    ),
    ("maximize", ["visualize", "maximize", "runs/classes", "--class", "1,2", "--steps", "3"] + look),
    (
      "maximize-start",
      [
        "visualize", "maximize", "runs/classes", "--layer", "conv2d", "--filter", "0", "--steps", "3",
        "--start", "picture.png",
      ] + look
    ),
    (
      "gallery",
      [
        "visualize", "gallery", "runs/classes", "--steps", "2", "--filters", "2", "--top", "1", "--inputs",
        "1",
      ] + samples + look
    ),
    ("explain", ["explain", "runs/classes", "picture.png"] + look),
    (
      "dream",
      [
        "dream", "runs/classes", "picture.png", "--layers", "conv2d:1", "--steps", "2", "--octaves", "1",
        "--tile", "32",
      ] + look
    ),
    (
      "style",
      [
        "style", "net.h5", "--content", "colours.png", "--style", "colours.png", "--content-layers", "conv2d",
        "--style-layers", "conv2d:0.5", "--steps", "2", "--start", "noise",
      ] + look
    ),
  ]

  private static let files = [
    ("file-state", "runs/classes/state.json"), ("file-environment", "runs/classes/environment.json"),
    ("file-maps", "looks/maps-conv2d.json"), ("file-maximize", "looks/maximize-conv2d.json"),
    ("file-gallery", "looks/gallery.json"), ("file-explain", "looks/explain.json"),
    ("file-dream", "looks/dream.json"), ("file-style", "looks/style.json"),
  ]

  private func prepare(_ folder: TemporaryDirectory) throws {
    func run(_ arguments: String...) throws {
      let result = try Program.run(arguments, in: folder.path)
      try #require(result.code == 0, "\(result.errors)")
    }
    // Ten classes of 8×8 images: a bright column at a place that follows from the class, over made-up noise.
    var state: UInt32 = 1
    var pixels: [UInt8] = []
    let labels = (0..<120).map { UInt8($0 % 10) }
    for label in labels {
      for place in 0..<64 {
        state = state &* 1_664_525 &+ 1_013_904_223
        pixels.append(place % 8 == Int(label) % 8 ? 200 + UInt8(label) : UInt8(state >> 24) / 4)
      }
    }
    try folder.write([0, 0, 8, 3, 0, 0, 0, 120, 0, 0, 0, 8, 0, 0, 0, 8] + pixels, to: "images")
    try folder.write([0, 0, 8, 1, 0, 0, 0, 120] + labels, to: "labels")
    try run("import", "idx", "--images", "images", "--labels", "labels", "--to", "data.h5")
    let rows = (0..<24).map { "\($0 % 2),\($0 / 2 % 2),\(Double($0) / 2),\($0 * 5),\($0 / 2 % 2 * 90)" }
    try folder.write((["red,round,size,a,b"] + rows).joined(separator: "\n"), to: "table.csv")
    for (name, columns) in [("labels", "red,round"), ("values", "size")] {
      try run("import", "csv", "--from", "table.csv", "--targets", columns, "--to", "\(name).h5")
    }
    let source = "{file: data.h5, images: train/images, labels: train/labels}"
    try folder.write(
      """
      name: classes
      data: {train: \(source), test: \(source)}
      network:
        input: [8, 8, 1]
        layers: [rescale: {scale: 1/255}, conv2d: {filters: 4, kernel: 3}, flatten, dense: {units: 10}]
      training:
        epochs: 2
        batch: 16
        loss: softmax_cross_entropy
        optimizer: {sgd: {learning_rate: 0.1, momentum: 0}}
      sweep: {grid: {learning_rate: [0.1, 0.01]}}
      """, to: "classes.yaml")
    for (name, inputs, units, training) in [
      ("labels", 3, 2, "loss: sigmoid_cross_entropy"),
      ("values", 4, 1, "loss: mean_squared_error, metrics: [mean_absolute_error, r2]"),
    ] {
      try folder.write(
        """
        name: \(name)
        data: {train: {file: \(name).h5, images: train/images, targets: train/targets}}
        network: {input: [\(inputs)], layers: [rescale: {scale: 1/255}, dense: {units: \(units)}]}
        training: {epochs: 2, batch: 8, \(training), optimizer: {sgd: {learning_rate: 0.01}}}
        """, to: "\(name).yaml")
    }
    try FileManager.default.createDirectory(atPath: folder.file("looks"), withIntermediateDirectories: true)
    for name in ["picture.png", "looks/inner.png"] {
      try LookSample.picture(folder.file(name), height: 10, width: 12, channels: .grey)
    }
    try LookSample.picture(folder.file("colours.png"), height: 20, width: 24)
    try LookSample.network(folder.file("net.h5"))
  }
}

/// A JSON document as a value that tells truth from numbers.
indirect enum ResultDocument: Decodable {
  case null
  case truth(Bool)
  case number(Double)
  case text(String)
  case list([ResultDocument])
  case object([String: ResultDocument])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .truth(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .text(value)
    } else if let value = try? container.decode([ResultDocument].self) {
      self = .list(value)
    } else {
      self = .object(try container.decode([String: ResultDocument].self))
    }
  }

  /// One document, or one on each line: of events the first of each kind, for how many come, and in which order, depends on
  /// the time; but all epochs.
  static func all(in text: String) throws -> [ResultDocument] {
    let lines = text.split(separator: "\n")
    guard lines.count > 1, lines.allSatisfy({ $0.hasPrefix("{\"") && $0.hasSuffix("}") }) else {
      return [try JSONDecoder().decode(ResultDocument.self, from: Data(text.utf8))]
    }
    var kinds: [String: [ResultDocument]] = [:]
    for line in lines {
      let document = try JSONDecoder().decode(ResultDocument.self, from: Data(line.utf8))
      let event = document.event ?? ""
      if event == "epoch" || kinds[event] == nil { kinds[event, default: []].append(document) }
    }
    return kinds.sorted { $0.key < $1.key }.flatMap(\.value)
  }

  private var event: String? {
    guard case .object(let members) = self, case .text(let event)? = members["event"] else { return nil }
    return event
  }

  /// Whether values under a key differ from run to run, or from machine to machine.
  private static func isChanging(_ key: String) -> Bool {
    let names: Set<String> = [
      "run", "runID", "seconds", "updated", "started_at", "bytes", "digest", "host", "cpu", "instruction_set",
      "cores", "workers", "training_steps", "command_line", "git_revision", "slurm_job", "versions", "kernel",
      "layout",
      "shard",
      "evaluations", "evaluated", "partings",
    ]
    return names.contains(key) || key.hasPrefix("peak_") || key.hasSuffix("_share") || key.hasSuffix("_bytes")
      || key.contains("_seconds") || key.contains("seconds_") || key.contains("_per_second")
  }

  /// Steps of kernels: how many there are, and which, is the library's choice.
  private static let kernelLists: Set<String> = ["kernels", "layers"]

  /// Where this parts from what was recorded, nil where it does not.
  ///
  /// - Parameters:
  ///   - path: of this value, for the message.
  ///   - key: under which it stands.
  ///   - isChanging: whether only its kind, and those of what is in it, must be the same.
  func difference(
    from recorded: ResultDocument, at path: String, under key: String = "", isChanging: Bool = false
  ) -> String? {
    let isChanging = isChanging || Self.isChanging(key) || ["checkpoint", "step"].contains(event)
    switch (self, recorded) {
    case (.null, .null): return nil
    case (.truth(let found), .truth(let wanted)):
      return found == wanted ? nil : "\(path) is \(found), was \(wanted)"
    case (.number(let found), .number(let wanted)):
      // Other instruction sets round otherwise.
      let isClose = abs(found - wanted) <= 0.02 * abs(wanted) + 1e-3
      return isChanging || isClose ? nil : "\(path) is \(found), was \(wanted)"
    case (.text(let found), .text(let wanted)):
      return isChanging || found == wanted ? nil : "\(path) is \(found), was \(wanted)"
    case (.list(let found), .list(let wanted)):
      let isOfKernels = Self.kernelLists.contains(key)
      guard isOfKernels || found.count == wanted.count else {
        return "\(path) has \(found.count) elements, had \(wanted.count)"
      }
      return zip(found, wanted).enumerated().prefix(isOfKernels ? 1 : .max).lazy.compactMap { index, pair in
        pair.0.difference(from: pair.1, at: "\(path)[\(index)]", under: key, isChanging: isChanging)
      }.first
    case (.object(let found), .object(let wanted)):
      guard Set(found.keys) == Set(wanted.keys) else {
        return "\(path) has the keys \(found.keys.sorted()), had \(wanted.keys.sorted())"
      }
      return wanted.keys.sorted().lazy.compactMap { key in
        guard let left = found[key], let right = wanted[key] else { return nil }
        return left.difference(from: right, at: "\(path).\(key)", under: key, isChanging: isChanging)
      }.first
    case (.null, _), (.truth, _), (.number, _), (.text, _), (.list, _), (.object, _):
      // A commit and a job are there or not.
      return ["git_revision", "slurm_job"].contains(key) ? nil : "\(path) is \(self), was \(recorded)"
    }
  }
}
