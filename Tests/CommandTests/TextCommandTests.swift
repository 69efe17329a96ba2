import Foundation
import TestSupport
import Testing

@Suite("Sentences at the command line")
struct TextCommandTests {
  /// Sentences of two kinds, told apart by a phrase of two words.
  private func sentences(_ kind: Int, _ count: Int) -> String {
    let fillers = ["the", "film", "plot", "actor", "scene", "music", "story", "camera"]
    return (0..<count).map { index in
      var words = (0..<5).map { fillers[(index * 7 + $0 * 3 + index / 8) % fillers.count] }
      words.insert(kind == 0 ? "not good" : "very good", at: index % 5)
      return words.joined(separator: " ") + " ."
    }.joined(separator: "\n") + "\n"
  }

  private func trained(_ folder: TemporaryDirectory) throws -> (run: String, data: String) {
    let (bad, good) = (
      try folder.write(sentences(0, 40), to: "bad.txt"), try folder.write(sentences(1, 40), to: "good.txt")
    )
    let data = folder.file("texts.h5")
    let imported = try Program.run([
      "import", "text", "--class", "bad=\(bad)", "--class", "good=\(good)", "--tokens", "kim", "--length", "8",
      "--folds", "4", "--fold", "2", "--to", data,
    ])
    try #require(imported.code == 0, "\(imported.errors)")
    #expect(imported.output.contains("60 train and 20 test samples of 8, 2 classes"), "\(imported.output)")
    #expect(imported.output.contains("part 2 of 4"), "\(imported.output)")
    let config = try folder.write(
      """
      name: texts
      data:
        train: {file: texts.h5, images: train/images, labels: train/labels}
        test: {file: texts.h5, images: test/images, labels: test/labels}
      network:
        input: [8]
        layers:
          - embedding: {vocabulary: 20, dimension: 8, padding_word: 0}
          - zero_padding1d: {all: 1}
          - conv1d: {filters: 6, kernel: 2, activation: relu}
          - global_max_pool1d
          - dense: {units: 2}
      training:
        epochs: 20
        batch: 10
        loss: softmax_cross_entropy
        optimizer: {adam: {learning_rate: 0.01}}
      """, to: "texts.yaml")
    let run = folder.file("run")
    let trained = try Program.run(["train", config, "--run-dir", run, "--quiet"])
    try #require(trained.code == 0, "\(trained.errors)")
    #expect(!trained.errors.contains("warning"), "\(trained.errors)")
    return (run, data)
  }

  private struct Answer: Decodable {
    let input: String
    let `class`: String
    let probabilities: [Double]
  }

  private func answers(_ arguments: [String]) throws -> [Answer] {
    let result = try Program.run(arguments + ["--json"])
    try #require(result.code == 0, "\(result.errors)")
    return try JSONDecoder().decode([Answer].self, from: Data(result.output.utf8))
  }

  @Test("a checkpoint answers sentences as it answers the rows that they became")
  func journey() throws {
    let folder = try TemporaryDirectory()
    let (run, data) = try trained(folder)
    let asked = try answers(["predict", run, "The film, not good at all!", "a VERY good plot"])
    #expect(asked.map(\.class) == ["bad", "good"])
    #expect(asked[0].input == "The film, not good at all!")
    // The same sentences as rows of a file that is numbered by the checkpoint's vocabulary.
    let other = try folder.write("The film, not good at all!\n", to: "x.txt")
    let more = try folder.write("a VERY good plot\n", to: "y.txt")
    let rows = folder.file("rows.h5")
    let imported = try Program.run([
      "import", "text", "--class", "bad=\(other)", "--class", "good=\(more)", "--vocabulary", run, "--to", rows,
    ])
    try #require(imported.code == 0, "\(imported.errors)")
    let same = try answers(["predict", run, "--data", rows, "--images", "train/images", "--rows", "0-1"])
    #expect(same.map(\.probabilities) == asked.map(\.probabilities))
    let lines = try answers(["predict", run, "--lines", other])
    #expect(lines.map(\.probabilities) == [asked[0].probabilities])

    // What nobody can mean is refused, and what may surprise is said.
    let file = try Program.run(["predict", run, other])
    #expect(file.code == 64 && file.errors.contains("--lines"), "\(file.errors)")
    let unknown = try Program.run(["predict", run, "zzz yyy"])
    #expect(unknown.code == 0 && unknown.errors.contains("no word that the network knows"), "\(unknown.errors)")
    let long = try Program.run(["predict", run, "the film the plot the actor the scene the music"])
    #expect(long.code == 0 && long.errors.contains("10 words"), "\(long.errors)")
    let foreign = folder.file("foreign.h5")
    let own = try Program.run([
      "import", "text", "--class", "bad=\(other)", "--class", "good=\(more)", "--length", "8", "--to", foreign,
    ])
    try #require(own.code == 0, "\(own.errors)")
    let refused = try Program.run(["evaluate", run, "--data", foreign, "--images", "train/images"])
    #expect(refused.code == 65 && refused.errors.contains("vocabulary"), "\(refused.errors)")
    #expect(try Program.run(["inspect", run]).output.contains("tokens=kim"))
    #expect(try Program.run(["evaluate", run, "--data", data]).code == 0)
  }

  @Test("a vocabulary that is larger than the embedding is refused before training, with what to write")
  func smallEmbedding() throws {
    let folder = try TemporaryDirectory()
    _ = try trained(folder)
    let config = try String(contentsOfFile: folder.file("texts.yaml"), encoding: .utf8)
      .replacingOccurrences(of: "vocabulary: 20", with: "vocabulary: 9")
    let path = try folder.write(config, to: "small.yaml")
    let result = try Program.run(["train", path, "--run-dir", folder.file("small"), "--quiet"])
    #expect(result.code == 78 && result.errors.contains("vocabulary: 1"), "\(result.errors)")
  }

  @Test("options that contradict each other are refused")
  func options() throws {
    let folder = try TemporaryDirectory()
    let a = try folder.write("a\n", to: "a.txt")
    let to = ["--to", folder.file("x.h5")]
    let pair = ["--class", "a=\(a)", "--class", "b=\(a)"]
    for arguments in [
      [], ["--class", "a=\(a)"], ["--class", "a"] + pair, pair + ["--from", a], pair + ["--test", a],
      pair + ["--folds", "3"], pair + ["--fold", "1"], pair + ["--folds", "3", "--fold", "4"],
      pair + ["--folds", "3", "--fold", "1", "--test-share", "0.5"], pair + ["--test-share", "1"],
      pair + ["--test-class", "c=\(a)"], pair + ["--text", "t"], ["--from", "\(folder.file("t.csv"))"],
      pair + ["--vocabulary", a, "--words", "9"], pair + ["--encoding", "nonsense"], pair + ["--tokens", "none"],
    ] {
      let result = try Program.run(["import", "text"] + arguments + to)
      #expect(result.code == 64, "\(arguments): \(result.code) \(result.errors)")
    }
    #expect(!FileManager.default.fileExists(atPath: folder.file("x.h5")))
  }
}
