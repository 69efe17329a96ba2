internal import Experiments
internal import Foundation
internal import Reporting
internal import Training

/// The facts about a run by name: figures of its state and of its last epoch, and values of its config.
final class RunFacts {
  let folder: RunFolder
  private lazy var epochs = RunTable.epochs(ofRun: folder.path)
  private lazy var configuration = try? ConfigurationFile.load(path: "\(folder.path)/config.yaml")

  init(_ folder: RunFolder) { self.folder = folder }

  /// The facts that come from a run's state.
  enum StateName: String, CaseIterable {
    case name, state, epoch, epochs, step, monitor, best
    case bestEpoch = "best_epoch"
    case testAccuracy = "test_accuracy"
    case time, size, updated
  }

  /// The names of those facts, for help and messages.
  static let stateNames = StateName.allCases.map(\.rawValue)

  /// - Parameter name: one of ``stateNames``, a key of the config, or a column of `metrics.csv`.
  /// - Returns: nil where the run has no such fact.
  subscript(name: String) -> String? {
    if let known = StateName(rawValue: name) { return standing(known) }
    if let value = configuration?.value(of: name) { return value }
    return epochs?.cells(name)?.last.flatMap { $0.isEmpty ? nil : $0 }
  }

  private func standing(_ name: StateName) -> String? {
    let state = folder.state
    return switch name {
    case .name: state?.name
    case .state: folder.phase
    case .epoch: state.map { "\($0.epoch)" }
    case .epochs: state.map { "\($0.epochs)" }
    case .step: state.map { "\($0.step)" }
    case .monitor: state?.monitor
    case .best: state?.best.map { "\($0)" }
    case .bestEpoch: state?.bestEpoch.map { "\($0)" }
    case .testAccuracy: state?.testAccuracy.map { "\($0)" }
    case .time: state.map { "\($0.seconds)" }
    case .size: "\(folder.byteCount)"
    case .updated: state?.updated
    }
  }

  /// The best figure, turned so that more is better; nil where there is none.
  private var score: Double? {
    guard let state = folder.state, let best = state.best, !best.isNaN else { return nil }
    return MonitoredFigure(name: state.monitor)?.turned(best)
  }

  /// The figure by which the run's best epoch was chosen; nil where it has none yet.
  private var bestKind: String? { score == nil ? nil : folder.state?.monitor }

  /// The figures by which runs were judged, that of most runs first.
  ///
  /// Numbers of two kinds, as an accuracy and a loss, cannot be compared.
  static func bestKinds(of runs: [RunFacts]) -> [(name: String, runs: Int)] {
    let counts = runs.compactMap(\.bestKind).reduce(into: [:]) { $0[$1, default: 0] += 1 }
    return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { ($0.key, $0.value) }
  }

  /// Runs in the order of one fact: numbers by size, texts by letters, and for `best` the best first, one kind of figure after the other;
  /// runs without it come last.
  static func sorted(_ runs: [RunFacts], by name: String, isReversed: Bool) -> [RunFacts] {
    let kinds = bestKinds(of: runs).map(\.name)
    let keys = runs.map { run -> (text: String?, number: Double?, kind: Int) in
      if name == "best" {
        return (run[name], run.score.map { -$0 }, run.bestKind.flatMap(kinds.firstIndex) ?? kinds.count)
      }
      let text = run[name]
      return (text, text.flatMap(Double.init), 0)
    }
    let order = runs.indices.sorted { left, right in
      let (a, b) = (keys[left], keys[right])
      if (a.text == nil) != (b.text == nil) { return a.text != nil }
      if a.kind != b.kind { return a.kind < b.kind }
      let (first, second) = isReversed ? (b, a) : (a, b)
      if let x = first.number, let y = second.number, x != y { return x < y }
      if first.number == nil || second.number == nil, let x = first.text, let y = second.text, x != y {
        return x < y
      }
      return left < right
    }
    return order.map { runs[$0] }
  }
}

/// A condition on runs, as `--where` takes it: `optimizer=adam`, `best>0.9`, `training.batch<=64`.
struct RunCondition {
  let name: String
  private let isMet: (String) -> Bool

  /// Reads a condition.
  ///
  /// - Returns: nil for text that is no condition.
  init?(_ text: String) {
    guard let start = text.firstIndex(where: { "=!<>".contains($0) }), start > text.startIndex else {
      return nil
    }
    let sign = String(text[start...].prefix { "=!<>".contains($0) })
    let wanted = text[start...].dropFirst(sign.count).trimmingCharacters(in: .whitespaces)
    name = text[..<start].trimmingCharacters(in: .whitespaces)
    guard !name.isEmpty, !wanted.isEmpty else { return nil }
    let number = Double(wanted)
    func compare(_ numbers: @escaping (Double, Double) -> Bool, _ texts: @escaping (String, String) -> Bool)
      -> (String) -> Bool
    {
      { value in
        if let number, let own = Double(value) { return numbers(own, number) }
        return texts(value, wanted)
      }
    }
    switch sign {
    case "=", "==": isMet = compare(==, ==)
    case "!=": isMet = compare(!=, !=)
    case "<": isMet = compare(<, <)
    case "<=": isMet = compare(<=, <=)
    case ">": isMet = compare(>, >)
    case ">=": isMet = compare(>=, >=)
    default: return nil
    }
  }

  /// Whether the run meets the condition; false for a run without the fact.
  func holds(for run: RunFacts) -> Bool { run[name].map(isMet) ?? false }
}
