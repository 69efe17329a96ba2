internal import ArgumentParser
internal import Go
internal import Paths
internal import Training

/// Plays Go by a trained network, for programs that show boards.
struct GTPCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gtp",
    abstract: "Play Go against a network: the Go Text Protocol on standard input and output.",
    discussion: """
      CHECKPOINT is a checkpoint file or a run directory of a network that was trained on positions of Go (convoy import sgf). Programs \
      such as Sabaki, GoGui, Lizzie and CGoban start this command as an engine. The network plays the move that it holds for the most \
      probable among those that are legal, new, fill no eye of its own, and do not throw stones away. It looks no move ahead.

      Scores count all stones as alive: play on until dead stones are taken off.

        convoy gtp Results/go-small/best
        gogui-twogtp -black "convoy gtp Results/go-small/best" -white "gnugo --mode gtp --level 1" -games 10 -sgffile games
      """)

  @Argument(help: "A checkpoint or a run directory.", completion: .file())
  var checkpoint: String

  @Option(help: "Average the outputs over other views of the board as well: horizontal, vertical, both or eight.")
  var flips = TestTimeFlips.eight

  @Option(
    0...10,
    help: ArgumentHelp(
      "How freely moves are chosen: 0 takes the most probable, 1 each as often as the network says.",
      valueName: "t"))
  var temperature: Double = 0

  @Option(help: ArgumentHelp("The seed of choices.", valueName: "n"))
  var seed: UInt64 = 0

  @Flag(inversion: .prefixedNo, help: "Give up games that are lost by far.")
  var resign = true

  @OptionGroup var workers: WorkersOption

  func run() throws {
    // Nothing is lost by a signal, so that it ends the process at once, also while it waits for a line.
    let stop = StopSignals.request
    let (path, checkpoint) = try CheckpointStore.choose(checkpoint) { TerminalOutput.warn("\($0)") }
    let policy = try NetworkPolicy(path, checkpoint, flips: flips, workers: workers.count, stop: stop)
    let session = ProtocolSession(
      policy, name: "Convoy \(checkpoint.name)", version: Version.number,
      manners: Player.Manners(resigns: resign, temperature: temperature), seed: seed,
      loadFile: { try WholeFile.read($0, limit: 64 << 20) })
    while !session.isOver, let line = readLine() {
      guard let answer = session.answer(line) else { continue }
      TerminalOutput.write(answer, to: 1)
    }
  }
}
