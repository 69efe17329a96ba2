internal import Foundation
internal import HDF5

/// A transfer's state in a file, to go on from.
public enum StyleStateFile {
  /// Writes the state, replacing the file at once or not at all.
  ///
  /// - Parameter settings: everything that the result depends on, as text; to go on, it must be the same.
  public static func write(_ transfer: StyleTransfer, settings: String, to path: String) throws {
    let state = transfer.state
    let file = try File.createInMemory()
    let root = try file.root
    try root.attributes.write("settings", settings)
    try root.attributes.write("step", state.step)
    try root.attributes.write("evaluations", state.evaluations)
    try root.attributes.write("losses", [state.losses.content, state.losses.style, state.losses.variation])
    try root.attributes.write("vectors", state.vectors.count)
    try root.write("image", state.image, shape: [state.image.count])
    for (index, vector) in state.vectors.enumerated() {
      try root.write("vector\(index)", vector, shape: [vector.count])
    }
    try Data(try file.image()).write(to: URL(fileURLWithPath: path), options: .atomic)
  }

  /// Goes on from a file.
  ///
  /// - Throws: ``InsightError`` of kind `usage` where the file belongs to other settings.
  public static func read(
    _ path: String, settings: String, _ objective: StyleObjective, rule: StyleTransfer.Rule, count: Int
  ) throws -> StyleTransfer {
    let root = try File.open(path).root
    let attributes = root.attributes
    guard try attributes.string("settings") == settings else {
      throw InsightError.usage(
        "\(path) belongs to a transfer with other pictures or settings; name another folder with --to, or begin anew "
          + "with --restart")
    }
    let vectors: Int = try attributes.number("vectors")
    let losses = try attributes.numbers("losses", as: Double.self)
    let image = try root.dataset("image").read(Float.self)
    guard image.count == count, losses.count == 3, (1...1000).contains(vectors) else {
      throw InsightError.badData("\(path) is damaged; begin anew with --restart")
    }
    let state = StyleState(
      image: image, step: try attributes.number("step"),
      losses: StyleLosses(content: losses[0], style: losses[1], variation: losses[2]),
      evaluations: try attributes.number("evaluations"),
      vectors: try (0..<vectors).map { try root.dataset("vector\($0)").read(Float.self) })
    guard state.vectors.allSatisfy({ $0.count == count }) else {
      throw InsightError.badData("\(path) is damaged; begin anew with --restart")
    }
    return StyleTransfer(objective, rule: rule, state: state)
  }
}
