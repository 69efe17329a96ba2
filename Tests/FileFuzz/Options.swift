/// What the command line says.
struct Options {
  static let usage =
    "usage: FileFuzz PROGRAM PROJECT ROUNDS SEED [--only ROUND] [--jobs N] [--limit SECONDS] [--memory MIB] [--format NAME] "
    + "[--keep FOLDER] [--copies SHIM] [--alone N]"

  let program: String
  /// The project's folder, where the sound files are.
  let project: String
  let rounds: Int
  let seed: UInt64
  /// This round and no other.
  private(set) var only: Int?
  /// Files that are read side by side.
  private(set) var jobs = 2
  /// Seconds that the program may take for one.
  private(set) var limit = 60.0
  private var memory = 64
  /// Files of this format alone.
  private(set) var format: String?
  /// Where what came to harm is kept.
  private(set) var keep: String?
  /// The compiled `Tests/ForkShim`, by which copies of the program read the files; nil where it is started for each.
  private(set) var shim: String?
  /// It is started all the same for one file of so many.
  private(set) var alone = 25

  var memoryByteCount: Int { memory << 20 }

  /// - Returns: nil where the arguments are others than those of ``usage``.
  init?(_ arguments: [String]) {
    guard arguments.count >= 4, arguments.count % 2 == 0, let rounds = Int(arguments[2]), rounds > 0,
      let seed = UInt64(arguments[3])
    else { return nil }
    (program, project, self.rounds, self.seed) = (arguments[0], arguments[1], rounds, seed)
    for index in stride(from: 4, to: arguments.count, by: 2) {
      guard take(arguments[index], arguments[index + 1]) else { return nil }
    }
  }

  private mutating func take(_ option: String, _ value: String) -> Bool {
    switch option {
    case "--only": only = Int(value).flatMap { $0 >= 0 ? $0 : nil }
    case "--jobs": jobs = Int(value) ?? 0
    case "--limit": limit = Double(value) ?? 0
    case "--memory": memory = Int(value) ?? 0
    case "--format": format = value
    case "--keep": keep = value
    case "--copies": shim = value
    case "--alone": alone = Int(value) ?? 0
    default: return false
    }
    return jobs > 0 && limit > 0 && memory > 0 && alone > 0 && (option != "--only" || only != nil)
  }
}
