internal import Networks
internal import OneDNN

/// A dense layer whose gradient is taken once, over the rows of a whole minibatch.
///
/// A shard's gradient of very many weights costs more to write, to add and to read again than to compute (Krizhevsky 2014, "One weird
/// trick for parallelizing convolutional neural networks"). Such a layer's shards keep their inputs and output gradients
/// instead, one row a sample, and ``GatheredGradients`` multiplies them when all rows are there, some units at a time.
struct GatheredLayer: Sendable {
  /// How the units are cut, from shapes alone.
  struct Slicing: Sendable {
    /// The layout of the whole kernel, in which a slice of units lies in one piece.
    let layout: MemoryDescriptor
    /// Units of a slice; the last one may have fewer.
    let unitsPerSlice: Int
  }

  /// What is kept of each sample.
  enum Rows: Sendable {
    case inputs
    case gradients
  }

  let layer: String
  let kernel: Segment
  let bias: Segment?
  let inputs: Int
  /// The number format of inputs and output gradients.
  let type: DataType
  let slicing: Slicing

  var units: Int { kernel.descriptor.dimensions[0] }

  /// The slices' units.
  var slices: [Range<Int>] {
    stride(from: 0, to: units, by: slicing.unitsPerSlice).map {
      $0..<min($0 + slicing.unitsPerSlice, units)
    }
  }

  /// Floats of one unit's weights with their padding.
  private var floatsPerUnit: Int { slicing.layout.byteCount / 4 / slicing.layout.paddedDimensions[0] }

  /// A slice's place among the kernel's floats, with the padding of the last one.
  func floats(of slice: Range<Int>) -> Range<Int> {
    let end = slice.upperBound == units ? slicing.layout.paddedDimensions[0] : slice.upperBound
    return slice.lowerBound * floatsPerUnit..<end * floatsPerUnit
  }

  /// The layout of a slice of the kernel by itself.
  func layout(of slice: Range<Int>) throws(OneDNNError) -> MemoryDescriptor {
    try slicing.layout.slice(from: [slice.lowerBound, 0], dimensions: [slice.count, inputs]).fromItsStart
  }

  /// The kernel that multiplies the rows of a slice.
  ///
  /// - Returns: nil where the library has nothing but plain loops.
  static func multiplication(
    rows: Int, inputs: Int, units: Int, _ type: DataType, diffWeights: MemoryDescriptor
  ) throws(OneDNNError) -> PrimitiveDescriptor? {
    var shape = InnerProductShape(
      src: try .dense([rows, inputs], type), weights: try .any([units, inputs], type), bias: nil,
      dst: try .dense([rows, units], type))
    guard let hint = try shape.forward(training: true, activation: nil).first else { return nil }
    shape.weights = diffWeights
    return try shape.backwardWeights(hint: hint).first { !$0.isReference }
  }
}

extension GatheredLayer.Slicing {
  /// Units whose weights are multiplied and used up together: few enough to stay in the caches.
  private static let unitsPerSlice = 128

  /// - Parameter rows: samples of a step.
  /// - Returns: nil where the kernels' layout does not keep a slice in one piece, or there is no kernel.
  init?(rows: Int, inputs: Int, units: Int, _ type: DataType) throws(OneDNNError) {
    let count = min(Self.unitsPerSlice, units)
    // The kernels' own layout is the fastest, where units are its outermost axis; kernels without vectors of 16 numbers often put them inside.
    for wish in [try MemoryDescriptor.any([units, inputs], .f32), try .dense([units, inputs], .f32)] {
      guard
        let whole = try GatheredLayer.multiplication(
          rows: rows, inputs: inputs, units: units, type, diffWeights: wish)
      else { continue }
      let layout = whole.descriptor(of: .diffWeights)
      guard let slice = Self.slice(count, of: layout, units: units, inputs: inputs),
        try GatheredLayer.multiplication(rows: rows, inputs: inputs, units: count, type, diffWeights: slice)
          != nil
      else { continue }
      self.layout = layout
      unitsPerSlice = count
      return
    }
    return nil
  }

  /// The first units of a layout whose outermost axis they are, so that each slice lies in one piece.
  private static func slice(
    _ count: Int, of layout: MemoryDescriptor, units: Int, inputs: Int
  ) -> MemoryDescriptor? {
    // As many bytes belong to each unit, and a slice's lie together.
    guard !layout.layout.isPrivate, layout.byteCount % layout.paddedDimensions[0] == 0,
      let slice = try? layout.slice(from: [0, 0], dimensions: [count, inputs]),
      count == units || slice.byteCount == layout.byteCount / layout.paddedDimensions[0] * count
    else { return nil }
    return slice
  }
}

extension PlanBuilder {
  /// How a dense layer's units are cut where its gradient is taken over the whole minibatch; nil where each shard takes its own.
  func slicing(
    _ layer: String, _ dense: Dense, inputs: Int, _ type: DataType
  ) throws -> GatheredLayer.Slicing? {
    guard isTraining else { return nil }
    if let known = storage.gathered.first(where: { $0.layer == layer }) { return known.slicing }
    let parameter = parameters.parameters.first { $0.layer == layer && $0.spec.name == "kernel" }
    // An earlier plan has settled that each shard takes its own.
    if let parameter, storage.segment(for: parameter) != nil { return nil }
    guard options.gathersGradient(ofLayer: layer, weights: inputs * dense.units) else { return nil }
    let slicing = try GatheredLayer.Slicing(
      rows: options.batch, inputs: inputs, units: dense.units, type)
    chooseGradient(gathered: slicing != nil, ofLayer: layer)
    return slicing
  }

  /// The layer's number among those of its kind.
  func gatheredLayer(_ layer: GatheredLayer) -> GatherStep.Layer {
    let known = storage.gathered.firstIndex { $0.layer == layer.layer }
    if known == nil { storage.gather(layer) }
    return GatherStep.Layer(index: known ?? storage.gathered.count - 1, layer: layer)
  }
}

/// Keeps a shard's rows of a layer whose gradient is taken over the whole minibatch.
struct GatherStep: CustomStep {
  struct Layer: Sendable {
    let index: Int
    let layer: GatheredLayer
  }

  private let layer: Layer
  private let rows: GatheredLayer.Rows
  private let source: Operand

  /// - Parameter source: [samples, inputs or units], row by row.
  init(_ layer: Layer, _ rows: GatheredLayer.Rows, _ source: Operand) {
    self.layer = layer
    self.rows = rows
    self.source = source
  }

  var name: String { "gather" }
  var operands: [Operand] { [source] }
  var results: [Operand] { [] }

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) {
    guard let gathered = shard.options.gathered, let address = memory.address(of: source) else {
      preconditionFailure("nowhere to keep the rows of '\(layer.layer.layer)'")
    }
    gathered.keep(address, samples: source.descriptor.dimensions[0], rows, ofLayer: layer.index)
  }
}
