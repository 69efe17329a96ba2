internal import ArgumentParser
internal import Parallel

// Numbers after options have bounds: every number that is typed either works or is refused, and nothing overflows.

extension Option where Value == Int {
  /// A whole number within bounds, with a default.
  init(wrappedValue: Int, _ range: ClosedRange<Int>, help: ArgumentHelp) {
    self.init(wrappedValue: wrappedValue, help: help, transform: range.reader)
  }
}

extension Option where Value == Int? {
  /// A whole number within bounds.
  init(_ range: ClosedRange<Int>, name: NameSpecification = .long, help: ArgumentHelp) {
    self.init(name: name, help: help, transform: range.reader)
  }
}

extension Option where Value == Double {
  /// A number within bounds, with a default.
  init(wrappedValue: Double, _ range: ClosedRange<Double>, help: ArgumentHelp) {
    self.init(
      wrappedValue: wrappedValue, help: help,
      transform: { text in
        guard let number = Double(text), range.contains(number) else {
          throw ValidationError("expected a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
      })
  }
}

extension ClosedRange<Int> {
  fileprivate var reader: @Sendable (String) throws -> Int {
    { text in
      guard let number = Int(text), contains(number) else {
        throw ValidationError("expected a whole number from \(lowerBound) to \(upperBound)")
      }
      return number
    }
  }

  /// The number of workers that an option may ask for: more than there are cores only costs time and memory.
  static var workers: ClosedRange<Int> { 1...4096 }

  /// The number of steps, samples or the like that an option may ask for.
  static var counts: ClosedRange<Int> { 1...1_000_000_000 }
}

extension ClosedRange<Double> {
  /// The number of seconds that a measurement may take: up to a day.
  static var seconds: ClosedRange<Double> { 0.001...86_400 }
}

/// Numbers of workers or ranks, separated by commas.
enum WorkerCounts {
  static func parse(_ text: String, option: String = "--workers") throws -> [Int] {
    try text.split(separator: ",", omittingEmptySubsequences: false).map { word in
      let range = ClosedRange<Int>.workers
      guard let count = Int(word), range.contains(count) else {
        throw CommandError.usage(
          "\(option) takes numbers from \(range.lowerBound) to \(range.upperBound), not '\(word)'")
      }
      return count
    }
  }
}
