import Foundation
import TestSupport
import Testing

/// From records of games to a network that plays, by the commands that people type.
@Suite("Go on the command line")
struct GoCommandTests {
  private static let config = """
    name: go
    data:
      train: {file: go.h5, images: train/images, labels: train/labels}
      test: {file: go.h5, images: test/images, labels: test/labels}
    network:
      input: [5, 5, 6]
      layers:
        - conv2d: {filters: 4, kernel: 3, padding: same, activation: relu}
        - conv2d: {filters: 1, kernel: 1}
        - position_bias
        - flatten: {name: board}
        - dense: {name: pass, units: 1}
        - concat: {inputs: [board, pass]}
    training:
      epochs: 1
      batch: 8
      loss: softmax_cross_entropy
      optimizer: {sgd: {learning_rate: 0.1}}
      augmentation: [board_symmetry]
    """

  /// Games of moves along the rows, each from another point on.
  private func records(_ folder: TemporaryDirectory) throws {
    for number in 0..<12 {
      let moves = (0..<10).map { turn in
        let point = (number * 2 + turn) % 25
        let place = [point % 5, point / 5].map { String(UnicodeScalar(UInt8(97 + $0))) }.joined()
        return ";\(turn % 2 == 0 ? "B" : "W")[\(place)]"
      }
      try folder.write(
        "(;GM[1]SZ[5]DT[2020-01-\(10 + number)]\(moves.joined()))", to: "\(100 + number).sgf")
    }
  }

  @Test("records become positions, a network, figures by phase, boards, and an opponent")
  func all() throws {
    let folder = try TemporaryDirectory()
    try records(folder)
    try folder.write(Self.config, to: "go.yaml")
    func run(_ arguments: String..., shell: String? = nil) throws -> String {
      let result = try Program.run(arguments, in: folder.path, shell: shell)
      try #require(result.code == 0, "\(arguments): \(result.errors)")
      return result.output
    }
    let imported = try run(
      "import", "sgf", ".", "--size", "5", "--planes", "stones,liberties:2,sensible", "--test", "0.2", "--to",
      "go.h5")
    #expect(imported.contains("90 train and 30 test samples of 5×5×6, 26 classes"), "\(imported)")
    #expect(imported.contains("test: 3 games, 2020-01-19 to 2020-01-21"), "\(imported)")
    #expect(try run("dataset", "check", "go.h5").contains("train"))
    _ = try run("train", "go.yaml", "--run-dir", "run", "--quiet")
    let evaluated = try run("evaluate", "run", "--data", "go.h5", "--flips", "eight", "--json")
    let json = try #require(
      try JSONSerialization.jsonObject(with: Data(evaluated.utf8)) as? [String: Any])
    let phases = try #require(json["phases"] as? [[String: Any]])
    #expect(phases.count == 1 && phases[0]["positions"] as? Int == 30)
    #expect(json["confusion"] == nil)
    #expect(try run("evaluate", "run", "--data", "go.h5").contains("moves before"))
    let board = try run("inspect", "run", "--data", "go.h5", "--rows", "3", "--sheet", "board.png")
    #expect(board.contains("row 3, after 3 moves: X is to move") && board.contains("%"), "\(board)")
    #expect(FileManager.default.fileExists(atPath: folder.file("board.png")))
    #expect(
      try run("inspect", "run", "--record", "100.sgf", "--move", "4").contains("white (O) is to move"))
    #expect(try run("inspect", "go.h5").contains("held as bits"))
    #expect(try run("inspect", "run").contains("own stones, opponent's stones, empty points"))
    #expect(try run("look", "filters", "run", "--to", "looks").contains("own stones"))
    try folder.write(
      "1 boardsize 5\nplay b C3\n2 genmove w\nbad\nloadsgf 100.sgf\n3 final_score\nquit\nname\n", to: "in")
    let answers = try run("gtp", "run", shell: "exec < in")
    #expect(answers.hasPrefix("=1\n\n=\n\n=2 ") && answers.contains("? unknown command\n\n"), "\(answers)")
    #expect(answers.contains("=3 ") && answers.hasSuffix("=\n\n"), "\(answers)")
  }

  @Test("what is not Go is refused in a line")
  func refusals() throws {
    let folder = try TemporaryDirectory()
    try records(folder)
    try Sample.dataset(folder.file("data.h5"))
    let config = try Sample.config(folder)
    _ = try Program.run(["train", config, "--run-dir", "run", "--quiet"], in: folder.path)
    for (arguments, code, text) in [
      (["gtp", "run"], 65, "not trained on positions of Go"),
      (["inspect", "run", "--record", "100.sgf"], 65, "not trained on positions of Go"),
      (["import", "sgf", "100.sgf", "--to", "x.h5"], 65, "their board is not 19×19"),
      (["import", "sgf", "none", "--to", "x.h5"], 66, "no file or folder"),
      (["import", "sgf", "100.sgf", "--planes", "stoens", "--to", "x.h5"], 64, "no planes 'stoens'"),
      (["import", "sgf", "100.sgf", "--test-from", "tomorrow", "--to", "x.h5"], 64, "2019-10-01"),
      (["import", "sgf", "100.sgf", "--size", "5", "--to", "x.h5"], 65, "no games would be left"),
      (["inspect", "run", "--move", "3"], 64, "--record"),
    ] as [([String], Int32, String)] {
      let result = try Program.run(arguments, in: folder.path)
      #expect(
        result.code == code && result.errors.contains(text), "\(arguments): \(result.code) \(result.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder.file("x.h5")))
    }
  }
}
