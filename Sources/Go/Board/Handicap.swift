/// Where handicap stones stand when their places are fixed.
///
/// - SeeAlso: the Go Text Protocol version 2, section 4.1.1, <https://www.lysator.liu.se/~gunnar/gtp/gtp2-spec-draft2.html>.
public enum Handicap {
  /// The points of `count` stones; nil where there are no fixed places for so many.
  public static func points(_ count: Int, size: Int) -> [Int]? {
    guard count >= 2, size >= 7, count <= (size % 2 == 1 && size > 7 ? 9 : 4) else { return nil }
    let edge = size >= 13 ? 3 : 2
    let (low, middle, high) = (edge, size / 2, size - 1 - edge)
    func point(_ row: Int, _ column: Int) -> Int { row * size + column }
    let corners = [point(high, low), point(low, high), point(low, low), point(high, high)]
    let sides = [point(middle, low), point(middle, high), point(high, middle), point(low, middle)]
    let centre = count > 4 && count % 2 == 1 ? [point(middle, middle)] : []
    return Array(corners.prefix(count)) + sides.prefix(max(0, (count - 4) / 2 * 2)) + centre
  }
}
