internal import Go
internal import ImageFiles
internal import Insight

/// A position of Go with what a network says of each move, as text and as a picture.
struct BoardView {
  let size: Int
  /// A colour for each point, nil for an empty one; where only the player's own stones are known, they are black.
  let stones: [Colour?]
  /// The probability of each move, the pass last; empty where no network was asked.
  var probabilities: [Double] = []
  /// The move that was made; nil where it is not known.
  var played: Int?

  /// A position that samples hold in planes, seen by the player whose turn it is, with that player's stones in black.
  ///
  /// - Parameter values: `[H, W, C]`.
  /// - Returns: nil where no plane says where stones are.
  init?(planes: PlaneSet, values: [UInt8], size: Int) {
    var first = 0
    for group in planes.groups {
      if group.feature == .stones { break }
      first += group.count
    }
    guard first < planes.count else { return nil }
    self.size = size
    stones = (0..<size * size).map { point in
      let start = point * planes.count + first
      return values[start] != 0 ? .black : values[start + 1] != 0 ? .white : nil
    }
  }

  /// The position of a board.
  init(_ board: Board) {
    size = board.shape.size
    stones = (0..<board.shape.pointCount).map { board[$0] }
  }

  private static let letters = Array("abcdefghij")

  /// The most probable moves, the best first, at most ten.
  private var best: [Int] {
    Array(
      probabilities.indices.sorted { (probabilities[$1], $0) < (probabilities[$0], $1) }
        .prefix(Self.letters.count))
  }

  /// The name of a move.
  func name(_ move: Int) -> String {
    let shape = BoardShape.of(size)
    return MoveName.text(Move(index: move, on: shape), on: shape)
  }

  /// The board with the most probable moves as letters, the move that was made as #, and a list of both.
  func text() -> String {
    var marks: [Int: Character] = [:]
    for (letter, move) in zip(Self.letters, best) { marks[move] = letter }
    if let played, marks[played] == nil { marks[played] = "#" }
    var lines = BoardText.lines(size: size, marks: marks) { stones[$0] }
    let list = zip(Self.letters, best).map { letter, move in
      "\(letter)  \(Self.padded(name(move)))  \(Self.percent(probabilities[move]))\(move == played ? "  played" : "")"
    }
    for (index, line) in list.enumerated() where index + 1 < lines.count { lines[index + 1] += "    " + line }
    if let played, !best.contains(played) {
      lines.append(
        "played: # \(name(played))"
          + (probabilities.isEmpty ? "" : ", \(Self.percent(probabilities[played]))"))
    }
    return lines.joined(separator: "\n")
  }

  private static func padded(_ text: String) -> String {
    text + String(repeating: " ", count: max(0, 4 - text.count))
  }

  private static func percent(_ share: Double) -> String {
    let tenths = Int((share * 1000).rounded())
    let text = "\(tenths / 10).\(tenths % 10)%"
    return String(repeating: " ", count: max(0, 6 - text.count)) + text
  }

  // MARK: - Picture

  private static let cell = 28
  private static let margin = 26

  /// The board as a picture: redder points are more probable moves, and the move that was made has a ring.
  func image() -> Image {
    let side = size * Self.cell + 2 * Self.margin
    var image = Image(
      height: side, width: side, channels: .rgb,
      pixels: (0..<side * side).flatMap { _ -> [UInt8] in [222, 184, 120] })
    func centre(_ place: Int) -> Int { Self.margin + place * Self.cell + Self.cell / 2 }
    func paint(_ y: Int, _ x: Int, _ colour: [UInt8], _ share: Double = 1) {
      guard (0..<side).contains(y), (0..<side).contains(x) else { return }
      for channel in 0..<3 {
        let place = (y * side + x) * 3 + channel
        let mixed = Double(image.pixels[place]) * (1 - share) + Double(colour[channel]) * share
        image.pixels[place] = UInt8(min(max(mixed.rounded(), 0), 255))
      }
    }
    /// A disc whose edge is smooth.
    func disc(_ point: Int, radius: Double, _ colour: [UInt8], _ share: Double = 1, hole: Double = 0) {
      let (y, x) = (centre(point / size), centre(point % size))
      let reach = Int(radius) + 2
      for dy in -reach...reach {
        for dx in -reach...reach {
          let distance = Double(dy * dy + dx * dx).squareRoot()
          let inside = min(max(radius + 0.5 - distance, 0), 1) * min(max(distance - hole + 0.5, 0), 1)
          if inside > 0 { paint(y + dy, x + dx, colour, share * (hole > 0 ? inside : min(max(radius + 0.5 - distance, 0), 1))) }
        }
      }
    }
    let ink: [UInt8] = [60, 44, 24]
    for line in 0..<size {
      for step in centre(0)...centre(size - 1) {
        paint(centre(line), step, ink)
        paint(step, centre(line), ink)
      }
      BitmapFont.draw(
        String(MoveName.column(line)), at: 6, centre(line) - 3, color: ink, on: &image)
      BitmapFont.draw(
        "\(size - line)", at: centre(line) - 6, line + 10 > size ? 10 : 5, color: ink, on: &image)
    }
    for star in Handicap.points(size % 2 == 1 && size > 7 ? 9 : 4, size: size) ?? [] { disc(star, radius: 2.5, ink) }
    let largest = probabilities.dropLast().max() ?? 0
    for point in stones.indices {
      switch stones[point] {
      case .black: disc(point, radius: 12.5, [24, 24, 26])
      case .white:
        disc(point, radius: 12.5, [70, 62, 50])
        disc(point, radius: 11.5, [246, 244, 238])
      case nil:
        guard largest > 0, probabilities[point] > 0.002 else { continue }
        disc(point, radius: 11, [214, 30, 30], 0.15 + 0.85 * (probabilities[point] / largest).squareRoot())
        let percent = Int((probabilities[point] * 100).rounded())
        guard percent > 0 else { continue }
        BitmapFont.draw(
          "\(percent)", at: centre(point / size) - 6,
          centre(point % size) - BitmapFont.width * "\(percent)".count / 2, color: [255, 255, 255], on: &image)
      }
    }
    if let played, played < size * size { disc(played, radius: 13.5, [20, 60, 200], hole: 11.5) }
    return image
  }
}
