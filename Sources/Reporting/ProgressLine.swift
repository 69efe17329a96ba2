internal import Synchronization

/// Shows how work goes on: one line that is drawn over itself on a terminal, now and then a plain line elsewhere.
///
/// On a terminal at most ten redraws a second are made. In a file, lines for progress come every thirty seconds, and
/// neither carriage returns nor escape sequences are ever written to it. Time is handed in, so that tests need no clock.
public final class ProgressLine: Sendable {
  public static let secondsBetweenRedraws = 0.1
  public static let secondsBetweenLines = 30.0

  private struct State {
    var terminal: Terminal
    var lastShown: Double?
    var lastSized: Double?
    var isDrawn = false
    var drawn = ""
  }

  private let state: Mutex<State>
  private let measure: (@Sendable () -> Terminal)?
  private let write: @Sendable (String) -> Void

  /// - Parameters:
  ///   - terminal: what the stream can show.
  ///   - measure: asked once a second for the stream's present width, which changes with its window.
  ///   - write: takes text to the stream at once, without buffering.
  public init(
    _ terminal: Terminal, measure: (@Sendable () -> Terminal)? = nil,
    write: @escaping @Sendable (String) -> Void
  ) {
    state = Mutex(State(terminal: terminal))
    self.measure = measure
    self.write = write
  }

  /// Shows a reading if it is time to.
  ///
  /// - Parameter now: seconds on any clock that only goes forward.
  public func update(_ reading: @autoclosure () -> ProgressReading, now: Double) {
    state.withLock { state in
      let interval = state.terminal.isInteractive ? Self.secondsBetweenRedraws : Self.secondsBetweenLines
      guard let last = state.lastShown else {
        // In a file the first line comes after the first interval: short work needs none.
        state.lastShown = now
        if state.terminal.isInteractive { draw(reading(), &state, now) }
        return
      }
      guard now - last >= interval else { return }
      state.lastShown = now
      if state.terminal.isInteractive {
        draw(reading(), &state, now)
      } else {
        write(reading().plainLine + "\n")
      }
    }
  }

  /// Writes a line that stays, above the progress line.
  public func line(_ text: String) {
    state.withLock { state in
      let again = state.drawn
      clear(&state)
      write(text + "\n")
      if !again.isEmpty {
        write(again)
        state.isDrawn = true
        state.drawn = again
      }
    }
  }

  /// Takes the progress line away; nothing of it stays.
  public func finish() {
    state.withLock { state in
      clear(&state)
      state.lastShown = nil
    }
  }

  private func draw(_ reading: ProgressReading, _ state: inout State, _ now: Double) {
    if let measure, now - (state.lastSized ?? -.infinity) >= 1 {
      state.terminal.columns = measure().columns
      state.lastSized = now
    }
    // The last column stays free: writing into it makes some terminals begin a new line.
    let text = reading.bar(columns: state.terminal.columns - 1, unicode: state.terminal.hasUnicode)
    guard !state.isDrawn || text != state.drawn else { return }
    // Back to the first column, the text, and erase what is left of a longer one.
    write("\r\(text)\u{1B}[K")
    state.drawn = text
    state.isDrawn = true
  }

  private func clear(_ state: inout State) {
    if state.isDrawn { write("\r\u{1B}[K") }
    state.isDrawn = false
    state.drawn = ""
  }
}
