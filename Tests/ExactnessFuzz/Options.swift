import Foundation

/// What the command line says.
struct Options {
  static let usage =
    "usage: ExactnessFuzz PROGRAM DRAWS SEED [--only DRAW] [--jobs N] [--limit SECONDS] [--tries N] [--keep FOLDER] "
    + "[--preload FILE] [--launcher 'PLUG-IN COMMAND…']…"

  private let path: String
  let draws: Int
  let seed: UInt64
  /// This draw and no other.
  private(set) var only: Int?
  /// Trainings side by side.
  private(set) var jobs = 2
  private var limit = 120.0
  /// Draws that are tried to make one smaller.
  private(set) var tries = 600
  /// Where what differs is kept.
  private(set) var keep: String?
  private var preload: String?
  private var launchers: [Program.Launcher] = []

  var program: Program { Program(path: path, preload: preload, limit: limit, launchers: launchers) }

  /// - Returns: nil where the arguments are others than those of ``usage``.
  init?(_ arguments: [String]) {
    guard arguments.count >= 3, arguments.count % 2 == 1, let draws = Int(arguments[1]), draws > 0,
      let seed = UInt64(arguments[2])
    else { return nil }
    (path, self.draws, self.seed) = (arguments[0], draws, seed)
    for index in stride(from: 3, to: arguments.count, by: 2) {
      let value = arguments[index + 1]
      guard take(arguments[index], value) else { return nil }
    }
  }

  private mutating func take(_ option: String, _ value: String) -> Bool {
    switch option {
    case "--only": only = Int(value).flatMap { $0 >= 0 ? $0 : nil }
    case "--jobs": jobs = Int(value) ?? 0
    case "--limit": limit = Double(value) ?? 0
    case "--tries": tries = Int(value) ?? 0
    case "--keep": keep = value
    case "--preload": preload = value
    case "--launcher":
      let words = value.split(separator: " ").map(String.init)
      guard words.count > 1 else { return false }
      launchers.append(.init(plugIn: words[0], words: Array(words.dropFirst())))
    default: return false
    }
    return jobs > 0 && limit > 0 && tries > 0 && (option != "--only" || only != nil)
  }
}
