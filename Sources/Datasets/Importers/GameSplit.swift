internal import Go
internal import Tensors

/// How games are divided among the splits of a dataset; all positions of a game are in one.
public struct GameSplit: Sendable, Hashable {
  /// What decides where a game goes.
  public enum Rule: String, Sendable, CaseIterable {
    /// The latest games are for testing, whole days of them; those before are for validation.
    case date
    /// The moves of a game and a seed, wherever and in whichever order it is found.
    case game
  }

  /// What decides where a game goes.
  public var rule: Rule
  /// The share of games for testing, from 0 and below 1.
  public var test: Double
  /// The share of games for validation, from 0 and below 1.
  public var validation: Double
  /// The first day of the games for testing, `2019-10-01`, in place of a share; only by date.
  public var testFrom: String?
  /// What varies the choice by game.
  public var seed: UInt64

  /// By default one game in twenty for testing, by date.
  public init(
    _ rule: Rule = .date, test: Double = 0.05, validation: Double = 0, testFrom: String? = nil,
    seed: UInt64 = 0
  ) {
    self.rule = rule
    self.test = test
    self.validation = validation
    self.testFrom = testFrom
    self.seed = seed
  }

  /// The games of a split, by their places among all games.
  struct Part {
    let name: String
    let games: [Int]
    /// The first and the last day of its games; nil where none has a day.
    let days: (first: String, last: String)?
  }

  /// The splits that have games, and lines about what a person should know.
  ///
  /// - Throws: ``DatasetError`` where nothing would be left to train on, or no game has a day.
  func parts(of games: [CollectedGame]) throws -> (parts: [Part], notes: [String]) {
    var notes: [String] = []
    let places = rule == .date ? try placesByDate(games, &notes) : placesByGame(games)
    guard places.contains(0) else {
      throw DatasetError(
        .badData,
        "no games would be left for training; name a smaller share for testing, or divide by game instead of by date"
      )
    }
    let parts = ["train", "validation", "test"].enumerated().compactMap { number, name -> Part? in
      let own = games.indices.filter { places[$0] == number }
      guard !own.isEmpty else { return nil }
      let days = own.compactMap { games[$0].record.date }
      return Part(
        name: name, games: own, days: days.min().flatMap { first in days.max().map { (first, $0) } })
    }
    return (parts, notes)
  }

  /// For each game 0 for training, 1 for validation, 2 for testing.
  private func placesByGame(_ games: [CollectedGame]) -> [Int] {
    games.map { game in
      var random = RandomStream(seed: seed, purpose: .split, a: game.digest)
      let number = random.nextUniformDouble()
      return number < test ? 2 : number < test + validation ? 1 : 0
    }
  }

  private func placesByDate(_ games: [CollectedGame], _ notes: inout [String]) throws -> [Int] {
    var places = [Int](repeating: 0, count: games.count)
    guard testFrom != nil || test > 0 || validation > 0 else { return places }
    // A game of which only the year is known may be as late as any of that year: it is for training.
    var days: [String: Int] = [:]
    for game in games {
      if let day = game.record.date, day.utf8.count == 10 { days[day, default: 0] += 1 }
    }
    guard !days.isEmpty else {
      throw DatasetError(
        .badData, "no game says its day, so that games cannot be divided by date; --split-by game divides by moves"
      )
    }
    let undated = games.count - days.values.reduce(0, +)
    if undated > 0 { notes.append("\(counted(undated, "game")) without a day: for training") }
    let falling = days.sorted { $0.key > $1.key }
    /// The first day with which the later ones have at least this share of all games.
    func day(_ share: Double) -> String? {
      guard share > 0 else { return nil }
      var count = 0
      for (day, number) in falling {
        count += number
        if Double(count) >= share * Double(games.count) { return day }
      }
      return falling.last?.key
    }
    let testDay = testFrom ?? day(test)
    let later = testDay.map { first in days.reduce(0) { $0 + ($1.key >= first ? $1.value : 0) } } ?? 0
    let validationDay =
      validation > 0 ? day(validation + Double(later) / Double(games.count)) : nil
    for (index, game) in games.enumerated() {
      guard let day = game.record.date, day.utf8.count == 10 else { continue }
      if let testDay, day >= testDay {
        places[index] = 2
      } else if let validationDay, day >= validationDay {
        places[index] = 1
      }
    }
    return places
  }
}
