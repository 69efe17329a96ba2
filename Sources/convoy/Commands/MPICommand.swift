internal import ArgumentParser
internal import MPI
internal import Parallel
internal import Paths
internal import Training

/// Builds and checks the plug-in by which ranks on several nodes talk.
struct MPICommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mpi",
    abstract: "Train on several nodes: build the plug-in for the MPI of this machine, and check it.",
    discussion: """
      The program itself needs no MPI. On a cluster, `convoy mpi build` compiles a small plug-in with the site's own mpicc, once for \
      each MPI; it lies in \(PlugInFolder.path), or where CONVOY_MPI says. Then a launcher starts one process on each node:

        convoy mpi build
        mpirun -n 4 --map-by node --bind-to none convoy train Configs/fashion-mnist.yaml
        srun --nodes 4 --ntasks-per-node 1 --cpus-per-task 64 convoy train Configs/fashion-mnist.yaml

      The result has the same bytes as that of one process, and each goes on where the other stopped.
      """,
    subcommands: [Build.self, Check.self], defaultSubcommand: nil)

  /// Compiles the plug-in.
  struct Build: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "build", abstract: "Build the plug-in with the compiler of an MPI.")

    @Option(help: ArgumentHelp("The compiler of the MPI.", valueName: "command"))
    var mpicc = "mpicc"

    @Option(
      help: ArgumentHelp(
        "The file to write, for CONVOY_MPI; by default where the program looks for it.", valueName: "file"))
    var to: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    private struct Result: Encodable {
      let path: String
      let library: String
    }

    func run() throws {
      let built = try PlugInBuilder.build(compiler: mpicc, to: to)
      if json { return print(try ResultJSON.text(Result(path: built.path, library: built.library))) }
      print("\(built.path): for \(built.library)")
    }
  }

  /// Says what there is, and, under a launcher, whether the ranks reach each other.
  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "check",
      abstract: "Show the plug-ins; under mpirun or srun, also let all ranks meet.",
      discussion: """
          convoy mpi check
          mpirun -n 4 convoy mpi check
        """)

    @Flag(help: "Print one JSON object.")
    var json = false

    private struct Result: Encodable {
      /// The MPI libraries of the plug-ins, by the plug-ins' files.
      let plugIns: [String: String]
      /// The nodes of the ranks, by rank; one without a name where the process is alone.
      let nodes: [String]
    }

    func run() throws {
      let ranks = try RankProcess.join(limit: 60).communicator
      try ranks.meet()
      guard ranks.isFirst else { return }
      if json {
        var plugIns: [String: String] = [:]
        for plugIn in PlugInFolder.built { plugIns[plugIn.path] = try PlugInFolder.library(of: plugIn.path) }
        return print(try ResultJSON.text(Result(plugIns: plugIns, nodes: ranks.nodes)))
      }
      if ranks.isAlone {
        let built = PlugInFolder.built
        for plugIn in built { print("\(plugIn.path): \(try PlugInFolder.library(of: plugIn.path))") }
        if built.isEmpty {
          print("no plug-in in \(PlugInFolder.path); `convoy mpi build` makes one with this machine's mpicc")
        }
        print("started alone: `mpirun -n 2 convoy mpi check` lets ranks meet")
      } else {
        if let mpi = ranks as? MPIRanks { print(mpi.library) }
        for (rank, node) in ranks.nodes.enumerated() { print("rank \(rank): \(node)") }
        print("\(ranks.size) ranks reach each other")
      }
    }
  }
}
