internal import Synchronization

/// Runs independent pieces of work on up to a fixed number of workers, on ``WorkerThreads``.
///
/// Pieces are handed out one by one through an atomic counter, so a slow worker never holds up the others. A piece may
/// not wait for another: nothing promises that workers run at once, in which order, or that more than one runs at all.
///
/// Whatever a piece computes must depend on its index alone. `worker` only says whose memory to use.
public struct WorkerPool: Sendable {
  /// How many workers take pieces of work, 1 or more.
  public let workerCount: Int
  private let arm: @Sendable () -> Void

  /// Makes a pool; its threads are those of ``WorkerThreads``, which are made when they are first needed.
  ///
  /// - Parameters:
  ///   - workers: 1 or more; more than there are cores is allowed and only costs speed.
  ///   - arm: called on the executing thread before a worker takes its first piece of every pass: the threads are shared by all
  ///     pools, so thread-bound settings (the width of OpenMP, for one) have to be made again each time.
  public init(workers: Int, arm: @escaping @Sendable () -> Void = {}) {
    precondition(workers >= 1, "a pool needs at least 1 worker, got \(workers)")
    workerCount = workers
    self.arm = arm
  }

  /// Calls `body` once for each worker that takes part, this thread as worker 0.
  func perform(_ body: @Sendable (_ worker: Int) -> Void) {
    WorkerThreads.share(among: workerCount) { worker in
      arm()
      body(worker)
    }
  }

  /// Runs `body` for every index in `0..<count` and waits for all.
  ///
  /// - Throws: the error of the lowest index that failed; no further index is handed out after an error.
  public func forEach<Failure: Error>(
    count: Int, _ body: @Sendable (_ index: Int, _ worker: Int) throws(Failure) -> Void
  ) throws(Failure) {
    _ = try forEach(in: 0..<count, while: { _ in true }, body)
  }

  /// Runs `body` for the indices of `range`, in their order of handing out, while `admits` says so.
  ///
  /// - Parameter admits: asked by each worker before it takes an index; a worker that gets `false` takes no more in this
  ///   pass. An index once taken is always finished.
  /// - Returns: the first index that was not handed out; `range.upperBound` when all were.
  /// - Throws: the error of the lowest index that failed.
  public func forEach<Failure: Error>(
    in range: Range<Int>, while admits: @Sendable (_ worker: Int) -> Bool,
    _ body: @Sendable (_ index: Int, _ worker: Int) throws(Failure) -> Void
  ) throws(Failure) -> Int {
    guard !range.isEmpty else { return range.upperBound }
    let next = Atomic<Int>(range.lowerBound)
    // Indices are handed out in order, so every index below a failed one has been taken and will report, too:
    // the lowest failure is the same in every run.
    let failure = Guarded<(index: Int, error: Failure)?>(nil)
    let failed = Atomic<Bool>(false)

    @Sendable func work(_ worker: Int) {
      arm()
      while !failed.load(ordering: .relaxed), admits(worker) {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < range.upperBound else { return }
        do throws(Failure) {
          try body(index, worker)
        } catch {
          failed.store(true, ordering: .relaxed)
          failure.withLock { first in
            if first.map({ index < $0.index }) ?? true { first = (index, error) }
          }
        }
      }
    }

    WorkerThreads.share(among: min(workerCount, range.count)) { work($0) }
    if let first = failure.withLock({ $0 }) { throw first.error }
    return min(next.load(ordering: .relaxed), range.upperBound)
  }
}
