/// A square board without stones: which points lie beside each other.
///
/// A point is a number, row by row from the upper left corner: p = row · size + column. SGF counts rows and columns in the same way.
public final class BoardShape: @unchecked Sendable {
  // @unchecked because the tables behind the pointers are filled once and live as long as the process.

  /// Rows and columns.
  public let size: Int
  /// How many points there are.
  public let pointCount: Int
  /// All points.
  public let all: PointSet
  /// The points beside each point.
  let neighbours: UnsafePointer<PointSet>
  /// The points across each point's corners.
  let diagonals: UnsafePointer<PointSet>
  /// The points beside each point, one after another, four places for each; −1 where there is none.
  let neighbourList: UnsafePointer<Int16>
  private let withoutFirstColumn: PointSet
  private let withoutLastColumn: PointSet

  /// The sizes that there are.
  public static let sizes = 2...19
  private static let shapes = sizes.map { BoardShape(size: $0) }

  /// The board of a size in ``sizes``.
  public static func of(_ size: Int) -> BoardShape {
    precondition(sizes.contains(size), "a board has \(sizes) rows, not \(size)")
    return shapes[size - sizes.lowerBound]
  }

  private init(size: Int) {
    self.size = size
    pointCount = size * size
    var all = PointSet()
    var (first, last) = (PointSet(), PointSet())
    var neighbours: [PointSet] = []
    var diagonals: [PointSet] = []
    var list: [Int16] = []
    for point in 0..<size * size {
      let (row, column) = point.quotientAndRemainder(dividingBy: size)
      func points(_ steps: [(Int, Int)]) -> [Int] {
        steps.compactMap { down, right in
          (0..<size).contains(row + down) && (0..<size).contains(column + right)
            ? point + down * size + right : nil
        }
      }
      let beside = points([(-1, 0), (0, -1), (0, 1), (1, 0)])
      list += beside.map { Int16($0) } + [Int16](repeating: -1, count: 4 - beside.count)
      neighbours.append(beside.reduce(into: PointSet()) { $0.insert($1) })
      diagonals.append(
        points([(-1, -1), (-1, 1), (1, -1), (1, 1)]).reduce(into: PointSet()) { $0.insert($1) })
      all.insert(point)
      if column == 0 { first.insert(point) }
      if column == size - 1 { last.insert(point) }
    }
    self.all = all
    self.neighbours = Self.table(neighbours)
    self.diagonals = Self.table(diagonals)
    neighbourList = Self.table(list)
    withoutFirstColumn = all - first
    withoutLastColumn = all - last
  }

  /// A table that is never given back: there is one board of each size.
  private static func table<Element>(_ elements: [Element]) -> UnsafePointer<Element> {
    let table = UnsafeMutablePointer<Element>.allocate(capacity: elements.count)
    table.initialize(from: elements, count: elements.count)
    return UnsafePointer(table)
  }

  /// The points beside any point of a set; of the set itself those that have a neighbour in it.
  @inline(__always)
  func neighbours(of points: PointSet) -> PointSet {
    let rows = UInt64(truncatingIfNeeded: size)
    return
      (((points.raised(by: 1) & withoutFirstColumn) | (points.lowered(by: 1) & withoutLastColumn))
      | (points.raised(by: rows) | points.lowered(by: rows))) & all
  }

  /// All points of `within` that are connected with `points`, which lie in it.
  @inline(__always)
  func connected(_ points: PointSet, within: PointSet) -> PointSet {
    var reached = points
    while true {
      let next = (reached | neighbours(of: reached)) & within
      if next == reached { return reached }
      reached = next
    }
  }
}
