/// The planes that a position becomes, in order.
public struct PlaneSet: Sendable, Hashable {
  /// A feature with its number of planes.
  public struct Group: Sendable, Hashable {
    /// What the planes say.
    public let feature: PlaneFeature
    /// How many there are.
    public let count: Int
  }

  /// The features, in the order of their planes.
  public let groups: [Group]

  /// - Parameter groups: each feature at most once, with a count that it may have.
  init(_ groups: [(PlaneFeature, Int)]) { self.groups = groups.map(Group.init) }

  /// All 48 planes of AlphaGo's policy network, in the order of its table.
  public static let alphaGo = PlaneSet([
    (.stones, 3), (.ones, 1), (.turnsSince, 8), (.liberties, 8), (.captureSize, 8), (.selfAtariSize, 8),
    (.libertiesAfter, 8), (.ladderCapture, 1), (.ladderEscape, 1), (.sensible, 1), (.zeros, 1),
  ])

  /// 16 planes that cost little: two bytes for each point, and no ladders to read.
  public static let small = PlaneSet([
    (.stones, 3), (.ones, 1), (.turnsSince, 4), (.liberties, 4), (.libertiesAfter, 3), (.sensible, 1),
  ])

  /// The sets that have a name.
  public static let named: [(name: String, set: PlaneSet)] = [("small", .small), ("alphago", .alphaGo)]

  /// Why planes cannot be as they are written.
  public struct Problem: Error, Sendable, CustomStringConvertible {
    /// One line without `error:`.
    public let description: String
  }

  /// Planes as people write them: a named set, or features with their counts, such as `stones,ones,turns_since:4`; without a
  /// count a feature has all its planes. The number of planes of a named set stands for it, too.
  public init(_ text: String) throws(Problem) {
    let word = text.lowercased()
    if let known = Self.named.first(where: { $0.name == word || "\($0.set.count)" == word }) {
      self = known.set
      return
    }
    var groups: [(PlaneFeature, Int)] = []
    for part in word.split(separator: ",", omittingEmptySubsequences: false) {
      let pieces = part.split(separator: ":", omittingEmptySubsequences: false)
      guard let first = pieces.first, let feature = PlaneFeature(rawValue: String(first)) else {
        let names = Self.named.map { "\($0.name) (\($0.set.count))" }.joined(separator: ", ")
        let features = PlaneFeature.allCases.map(\.rawValue).joined(separator: ", ")
        throw Problem(
          description: "there are no planes '\(part)'; there are the sets \(names), and lists of \(features)")
      }
      let counts = feature.counts
      guard pieces.count <= 2, let count = pieces.count == 2 ? Int(pieces[1]) : counts.upperBound,
        counts.contains(count)
      else {
        let range =
          counts.count == 1 ? "\(counts.lowerBound)" : "\(counts.lowerBound) to \(counts.upperBound)"
        throw Problem(description: "\(feature.rawValue) has \(range) planes, not '\(part)'")
      }
      guard !groups.contains(where: { $0.0 == feature }) else {
        throw Problem(description: "the planes \(feature.rawValue) are there twice")
      }
      groups.append((feature, count))
    }
    self.init(groups)
  }

  /// The set whose planes have these names, in order; nil where there is none.
  public init?(planeNames names: [String]) {
    var groups: [(PlaneFeature, Int)] = []
    var rest = names[...]
    while let next = rest.first {
      let found = PlaneFeature.allCases.lazy.flatMap { feature in feature.counts.map { (feature, $0) } }
        .first { feature, count in
          let own = feature.names(count: count)
          return own.first == next && rest.starts(with: own) && !groups.contains { $0.0 == feature }
        }
      guard let found else { return nil }
      groups.append(found)
      rest = rest.dropFirst(found.1)
    }
    guard !groups.isEmpty else { return nil }
    self.init(groups)
  }

  /// How many planes there are.
  public var count: Int { groups.reduce(0) { $0 + $1.count } }

  /// The names of the planes, in order; no two are equal.
  public var planeNames: [String] { groups.flatMap { $0.feature.names(count: $0.count) } }

  /// Bytes of a point that has a bit for each plane.
  public var bytesPerPoint: Int { (count + 7) / 8 }

  /// The set as ``init(_:)`` reads it.
  public var text: String {
    if let known = Self.named.first(where: { $0.set == self }) { return known.name }
    return groups.map { group in
      let counts = group.feature.counts
      return counts.count == 1 ? group.feature.rawValue : "\(group.feature.rawValue):\(group.count)"
    }.joined(separator: ",")
  }
}
