internal import Synchronization

/// A warning that is given once, however often there is reason for it.
final class OneWarning: Sendable {
  private let isGiven = Mutex(false)

  func give(_ text: String) {
    let isFirst = isGiven.withLock { isGiven in
      defer { isGiven = true }
      return !isGiven
    }
    if isFirst { TerminalOutput.warn(text) }
  }
}
