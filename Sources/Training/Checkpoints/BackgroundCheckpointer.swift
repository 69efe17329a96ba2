internal import Dispatch
internal import Parallel

/// Writes checkpoints on a queue of its own while training goes on; one at a time.
///
/// What it writes is a copy that nobody changes. How it went is asked for with ``results()``.
final class BackgroundCheckpointer: Sendable {
  struct Outcome: Sendable {
    let step: Int
    /// The file's path.
    let result: Result<String, TrainingError>
  }

  private let queue = DispatchQueue(label: "convoy.checkpoints")
  private let group = DispatchGroup()
  private let state = Guarded(State())

  private struct State {
    var isBusy = false
    var outcomes: [Outcome] = []
  }

  /// Whether ``submit(step:_:)`` would not have to wait.
  var isIdle: Bool { state.withLock { !$0.isBusy } }

  /// Starts `work`, after the one before it has ended.
  func submit(step: Int, _ work: @escaping @Sendable () throws(TrainingError) -> String) {
    finish()
    state.withLock { $0.isBusy = true }
    queue.async(group: group) { [self] in
      let result = Result { () throws(TrainingError) in try work() }
      state.withLock { state in
        state.outcomes.append(Outcome(step: step, result: result))
        state.isBusy = false
      }
    }
  }

  /// Waits for the work in flight.
  func finish() { group.wait() }

  /// What has ended since the last call, in order.
  func results() -> [Outcome] {
    state.withLock { state in
      defer { state.outcomes = [] }
      return state.outcomes
    }
  }
}
