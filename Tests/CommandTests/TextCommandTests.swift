import Datasets
import Foundation
import Networks
import TestSupport
import Testing
import Texts
import Training

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
      "import", "text", "--class", "bad=\(bad)", "--class", "good=\(good)", "--tokens", "kim", "--length",
      "8",
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

  @Test("one text of a million words does not make every sample as long")
  func longText() throws {
    let folder = try TemporaryDirectory()
    try folder.write(
      String(repeating: "a b\n", count: 1000) + String(repeating: "c ", count: 1_000_000) + "\n", to: "a.txt")
    let command = [
      "import", "text", "--class", "a=\(folder.file("a.txt"))", "--class", "b=\(folder.file("a.txt"))",
    ]
    try expectFailure(
      command + ["--to", folder.file("texts.h5")], code: 65,
      says: "the longest sample has 1000000 words, half of them at most 2", "would take 8008 MB", "--length")
    let cut = try Program.run(command + ["--to", folder.file("texts.h5"), "--length", "20"])
    #expect(cut.code == 0 && cut.output.contains("2,002 train samples of 20"), "\(cut.errors)\(cut.output)")
  }

  @Test("a folder of splits is named with the way to read it, and what file managers leave is passed over")
  func splits() throws {
    let folder = try TemporaryDirectory()
    for (name, text) in [
      ("in/train/pos/1.txt", "good"), ("in/train/neg/1.txt", "bad"), ("in/test/pos/1.txt", "fine"),
      ("in/train/__MACOSX/._1.txt", "x"),
    ] {
      let path = folder.file(name)
      try FileManager.default.createDirectory(
        atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path, withIntermediateDirectories: true
      )
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }
    let output = ["--to", folder.file("texts.h5")]
    try expectFailure(
      ["import", "text", "--from", folder.file("in")] + output, code: 65,
      says:
        "has no files, but folders; --from \(folder.file("in"))/train --test \(folder.file("in"))/test reads both parts"
    )
    let apart = try Program.run(
      ["import", "text", "--from", folder.file("in/train"), "--test", folder.file("in/test")] + output)
    #expect(
      apart.code == 0 && apart.output.contains("2 train and 1 test samples"), "\(apart.errors)\(apart.output)"
    )
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
      "import", "text", "--class", "bad=\(other)", "--class", "good=\(more)", "--vocabulary", run, "--to",
      rows,
    ])
    try #require(imported.code == 0, "\(imported.errors)")
    let same = try answers(["predict", run, "--data", rows, "--images", "train/images", "--rows", "0-1"])
    #expect(same.map(\.probabilities) == asked.map(\.probabilities))
    let lines = try answers(["predict", run, "--lines", other])
    // One sample alone may take other kernels than two, which round differently.
    try #require(lines.count == 1 && lines[0].probabilities.count == 2)
    for (alone, together) in zip(lines[0].probabilities, asked[0].probabilities) {
      #expect(abs(alone - together) < 1e-6)
    }

    // What nobody can mean is refused, and what may surprise is said.
    let file = try Program.run(["predict", run, other])
    #expect(file.code == 64 && file.errors.contains("--lines"), "\(file.errors)")
    let unknown = try Program.run(["predict", run, "zzz yyy"])
    #expect(
      unknown.code == 0 && unknown.errors.contains("no word that the network knows"), "\(unknown.errors)")
    let blank = try folder.write("the film\n\n  \nthe plot\n", to: "blank.txt")
    let passed = try Program.run(["predict", run, "--lines", blank])
    #expect(
      passed.code == 0 && passed.errors.contains("passed over 2 blank lines, such as line 2"),
      "\(passed.errors)")
    let long = try Program.run(["predict", run, "the film the plot the actor the scene the music"])
    #expect(long.code == 0 && long.errors.contains("10 words"), "\(long.errors)")
    let foreign = folder.file("foreign.h5")
    let own = try Program.run([
      "import", "text", "--class", "bad=\(other)", "--class", "good=\(more)", "--length", "8", "--to",
      foreign,
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

  @Test("embeddings start with the vectors of words, and what does not fit is refused")
  func pretrained() throws {
    let folder = try TemporaryDirectory()
    _ = try trained(folder)
    let vectors = try folder.write("film 1 2 3 4 5 6 7 8\nplot 8 7 6 5 4 3 2 1\n", to: "v.txt")
    let data = folder.file("vectors.h5")
    let imported = try Program.run([
      "import", "text", "--class", "bad=\(folder.file("bad.txt"))", "--class",
      "good=\(folder.file("good.txt"))",
      "--tokens", "kim", "--length", "8", "--vectors", vectors, "--to", data,
    ])
    try #require(imported.code == 0, "\(imported.errors)")
    let config = try String(contentsOfFile: folder.file("texts.yaml"), encoding: .utf8)
      .replacingOccurrences(of: "padding_word: 0", with: "padding_word: 0, pretrained: true, frozen: true")
      .replacingOccurrences(
        of: "  test: {file: texts.h5, images: test/images, labels: test/labels}\n", with: "")
    let path = try folder.write(
      config.replacingOccurrences(of: "texts.h5", with: "vectors.h5"), to: "pretrained.yaml")
    let run = folder.file("pretrained")
    let result = try Program.run(["train", path, "--run-dir", run, "--quiet"])
    try #require(result.code == 0, "\(result.errors)")
    let checkpoint = try CheckpointStore.choose(run).checkpoint
    let words = try #require(checkpoint.identity.origin?.texts).vocabulary
    let table = try #require(checkpoint.values.layout.parameters.first { $0.spec.name == "embeddings" })
    let values = Array(checkpoint.values.values(of: table))
    func row(_ word: String) -> [Float] {
      Array(values[Int(words.number(of: word)) * 8..<Int(words.number(of: word)) * 8 + 8])
    }
    #expect(row("film") == [1, 2, 3, 4, 5, 6, 7, 8])
    #expect(row("plot") == [8, 7, 6, 5, 4, 3, 2, 1])
    #expect(row("scene").allSatisfy { abs($0) <= 0.05 && $0 != 0 })
    #expect(Array(values[..<8]).allSatisfy { $0 == 0 })

    for (change, words) in [
      (config, "--vectors"),
      (
        config.replacingOccurrences(of: "texts.h5", with: "vectors.h5").replacingOccurrences(
          of: "dimension: 8", with: "dimension: 9"), "dimension: 8"
      ),
    ] {
      let path = try folder.write(change, to: "wrong.yaml")
      let refused = try Program.run(["train", path, "--run-dir", folder.file("wrong"), "--quiet"])
      #expect(refused.code == 78 && refused.errors.contains(words), "\(refused.errors)")
    }
  }

  @Test("vectors of other words are refused before there is a folder of the run")
  func otherWords() throws {
    let folder = try TemporaryDirectory()
    let (run, _) = try trained(folder)
    let (bad, good) = (
      try folder.write("what a bad book\nso bad\n", to: "x.txt"),
      try folder.write("what a good book\nso good\n", to: "y.txt")
    )
    let imported = try Program.run([
      "import", "text", "--class", "bad=\(bad)", "--class", "good=\(good)", "--tokens", "kim", "--length",
      "8",
      "--to", folder.file("foreign.h5"),
    ])
    try #require(imported.code == 0, "\(imported.errors)")
    let config = try folder.write(
      try String(contentsOfFile: folder.file("texts.yaml"), encoding: .utf8)
        .replacingOccurrences(
          of: "  test: {file: texts.h5, images: test/images, labels: test/labels}\n", with: ""
        )
        .replacingOccurrences(of: "texts.h5", with: "foreign.h5")
        .replacingOccurrences(of: "  batch: 10\n", with: "  batch: 2\n  start: {checkpoint: \(run)}\n"),
      to: "foreign.yaml")
    let never = folder.file("never")
    for command in [["config", "check", config], ["train", config, "--run-dir", never, "--quiet"]] {
      let refused = try Program.run(command)
      #expect(refused.code == 78 && refused.errors.contains("those of other words"), "\(refused.errors)")
    }
    #expect(!FileManager.default.fileExists(atPath: never))
    // Data that is not there is told in its own place, with a folder that says what failed.
    try FileManager.default.removeItem(atPath: folder.file("foreign.h5"))
    let missing = try Program.run(["train", config, "--run-dir", never, "--quiet"])
    #expect(missing.code == 66 && missing.errors.contains("foreign.h5"), "\(missing.errors)")
  }

  @Test("explain gives each word its effect, and look examples lists phrases")
  func looks() throws {
    let folder = try TemporaryDirectory()
    let (run, data) = try trained(folder)
    let looks = folder.file("looks")
    let sentence = "the film was <not> good & unheard"
    let explained = try Program.run(["explain", run, sentence, "--to", looks, "--json"])
    try #require(explained.code == 0, "\(explained.errors)")
    struct Findings: Decodable {
      struct Word: Decodable {
        let word: String
        let effect: Double
        let isKnown: Bool
      }
      let `class`: String
      let probability: Double
      let words: [Word]
    }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let findings = try decoder.decode(Findings.self, from: Data(explained.output.utf8))
    #expect(findings.words.map(\.word) == ["the", "film", "was", "not", "good", "unheard"])
    #expect(findings.words.map(\.isKnown) == [true, true, false, true, true, false])
    #expect(findings.class == "bad")
    // The word that decides has the largest effect.
    #expect(findings.words.max { $0.effect < $1.effect }?.word == "not")
    let page = try String(contentsOfFile: "\(looks)/explain.html", encoding: .utf8)
    #expect(page.contains(">not<") && !page.contains("<not>"))

    let listed = try Program.run(["look", "examples", run, "--data", data, "--top", "2", "--to", looks])
    try #require(listed.code == 0, "\(listed.errors)")
    struct Phrases: Decodable {
      struct Filter: Decodable {
        struct Phrase: Decodable {
          let words: [String]
          let first: Int
          let row: Int
          let activation: Double
        }
        let phrases: [Phrase]
      }
      let filters: [Filter]
    }
    let phrases = try JSONDecoder().decode(
      Phrases.self, from: Data(contentsOf: URL(fileURLWithPath: "\(looks)/examples-conv1d.json")))
    #expect(phrases.filters.count == 6)
    for filter in phrases.filters {
      #expect((1...2).contains(filter.phrases.count))
      for phrase in filter.phrases { #expect((0...2).contains(phrase.words.count)) }
      let activations = filter.phrases.map(\.activation)
      #expect(activations == activations.sorted(by: >))
      #expect(Set(filter.phrases.map { $0.words }).count == filter.phrases.count)
    }
    // Some filter has found one of the phrases that tell the classes apart.
    let words = Set(phrases.filters.flatMap { $0.phrases.flatMap(\.words) })
    #expect(words.contains("not") || words.contains("very"))
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
      pair + ["--vocabulary", a, "--words", "9"], pair + ["--encoding", "nonsense"],
      pair + ["--tokens", "none"],
    ] {
      let result = try Program.run(["import", "text"] + arguments + to)
      #expect(result.code == 64, "\(arguments): \(result.code) \(result.errors)")
    }
    #expect(!FileManager.default.fileExists(atPath: folder.file("x.h5")))
  }
}
