/// Makes damaged configurations of correct ones, the same ones for the same seed.
public struct TextMutator {
  private var random: SplitMix64
  private static let tokens = [
    "&a", "*a", "!!int ", "<<: ", "? ", "- ", ": ", ", ", "[", "]", "{", "}", "\"", "'", "|", ">", "#", "%",
    "@", "`",
    "---\n", "...\n", "\t", "\n", "\r", "  ", "$filters", "$", "~", "null", "1/0", "1e999", "-1",
    "99999999999999999999",
    "0x10", ".inf", "é", "日本", "\u{FEFF}", "\u{85}", "\u{2028}", "\u{0}", "\\", "\\x", "input", "repeat",
    "times: 1000",
    "extends: a.yaml\n", "name: relu", "inputs: [input, input]", "layers: []", "blocks: {a: {layers: [a]}}",
    "{}", "[]",
    "1048576", "65536", "[[[[[[[[", "{a: {a: {a: ", "- - - - ",
  ]

  /// A mutator whose changes follow from a seed.
  public init(seed: UInt64) { random = SplitMix64(seed: seed) }

  private mutating func next(_ bound: Int) -> Int { random.next(below: bound) }

  /// Up to five changes of a text.
  public mutating func mutate(_ text: String) -> String {
    var scalars = Array(text.unicodeScalars)
    for _ in 0...next(4) {
      let place = next(scalars.count + 1)
      switch next(9) {
      case 0:
        scalars.insert(
          contentsOf: Self.tokens[next(Self.tokens.count)].unicodeScalars,
          at: valuePlace(scalars, place))
      case 1: if place < scalars.count { scalars.remove(at: place) }
      case 2: if place < scalars.count { scalars[place] = Unicode.Scalar(UInt8(32 + next(95))) }
      case 3: scalars.removeSubrange(place..<min(place + next(20), scalars.count))
      case 4:
        scalars.insert(
          contentsOf: scalars[place..<min(place + next(60), scalars.count)], at: next(scalars.count))
      case 5: scalars = moveLine(scalars)
      case 6:
        // Only the digits of a number change, so that much of this stays a configuration.
        if let digit = (place..<scalars.count).first(where: { ("0"..."9").contains(scalars[$0]) }) {
          scalars.replaceSubrange(
            digit...digit, with: "\(next(2) == 0 ? next(10) : next(100_000))".unicodeScalars)
        }
      case 7: scalars.insert(contentsOf: [" ", " "], at: place)
      default: if next(20) == 0 { scalars.removeSubrange(place...) }
      }
    }
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    return String(view)
  }

  /// Mostly a place where a value starts, since that is where a token means something.
  private mutating func valuePlace(_ scalars: [Unicode.Scalar], _ place: Int) -> Int {
    guard next(3) > 0 else { return place }
    let starts: Set<Unicode.Scalar> = [":", "-", ",", "[", "{"]
    return (place..<scalars.count).first {
      $0 > 0 && scalars[$0 - 1] == " " && $0 > 1 && starts.contains(scalars[$0 - 2])
    }
      ?? place
  }

  private mutating func moveLine(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
    var lines = scalars.split(separator: "\n", omittingEmptySubsequences: false)
    let line = lines.remove(at: next(lines.count))
    if next(3) > 0 { lines.insert(line, at: next(lines.count + 1)) }
    return Array(lines.joined(separator: ["\n"]))
  }
}
