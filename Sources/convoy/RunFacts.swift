internal import Experiments
internal import Foundation
internal import Reporting
internal import Training

/// What is known of a run under one name: a figure of its state, of its last epoch, or a value of its config.
final class RunFacts {
  let folder: RunFolder
  private lazy var epochs = RunTable.epochs(ofRun: folder.path)
  private lazy var configuration = try? ConfigurationFile.load(path: "\(folder.path)/config.yaml")

  init(_ folder: RunFolder) { self.folder = folder }

  /// Names of what the state says, for help and messages.
  static let stateNames = [
    "name", "state", "epoch", "epochs", "step", "best", "best_epoch", "test_accuracy", "time", "size",
    "updated",
  ]

  /// - Parameter name: one of ``stateNames``, a key of the config, or a column of `metrics.csv`.
  /// - Returns: nil where the run says nothing of it.
  subscript(name: String) -> String? {
    if Self.stateNames.contains(name) { return standing(name) }
    if let value = configuration?.value(of: name) { return value }
    return epochs?.cells(name)?.last.flatMap { $0.isEmpty ? nil : $0 }
  }

  private func standing(_ name: String) -> String? {
    let state = folder.state
    return switch name {
    case "name": state?.name
    case "state": folder.phase
    case "epoch": state.map { "\($0.epoch)" }
    case "epochs": state.map { "\($0.epochs)" }
    case "step": state.map { "\($0.step)" }
    case "best": state?.best.map { "\($0)" }
    case "best_epoch": state?.bestEpoch.map { "\($0)" }
    case "test_accuracy": state?.testAccuracy.map { "\($0)" }
    case "time": state.map { "\($0.seconds)" }
    case "size": "\(folder.byteCount)"
    case "updated": state?.updated
    default: nil
    }
  }

  /// The best figure as something of which more is better.
  private var score: Double? {
    guard let state = folder.state, let best = state.best, !best.isNaN else { return nil }
    return MonitoredFigure(name: state.monitor)?.turned(best)
  }

  /// Runs in the order of one name: numbers by size, texts by their letters, of `best` the best first; what says nothing comes last.
  static func sorted(_ runs: [RunFacts], by name: String, isReversed: Bool) -> [RunFacts] {
    let keys = runs.map { run -> (text: String?, number: Double?) in
      if name == "best" { return (run[name], run.score.map { -$0 }) }
      let text = run[name]
      return (text, text.flatMap(Double.init))
    }
    let order = runs.indices.sorted { left, right in
      let (a, b) = (keys[left], keys[right])
      if (a.text == nil) != (b.text == nil) { return a.text != nil }
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

  /// - Returns: nil for what is none.
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

  /// False for a run that says nothing of it.
  func holds(for run: RunFacts) -> Bool { run[name].map(isMet) ?? false }
}
