internal import Foundation
internal import Settings
internal import Tensors

/// The keys and values that a configuration's `sweep` section varies.
struct SweepDefinition: Sendable {
  /// A key with one of its values, as an override would write it.
  struct Assignment: Hashable, Sendable {
    let key: String
    let value: String
    let location: ConfigurationLocation

    var override: String { "\(key)=\(value)" }
  }

  /// A key with the values that it can take.
  struct Axis: Sendable {
    enum Values: Sendable {
      case choice([Assignment])
      /// Uniform between the bounds.
      case uniform(ClosedRange<Double>)
      /// Uniform in the logarithm, between bounds above 0.
      case logUniform(ClosedRange<Double>)
      /// Whole numbers, both bounds included.
      case integer(ClosedRange<Int>)
    }

    let key: String
    let values: Values
    let location: ConfigurationLocation
  }

  enum Kind: Sendable {
    /// Every combination; the last key varies fastest.
    case grid([Axis])
    /// This many combinations, drawn from a seed.
    case random(runs: Int, seed: UInt64, [Axis])
    /// Exactly these combinations.
    case list([[Assignment]])
  }

  let kind: Kind
  let location: ConfigurationLocation

  /// More members than this are a mistake and not an experiment.
  static let limit = 10_000

  /// The keys in the order in which they are written.
  var keys: [String] {
    switch kind {
    case .grid(let axes), .random(_, _, let axes): return axes.map(\.key)
    case .list(let members):
      var keys: [String] = []
      for assignment in members.joined() where !keys.contains(assignment.key) { keys.append(assignment.key) }
      return keys
    }
  }

  var count: Int {
    switch kind {
    case .random(let runs, _, _): return runs
    case .list(let members): return members.count
    case .grid(let axes):
      var count = 1
      for axis in axes {
        guard case .choice(let values) = axis.values else { continue }
        let (product, overflow) = count.multipliedReportingOverflow(by: values.count)
        if overflow { return Int.max }
        count = product
      }
      return count
    }
  }

  /// The assignments of every member, in order; a pure function of the definition.
  ///
  /// Draws differ from one another as long as different ones are likely to be found.
  func members() -> [[Assignment]] {
    switch kind {
    case .list(let members): members
    case .grid(let axes):
      axes.reduce([[]]) { members, axis in
        guard case .choice(let values) = axis.values else { return members }
        return members.flatMap { member in values.map { member + [$0] } }
      }
    case .random(let runs, let seed, let axes):
      draw(runs, seed, axes)
    }
  }

  private func draw(_ runs: Int, _ seed: UInt64, _ axes: [Axis]) -> [[Assignment]] {
    var known: Set<[String]> = []
    return (0..<runs).map { run in
      var member: [Assignment] = []
      for attempt in 0..<Self.attemptLimit {
        member = axes.enumerated().map { index, axis in
          var stream = RandomStream(
            seed: seed, purpose: .sweep, a: UInt64(run) | UInt64(attempt) << 32, b: UInt64(index))
          return axis.draw(from: &stream)
        }
        if known.insert(member.map(\.override)).inserted { break }
      }
      return member
    }
  }

  /// The number of draws for a member after which it may equal another.
  private static let attemptLimit = 200
}

extension SweepDefinition.Axis {
  /// One value; numbers have five significant digits, so that tables are readable and values can be typed again.
  fileprivate func draw(from stream: inout RandomStream) -> SweepDefinition.Assignment {
    let text: String
    switch values {
    case .choice(let assignments): return assignments[stream.nextInteger(below: assignments.count)]
    case .uniform(let range):
      text = number(
        range.lowerBound + stream.nextUniformDouble() * (range.upperBound - range.lowerBound), range)
    case .logUniform(let range):
      let (low, high) = (log(range.lowerBound), log(range.upperBound))
      text = number(exp(low + stream.nextUniformDouble() * (high - low)), range)
    case .integer(let range): text = "\(range.lowerBound + stream.nextInteger(below: range.count))"
    }
    return SweepDefinition.Assignment(key: key, value: text, location: location)
  }

  private func number(_ value: Double, _ range: ClosedRange<Double>) -> String {
    let text = String(format: "%.5g", value)
    // Rounding must not leave the bounds.
    return Double(text).map(range.contains) == true ? text : "\(value)"
  }
}
