internal import Networks

// Normalisations of channels or groups of channels over all positions of a sample.

extension ONNXReader {
  mutating func groupNormalization(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    options.ignore("stash_type")
    let groups = try options.integer("num_groups", default: 0)
    let source = try withChannels(0, try result(node), node)
    try addGroupNorm(node, source, channels: source.theirs[0].size, groups: groups, &options)
  }

  /// An instance normalisation, or one of groups: programs make those of the channels' dimension split in two, of which the first half stays.
  mutating func instanceNormalization(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    let found = try result(node)
    if let first = found.theirs.first, let channels = found.ours.last, channels != first,
      channels.starts(with: first)
    {
      return try addGroupNorm(node, found, channels: channels.size, groups: first.size, &options)
    }
    let source = try withChannels(0, found, node)
    try addGroupNorm(
      node, source, channels: source.theirs[0].size, groups: source.theirs[0].size, &options)
  }

  /// - Parameter source: has its channels last.
  private mutating func addGroupNorm(
    _ node: ONNXNode, _ source: ONNXResult, channels: Int, groups: Int, _ options: inout ONNXAttributes
  ) throws {
    guard groups > 0, channels % groups == 0 else {
      throw options.refused("\(groups) groups do not divide \(channels) channels")
    }
    var parameters: [String: [Float]] = [:]
    for (index, name, noun) in [(1, "gamma", "scale"), (2, "beta", "bias")] {
      let numbers = try weights(node, index, noun).floats
      // Before version 21 of the operators, the channels of a group shared them.
      guard numbers.count == channels || numbers.count == groups else {
        throw options.refused("its \(noun) of \(numbers.count) does not fit \(channels) channels")
      }
      let shared = channels / numbers.count
      parameters[name] = (0..<channels).map { numbers[$0 / shared] }
    }
    let norm = GroupNorm(
      groups: groups == channels ? nil : groups, epsilon: try options.float("epsilon", default: 1e-5))
    set(
      node,
      try addInPlace(
        .layer(.groupNorm(norm)), source, node, weights: parameters,
        name: Self.module(ofWeight: node.inputs[1])))
  }
}
