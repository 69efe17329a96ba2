/// A network that was exported, for machines.
struct ExportResult: Encodable {
  let path: String
  let format: String
  let name: String
  /// The type and shape of what the model takes.
  let input: String
  /// The type and shape of what it gives.
  let output: String
  let bytes: Int
  /// What else a person should know.
  let notes: [String]
}
