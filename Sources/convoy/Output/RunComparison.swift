internal import Experiments
internal import Foundation
internal import Reporting
internal import Training

/// What two or more runs have in common and where they diverge.
struct RunComparison {
  struct Member {
    let folder: RunFolder
    let configuration: LoadedConfiguration
    let epochs: RunTable?
    let steps: RunTable?

    /// The monitored figure of the last epoch's test.
    var lastTest: String {
      let numbers = epochs?.numbers("test_\(folder.state?.monitor ?? "accuracy")")
      return (numbers?.last ?? nil).map { NumberText.short($0) } ?? "–"
    }
  }

  let members: [Member]

  init(_ paths: [String]) throws {
    members = try paths.map { path in
      let folder = try RunFolder(path)
      return Member(
        folder: folder, configuration: try ConfigurationFile.load(path: "\(folder.path)/config.yaml"),
        epochs: RunTable.epochs(ofRun: folder.path), steps: RunTable.steps(ofRun: folder.path))
    }
  }

  /// One row per run.
  var overview: Table {
    var table = Table([
      Table.Column("", .trailing), Table.Column("run"), Table.Column("state"),
      Table.Column("epochs", .trailing),
      Table.Column("best"), Table.Column("last test", .trailing), Table.Column("time", .trailing),
      Table.Column("last digest"),
    ])
    for (index, member) in members.enumerated() {
      table.add([
        Self.letter(index), TextWidth.printable(member.folder.path), member.folder.phase,
        member.folder.epochs,
        member.folder.best, member.lastTest,
        member.folder.state.map { NumberText.duration($0.seconds) } ?? "–",
        member.epochs?.cells("digest")?.last ?? "–",
      ])
    }
    return table
  }

  static func letter(_ index: Int) -> String {
    index < 26 ? String(UnicodeScalar(UInt8(65 + index))) : "#\(index + 1)"
  }

  /// One row per key that is not the same in all configurations.
  var differences: Table {
    var table = Table([Table.Column("key")] + members.indices.map { Table.Column(Self.letter($0)) })
    let first = members[0].configuration
    var keys: [String] = []
    var values: [[String: String]] = members.map { _ in [:] }
    for (index, member) in members.enumerated().dropFirst() {
      for difference in first.differences(to: member.configuration) {
        if !keys.contains(difference.path) { keys.append(difference.path) }
        values[0][difference.path] = difference.before ?? "–"
        values[index][difference.path] = difference.after ?? "–"
      }
    }
    for key in keys {
      // A key that is not among a run's differences has the first run's value.
      table.add([key] + values.map { $0[key] ?? values[0][key] ?? "–" })
    }
    return table
  }

  /// A sentence for every run after the first on where it diverges from the first.
  var partings: [String] {
    members.indices.dropFirst().map { index in
      "A and \(Self.letter(index)): \(Self.parting(members[0], members[index]))"
    }
  }

  private static func parting(_ left: Member, _ right: Member) -> String {
    let digests = digestParting(left, right)
    guard let leftSteps = left.steps, let rightSteps = right.steps,
      let leftLosses = leftSteps.cells("loss"), let rightLosses = rightSteps.cells("loss")
    else { return digests ?? "there is no table of steps to compare" }
    let common = min(leftLosses.count, rightLosses.count)
    guard common > 0 else { return digests ?? "they have no step in common" }
    if let row = (0..<common).first(where: { leftLosses[$0] != rightLosses[$0] }) {
      let step = leftSteps.rows[row][0]
      let epoch = leftSteps.cells("epoch")?[row] ?? "?"
      return
        "diverge at step \(step) (epoch \(epoch)), with losses \(leftLosses[row]) and \(rightLosses[row])"
    }
    return "the same losses, bit for bit, in all \(NumberText.grouped(common)) common steps"
      + (digests.map { "; \($0)" } ?? "")
  }

  /// The comparison of the digests at the ends of epochs; nil where there are none.
  private static func digestParting(_ left: Member, _ right: Member) -> String? {
    guard let first = left.epochs?.cells("digest"), let second = right.epochs?.cells("digest") else {
      return nil
    }
    let common = min(first.count, second.count)
    guard common > 0 else { return nil }
    if let epoch = (0..<common).first(where: { first[$0] != second[$0] }) {
      return "digests differ from the end of epoch \(epoch + 1) on"
    }
    return "the same digests at the ends of all \(common) common epochs"
  }

  /// The runs' curves in common charts.
  var charts: [Chart] {
    var names: [String] = []
    for name in members.flatMap({ $0.epochs?.figureNames ?? [] }) where !names.contains(name) {
      names.append(name)
    }
    let parts = [("Validation", "validation"), ("Test", "test"), ("Training", "train")]
    let columns = parts.flatMap { title, part in
      names.map { ("\(title) \($0.replacing("_", with: " "))", "\(part)_\($0)") }
    }
    return columns.map { title, column in
      Chart(
        title, x: "epoch", y: title.lowercased(),
        members.enumerated().map { index, member in
          Chart.Series(Self.letter(index), values: member.epochs?.numbers(column) ?? [])
        })
    }
  }
}
