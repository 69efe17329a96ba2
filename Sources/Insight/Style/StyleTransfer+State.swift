internal import HDF5
public import Training

/// Saving a transfer's state in files, and going on from it.
extension StyleTransfer {
  /// Saves the present state.
  ///
  /// - Parameters:
  ///   - description: everything that the result depends on, except the number of steps.
  ///   - isFinished: whether the transfer is complete.
  /// - Throws: ``TrainingError`` where the file cannot be written.
  public func save(to store: StateStore, of description: String, isFinished: Bool = false) throws {
    let state = state
    let file = try File.createInMemory()
    let root = try file.root
    try root.attributes.write("step", state.step)
    try root.attributes.write("evaluations", state.evaluations)
    try root.attributes.write("losses", [state.losses.content, state.losses.style, state.losses.variation])
    try root.attributes.write("converged", state.hasConverged ? 1 : 0)
    try root.attributes.write("vectors", state.vectors.count)
    let curve = state.curve.flatMap { [$0.content, $0.style, $0.variation] }
    try root.write("curve", curve, shape: [state.curve.count, 3])
    try root.write("image", state.image, shape: [state.image.count])
    for (index, vector) in state.vectors.enumerated() {
      try root.write("vector\(index)", vector, shape: [vector.count])
    }
    try store.save(try file.image(), step: state.step, isFinished: isFinished, of: description)
  }

  /// Goes on from the newest state.
  ///
  /// - Parameters:
  ///   - count: the number of the image's values.
  ///   - damaged: is told of each newer state that fails its checksum.
  /// - Returns: nil where there is no state.
  /// - Throws: ``TrainingError`` of kind `configuration` where the state belongs to other pictures or settings.
  public static func resume(
    from store: StateStore, of description: String, _ objective: StyleObjective, rule: Rule, count: Int,
    damaged: (TrainingError) -> Void
  ) throws -> StyleTransfer? {
    guard let sealed = try store.newest(of: description, damaged: damaged) else { return nil }
    let root = try File.open(image: sealed.payload, name: store.folder).root
    let attributes = root.attributes
    let vectors: Int = try attributes.number("vectors")
    let losses = try attributes.numbers("losses", as: Double.self)
    guard losses.count == 3, vectorCounts(of: rule).contains(vectors) else { throw doesNotFit(store) }
    let image = try root.dataset("image").read(Float.self)
    let curve = try root.dataset("curve").read(Double.self)
    guard curve.count.isMultiple(of: 3) else { throw doesNotFit(store) }
    let state = StyleState(
      image: image, step: try attributes.number("step"),
      losses: StyleLosses(content: losses[0], style: losses[1], variation: losses[2]),
      evaluations: try attributes.number("evaluations"),
      vectors: try (0..<vectors).map { try root.dataset("vector\($0)").read(Float.self) },
      curve: stride(from: 0, to: curve.count, by: 3).map {
        StyleLosses(content: curve[$0], style: curve[$0 + 1], variation: curve[$0 + 2])
      }, hasConverged: try attributes.number("converged", as: Int.self) == 1)
    guard image.count == count, state.vectors.allSatisfy({ $0.count == count }), state.step >= 0,
      state.evaluations >= 0
    else { throw doesNotFit(store) }
    return StyleTransfer(objective, rule: rule, state: state)
  }

  /// How many vectors as long as the image a rule remembers: the gradient and pairs, or two moments.
  private static func vectorCounts(of rule: Rule) -> [Int] {
    switch rule {
    case .lbfgs: (0...LBFGS.Options().memory).map { 1 + 2 * $0 }
    case .adam: [2]
    }
  }

  private static func doesNotFit(_ store: StateStore) -> InsightError {
    InsightError.badData("the state in \(store.folder) does not fit the picture; start over with --restart")
  }
}
