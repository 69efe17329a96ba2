/// Boards as lines of text.
public enum BoardText {
  /// A board with letters and numbers around it: X for Black, O for White, + for the marked points without stones of a handicap.
  ///
  /// - Parameters:
  ///   - marks: letters for points without stones.
  ///   - last: the last move, whose stone stands in parentheses.
  public static func lines(_ board: Board, marks: [Int: Character] = [:], last: Int? = nil) -> [String] {
    lines(size: board.shape.size, marks: marks, last: last) { board[$0] }
  }

  /// A board whose stones a closure gives.
  public static func lines(
    size: Int, marks: [Int: Character] = [:], last: Int? = nil, _ stone: (Int) -> Colour?
  ) -> [String] {
    let stars = Set(Handicap.points(size % 2 == 1 && size > 7 ? 9 : 4, size: size) ?? [])
    let letters = "   " + (0..<size).map { " \(MoveName.column($0))" }.joined()
    let rows = (0..<size).map { row -> String in
      let number = "\(size - row)"
      let margin = String(repeating: " ", count: 3 - number.count) + number
      var line = margin
      for column in 0..<size {
        let point = row * size + column
        let letter: Character =
          switch stone(point) {
          case .black: "X"
          case .white: "O"
          case nil: marks[point] ?? (stars.contains(point) ? "+" : ".")
          }
        let isLast = last == point
        line += isLast ? "(\(letter)" : last == point - 1 && column > 0 ? ")\(letter)" : " \(letter)"
      }
      return line + (last == row * size + size - 1 ? ")" : " ") + number
    }
    return [letters] + rows + [letters]
  }
}
