internal import KernelShapes

// Weights lie as Keras keeps them, [3, 3, C, K]. Transformed ones lie point by point in panels of 32 columns (the last of 16 where
// that is enough), rows within a panel: columns are output channels and rows input channels for the forward pass, the other way
// round for the pass to the image's gradient.

/// Writes `G g Gᵀ` of 16 columns of one row.
@inline(__always)
private func transform(
  _ g: (_ row: Int, _ column: Int) -> Vector, _ target: UnsafeMutablePointer<Float>, _ point: Int
) {
  @inline(__always) func column(_ j: Int) -> SixWeights { weightPoints((g(0, j), g(1, j), g(2, j))) }
  @inline(__always) func row(_ i: Int, _ values: ThreeWeights) {
    let result = weightPoints(values)
    let at = target + i * 6 * point
    at.store(result.0, 0)
    at.store(result.1, point)
    at.store(result.2, 2 * point)
    at.store(result.3, 3 * point)
    at.store(result.4, 4 * point)
    at.store(result.5, 5 * point)
  }
  let (c0, c1, c2) = (column(0), column(1), column(2))
  row(0, (c0.0, c1.0, c2.0))
  row(1, (c0.1, c1.1, c2.1))
  row(2, (c0.2, c1.2, c2.2))
  row(3, (c0.3, c1.3, c2.3))
  row(4, (c0.4, c1.4, c2.4))
  row(5, (c0.5, c1.5, c2.5))
}

/// Weights for the forward pass, some panels of 32 output channels.
@inline(never)
public func transformWeightsForward(
  inputs: Int, outputs: Int, panels: Range<Int>, _ weights: UnsafePointer<Float>,
  into target: UnsafeMutablePointer<Float>
) {
  let columns = (outputs + 15) / 16 * 16
  let point = inputs * columns
  var block = panels.lowerBound * 2
  while block < min(panels.upperBound * 2, columns / 16) {
    let panel = block / 2
    let panelWidth = min(columns - panel * 32, 32)
    let count = outputs - block * 16
    var input = 0
    while input < inputs {
      let source = weights + input * outputs + block * 16
      let at = target + panel * 32 * inputs + input * panelWidth + block % 2 * 16
      transform({ i, j in vector(source + (i * 3 + j) * inputs * outputs, count: count) }, at, point)
      input += 1
    }
    block += 1
  }
}

/// Weights for the pass to the image's gradient, some panels of 32 input channels.
///
/// - Parameter scratch: ``WinogradShape/weightsScratchCount`` floats.
@inline(never)
public func transformWeightsBackward(
  inputs: Int, outputs: Int, panels: Range<Int>, _ weights: UnsafePointer<Float>,
  into target: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
) {
  let columns = (inputs + 15) / 16 * 16
  let point = outputs * columns
  var block = panels.lowerBound * 2
  while block < min(panels.upperBound * 2, columns / 16) {
    let panel = block / 2
    let panelWidth = min(columns - panel * 32, 32)
    let inputCount = min(inputs - block * 16, 16)
    var firstOutput = 0
    while firstOutput < outputs {
      let outputCount = min(outputs - firstOutput, 16)
      // Sixteen by sixteen channels turned over, tap by tap.
      var tap = 0
      while tap < 9 {
        let source = weights + (tap * inputs + block * 16) * outputs + firstOutput
        turn(source, outputs, rows: inputCount, columns: outputCount, into: scratch + tap * 256)
        tap += 1
      }
      var output = 0
      while output < outputCount {
        let at = target + panel * 32 * outputs + (firstOutput + output) * panelWidth + block % 2 * 16
        transform({ i, j in scratch.vector((i * 3 + j) * 256 + output * 16) }, at, point)
        output += 1
      }
      firstOutput += 16
    }
    block += 1
  }
}

/// Writes the columns of up to 16×16 floats as rows of 16, with zeros where there are fewer rows.
///
/// Row after row is read: rows of a power of two lie in the same lines of the cache, and would push each other out.
@inline(__always)
private func turn(
  _ source: UnsafePointer<Float>, _ stride: Int, rows: Int, columns: Int,
  into target: UnsafeMutablePointer<Float>
) {
  var row = 0
  while row < rows {
    let line = source + row * stride
    var column = 0
    while column < columns {
      target[column * 16 + row] = line[column]
      column += 1
    }
    row += 1
  }
  while row < 16 {
    var column = 0
    while column < columns {
      target[column * 16 + row] = 0
      column += 1
    }
    row += 1
  }
}

/// `dW = Gᵀ dU G` for some input channels and 16 output channels.
///
/// - Parameters:
///   - points: the first input channel's point (0, 0).
///   - rowStride: floats from an input channel to the next.
///   - point: floats from a point to the next.
///   - diffWeights: [3, 3, inputs, outputs] from the first of these channels on.
///   - count: how many of the 16 output channels are real.
@inline(__always)
func writeWeightsGradient(
  _ points: UnsafePointer<Float>, rowStride: Int, point: Int, rows: Int, count: Int, inputs: Int,
  outputs: Int,
  into diffWeights: UnsafeMutablePointer<Float>
) {
  var row = 0
  while row < rows {
    let source = points + row * rowStride
    let target = diffWeights + row * outputs
    let tap = inputs * outputs
    @inline(__always) func column(_ j: Int) -> ThreeWeights {
      let at = source + j * point
      return weightsGradient(
        (
          at.vector(0), at.vector(6 * point), at.vector(12 * point), at.vector(18 * point),
          at.vector(24 * point), at.vector(30 * point)
        ))
    }
    @inline(__always) func give(_ i: Int, _ values: SixWeights) {
      let result = weightsGradient(values)
      write(result.0, to: target + i * 3 * tap, count: count)
      write(result.1, to: target + (i * 3 + 1) * tap, count: count)
      write(result.2, to: target + (i * 3 + 2) * tap, count: count)
    }
    let (c0, c1, c2, c3, c4, c5) = (column(0), column(1), column(2), column(3), column(4), column(5))
    give(0, (c0.0, c1.0, c2.0, c3.0, c4.0, c5.0))
    give(1, (c0.1, c1.1, c2.1, c3.1, c4.1, c5.1))
    give(2, (c0.2, c1.2, c2.2, c3.2, c4.2, c5.2))
    row += 1
  }
}

/// The first `count` of up to 16 floats, with zeros behind them.
@inline(__always)
private func vector(_ floats: UnsafePointer<Float>, count: Int) -> Vector {
  if count >= 16 { return floats.vector(0) }
  var result = Vector.zero
  var index = 0
  while index < count {
    result[index] = floats[index]
    index += 1
  }
  return result
}

/// Writes the first `count` of up to 16 floats.
@inline(__always)
private func write(_ vector: Vector, to target: UnsafeMutablePointer<Float>, count: Int) {
  if count >= 16 { return target.store(vector, 0) }
  var index = 0
  while index < count {
    target[index] = vector[index]
    index += 1
  }
}
