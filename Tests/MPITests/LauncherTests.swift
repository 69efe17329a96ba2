import Testing

@testable import MPI

@Suite("Launchers, by the variables that they set")
struct LauncherTests {
  private static let openMPI = [
    "OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "3", "OMPI_COMM_WORLD_LOCAL_SIZE": "2",
    "OMPI_COMM_WORLD_LOCAL_RANK": "1",
  ]
  private static let hydra = [
    "PMI_SIZE": "3", "PMI_RANK": "2", "PMI_FD": "7", "MPI_LOCALNRANKS": "3", "MPI_LOCALRANKID": "2",
  ]
  private static let slurm = [
    "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "5", "SLURM_PROCID": "4", "SLURM_LOCALID": "0",
    "SLURM_NODEID": "2", "SLURM_STEP_TASKS_PER_NODE": "2(x2),1",
  ]

  @Test("Open MPI's mpirun")
  func mpirun() throws {
    let launcher = try #require(Launcher(environment: Self.openMPI))
    #expect(launcher.kind == .openMPI && launcher.rank == 3 && launcher.size == 4)
    #expect(launcher.localSize == 2 && launcher.localRank == 1)
    #expect(launcher.families == [.openMPI])
  }

  @Test("MPICH's mpiexec")
  func hydra() throws {
    let launcher = try #require(Launcher(environment: Self.hydra))
    #expect(launcher.kind == .hydra && launcher.rank == 2 && launcher.size == 3)
    #expect(launcher.localSize == 3 && launcher.localRank == 2)
    #expect(launcher.families.first == .mpich)
  }

  @Test("Slurm's srun, whose protocol says which library comes first")
  func srun() throws {
    let launcher = try #require(Launcher(environment: Self.slurm))
    #expect(launcher.kind == .slurm && launcher.rank == 4 && launcher.size == 5)
    #expect(launcher.localSize == 1 && launcher.localRank == 0)
    #expect(launcher.families.first == .openMPI)
    let pmi2 = Self.slurm.merging(["PMI_FD": "9", "PMI_SIZE": "5", "PMI_RANK": "4"]) { $1 }
    let other = try #require(Launcher(environment: pmi2))
    #expect(other.kind == .slurm && other.rank == 4)
    #expect(other.families.first == .mpich)
  }

  @Test("mpirun inside of a job is mpirun, whatever its ranks inherit of srun")
  func nested() throws {
    let both = Self.slurm.merging(Self.openMPI) { $1 }
    let launcher = try #require(Launcher(environment: both))
    #expect(launcher.kind == .openMPI && launcher.rank == 3 && launcher.size == 4)
  }

  @Test("a process that is alone has none: a batch script, one rank, a choice of its own")
  func alone() {
    #expect(Launcher(environment: [:]) == nil)
    #expect(Launcher(environment: ["SLURM_JOB_ID": "7", "SLURM_NTASKS": "4", "SLURM_PROCID": "0"]) == nil)
    #expect(Launcher(environment: Self.openMPI.merging(["OMPI_COMM_WORLD_SIZE": "1"]) { $1 }) == nil)
    #expect(Launcher(environment: Self.openMPI.merging(["CONVOY_MPI": "none"]) { $1 }) == nil)
    #expect(Launcher(environment: Self.openMPI.merging(["OMPI_COMM_WORLD_SIZE": "many"]) { $1 }) == nil)
  }

  @Test("tasks of a node in Slurm's lists")
  func localTasks() {
    let list = "2(x3),1,16(x2)"
    #expect((0..<7).map { Launcher.localTasks(list, node: $0) } == [2, 2, 2, 1, 16, 16, nil])
    #expect(Launcher.localTasks("4", node: 0) == 4)
    #expect(Launcher.localTasks("", node: 0) == nil)
    #expect(Launcher.localTasks("two(x2)", node: 0) == nil)
    #expect(Launcher.localTasks(nil, node: 0) == nil && Launcher.localTasks(list, node: nil) == nil)
  }

  @Test("libraries are known by what they say of themselves")
  func families() {
    typealias Family = PlugInFolder.Family
    #expect(Family(library: "Open MPI v4.1.4, package: Debian OpenMPI") == .openMPI)
    #expect(Family(library: "MPICH Version: 4.0.2") == .mpich)
    #expect(Family(library: "Intel(R) MPI Library 2021.9 for Linux* OS") == .mpich)
    #expect(Family(library: "MVAPICH2 Version: 2.3.7") == .mpich)
    #expect(Family(library: "IBM Spectrum MPI, 10.4") == .openMPI)
    #expect(Family(library: "MPI of somebody else") == .other)
  }
}
