internal import KernelShapes
public import Networks
internal import OneDNN
internal import Parallel
internal import Tensors

/// A trainable parameter's place in the flat buffers of a compiled network.
public struct Segment: Sendable {
  /// Whose place it is.
  public let parameter: Parameter
  /// The parameter's floats in the buffer; they start on a multiple of 16.
  ///
  /// Elements that the layout adds as padding are zero and stay zero.
  public let range: Range<Int>
  /// The place of its gradient in that of a shard; nil where the gradient is taken over the whole minibatch, or not at all.
  public let gradientRange: Range<Int>?
  /// The place in buffers of what only trained parameters have, such as the optimizer's slots; nil for a frozen one.
  public let trainedRange: Range<Int>?
  let descriptor: MemoryDescriptor
  let view: CanonicalView

  /// Whether a training moves the parameter.
  public var isTrained: Bool { trainedRange != nil }
}

/// How a parameter in Keras's layout looks to the kernel library.
enum CanonicalView: Sendable {
  /// The canonical elements under this descriptor: logical order of the library, strides of Keras.
  case strided(MemoryDescriptor)
  /// A dense kernel whose input columns lie in another order: row r of the library's is canonical row `columns[r]`, or
  /// zeros where that is negative. The descriptor is of the [columns.count, units] copy.
  case rows(columns: [Int32], units: Int, MemoryDescriptor)
}

/// The layouts of a network's parameters as plans use them, and the copies in other layouts that kernels read.
///
/// The first plan settles the layouts (those in which its kernels write gradients); later plans use them as they are.
final class ParameterStorage: Sendable {
  /// Weights as some kernels read them: made from the parameters after each update, in one of several ways.
  struct Copy: Sendable {
    /// How a copy is made of parameters.
    enum Transformation: Sendable {
      /// The same values in another layout or number format: all of a segment, or a slice.
      case reorder(segment: Int, source: MemoryDescriptor, Primitive)
      /// A convolution's weights as our kernels of Winograd read them.
      case winograd(WinogradWeights)
      /// A convolution's weights and bias with a batch normalisation multiplied in, for inference.
      case folded(Folded)
    }

    /// The place in the buffer of copies, in bytes.
    let offset: Int
    let descriptor: MemoryDescriptor
    let transformation: Transformation
    /// Whether only inference reads it, so that it need not follow every step.
    let isForInference: Bool
    /// Whether no step changes what it is made of.
    let isConstant: Bool
  }

  /// How a convolution's weights are transformed for our kernels of Winograd.
  struct WinogradWeights: Sendable {
    let segment: Int
    let form: WinogradForm
    /// Brings the parameters into Keras's layout where they lie in another, with the place for them in the buffer of copies.
    let toCanonical: (reorder: Primitive, layout: MemoryDescriptor, offset: Int)?
  }

  /// What a batch normalisation that is multiplied into a convolution takes.
  struct Folded: Sendable {
    let kernel: Segment
    let bias: Segment?
    let gamma: Segment?
    let beta: Segment?
    /// The means' places in the statistics, in floats.
    let mean: Range<Int>
    let variance: Range<Int>
    let epsilon: Float
    /// From and to Keras's layout, in which the channels are scaled.
    let toCanonical: Primitive
    let toKernel: ToKernel
    let canonical: MemoryDescriptor
    /// The place of the bias, in bytes from the start of the buffer of copies.
    let biasOffset: Int

    enum ToKernel: Sendable {
      case reorder(Primitive)
      case winograd(WinogradForm)
    }
  }

  private struct State {
    var segments: [Segment] = []
    var indexByPath: [String: Int] = [:]
    var count = 0
    var gradientCount = 0
    var trainedCount = 0
    var gathered: [GatheredLayer] = []
    var copies: [Copy] = []
    var copyByteCount = 64

    /// A place for a copy, whose end no kernel's wide read leaves.
    ///
    /// - Returns: its offset in bytes, a multiple of 64.
    mutating func reserve(_ descriptor: MemoryDescriptor) -> Int {
      let offset = copyByteCount
      copyByteCount += (descriptor.byteCount + 127) & ~63
      return offset
    }
  }

  private let state = Guarded(State())

  var segments: [Segment] { state.withLock { $0.segments } }
  /// Floats of a flat buffer.
  var count: Int { state.withLock { $0.count } }
  /// Floats of a shard's gradient.
  var gradientCount: Int { state.withLock { $0.gradientCount } }
  /// Floats of a buffer of what only trained parameters have.
  var trainedCount: Int { state.withLock { $0.trainedCount } }
  /// The layers whose gradients are taken over the whole minibatch.
  var gathered: [GatheredLayer] { state.withLock { $0.gathered } }
  var copies: [Copy] { state.withLock { $0.copies } }
  var copyByteCount: Int { state.withLock { $0.copyByteCount } }

  func segment(for parameter: Parameter) -> Segment? {
    state.withLock { state in state.indexByPath[parameter.path].map { state.segments[$0] } }
  }

  /// Floats of a shard's gradient that no kernel writes: what rounds vectors up to a multiple of 16.
  var gradientGaps: [Range<Int>] {
    segments.compactMap { segment in
      guard let range = segment.gradientRange else { return nil }
      let end = range.lowerBound + segment.descriptor.byteCount / 4
      return end < range.upperBound ? end..<range.upperBound : nil
    }
  }

  /// Adds a parameter behind the others.
  ///
  /// - Parameters:
  ///   - isTrained: whether a training moves it.
  ///   - isGathered: whether its gradient is taken over the whole minibatch.
  func add(
    _ parameter: Parameter, _ descriptor: MemoryDescriptor, _ view: CanonicalView, isTrained: Bool = true,
    isGathered: Bool = false
  ) -> Segment {
    state.withLock { state in
      let floats = (descriptor.byteCount / 4 + 15) & ~15
      let hasGradient = isTrained && !isGathered
      let segment = Segment(
        parameter: parameter, range: state.count..<state.count + floats,
        gradientRange: hasGradient ? state.gradientCount..<state.gradientCount + floats : nil,
        trainedRange: isTrained ? state.trainedCount..<state.trainedCount + floats : nil,
        descriptor: descriptor, view: view)
      state.indexByPath[parameter.path] = state.segments.count
      state.segments.append(segment)
      state.count += floats
      if hasGradient { state.gradientCount += floats }
      if isTrained { state.trainedCount += floats }
      return segment
    }
  }

  /// Notes a layer whose gradient is taken over the whole minibatch.
  func gather(_ layer: GatheredLayer) { state.withLock { $0.gathered.append(layer) } }

  /// Where kernels find the parameter in the wanted layout: in place if it is the stored one, otherwise in a copy.
  ///
  /// - Parameter slice: the part of the segment that is wanted; nil for all of it.
  func operand(
    _ segment: Segment, slice: MemoryDescriptor? = nil, as wanted: MemoryDescriptor, isForInference: Bool
  ) throws(OneDNNError) -> Operand {
    let source = slice ?? segment.descriptor
    if wanted == segment.descriptor, slice == nil {
      return Operand(.parameters, offset: segment.range.lowerBound * 4, wanted)
    }
    let reorder = try Primitive(Elementwise.reorder(from: source, to: wanted))
    return state.withLock { state in
      let index = state.indexByPath[segment.parameter.path] ?? 0
      let known = state.copies.first { copy in
        guard case .reorder(index, source, _) = copy.transformation else { return false }
        return copy.descriptor == wanted && copy.isForInference == isForInference
      }
      if let known { return Operand(.kernelWeights, offset: known.offset, wanted) }
      let copy = Copy(
        offset: state.reserve(wanted), descriptor: wanted,
        transformation: .reorder(segment: index, source: source, reorder), isForInference: isForInference,
        isConstant: !segment.isTrained)
      state.copies.append(copy)
      return Operand(.kernelWeights, offset: copy.offset, wanted)
    }
  }

  /// Where our kernels of Winograd find a convolution's weights.
  ///
  /// - Parameter canonical: Keras's layout seen in the library's order.
  func operand(
    _ segment: Segment, as form: WinogradForm, canonical: MemoryDescriptor, isForInference: Bool
  ) throws(OneDNNError) -> Operand {
    let wanted = try form.descriptor()
    let reorder =
      segment.descriptor == canonical
      ? nil : try Primitive(Elementwise.reorder(from: segment.descriptor, to: canonical))
    return state.withLock { state in
      let index = state.indexByPath[segment.parameter.path] ?? 0
      let known = state.copies.first { copy in
        guard case .winograd(let weights) = copy.transformation else { return false }
        // What follows every step serves inference, too.
        return weights.segment == index && weights.form == form && (isForInference || !copy.isForInference)
      }
      if let known { return Operand(.kernelWeights, offset: known.offset, wanted) }
      let copy = Copy(
        offset: state.reserve(wanted), descriptor: wanted,
        transformation: .winograd(
          WinogradWeights(
            segment: index, form: form,
            toCanonical: reorder.map { ($0, canonical, state.reserve(canonical)) })),
        isForInference: isForInference, isConstant: !segment.isTrained)
      state.copies.append(copy)
      return Operand(.kernelWeights, offset: copy.offset, wanted)
    }
  }

  /// Where kernels find a convolution's weights and bias with a batch normalisation in them.
  ///
  /// - Parameters:
  ///   - canonical: Keras's layout seen in the library's order.
  ///   - wanted: the layout that a kernel of the library reads, or the form that one of ours does.
  func folded(
    _ kernel: Segment, bias: Segment?, gamma: Segment?, beta: Segment?, mean: Range<Int>,
    variance: Range<Int>, epsilon: Float, canonical: MemoryDescriptor, as target: ConvolutionWeightsForm,
    isForInference: Bool
  ) throws(OneDNNError) -> (kernel: Operand, bias: Operand) {
    let toCanonical = try Primitive(Elementwise.reorder(from: kernel.descriptor, to: canonical))
    let (wanted, toKernel): (MemoryDescriptor, Folded.ToKernel) =
      switch target {
      case .library(let layout):
        (layout, .reorder(try Primitive(Elementwise.reorder(from: canonical, to: layout))))
      case .winograd(let form): (try form.descriptor(), .winograd(form))
      }
    let vector = try MemoryDescriptor.dense([mean.count], .f32)
    return state.withLock { state in
      let kernelOffset = state.reserve(wanted)
      let biasOffset = state.reserve(vector)
      let folded = Folded(
        kernel: kernel, bias: bias, gamma: gamma, beta: beta, mean: mean, variance: variance,
        epsilon: epsilon, toCanonical: toCanonical, toKernel: toKernel, canonical: canonical,
        biasOffset: biasOffset)
      state.copies.append(
        Copy(
          offset: kernelOffset, descriptor: wanted, transformation: .folded(folded),
          isForInference: isForInference,
          // Training folds what is frozen, and nothing else.
          isConstant: !isForInference))
      return (
        Operand(.kernelWeights, offset: kernelOffset, wanted),
        Operand(.kernelWeights, offset: biasOffset, vector)
      )
    }
  }

  // MARK: - Between Keras's layouts and the plan's

  /// Which values a flat buffer holds.
  enum Contents {
    /// Those of all parameters.
    case all
    /// Those of the parameters that are trained.
    case trained
  }

  func load(
    _ canonical: UnsafePointer<Float>, into storage: UnsafeMutablePointer<Float>, _ contents: Contents = .all
  ) throws(OneDNNError) {
    try convert(UnsafeMutablePointer(mutating: canonical), storage, contents, toStorage: true)
  }

  func export(
    _ storage: UnsafePointer<Float>, into canonical: UnsafeMutablePointer<Float>, _ contents: Contents = .all
  ) throws(OneDNNError) {
    try convert(canonical, UnsafeMutablePointer(mutating: storage), contents, toStorage: false)
  }

  private func convert(
    _ canonical: UnsafeMutablePointer<Float>, _ storage: UnsafeMutablePointer<Float>, _ contents: Contents,
    toStorage: Bool
  ) throws(OneDNNError) {
    ThreadConfinement.confine()
    let stream = try Stream()
    for segment in segments {
      guard let place = contents == .all ? segment.range : segment.trainedRange else { continue }
      let values = canonical + segment.parameter.range.lowerBound
      let stored = storage + place.lowerBound
      switch segment.view {
      case .strided(let view):
        try copy(stream, values, view, stored, segment.descriptor, forward: toStorage)
      case .rows(let columns, let units, let view):
        let rows = AlignedBuffer<Float>(count: columns.count * units)
        if toStorage { gather(values, into: rows.baseAddress, columns, units) }
        try copy(stream, rows.baseAddress, view, stored, segment.descriptor, forward: toStorage)
        if !toStorage { scatter(rows.baseAddress, into: values, columns, units) }
      }
    }
  }

  private func copy(
    _ stream: Stream, _ left: UnsafeMutablePointer<Float>, _ leftLayout: MemoryDescriptor,
    _ right: UnsafeMutablePointer<Float>, _ rightLayout: MemoryDescriptor, forward: Bool
  ) throws(OneDNNError) {
    let (src, srcLayout, dst, dstLayout) =
      forward ? (left, leftLayout, right, rightLayout) : (right, rightLayout, left, leftLayout)
    let reorder = try Primitive(Elementwise.reorder(from: srcLayout, to: dstLayout))
    let scratchpad = AlignedBuffer<UInt8>(count: reorder.descriptor.scratchpad.byteCount)
    let execution = Execution(
      reorder, on: stream,
      [
        (.src, try Memory(srcLayout, at: src)), (.dst, try Memory(dstLayout, at: dst)),
        (.scratchpad, try Memory(reorder.descriptor.scratchpad, at: scratchpad.baseAddress)),
      ])
    try withExtendedLifetime(scratchpad) { () throws(OneDNNError) in try execution.run() }
  }

  private func gather(
    _ source: UnsafePointer<Float>, into rows: UnsafeMutablePointer<Float>, _ columns: [Int32], _ units: Int
  ) {
    for (row, column) in columns.enumerated() where column >= 0 {
      (rows + row * units).update(from: source + Int(column) * units, count: units)
    }
  }

  private func scatter(
    _ rows: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>, _ columns: [Int32], _ units: Int
  ) {
    for (row, column) in columns.enumerated() where column >= 0 {
      (target + Int(column) * units).update(from: rows + row * units, count: units)
    }
  }
}

/// How our kernels of Winograd read weights: the channels, and which pass.
struct WinogradForm: Hashable, Sendable {
  enum Direction: Sendable { case forward, backward }

  let inputs: Int
  let outputs: Int
  let direction: Direction

  init(_ shape: WinogradShape, _ direction: Direction) {
    (inputs, outputs) = (shape.inputs, shape.outputs)
    self.direction = direction
  }

  /// Panels of 32 columns, which are transformed by themselves.
  var panels: Int { ((direction == .forward ? outputs : inputs) + 31) / 32 }

  /// The transformed weights as so many floats.
  func descriptor() throws(OneDNNError) -> MemoryDescriptor {
    let (rows, columns) = direction == .forward ? (inputs, outputs) : (outputs, inputs)
    return try .dense([WinogradShape.points, rows, (columns + 15) / 16 * 16], .f32)
  }
}

/// What a convolution's kernel reads as its weights.
enum ConvolutionWeightsForm {
  case library(MemoryDescriptor)
  case winograd(WinogradForm)
}
