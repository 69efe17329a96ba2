internal import Compute
internal import Digests
internal import OneDNN
internal import Parallel

extension Ranks {
  /// The kernels that were measured on the first rank, for all: others would find others faster.
  func firstSelection(
    _ tuning: TuningConfiguration, _ measure: () throws -> KernelSelection
  ) throws -> KernelSelection {
    guard !isAlone, tuning == .measured else { return try measure() }
    var text = ""
    if communicator.isFirst, case .chosen(let choices) = try measure() { text = choices.text }
    guard let choices = KernelChoices(text: try communicator.first(text: text)) else {
      throw TrainingError(.badData, "the first rank's choices of kernels cannot be read")
    }
    return .chosen(choices)
  }

  /// Refuses ranks that would not compute the same bytes: another config, program, kernel library, processor or other data.
  ///
  /// - Throws: ``TrainingError`` of kind `configuration` that names the first rank that differs, on all ranks alike.
  func checkAgreement(
    _ request: RunRequest, _ prepared: PreparedTraining, _ digests: DataDigests
  ) throws {
    if isAlone { return }
    let own = Self.fingerprint(request, prepared, digests).map { "\($0.name)\t\($0.value)" }
    let all = try communicator.gather(text: own.joined(separator: "\n")).map { text in
      text.split(separator: "\n", omittingEmptySubsequences: false).map {
        $0.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
      }
    }
    for (rank, fields) in all.enumerated().dropFirst() {
      for (first, other) in zip(all[0], fields) where first != other {
        throw TrainingError(
          .configuration,
          "rank \(rank) (\(communicator.nodes[rank])) has \(first[0]) \(other.last ?? "?"), and rank 0 "
            + "(\(communicator.nodes[0])) has \(first.last ?? "?"): they would not compute the same bytes")
      }
    }
  }

  private static func fingerprint(
    _ request: RunRequest, _ prepared: PreparedTraining, _ digests: DataDigests
  ) -> [(name: String, value: String)] {
    func digest(_ text: String) -> String { String(SHA256.digest(of: text).hexadecimal.prefix(16)) }
    let data = digests.values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    let versions = RunEnvironment.libraryVersions.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    return [
      ("a config with the digest", digest(request.resolvedConfiguration)),
      ("the versions", versions.joined(separator: ", ")),
      ("the instruction set", OneDNN.Library.instructionSet),
      ("data with the digest", digest(data.joined(separator: "\n"))),
      ("kernels with the digest", digest(prepared.compiled.choices.text)),
      ("shards of", "\(prepared.compiled.shardSize) samples"),
    ]
  }
}
