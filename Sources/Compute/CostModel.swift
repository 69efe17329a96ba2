internal import OneDNN

/// Choices that follow from shapes alone, so that two fresh compilations of a network agree.
enum CostModel {
  static func algorithm(for problem: ConvolutionProblem, pass: Pass) -> ConvolutionAlgorithm {
    .direct
  }

  /// Whether bf16 pays: an image's few channels leave most of a bf16 dot product empty.
  static func prefersBF16(_ problem: ConvolutionProblem) -> Bool {
    problem.inputChannels / problem.groups >= 8
  }

  /// Samples of one shard.
  static func shardSize(batch: Int) -> Int { min(batch, 16) }
}
