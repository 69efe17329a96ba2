internal import Reporting

/// Help as wide as the terminal, in which every example stays on one line: a broken one could not be pasted.
struct HelpText {
  /// Help from the argument parser, made for lines of any length.
  let unbroken: String

  private enum Part {
    /// The command's description, with examples.
    case overview
    /// The forms of a command line.
    case usage
    /// Arguments, options, subcommands.
    case lists
  }

  /// Columns before the explanations of options.
  private static let labelColumns = 26

  /// - Parameter columns: the terminal's.
  func text(columns: Int) -> String {
    var part = Part.overview
    var lines: [String] = []
    for line in unbroken.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      if line.hasPrefix("USAGE:") { part = .usage } else if part == .usage, line.isEmpty { part = .lists }
      switch part {
      case .overview where line.hasPrefix(" "): lines.append(line)
      case .overview: lines += Self.broken(line, columns, indent: 0)
      case .usage: lines += Self.broken(line, columns, indent: 9)
      case .lists:
        let spaces = line.prefix { $0 == " " }.count
        lines += Self.broken(line, columns, indent: spaces >= 8 ? spaces : Self.labelColumns)
      }
    }
    return lines.joined(separator: "\n")
  }

  private static func broken(_ line: String, _ columns: Int, indent: Int) -> [String] {
    guard TextWidth.columns(line) > columns else { return [line] }
    // On a narrow terminal explanations keep at least a third of the line.
    let margin = String(repeating: " ", count: min(indent, columns * 2 / 3))
    var lines: [String] = []
    var current = String(line.prefix { $0 == " " })
    var isEmpty = true
    let words = line.dropFirst(current.count).split(separator: " ", omittingEmptySubsequences: false)
    for word in words {
      let longer = isEmpty ? current + word : current + " " + word
      if isEmpty || TextWidth.columns(longer) <= columns {
        current = longer
      } else {
        lines.append(current.trimmedAtEnd)
        current = margin + word
      }
      isEmpty = false
    }
    return lines + [current.trimmedAtEnd]
  }
}

extension String {
  fileprivate var trimmedAtEnd: String {
    var text = self
    while text.last == " " { text.removeLast() }
    return text
  }
}
