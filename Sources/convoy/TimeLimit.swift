internal import ArgumentParser

/// A length of time as Slurm's `--time` takes it.
struct TimeLimit: ExpressibleByArgument {
  let seconds: Double

  /// Reads `minutes`, `minutes:seconds`, `hours:minutes:seconds`, `days-hours`, `days-hours:minutes` or
  /// `days-hours:minutes:seconds`; nil for any other text.
  init?(argument: String) {
    let halves = argument.split(separator: "-", omittingEmptySubsequences: false)
    let parts = (halves.last ?? "").split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
    guard (1...2).contains(halves.count), (1...3).contains(parts.count) else { return nil }
    var numbers: [Int] = []
    for part in parts {
      guard let part, (0..<1_000_000).contains(part) else { return nil }
      numbers.append(part)
    }
    if halves.count == 2 {
      guard let days = Int(halves[0]), (0..<100_000).contains(days) else { return nil }
      numbers += [Int](repeating: 0, count: 3 - numbers.count)
      seconds = Double(((days * 24 + numbers[0]) * 60 + numbers[1]) * 60 + numbers[2])
    } else {
      switch numbers.count {
      case 1: seconds = Double(numbers[0] * 60)
      case 2: seconds = Double(numbers[0] * 60 + numbers[1])
      default: seconds = Double((numbers[0] * 60 + numbers[1]) * 60 + numbers[2])
      }
    }
  }
}
