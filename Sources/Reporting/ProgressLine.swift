internal import Synchronization

/// Shows the progress of work: on a terminal one line that is drawn over itself, elsewhere a plain line now and then.
///
/// A terminal sees at most ten redraws a second. A file gets a line every thirty seconds, without carriage returns or escape
/// sequences. Times are arguments, so that tests need no clock.
public final class ProgressLine: Sendable {
  static let secondsBetweenRedraws = 0.1
  static let secondsBetweenLines = 30.0

  private struct State {
    var terminal: Terminal
    var lastShown: Double?
    /// The text on the terminal now; empty where there is none.
    var drawn = ""
  }

  private let state: Mutex<State>
  private let measure: (@Sendable () -> Terminal)?
  private let write: @Sendable (String) -> Void

  /// A progress line on a stream.
  ///
  /// - Parameters:
  ///   - terminal: what the stream can show.
  ///   - measure: gives the stream's width before anything is drawn, since its window may have changed; nil keeps the width.
  ///   - write: writes text to the stream at once, without buffering.
  public init(
    _ terminal: Terminal, measure: (@Sendable () -> Terminal)? = nil,
    write: @escaping @Sendable (String) -> Void
  ) {
    state = Mutex(State(terminal: terminal))
    self.measure = measure
    self.write = write
  }

  /// Shows a reading if it is time for one.
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
  ///
  /// - Parameter shorter: is written instead on a terminal that is too narrow for `text`. What does not fit even so is broken
  ///   between words, and its further lines are indented.
  public func line(_ text: String, orShorter shorter: String? = nil) {
    state.withLock { state in
      let again = state.drawn
      let erasure = erase(&state)
      var text = text
      if state.terminal.isInteractive {
        let columns = state.terminal.columns
        if let shorter, TextWidth.columns(text) > columns { text = shorter }
        text = TextWidth.wrapped(text, to: columns).joined(separator: "\n")
      }
      state.drawn = again.isEmpty ? "" : TextWidth.truncated(again, to: state.terminal.columns - 1)
      write(erasure + text + "\n" + state.drawn)
    }
  }

  /// Takes the progress line away without a trace.
  public func finish() {
    state.withLock { state in
      let erasure = erase(&state)
      if !erasure.isEmpty { write(erasure) }
      state.lastShown = nil
    }
  }

  private func draw(_ reading: ProgressReading, _ state: inout State, _ now: Double) {
    let former = state.drawn
    let start = start(&state)
    // The last column stays free: writing into it makes some terminals begin a new line.
    let text = reading.bar(columns: state.terminal.columns - 1, unicode: state.terminal.hasUnicode)
    guard text != former else { return }
    // It overwrites what stands there and then erases the rest, so that nothing is blank in between.
    write("\(start)\(text)\u{1B}[J")
    state.drawn = text
  }

  /// Erases the progress line and leaves the cursor where it began.
  private func erase(_ state: inout State) -> String {
    let start = start(&state)
    defer { state.drawn = "" }
    return state.drawn.isEmpty ? "" : start + "\u{1B}[J"
  }

  /// Moves the cursor to the first column of what is drawn, and measures the terminal anew.
  ///
  /// Terminals break the line over several where the window has become narrower.
  private func start(_ state: inout State) -> String {
    if let measure { state.terminal.columns = measure().columns }
    let rows = (TextWidth.columns(state.drawn) - 1) / max(state.terminal.columns, 1)
    return (rows > 0 ? "\u{1B}[\(rows)A" : "") + "\r"
  }
}
