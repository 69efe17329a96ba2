internal import Parallel

/// Writes checkpoints on a thread of their own while training goes on; one at a time.
///
/// It writes a copy that nobody changes; ``results()`` says how that went. Where the system refuses a thread, training waits
/// while a checkpoint is written.
final class BackgroundCheckpointer: Sendable {
  struct Outcome: Sendable {
    let step: Int
    /// The file's path.
    let result: Result<String, TrainingError>
  }

  private let state = Monitor(State())

  private struct State: Sendable {
    var isBusy = false
    var outcomes: [Outcome] = []
  }

  /// Whether ``submit(step:_:)`` would not have to wait.
  var isIdle: Bool { state.wait { !$0.isBusy } }

  /// Starts `work`, after the one before it has ended.
  func submit(step: Int, _ work: @escaping @Sendable () throws(TrainingError) -> String) {
    finish()
    state.change { $0.isBusy = true }
    let write: @Sendable () -> Void = { [state] in
      let result = StopSignals.whileSaving { Result { () throws(TrainingError) in try work() } }
      state.change { state in
        state.outcomes.append(Outcome(step: step, result: result))
        state.isBusy = false
      }
    }
    if !SystemThread.start(write) { write() }
  }

  /// Waits for the work in flight.
  func finish() { state.wait { $0.isBusy ? nil : () } }

  /// What has ended since the last call, in order.
  func results() -> [Outcome] {
    state.change { state in
      defer { state.outcomes = [] }
      return state.outcomes
    }
  }
}
