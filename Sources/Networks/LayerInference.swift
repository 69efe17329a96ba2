internal import Tensors

/// A layer with the shapes of its inputs: what descriptions infer output, parameters and work from, and the messages where
/// shapes or settings do not fit.
struct LayerInference {
  let layer: Layer
  let inputs: [Shape]

  var input: Shape { inputs[0] }

  /// - Throws: ``NetworkError/shape(layer:reason:)`` or ``NetworkError/parameter(layer:name:reason:)``.
  func resolve() throws -> ResolvedLayer { try layer.spec.described.resolve(self) }

  // MARK: - Results

  /// The layer with its results.
  ///
  /// - Parameters:
  ///   - view: the part of the input that a place of the output is computed from.
  ///   - flopsPerElement: floating-point operations for each element of the output.
  func make(
    output: Shape, view: LayerView, parameters: [ParameterSpec] = [], flopsPerElement: Int = 1
  ) -> ResolvedLayer {
    make(
      output: output, view: view, parameters: parameters,
      flops: Self.work(output.elementCount, flopsPerElement))
  }

  func make(output: Shape, view: LayerView, parameters: [ParameterSpec], flops: Int) -> ResolvedLayer {
    ResolvedLayer(
      layer: layer, inputShapes: inputs, outputShape: output, view: view, parameters: parameters,
      flops: min(flops, Self.mostWork))
  }

  /// What no sum over any number of layers could overflow.
  private static let mostWork = 1 << 48

  /// The product, at most ``mostWork``.
  static func work(_ elements: Int, _ flopsPerElement: Int) -> Int {
    let (product, overflow) = elements.multipliedReportingOverflow(by: flopsPerElement)
    return overflow ? mostWork : min(product, mostWork)
  }

  // MARK: - Inputs

  /// Rows, columns and channels; a sequence has one row.
  struct Grid {
    let height: Int
    let width: Int
    let channels: Int
    let isSequence: Bool

    func shape(_ height: Int, _ width: Int, _ channels: Int) -> Shape {
      isSequence ? [width, channels] : [height, width, channels]
    }
  }

  func image() throws -> Grid {
    guard input.rank == 3 else {
      throw mismatch(
        "\(layer.spec.word) takes an image [height, width, channels] and '\(layer.inputs[0])' gives \(input)")
    }
    return Grid(height: input[0], width: input[1], channels: input[2], isSequence: false)
  }

  func sequence() throws -> Grid {
    guard input.rank == 2 else {
      throw mismatch(
        "\(layer.spec.word) takes a sequence [length, channels] and '\(layer.inputs[0])' gives \(input)")
    }
    return Grid(height: 1, width: input[0], channels: input[1], isSequence: true)
  }

  /// Channels of the input, which come last.
  var channels: Int { input[input.rank - 1] }

  // MARK: - Messages

  func mismatch(_ reason: String) -> NetworkError { .shape(layer: layer.name, reason: reason) }

  func wrong(_ name: String, _ reason: String) -> NetworkError {
    .parameter(layer: layer.name, name: name, reason: reason)
  }

  func windowError(_ window: Size2D, _ grid: Grid) -> NetworkError {
    let size = grid.isSequence ? "window of \(window.width)" : "\(window.height)×\(window.width) window"
    return mismatch(
      "a \(size) does not fit into the \(input) that "
        + "'\(layer.inputs[0])' gives; use padding 'same', a smaller window or less pooling before it")
  }

  func require(_ value: Int, atLeast minimum: Int, _ name: String) throws {
    guard (minimum...1 << 24).contains(value) else {
      throw wrong(name, "\(value) must be from \(minimum) to \(1 << 24)")
    }
  }

  func require(_ size: Size2D, _ name: String) throws {
    try require(size.height, atLeast: 1, name)
    try require(size.width, atLeast: 1, name)
  }

  /// Refuses causal padding for images, which have no before and after.
  func requireImagePadding(_ padding: Padding, _ grid: Grid) throws {
    guard padding == .causal, !grid.isSequence else { return }
    throw wrong("padding", "'causal' is for conv1d; take 'valid' or 'same'")
  }
}
