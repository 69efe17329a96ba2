internal import Compute
internal import Foundation
internal import Networks

extension Criterion {
  /// The criterion on one line, its keys in alphabetical order.
  func json() throws -> String { try JSONWriter().text(self) }

  /// - Throws: ``TrainingError`` of kind `badData` where the text is not a criterion.
  init(json: String) throws {
    do { self = try JSONDecoder().decode(Criterion.self, from: Data(json.utf8)) } catch {
      throw TrainingError(.badData, "the checkpoint's loss and metrics cannot be read: \(json.prefix(80))")
    }
  }
}
