internal import Networks
internal import Tensors

// Products with matrices: dense layers.
extension ONNXReader {
  mutating func gemm(_ node: ONNXNode, _ options: inout ONNXAttributes) throws {
    guard try options.integer("transA", default: 0) == 0 else {
      throw options.refused("its first factor would have to be transposed, samples and all")
    }
    var matrix = try weights(node, 1, "matrix")
    let isTurned = try options.integer("transB", default: 0) == 1
    guard matrix.dimensions.count == 2 else {
      throw options.refused("\(Self.text(matrix.dimensions)) is no matrix")
    }
    if isTurned { matrix = matrix.transposed([1, 0]) }
    let alpha = try options.float("alpha", default: 1)
    let beta = try options.float("beta", default: 1)
    let units = matrix.dimensions[1]
    var bias: [Float]?
    if node.input(2) != nil {
      let constant = try weights(node, 2, "bias")
      let sizes = [1, units]
      guard ONNXConstant.common(sizes, constant.dimensions) == sizes else {
        throw options.refused("a bias of \(Self.text(constant.dimensions)) does not fit \(units) outputs")
      }
      let values = constant.floats
      bias = constant.expanded(to: sizes).map { beta * values[$0] }
    }
    if alpha != 1 { matrix.values = .floats(matrix.floats.map { $0 * alpha }) }
    set(node, try product(try result(node), matrix, bias, node, name: Self.module(ofWeight: node.inputs[1])))
  }

  mutating func matMul(_ node: ONNXNode) throws {
    let matrix = try weights(node, 1, "second factor")
    guard matrix.dimensions.count == 2 else {
      throw InterchangeError(
        .badData, "\(path): \(node.place): products with \(Self.text(matrix.dimensions)) are not supported")
    }
    let found = try result(node)
    guard found.theirs.count > 1 else { return set(node, try product(found, matrix, nil, node, name: nil)) }
    // A product at each place is a convolution of one place.
    let source = try withChannels(found.theirs.count - 1, found, node)
    let (inputs, units) = (matrix.dimensions[0], matrix.dimensions[1])
    guard source.ours.last?.size == inputs, (1...3).contains(source.ours.count) else {
      throw InterchangeError(
        .badData,
        "\(path): \(node.place): a matrix of \(Self.text(matrix.dimensions)) does not fit N×\(Self.text(source.theirShape))"
      )
    }
    let spec: LayerSpec =
      switch source.ours.count {
      case 1: .dense(Dense(units: units, useBias: false))
      case 2: .conv1D(Conv1D(filters: units, kernel: 1, useBias: false))
      default: .conv2D(Conv2D(filters: units, kernel: .one, useBias: false))
      }
    let rows = source.ours.last.map { $0.indices(in: source.theirs[source.theirs.count - 1]) } ?? []
    let kernel = source.ours.last == source.theirs.last ? matrix : matrix.picked(rows, along: 0)
    var result = source
    result.layer = try add(.layer(spec), [source], node, weights: ["kernel": kernel.floats]).name
    let parts = fresh([units])[0]
    result.ours[result.ours.count - 1] = parts
    result.theirs[result.theirs.count - 1] = parts
    result.isNonNegative = false
    set(node, result)
  }

  private mutating func product(
    _ source: ONNXResult, _ matrix: ONNXConstant, _ bias: [Float]?, _ node: ONNXNode, name: String?
  ) throws -> ONNXResult {
    let (flat, order) = try vector(source, node)
    let (inputs, units) = (matrix.dimensions[0], matrix.dimensions[1])
    guard flat.elementCount == inputs, inputs > 0, units > 0 else {
      throw InterchangeError(
        .badData,
        "\(path): \(node.place): a matrix of \(inputs)×\(units) does not fit \(flat.elementCount) values")
    }
    // The layer's values are in another order than the matrix's rows: row i of ours is the row of that value in the graph.
    let rows = order == nil ? nil : flat.ours[0].indices(in: flat.theirs[0])
    let kernel = rows.map { matrix.picked($0, along: 0) } ?? matrix
    var parameters = ["kernel": kernel.floats]
    if let bias { parameters["bias"] = bias }
    return try addFresh(
      .layer(.dense(Dense(units: units, useBias: bias != nil))), [flat], node, weights: parameters, name: name
    )
  }
}
