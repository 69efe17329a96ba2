internal import Reporting

/// How often the move that was made is the most probable one, or among the five most probable, as games go on.
struct GamePhases {
  /// The positions with fewer moves before them than the next phase has.
  struct Phase: Encodable {
    /// How many moves were made before the first and the last possible position; the last phase has no end.
    let from: Int
    @NullIfMissing var to: Int?
    let positions: Int
    let top1: Double
    let top5: Double
  }

  let phases: [Phase]
  private static let length = 50
  /// Phases before the last, which has all moves that are left.
  private static let count = 5

  /// - Parameters:
  ///   - moveNumbers: how many moves were made before each position.
  ///   - ranks: the place of the move that was made, 0 for the most probable.
  init(moveNumbers: [Int32], ranks: [Int32]) {
    var figures = [(count: Int, first: Int, five: Int)](repeating: (0, 0, 0), count: Self.count + 1)
    for (number, rank) in zip(moveNumbers, ranks) {
      let phase = min(max(0, Int(number) / Self.length), Self.count)
      figures[phase].count += 1
      if rank == 0 { figures[phase].first += 1 }
      if rank < 5 { figures[phase].five += 1 }
    }
    phases = figures.enumerated().compactMap { index, figure in
      guard figure.count > 0 else { return nil }
      return Phase(
        from: index * Self.length, to: index == Self.count ? nil : (index + 1) * Self.length - 1,
        positions: figure.count, top1: Double(figure.first) / Double(figure.count),
        top5: Double(figure.five) / Double(figure.count))
    }
  }

  var table: Table {
    var table = Table([
      Table.Column("moves before"), Table.Column("positions", .trailing), Table.Column("top 1", .trailing),
      Table.Column("top 5", .trailing),
    ])
    for phase in phases {
      table.add([
        phase.to.map { "\(phase.from) to \($0)" } ?? "\(phase.from) and more",
        NumberText.grouped(phase.positions), NumberText.fixed(phase.top1, 4), NumberText.fixed(phase.top5, 4),
      ])
    }
    return table
  }
}
