internal import Datasets
internal import Reporting
internal import Tensors

/// A summary of a table of targets, column by column.
struct TargetSummary {
  private let targets: TargetTable
  private let names: [String]?

  init(_ targets: TargetTable, names: [String]?) {
    self.targets = targets
    self.names = names
  }

  /// Whether all numbers are 0 or 1: labels that samples have or lack.
  private var areLabels: Bool { targets.values.elements.allSatisfy { $0 == 0 || $0 == 1 } }

  private func name(_ column: Int) -> String { names.map { $0[column] } ?? "\(column)" }

  var table: Table {
    areLabels ? labelTable : numberTable
  }

  private var labelTable: Table {
    var table = Table([
      Table.Column("", .trailing), Table.Column("label"), Table.Column("samples", .trailing),
    ])
    for column in 0..<targets.width {
      let count = (0..<targets.count).reduce(0) { $0 + (targets[$1][column] == 1 ? 1 : 0) }
      table.add(["\(column)", names.map { $0[column] } ?? "", NumberText.grouped(count)])
    }
    return table
  }

  private var numberTable: Table {
    var table = Table(
      [Table.Column("", .trailing), Table.Column("target")]
        + ["least", "mean", "largest", "standard deviation"].map { Table.Column($0, .trailing) })
    for column in 0..<targets.width {
      let values = (0..<targets.count).map { Double(targets[$0][column]) }
      let mean = values.reduce(0, +) / Double(values.count)
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
      table.add(
        ["\(column)", names.map { $0[column] } ?? ""]
          + [values.min() ?? 0, mean, values.max() ?? 0, variance.squareRoot()].map(NumberText.short))
    }
    return table
  }

  /// A sample's labels, or its first numbers.
  func caption(_ row: Int) -> String {
    let values = targets[row]
    guard areLabels else {
      return values.prefix(3).map { NumberText.short(Double($0)) }.joined(separator: " ")
    }
    let own = values.indices.filter { values[$0] == 1 }.map(name)
    return own.isEmpty ? "none" : own.joined(separator: ", ")
  }
}
