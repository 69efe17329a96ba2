internal import Glibc

/// The abilities of an output stream.
public struct Terminal: Hashable, Sendable {
  /// Whether it is a terminal whose cursor can move; false for files and pipes.
  public var isInteractive: Bool
  /// The number of columns in a line.
  public var columns: Int
  /// The columns that a table may take: nil in files and pipes, whose readers want all of it, unless `COLUMNS` is set.
  public var tableWidth: Int?
  /// Whether it shows colours.
  public var hasColor: Bool
  /// Whether the locale's text is UTF-8.
  public var hasUnicode: Bool

  /// A stream with these abilities.
  public init(isInteractive: Bool, columns: Int = 80, hasColor: Bool = false, hasUnicode: Bool = true) {
    self.isInteractive = isInteractive
    self.columns = columns
    tableWidth = columns
    self.hasColor = hasColor
    self.hasUnicode = hasUnicode
  }

  /// The abilities of a stream of this process at this moment.
  ///
  /// - Parameters:
  ///   - descriptor: 1 for standard output, 2 for standard error.
  ///   - environment: `NO_COLOR` (any text, <https://no-color.org>) and `TERM=dumb` turn colour off, `COLUMNS` is
  ///     the width where the stream does not know its own, `LC_ALL`, `LC_CTYPE` or `LANG` name the character set.
  public init(descriptor: Int32, environment: [String: String]) {
    var size = winsize()
    let asks = ioctl(descriptor, UInt(TIOCGWINSZ), &size)
    let own = asks == 0 ? Int(size.ws_col) : 0
    self.init(isTerminal: isatty(descriptor) == 1, ownColumns: own, environment: environment)
  }

  init(isTerminal: Bool, ownColumns: Int, environment: [String: String]) {
    let isDumb = environment["TERM"] == "dumb"
    let told = environment["COLUMNS"].flatMap { Int($0) } ?? 0
    let known = ownColumns > 0 ? ownColumns : told
    // A terminal of unknown width counts as 80 columns wide; so do files and pipes, since help and bars must fit somewhere.
    columns = known > 0 ? min(known, 1000) : 80
    tableWidth = isTerminal || known > 0 ? columns : nil
    isInteractive = isTerminal && !isDumb
    hasColor = isInteractive && (environment["NO_COLOR"] ?? "").isEmpty
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap { environment[$0] }.first { !$0.isEmpty }
    // Programs in batch jobs and containers often run without a locale, and what reads their output is UTF-8 today.
    let isPlain = locale.map { name in
      let name = name.lowercased()
      return !name.contains("utf") && name != "c" && name != "posix"
    }
    hasUnicode = !(isPlain ?? false)
  }
}
