internal import Compute
internal import OneDNN
internal import Parallel

/// The workers of an engine, each with a workspace of its own, which training and evaluation use in turns.
struct WorkerMemory: Sendable {
  let pool: WorkerPool
  /// The workspaces, one for each worker.
  let workspaces: [Workspace]

  /// - Throws: ``ComputeError`` where the kernel library has no stream to give.
  init(_ network: LoadedNetwork, pool: WorkerPool) throws(ComputeError) {
    self.pool = pool
    var workspaces: [Workspace] = []
    for _ in 0..<pool.workerCount { workspaces.append(try network.makeWorkspace()) }
    self.workspaces = workspaces
  }
}

extension WorkerPool {
  /// Workers whose threads run one OpenMP thread each inside every kernel.
  static func confined(workers: Int) -> WorkerPool {
    WorkerPool(workers: workers) { ThreadConfinement.confine() }
  }
}
