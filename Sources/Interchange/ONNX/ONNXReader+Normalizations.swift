internal import Networks
internal import Tensors

// Normalisations.
extension ONNXReader {
  mutating func batchNormalization(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    options.ignore("spatial")
    guard try options.integer("training_mode", default: 0) == 0 else {
      throw options.refused("it is in training mode; export the model for inference (model.eval())")
    }
    let source = try withChannels(0, try result(node), node)
    let channels = source.theirs[0].size
    var parameters: [String: [Float]] = [:]
    for (index, name) in [(1, "gamma"), (2, "beta"), (3, "moving_mean"), (4, "moving_variance")] {
      let vector = try weights(node, index, name)
      guard vector.dimensions == [channels] else {
        throw options.refused("\(name) of \(Self.text(vector.dimensions)) does not fit \(channels) channels")
      }
      parameters[name] = inOurOrder(vector.floats, source, axis: 0)
    }
    let norm = BatchNorm(
      momentum: try options.float("momentum", default: 0.9),
      epsilon: try options.float("epsilon", default: 1e-5))
    set(
      node,
      try addInPlace(
        .layer(.batchNorm(norm)), source, node, weights: parameters,
        name: Self.module(ofWeight: node.inputs[1])))
  }

  mutating func layerNormalization(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    options.ignore("stash_type")
    let found = try result(node)
    let rank = found.theirs.count + 1
    let axis = try options.integer("axis", default: -1)
    guard axis == -1 || axis == rank - 1 else {
      throw options.refused(
        "only the last dimension can be normalised, and its axis is \(axis) of \(rank) dimensions")
    }
    let source = try withChannels(found.theirs.count - 1, found, node)
    let channels = source.theirs[source.theirs.count - 1].size
    let scale = try weights(node, 1, "scale")
    let offset = try node.input(2).map { _ in try weights(node, 2, "bias") }
    guard scale.count == channels, offset.map({ $0.count == channels }) ?? true else {
      throw options.refused("its scale or bias does not fit \(channels) channels")
    }
    var parameters = ["gamma": inOurOrder(scale.floats, source, axis: source.theirs.count - 1)]
    if let offset { parameters["beta"] = inOurOrder(offset.floats, source, axis: source.theirs.count - 1) }
    let norm = LayerNorm(
      epsilon: try options.float("epsilon", default: 1e-5), scale: true, center: offset != nil)
    set(
      node,
      try addInPlace(
        .layer(.layerNorm(norm)), source, node, weights: parameters,
        name: Self.module(ofWeight: node.inputs[1])))
  }

  mutating func responseNormalization(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    let source = try image(try result(node), node)
    let size = try options.integer("size", default: 1)
    guard size % 2 == 1, (1...2047).contains(size) else {
      throw options.refused("\(size) channels have none in the middle")
    }
    let norm = LocalResponseNorm(
      radius: size / 2, bias: try options.float("bias", default: 1),
      alpha: try options.float("alpha", default: 1e-4) / Float(size),
      beta: try options.float("beta", default: 0.75))
    set(
      node,
      try addInPlace(.layer(.localResponseNorm(norm)), source, node, isNonNegative: source.isNonNegative))
  }
}
