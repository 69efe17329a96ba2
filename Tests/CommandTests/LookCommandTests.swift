import Foundation
import ImageFiles
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// Looks from configurations, as processes.
@Suite("Looks by configuration")
struct LookCommandTests {
  /// A folder with an imported network (9×8×3 to 4 classes), two pictures and a configuration.
  private func prepare(_ look: String) throws -> (folder: TemporaryDirectory, config: String) {
    let folder = try TemporaryDirectory()
    try LookSample.network(folder.file("net.h5"))
    try LookSample.picture(folder.file("a.png"), height: 48, width: 64)
    try LookSample.picture(folder.file("b.jpg"), height: 40, width: 40)
    return (folder, try folder.write("name: look\ncheckpoint: net.h5\nlook: \(look)\n", to: "look.yaml"))
  }

  private static let dream =
    "{dream: {image: a.png, layers: [{name: conv2d}], steps: 150, octaves: 2, frames: 3, jitter: 2, tile: 32}}"
  private static let style =
    "{style: {content: a.png, style: b.jpg, size: 48, steps: 400, content_layers: [{name: conv2d}], "
    + "style_layers: [{name: conv2d}], picture_every: 200, optimizer: adam}}"

  /// All files of results, by name.
  private func results(_ folder: String) throws -> [String: Data] {
    var files: [String: Data] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
      guard name.hasSuffix(".png") || name.hasSuffix(".json"), name != "environment.json" else { continue }
      files[name] = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)"))
    }
    return files
  }

  @Test(
    "a dream and a style transfer that are stopped end with 75 and go on, on other workers, to the bytes of one that was not",
    arguments: [dream, style])
  func interrupted(_ look: String) throws {
    let (folder, config) = try prepare(look)
    let command = ["look", "run", config, "--run-dir"]
    let whole = try Program.run(command + [folder.file("whole"), "--workers", "1"])
    #expect(whole.code == 0, "\(whole.errors)")
    let run = folder.file("run")
    var stops = 0
    for (index, signal) in [SIGTERM, SIGINT, SIGUSR1].enumerated() {
      let program = try Program.start(command + [run, "--workers", "\([3, 1, 2][index])"])
      // Each start writes such a line, behind which signals are awaited.
      try program.wait {
        let log = (try? String(contentsOfFile: "\(run)/log.txt", encoding: .utf8)) ?? ""
        return log.components(separatedBy: " with ").count > index + 1
      }
      usleep(60_000)
      program.send(signal)
      let result = try program.finish()
      #expect([0, 75].contains(result.code) && !result.wasKilled, "\(result)")
      guard result.code == 75 else { break }
      stops += 1
      #expect(result.errors.contains("the same command resumes"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: "\(run)/states").count >= 1)
    }
    #expect(stops > 0, "every run was over before its signal")
    let rest = try Program.run(command + [run, "--workers", "3"])
    #expect(rest.code == 0 && rest.errors.contains("going on at"), "\(rest.errors)")
    #expect(try results(run) == results(folder.file("whole")))
    #expect(try results(run).count > 1)
  }

  @Test("a dream killed at any moment goes on from its last state to the same bytes")
  func killed() throws {
    let look = Self.dream.replacing("tile: 32", with: "tile: 32, save_every: 0.0002")
    let (folder, config) = try prepare(look)
    let command = ["look", "run", config, "--run-dir"]
    #expect(try Program.run(command + [folder.file("whole")]).code == 0)
    let run = folder.file("run")
    let program = try Program.start(command + [run, "--workers", "2"])
    try program.wait { (try? FileManager.default.contentsOfDirectory(atPath: "\(run)/states"))?.count == 2 }
    program.send(SIGKILL)
    #expect(try program.finish().wasKilled)
    let rest = try Program.run(command + [run])
    #expect(rest.code == 0 && rest.errors.contains("going on at"), "\(rest.errors)")
    #expect(try results(run) == results(folder.file("whole")))
    #expect(try results(run).count > 1)
  }

  @Test("a run directory keeps the resolved configuration and a log, and belongs to one configuration")
  func directory() throws {
    let (folder, config) = try prepare("{explain: {image: a.png}}")
    let command = ["look", "run", config, "--run-dir", folder.file("run")]
    #expect(try Program.run(command).code == 0)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.file("run"))
    for name in ["config.yaml", "environment.json", "explain.json", "explain.png", "log.txt"] {
      #expect(names.contains(name), "\(names)")
    }
    #expect(try Program.run(["config", "check", folder.file("run/config.yaml")]).code == 0)
    #expect(try Program.run(command).code == 0)
    try expectFailure(command + ["--set", "patch=3"], code: 78, says: "another configuration")
  }

  @Test(
    "every other kind of look runs from a configuration, on any number of workers to the same bytes",
    arguments: [
      "filters", "{maps: {image: a.png}}",
      "{examples: {data: {file: data.h5, images: train/images, labels: train/labels}, top: 2}}",
      "{maximize: {target: classes, steps: 4}}",
      "{gallery: {data: {file: data.h5, images: train/images, labels: train/labels}, steps: 2, top: 1, inputs: 2}}",
      "{explain: {image: b.jpg, class: 2}}",
    ])
  func kinds(_ look: String) throws {
    let (folder, config) = try prepare(look)
    try Sample.dataset(folder.file("data.h5"), imageShape: [40, 9, 8, 3])
    for (run, workers) in [("one", "1"), ("three", "3")] {
      let result = try Program.run([
        "look", "run", config, "--run-dir", folder.file(run), "--workers", workers,
      ])
      #expect(result.code == 0, "\(result.errors)")
    }
    #expect(try results(folder.file("one")) == results(folder.file("three")))
    #expect(try results(folder.file("one")).keys.contains { $0.hasSuffix(".json") })
  }

  @Test("flags and a configuration that say the same give the same bytes")
  func flags() throws {
    let (folder, config) = try prepare(
      "{dream: {image: a.png, layers: [{name: conv2d, weight: 2}], steps: 2, octaves: 2}}")
    let (network, picture) = (folder.file("net.h5"), folder.file("a.png"))
    for (flags, run, more) in [
      (["dream", network, picture, "--layers", "conv2d:2", "--steps", "2", "--octaves", "2"], "dream", []),
      (
        ["look", "maximize", network, "--classes", "1,2", "--steps", "3", "--l1", "0.1", "--rotation", "3"],
        "maximize", ["look={maximize: {target: {classes: {which: '1,2'}}, steps: 3, l1: 0.1, rotation: 3}}"]
      ),
      (
        ["explain", network, picture, "--patch", "3"], "explain",
        ["look={explain: {image: \(picture), patch: 3}}"]
      ),
    ] {
      let (one, two) = (folder.file("\(run)-flags"), folder.file("\(run)-run"))
      let first = try Program.run(flags + ["--to", one])
      let sets = more.flatMap { ["--set", $0] }
      let second = try Program.run(["look", "run", config, "--run-dir", two] + sets)
      #expect(first.code == 0 && second.code == 0, "\(first.errors)\(second.errors)")
      #expect(try results(one) == results(two), "\(run)")
      #expect(try !results(one).isEmpty)
    }
  }

  @Test("the names that commands and options had before are good, and give the same bytes")
  func formerNames() throws {
    let (folder, _) = try prepare("filters")
    let (network, picture) = (folder.file("net.h5"), folder.file("a.png"))
    for (index, (former, present)) in [
      ("visualize filters NET --filter 0-1", "look filters NET --which 0-1"),
      (
        "visualize maximize NET --class 1 --steps 2 --tv 0.1 --rotate 3 --range 0,1",
        "look maximize NET --classes 1 --steps 2 --total-variation 0.1 --rotation 3 --black 0 --white 1"
      ),
      (
        "visualize maximize NET --layer conv2d --filter 1 --steps 2 --start gray",
        "look maximize NET --layer conv2d --filters 1 --steps 2 --start grey"
      ),
      (
        "visualize maximize NET --layer dense --neuron 1 --steps 2",
        "look maximize NET --layer dense --neurons 1 --steps 2"
      ),
      (
        "style NET --content PIC --style PIC --steps 2 --tv 0.5 --every 1 --direct --large",
        "style NET --content PIC --style PIC --steps 2 --total-variation 0.5 --picture-every 1 --kernels direct "
          + "--large-images"
      ),
    ].enumerated() {
      let folders = ["former", "present"].map { folder.file("\($0)-\(index)") }
      for (command, to) in zip([former, present], folders) {
        let words = command.split(separator: " ").map {
          $0 == "NET" ? network : $0 == "PIC" ? picture : String($0)
        }
        let result = try Program.run(words + ["--to", to])
        #expect(result.code == 0, "\(command): \(result.errors)")
      }
      #expect(try results(folders[0]) == results(folders[1]), "\(former)")
    }
    let help = try Program.run(["look", "maximize", "--help"]).output
    #expect(help.contains("--total-variation <auto|x>") && !help.contains("--tv"))
  }

  @Test("a wrong value is named by its option, with what is expected, before anything is read")
  func wrongValues() throws {
    for (words, message) in [
      (
        ["dream", "none.h5", "none.png", "--tile", "5"],
        "error: --tile 5: found '5', expected a whole number from 32 to 100000"
      ),
      (
        ["dream", "none.h5", "none.png", "--jitter=-1"],
        "error: --jitter -1: found '-1', expected a whole number from 0 to 10000"
      ),
      (
        ["style", "none.h5", "--content", "a", "--style", "b", "--rate", "3"],
        "error: --rate 3: belongs to the optimizer adam"
      ),
      (
        ["look", "maps", "none.h5", "none.png", "--contrast", "shard"],
        "error: --contrast shard: found 'shard', expected one of shared, each; did you mean 'shared'?"
      ),
      (
        ["look", "filters", "none.h5", "--which", "3-1"],
        "error: --which 3-1: found '3-1', expected numbers and ranges like 0,5,10-12, or all"
      ),
    ] {
      try expectFailure(words, code: 64, says: message)
    }
  }

  @Test("convoy config checks and shows looks, and explains how they are written")
  func config() throws {
    let (folder, config) = try prepare("{dream: {image: a.png}}")
    #expect(
      try Program.run(["config", "check", config]).output.contains("correct; a look into a network: dream"))
    let shown = try Program.run(["config", "show", config, "--set", "octaves=7"]).output
    #expect(shown.contains("octaves: 7") && shown.contains("--set octaves=7"))
    #expect(try Program.run(["config", "schema", "--look"]).output.contains("\"octave_scale\""))
    let wrong = try folder.write(
      "name: look\ncheckpoint: net.h5\nlook: {dream: {image: a.png, step: 3}}\n", to: "wrong.yaml")
    try expectFailure(
      ["look", "run", wrong], code: 78, says: "wrong.yaml:3:30: unknown key 'step'", "'steps'?")
    try expectFailure(["config", "check", config, wrong], code: 78, says: "did you mean 'steps'")
    try expectFailure(["train", config], code: 78, says: "run it with convoy look run")
  }
}

/// What looks need.
enum LookSample {
  static let model: String = {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    return tests.appendingPathComponent("InterchangeTests/Fixtures/functional-keras3.h5").path
  }()

  /// A network of colour images, 9×8×3 to 4 classes; its first convolution is `conv2d`.
  static func network(_ path: String) throws {
    let result = try Program.run(["import", "keras", model, "--to", path])
    #expect(result.code == 0, "\(result.errors)")
  }

  /// A picture of colours that run into each other.
  static func picture(_ path: String, height: Int, width: Int, channels: Image.Channels = .rgb) throws {
    let count = channels.rawValue
    let pixels = (0..<height * width * count).map { index in
      UInt8(truncatingIfNeeded: index / count * (3 + index % count * 5) / 4 + index / count / width * 7)
    }
    try ImageFile.write(Image(height: height, width: width, channels: channels, pixels: pixels), to: path)
  }
}
