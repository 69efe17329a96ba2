import Foundation
import TestSupport
import Testing

@Suite("Trainings of large vocabularies")
struct LargeVocabularyTests {
  private func config(_ optimizer: String, _ more: String = "") -> String {
    """
    name: words
    data:
      train: {file: words.h5, images: train/images, labels: train/labels}
    network:
      input: [6]
      layers:
        - embedding: {vocabulary: 6000, dimension: 12, padding_word: 0}
        - conv1d: {filters: 5, kernel: 2, activation: relu}
        - global_max_pool1d
        - dense: {units: 2}
    training:
      epochs: 3
      batch: 12
      shard: 4
      loss: softmax_cross_entropy
      optimizer: {\(optimizer)}
    \(more)
    """
  }

  /// The digest of all that a training changes, after its last epoch.
  private func digest(_ run: String) throws -> String {
    let lines = try String(contentsOfFile: "\(run)/metrics.csv", encoding: .utf8).split(separator: "\n")
    let place = try #require(lines[0].split(separator: ",").firstIndex(of: "digest"))
    return String(lines[lines.count - 1].split(separator: ",", omittingEmptySubsequences: false)[place])
  }

  @Test(
    "rows that rest give the bytes of rows that are updated in each step, on any workers, interrupted or not")
  func rest() throws {
    let folder = try TemporaryDirectory()
    func texts(_ kind: Int) -> String {
      (0..<90).map { index in
        (0..<5).map { "w\((index * 37 + $0 * 411 + kind * 1009) % (kind == 0 ? 700 : 900))" }.joined(
          separator: " ")
      }.joined(separator: "\n") + "\n"
    }
    let (a, b) = (try folder.write(texts(0), to: "a.txt"), try folder.write(texts(1), to: "b.txt"))
    let imported = try Program.run([
      "import", "text", "--class", "a=\(a)", "--class", "b=\(b)", "--tokens", "space", "--length", "6",
      "--to",
      folder.file("words.h5"),
    ])
    try #require(imported.code == 0, "\(imported.errors)")
    for (place, optimizer) in [
      "adadelta: {learning_rate: 1.0, epsilon: 1e-6}", "sgd: {learning_rate: 0.5}",
      "adagrad: {learning_rate: 0.1}",
      "rmsprop: {learning_rate: 0.01}", "adam: {learning_rate: 0.01}",
    ].enumerated() {
      func train(_ name: String, _ more: String = "", _ options: [String] = []) throws -> String {
        let path = try folder.write(config(optimizer, more), to: "\(name)-\(place).yaml")
        let run = folder.file("\(name)-\(place)")
        let result = try Program.run(["train", path, "--run-dir", run, "--quiet"] + options)
        try #require(result.code == 0, "\(result.errors)")
        return run
      }
      let one = try digest(train("one", "", ["--workers", "1"]))
      #expect(try digest(train("three", "", ["--workers", "3"])) == one)
      // A bound that nothing reaches wants all of the gradient first, and updates every row.
      #expect(try digest(train("whole", "  clipping: {norm: 1e30}")) == one, "\(optimizer)")
      let name = "interrupted"
      _ = try train(name, "", ["--steps", "7", "--workers", "2"])
      #expect(try digest(train(name, "", ["--workers", "3"])) == one, "\(optimizer)")
    }
  }
}
