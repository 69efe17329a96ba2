import TestSupport
import Testing

@Suite("A network of several labels at the command line")
struct SeveralLabelsTests {
  @Test("it is trained, evaluated and asked by targets, and warns where samples have one class each")
  func journey() throws {
    let folder = try TemporaryDirectory()
    let (several, single) = (folder.file("several.h5"), folder.file("single.h5"))
    for (data, option, columns, values) in [
      (several, "--targets", "red,round", { (row: Int) in "\(row % 2),\(row / 2 % 2)" }),
      (single, "--label", "class", { (row: Int) in "\(row % 2)" }),
    ] {
      let rows = (0..<24).map { "\(values($0)),\($0 * 5),\($0 / 2 % 2 * 90)" }
      let table = try folder.write((["\(columns),a,b"] + rows).joined(separator: "\n"), to: "a.csv")
      let imported = try Program.run(["import", "csv", "--from", table, option, columns, "--to", data])
      try #require(imported.code == 0, "\(imported.errors)")
    }
    let config = try folder.write(
      """
      name: several
      data:
        train: {file: several.h5, images: train/images, targets: train/targets}
      network:
        input: [2]
        layers: [dense: {units: 2}]
      training:
        epochs: 1
        batch: 8
        loss: sigmoid_cross_entropy
        optimizer: {sgd: {learning_rate: 0.01}}
      """, to: "several.yaml")
    let run = folder.file("run")
    let trained = try Program.run(["train", config, "--run-dir", run, "--quiet"])
    try #require(trained.code == 0, "\(trained.errors)")

    for command in ["evaluate", "predict"] {
      func ask(_ data: String, _ what: [String]) throws -> Program.Result {
        let rows = command == "predict" ? ["--rows", "0-3"] : []
        return try Program.run([command, run, "--data", data, "--images", "train/images"] + what + rows)
      }
      let right = try ask(several, ["--targets", "train/targets"])
      #expect(right.code == 0 && right.errors.isEmpty, "\(right.errors)")
      let wrong = try ask(single, ["--labels", "train/labels"])
      #expect(wrong.code == 0)
      #expect(
        wrong.errors.contains("warning: the network was trained on samples with several labels"),
        "\(wrong.errors)")
      #expect(wrong.errors.contains("--targets NAME"), "\(wrong.errors)")
    }
  }
}
