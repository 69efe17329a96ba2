/// Finds the known name that a mistyped one is closest to.
public enum NearestName {
  /// The nearest of `known` when it is near enough to be meant: at most a third of the letters differ.
  ///
  /// Another program's word for one of them comes first. Distances count insertions, deletions, replacements and swaps of
  /// neighbours; among equals the first one wins. Of `a.b.c` and `a.b.d` only what differs counts, and `a.b` is not meant by
  /// `a.b.c`. A word that is cut short, `eval`, means the only one that begins with it.
  static func of(_ name: String, among known: [String]) -> String? {
    guard !name.isEmpty else { return nil }
    if let translation = ForeignWords.translation(of: name, among: known) { return translation }
    var best: (name: String, distance: Int)?
    for candidate in known where !name.hasPrefix(candidate + ".") {
      let (wanted, letters) = differing(name, candidate)
      let distance = distance(wanted, letters)
      let length = max(wanted.count, letters.count)
      // One letter of two is half the word.
      let limit = length < 3 ? 0 : max(1, length / 3)
      if distance <= limit, distance < (best?.distance ?? Int.max) { best = (candidate, distance) }
    }
    return best?.name ?? whole(of: name, among: known)
      ?? known.first { isPart(of: $0, name) || isPart(of: name, $0) }
  }

  /// The letters of two names, without the parts before a point that they have in common.
  private static func differing(_ name: String, _ other: String) -> ([Unicode.Scalar], [Unicode.Scalar]) {
    var parts = [name, other].map {
      $0.lowercased().split(separator: ".", omittingEmptySubsequences: false)[...]
    }
    if parts[0].count == parts[1].count {
      while parts[0].count > 1, parts[0].first == parts[1].first {
        parts[0].removeFirst()
        parts[1].removeFirst()
      }
    }
    let letters = parts.map { Array($0.joined(separator: ".").unicodeScalars.prefix(64)) }
    return (letters[0], letters[1])
  }

  /// The only name that begins with at least three letters.
  private static func whole(of beginning: String, among known: [String]) -> String? {
    guard beginning.count >= 3 else { return nil }
    let names = known.filter { $0.hasPrefix(beginning.lowercased()) }
    return names.count == 1 ? names[0] : nil
  }

  /// Whether one name contains the words of the other, as in `kernel` and `kernel_size`.
  private static func isPart(of whole: String, _ part: String) -> Bool {
    part.count >= 3 && "_\(whole)_".contains("_\(part)_")
  }

  /// The end of a message: `; did you mean 'epochs'?`, or nothing where no known name is near.
  public static func hint(_ name: String, among known: [String]) -> String {
    of(name, among: known).map { "; did you mean '\($0)'?" } ?? ""
  }

  private static func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for row in left.indices {
      var current = [row + 1]
      for column in right.indices {
        let cost = left[row] == right[column] ? 0 : 1
        var value = min(last[column + 1] + 1, current[column] + 1, last[column] + cost)
        if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
          value = min(value, beforeLast[column - 1] + 1)
        }
        current.append(value)
      }
      (beforeLast, last) = (last, current)
    }
    return last[right.count]
  }
}
