internal import Foundation
internal import Insight
internal import Networks
internal import Reporting
internal import Settings
internal import Training

extension MaximizeLook: RunnableLook {
  func run(in context: LookContext) throws -> LookResult {
    let subject = context.subject
    let targets = try target.targets(in: subject)
    var settings = ascent
    settings.seed = context.seed
    let maximization = Maximization(subject, settings, start: try context.pixels(of: settings.start))
    // Each finished target is a file of its own, so that a run that was stopped does not make it again.
    let keeper = context.directory == nil ? nil : context.folder
    func file(_ target: Target) -> FileName { "targets/\(target.name(in: subject)).json" }
    var known: [Target: Maximum] = [:]
    for target in targets where !context.restarts {
      guard let text = keeper?.text(of: file(target)) else { continue }
      known[target] = try? JSONDecoder().decode(Maximum.self, from: Data(text.utf8))
    }
    let missing = targets.filter { known[$0] == nil }
    if missing.count < targets.count {
      context.log("going on after \(known.count) of \(targets.count) targets")
    }
    let progress = TerminalOutput.progressLine()
    let counter = DoneCounter()
    let (finished, stop) = (known.count, context.stop)
    let names = Dictionary(uniqueKeysWithValues: missing.map { ($0, file($0)) })
    let found = try maximization.run(missing, pool: context.pool, while: { !stop.isRequested }) { maximum in
      if let keeper {
        try keeper.write(try JSONWriter().text(maximum), as: names[maximum.target] ?? "targets/target.json")
      }
      counter.increment { done in
        progress.update(
          ProgressReading(title: "maximize", done: finished + done, total: targets.count),
          now: TerminalOutput.seconds)
      }
    }
    progress.finish()
    for maximum in found { known[maximum.target] = maximum }
    let maxima = targets.compactMap { known[$0] }
    guard maxima.count == targets.count else {
      throw context.stopped("\(maxima.count) of \(targets.count) targets", isKept: keeper != nil)
    }
    let report = try MaximizationReport(subject, maxima)
    let name: FileName = "maximize-\(target.name)"
    let findings = try report.write(
      into: context.folder, name: name,
      settings: SettingsRecord(
        // All targets are of one kind.
        targets.first.map(maximization.settings(for:)) ?? maximization.settings, seed: context.seed,
        former: [AscentSettings.totalVariation.name: "tv"]))
    return LookResult(
      name: name, findings: findings, lines: report.lines(context.folder, name: name),
      pictures: report.drawings)
  }
}
