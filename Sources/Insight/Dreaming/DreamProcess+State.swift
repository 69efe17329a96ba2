internal import HDF5
public import ImageFiles
public import Parallel
public import Training

/// Saving a dream's state in files, and going on from it.
extension DreamProcess {
  /// Saves the present state.
  ///
  /// - Parameters:
  ///   - description: everything that the result depends on, except the number of frames.
  ///   - isFinished: whether the dream is complete.
  /// - Throws: ``TrainingError`` where the file cannot be written.
  public func save(to store: StateStore, of description: String, isFinished: Bool = false) throws {
    let state = state
    let file = try File.createInMemory()
    let root = try file.root
    try root.attributes.write("position", [state.frame, state.octave, state.step])
    let numbers = state.readings.flatMap {
      [$0.frame, $0.octave, $0.octaves, $0.step, $0.height, $0.width]
    }
    if !state.readings.isEmpty {
      try root.write("readings", numbers, shape: [state.readings.count, 6])
      try root.write("objectives", state.readings.map(\.objective), shape: [state.readings.count])
    }
    try root.write("picture", state.picture, shape: [state.picture.count])
    if let source = state.source { try root.write("source", source, shape: [source.count]) }
    try store.save(try file.image(), step: state.readings.count, isFinished: isFinished, of: description)
  }

  /// Goes on from the newest state.
  ///
  /// - Parameter damaged: is told of each newer state that fails its checksum.
  /// - Returns: nil where there is no state.
  /// - Throws: ``TrainingError`` of kind `configuration` where the state belongs to other pictures or settings.
  public static func resume(
    from store: StateStore, of description: String, _ dream: Dream, on image: FloatImage, in subject: Subject,
    pool: WorkerPool, damaged: (TrainingError) -> Void
  ) throws -> DreamProcess? {
    guard let sealed = try store.newest(of: description, damaged: damaged) else { return nil }
    let root = try File.open(image: sealed.payload, name: store.folder).root
    let position = try root.attributes.numbers("position", as: Int.self)
    guard position.count == 3, position[0] < Int.max else { throw doesNotFit }
    var readings: [Reading] = []
    if sealed.step > 0 {
      let numbers = try root.dataset("readings").read(Int.self)
      let objectives = try root.dataset("objectives").read(Double.self)
      guard numbers.count == 6 * objectives.count else { throw doesNotFit }
      readings = objectives.enumerated().map { index, objective in
        let row = numbers[index * 6..<index * 6 + 6].map { $0 }
        return Reading(
          frame: row[0], octave: row[1], octaves: row[2], step: row[3], height: row[4], width: row[5],
          objective: objective)
      }
    }
    let state = DreamState(
      frame: position[0], octave: position[1], step: position[2], readings: readings,
      source: position[0] == 0 ? nil : try root.dataset("source").read(Float.self),
      picture: try root.dataset("picture").read(Float.self))
    return try DreamProcess(dream, on: image, in: subject, pool: pool, state: state)
  }

  static var doesNotFit: InsightError {
    .badData("the state of the dream does not fit its picture; use --restart")
  }
}
