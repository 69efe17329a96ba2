import Foundation
import ImageFiles
import TestSupport
import Testing

@Suite("Sounds at the command line")
struct SoundCommandTests {
  /// A WAV file of 16 bits at 8000 samples a second: a tone that rises or falls.
  private func wave(rises: Bool, _ number: Int) -> Data {
    var data = Data()
    func put(_ value: Int, _ bytes: Int) {
      for byte in 0..<bytes { data.append(UInt8(value >> (8 * byte) & 255)) }
    }
    let count = 1600 + number % 5 * 160
    data += Data("RIFF".utf8)
    put(36 + 2 * count, 4)
    data += Data("WAVEfmt ".utf8)
    for (value, bytes) in [(16, 4), (1, 2), (1, 2), (8000, 4), (16000, 4), (2, 2), (16, 2)] {
      put(value, bytes)
    }
    data += Data("data".utf8)
    put(2 * count, 4)
    var phase = 0.0
    for sample in 0..<count {
      let share = Double(sample) / Double(count)
      let frequency = 400 + Double(number) * 12 + 900 * (rises ? share : 1 - share)
      phase += 2 * .pi * frequency / 8000
      put(Int(9000 * sin(phase)) & 0xFFFF, 2)
    }
    return data
  }

  @Test("folders that seem to be splits are asked about, and a circle of links is passed over")
  func splits() throws {
    let folder = try TemporaryDirectory()
    for (number, name) in ["Training/yes", "Training/no", "Testing/yes", "Testing/no"].enumerated() {
      try FileManager.default.createDirectory(
        atPath: folder.file("in/\(name)"), withIntermediateDirectories: true)
      try wave(rises: name.hasSuffix("yes"), number).write(
        to: URL(fileURLWithPath: folder.file("in/\(name)/a.wav")))
    }
    func importing(_ from: String, _ options: String...) -> [String] {
      ["import", "audio", "--from", folder.file(from), "--to", folder.file("sounds.h5"), "--overwrite"]
        + options
    }
    try expectFailure(
      importing("in"), code: 65, says: "in/Training and ", "in/Testing seem to be splits",
      "--pattern \"{part}/{label}/*\" --test-where part=Testing")
    let apart = try Program.run(
      importing("in", "--pattern", "{part}/{label}/*", "--test-where", "part=Testing"))
    #expect(
      apart.code == 0 && apart.output.contains("2 train and 2 test samples"), "\(apart.errors)\(apart.output)"
    )
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("in/Training/yes/up"), withDestinationPath: "..")
    let circle = try Program.run(importing("in/Training"))
    #expect(
      circle.code == 0 && circle.output.contains("2 train samples")
        && (circle.output + circle.errors).contains("leads back to a folder that it is in"),
      "\(circle.errors)\(circle.output)")
  }

  @Test("a checkpoint answers sound files as it answers the rows that they became, and shows where it looked")
  func journey() throws {
    let folder = try TemporaryDirectory()
    for (name, rises) in [("up", true), ("down", false)] {
      try FileManager.default.createDirectory(
        atPath: folder.file("in/\(name)"), withIntermediateDirectories: true)
      for number in 0..<24 {
        try wave(rises: rises, number).write(
          to: URL(fileURLWithPath: folder.file("in/\(name)/\(name)-\(number).wav")))
      }
    }
    let data = folder.file("sounds.h5")
    let imported = try Program.run([
      "import", "audio", "--from", folder.file("in"), "--seconds", "0.24", "--bands", "20", "--test-share",
      "0.25",
      "--to", data,
    ])
    try #require(imported.code == 0, "\(imported.errors)")
    #expect(
      imported.output.contains("36 train and 12 test samples of 24×20×1, 2 classes"), "\(imported.output)")
    let config = try folder.write(
      """
      name: sounds
      data:
        train: {file: sounds.h5, images: train/images, labels: train/labels}
        test: {file: sounds.h5, images: test/images, labels: test/labels}
      network:
        input: [24, 20, 1]
        layers:
          - conv2d: {name: bands, filters: 6, kernel: [24, 6], stride: [1, 2], activation: relu}
          - flatten
          - dense: {units: 2}
      training:
        epochs: 15
        batch: 12
        loss: softmax_cross_entropy
        optimizer: {adam: {learning_rate: 0.01}}
        augmentation:
          - pad_and_crop: {padding: [2, 1]}
          - mask: {rows: 3, columns: 2}
          - noise: {deviation: 0.1}
          - gain: {strength: 0.2}
      """, to: "sounds.yaml")
    let run = folder.file("run")
    let trained = try Program.run(["train", config, "--run-dir", run, "--quiet"])
    try #require(trained.code == 0, "\(trained.errors)")

    struct Answer: Decodable {
      let `class`: String
      let probabilities: [Double]
    }
    func answers(_ arguments: [String]) throws -> [Answer] {
      let result = try Program.run(["predict", run, "--json"] + arguments)
      try #require(result.code == 0, "\(result.errors)")
      return try JSONDecoder().decode([Answer].self, from: Data(result.output.utf8))
    }
    let files = ["in/up/up-3.wav", "in/down/down-20.wav"].map(folder.file)
    let asked = try answers(files)
    #expect(asked.map(\.class) == ["up", "down"])
    // The same sounds as rows of a file with the checkpoint's settings.
    for (name, file) in zip(["up", "down"], files) {
      try FileManager.default.createDirectory(
        atPath: folder.file("two/\(name)"), withIntermediateDirectories: true)
      try FileManager.default.copyItem(atPath: file, toPath: folder.file("two/\(name)/x.wav"))
    }
    let rows = folder.file("rows.h5")
    let again = try Program.run([
      "import", "audio", "--from", folder.file("two"), "--like", run, "--to", rows,
    ])
    try #require(again.code == 0, "\(again.errors)")
    // Classes are in the order of their names: down, up.
    let same = try answers(["--data", rows, "--images", "train/images", "--rows", "0-1"])
    #expect(same.map(\.probabilities) == [asked[1].probabilities, asked[0].probabilities])

    let looks = folder.file("looks")
    let explained = try Program.run(["explain", run, files[0], "--to", looks])
    #expect(explained.code == 0 && explained.output.contains("up: p"), "\(explained.errors)")
    let filters = try Program.run(["look", "filters", run, "--to", looks, "--json"])
    #expect(filters.code == 0, "\(filters.errors)")
    // Time goes to the right: 24 frames are wider than 20 bands are high.
    let saliency = try ImageFile.read("\(looks)/explain-saliency.png")
    #expect(saliency.width * 20 == saliency.height * 24)
    let other = folder.file("other.h5")
    let own = try Program.run([
      "import", "audio", "--from", folder.file("two"), "--seconds", "0.24", "--bands", "20", "--mel", "htk",
      "--to",
      other,
    ])
    try #require(own.code == 0, "\(own.errors)")
    let refused = try Program.run(["evaluate", run, "--data", other, "--images", "train/images"])
    #expect(refused.code == 65 && refused.errors.contains("mel=htk"), "\(refused.errors)")
    let noSound = try Program.run(["predict", run, config])
    #expect(noSound.code == 65 && noSound.errors.contains("not a sound file"), "\(noSound.errors)")
    #expect(try Program.run(["predict", run, folder.file("none.wav")]).code == 66)
  }

  @Test("options that contradict each other are refused")
  func options() throws {
    let folder = try TemporaryDirectory()
    let to = ["--to", folder.file("x.h5")]
    let from = ["--from", folder.file("")]
    for arguments in [
      [], ["--from", "list.csv"], ["--from", "list.csv", "--path", "file"], from + ["--path", "file"],
      from + ["--label", "x"], from + ["--pattern", "{a}{b}"], from + ["--pattern", "{speaker}"],
      from + ["--test-where", "speaker"], from + ["--test-share", "0"], from + ["--folds", "3"],
      from + ["--test-share", "0.5", "--test-list", "x"], from + ["--range", "loud"],
      from + ["--transform", "7"],
      from + ["--like", "x", "--bands", "3"], from + ["--window", "-1"], from + ["--deltas", "3"],
    ] {
      let result = try Program.run(["import", "audio"] + arguments + to)
      #expect(result.code == 64, "\(arguments): \(result.code) \(result.errors)")
    }
  }
}
