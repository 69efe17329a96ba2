public import ArgumentParser
public import Datasets
internal import Go
internal import Tensors

extension GameSplit.Rule: ExpressibleByArgument {}

struct ImportSGF: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sgf",
    abstract: "Records of Go games: positions with the move that was made in each.",
    discussion: """
      Records are .sgf files, folders of them, and archives (7z, zip, tar, gzip, bzip2, xz, zstd), which are read as they are. Each move \
      becomes a sample: the board before it as its player sees it, in planes of zeros and ones, and its point as the class; the last class is \
      a pass. Planes are kept as bits, so that a million positions of the small set take 0.7 GB. A game's main line is taken; games with the \
      same moves count once. Where a record breaks the rules or lacks a move, its moves up to there are kept, and all that is left out \
      is counted.

      Test games are the latest ones (--split-by date), or chosen by their moves (--split-by game); no game is in two splits.

      Planes are small (16), alphago (48, those of Silver et al. 2016), or a list: stones, ones, turns_since:8, liberties:8, \
      capture_size:8, self_atari_size:8, liberties_after:8, ladder_capture, ladder_escape, sensible, zeros.

        convoy import sgf Pro.7z 9d2.7z.001 --to go.h5
        convoy import sgf games/ --planes alphago --handicap no --test-from 2019-01-01 --to go.h5
        convoy import sgf kgs.zip --planes stones,ones,liberties:4 --size 9 --split-by game --to small-board.h5
      """)

  @Argument(help: "Files, folders and archives.", completion: .file())
  var paths: [String]

  @Option(help: ArgumentHelp("What a position becomes: small, alphago, or a list.", valueName: "planes"))
  var planes = "small"

  @Option(2...19, help: ArgumentHelp("Rows of the boards; other games are left out.", valueName: "n"))
  var size: Int = 19

  @Option(help: "Whether games with handicap stones are taken: yes or no.")
  var handicap = Answer.yes

  @Option(
    help: ArgumentHelp(
      "Take only games of these players, named as in the records and separated by commas.", valueName: "names"
    ))
  var players: String?

  @Option(help: "What decides which games are for testing: date (the latest) or game (their moves).")
  var splitBy = GameSplit.Rule.date

  @Option(0...0.9, help: ArgumentHelp("The share of games for testing.", valueName: "share"))
  var test: Double = 0.05

  @Option(0...0.9, help: ArgumentHelp("The share of games for validation.", valueName: "share"))
  var validation: Double = 0

  @Option(
    help: ArgumentHelp(
      "Test with the games from this day on, in place of a share of them.", valueName: "yyyy-mm-dd"))
  var testFrom: String?

  @Option(help: ArgumentHelp("What varies the choice of --split-by game.", valueName: "n"))
  var seed: UInt64 = 0

  @OptionGroup var output: OutputOptions

  /// Yes or no.
  enum Answer: String, ExpressibleByArgument, CaseIterable {
    case yes, no
  }

  private func planeSet() throws -> PlaneSet {
    do { return try PlaneSet(planes) } catch { throw ValidationError("--planes: \(error)") }
  }

  func validate() throws {
    _ = try planeSet()
    guard !paths.isEmpty else { throw ValidationError("name files, folders or archives of records") }
    guard test + validation < 1 else {
      throw ValidationError("--test and --validation leave no games for training")
    }
    if let testFrom {
      guard splitBy == .date else { throw ValidationError("--test-from needs --split-by date") }
      guard testFrom.wholeMatch(of: /\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])/) != nil else {
        throw ValidationError("--test-from takes a day such as 2019-10-01, not '\(testFrom)'")
      }
    }
  }

  func run() throws {
    let names = players.map(ClassesOption.names) ?? []
    try output.write(
      SGFImporter(
        paths, planes: planeSet(), size: size, handicap: handicap == .yes,
        players: names.filter { !$0.isEmpty },
        split: GameSplit(splitBy, test: test, validation: validation, testFrom: testFrom, seed: seed)),
      reading: InputFiles([], pictures: paths))
  }
}
