internal import Compute
internal import Networks
internal import Parallel
internal import Tensors

/// What happens to parameters once the optimizer has moved them: bounds on the norms of filters, and the moving average.
///
/// Slices without a bound are averaged while they are in cache. A filter lies scattered over many slices, so bounded
/// parameters take three passes of their own: sums of squares, piece by piece; norms; scaling and averaging. Pieces and the order
/// of their sums follow from the layout alone.
final class AfterUpdate: Sendable {
  private let parameters: AlignedBuffer<Float>
  /// The average in the plans' layouts; nil where none is kept.
  private let average: AlignedBuffer<Float>?
  private let rule: MovingAverage?
  /// The place of the parameters whose average this rank keeps.
  private let own: Range<Int>
  private let bounded: [Bounded]
  private let pieces: [Piece]
  private let isBounded: [Bool]

  private struct Bounded: Sendable {
    let limit: Double
    /// The filter that each element of the parameter belongs to; −1 is padding.
    let units: [Int32]
    let start: Int
    let pieces: Range<Int>
    /// What each filter is multiplied by.
    let factors: AlignedBuffer<Float>
  }

  private struct Piece: Sendable {
    let parameter: Int
    /// The piece's place in the flat buffers.
    let range: Range<Int>
    /// The sum of the piece's squares in each filter.
    let sums: AlignedBuffer<Double>
  }

  /// - Parameter own: the place of the parameters that this rank moves; those of others are bounded, too, and not averaged.
  /// - Throws: ``ComputeError`` where the kernel library fails.
  init(
    _ configuration: TrainingConfiguration, _ compiled: CompiledNetwork, _ state: TrainingState,
    own: Range<Int>
  ) throws(ComputeError) {
    self.own = own
    parameters = state.parameters
    average = state.average
    rule = configuration.average
    let segments = compiled.segments
    let chosen = segments.indices.filter { index in
      segments[index].isTrained && configuration.maxNorm?.bounds(segments[index].parameter) ?? false
    }
    var bounded: [Bounded] = []
    var pieces: [Piece] = []
    let units = chosen.isEmpty ? nil : try Self.units(of: chosen.map { segments[$0].parameter }, compiled)
    for index in chosen {
      let range = segments[index].range
      let parameter = segments[index].parameter
      let count = parameter.spec.outputCount ?? 1
      let length = max(1 << 16, 64 * count)
      let first = pieces.count
      for start in stride(from: range.lowerBound, to: range.upperBound, by: length) {
        pieces.append(
          Piece(
            parameter: bounded.count, range: start..<min(start + length, range.upperBound),
            sums: AlignedBuffer(count: count)))
      }
      bounded.append(
        Bounded(
          limit: configuration.maxNorm?.limit ?? .infinity,
          units: range.map { Int32(units?[$0] ?? 0) - 1 }, start: range.lowerBound,
          pieces: first..<pieces.count, factors: AlignedBuffer(count: count)))
    }
    self.bounded = bounded
    self.pieces = pieces
    let set = Set(chosen)
    isBounded = segments.indices.map { set.contains($0) }
  }

  /// The filter of every element, counted from 1, in the plans' layouts; 0 elsewhere.
  private static func units(
    of parameters: [Parameter], _ compiled: CompiledNetwork
  ) throws(ComputeError) -> AlignedBuffer<Float> {
    let canonical = CanonicalParameters(layout: compiled.parameters)
    for parameter in parameters {
      let values = canonical.values(of: parameter)
      for index in values.indices {
        values[index] = Float((parameter.spec.output(ofElement: index) ?? 0) + 1)
      }
    }
    let stored = AlignedBuffer<Float>(count: compiled.storageCount)
    try compiled.load(canonical.trainable.baseAddress, into: stored.baseAddress)
    return stored
  }

  // MARK: - After an update

  /// Follows a slice that was just updated.
  func follow(_ slice: UpdateSlice, _ moment: UpdateMoment) {
    guard !isBounded[slice.segment] else { return }
    follow(slice.range, moment)
  }

  private func follow(_ range: Range<Int>, _ moment: UpdateMoment) {
    guard let rule, let average else { return }
    let range = range.clamped(to: own)
    rule.follow(
      parameters.baseAddress + range.lowerBound, average.baseAddress + range.lowerBound, count: range.count,
      update: moment.update)
  }

  /// Bounds norms, once all slices are updated.
  func finish(on pool: WorkerPool, _ moment: UpdateMoment) {
    guard !bounded.isEmpty else { return }
    pool.forEach(count: pieces.count) { [self] index, _ in sumSquares(pieces[index]) }
    pool.forEach(count: bounded.count) { [self] index, _ in setFactors(bounded[index]) }
    pool.forEach(count: pieces.count) { [self] index, _ in
      scale(pieces[index])
      follow(pieces[index].range, moment)
    }
  }

  private func sumSquares(_ piece: Piece) {
    let parameter = bounded[piece.parameter]
    let sums = piece.sums.baseAddress
    sums.update(repeating: 0, count: piece.sums.count)
    parameter.units.withUnsafeBufferPointer { units in
      for place in piece.range {
        let unit = Int(units[place - parameter.start])
        guard unit >= 0 else { continue }
        let value = Double(parameters.baseAddress[place])
        sums[unit] += value * value
      }
    }
  }

  private func setFactors(_ parameter: Bounded) {
    for unit in 0..<parameter.factors.count {
      var sum = 0.0
      for piece in parameter.pieces { sum += pieces[piece].sums.baseAddress[unit] }
      let norm = sum.squareRoot()
      parameter.factors.baseAddress[unit] = norm > parameter.limit ? Float(parameter.limit / norm) : 1
    }
  }

  private func scale(_ piece: Piece) {
    let parameter = bounded[piece.parameter]
    let factors = parameter.factors.baseAddress
    parameter.units.withUnsafeBufferPointer { units in
      for place in piece.range {
        let unit = Int(units[place - parameter.start])
        if unit >= 0 { parameters.baseAddress[place] *= factors[unit] }
      }
    }
  }
}
