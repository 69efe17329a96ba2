/// How many files came to what, by format.
struct FuzzTally {
  enum Outcome: String, CaseIterable {
    case read, refused, crashed, hung
    case memory = "too much memory"
    /// Something was written outside of the file's folder.
    case escaped = "wrote elsewhere"
    /// A file was refused, and a part of what was to be written stands there.
    case leftOver = "left a file"

    var isHarm: Bool {
      switch self {
      case .read, .refused: false
      case .crashed, .hung, .memory, .escaped, .leftOver: true
      }
    }
  }

  private var counts: [String: [Outcome: Int]] = [:]

  /// How many files there were.
  private(set) var count = 0
  /// How many of them a program read that was started for them.
  private(set) var aloneCount = 0

  mutating func note(_ outcome: Outcome, of format: String, isAlone: Bool) {
    counts[format, default: [:]][outcome, default: 0] += 1
    count += 1
    aloneCount += isAlone ? 1 : 0
  }

  var harmCount: Int {
    counts.values.reduce(0) { total, counts in
      total + counts.reduce(0) { $0 + ($1.key.isHarm ? $1.value : 0) }
    }
  }

  /// A Markdown table.
  var table: String {
    let heads = ["format", "files"] + Outcome.allCases.map(\.rawValue)
    var lines = [heads, heads.map { $0 == "format" ? "---" : "---:" }]
    var totals: [Outcome: Int] = [:]
    for (format, found) in counts.sorted(by: { $0.key < $1.key }) {
      lines.append(Self.line(format, found))
      totals.merge(found, uniquingKeysWith: +)
    }
    lines.append(Self.line("all", totals))
    return lines.map { "| \($0.joined(separator: " | ")) |" }.joined(separator: "\n")
  }

  private static func line(_ name: String, _ found: [Outcome: Int]) -> [String] {
    [name, "\(found.values.reduce(0, +))"] + Outcome.allCases.map { "\(found[$0] ?? 0)" }
  }
}
