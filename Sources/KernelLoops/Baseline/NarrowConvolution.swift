public import KernelShapes

// The gradient of weights that read an image of one channel or few. A kernel that takes channels in blocks multiplies mostly zeros
// there; this one multiplies each pixel with the gradients of the outputs that saw it.

/// The gradients of the weights, [KH, KW, C, K], and of the bias.
///
/// Each sum runs over the samples and in these over the rows of the output; that of a row is a chain from left to right.
///
/// - Parameters:
///   - src: [N, C, H, W].
///   - diffBias: nil where there is none.
///   - scratch: ``NarrowConvolutionShape/scratchCount`` floats.
@inline(never)
public func narrowBackwardWeights(
  _ shape: NarrowConvolutionShape, _ src: UnsafePointer<Float>, _ diffDst: UnsafePointer<Float>,
  into diffWeights: UnsafeMutablePointer<Float>, diffBias: UnsafeMutablePointer<Float>?,
  scratch: UnsafeMutablePointer<Float>
) {
  if let diffBias {
    sumOutputGradient(
      samples: shape.samples, outputs: shape.outputs, positions: shape.outputHeight * shape.outputWidth,
      diffDst, into: diffBias)
  }
  let weights = shape.windowHeight * shape.windowWidth * shape.inputs * shape.outputs
  var index = 0
  while index < weights {
    diffWeights[index] = 0
    index += 1
  }
  let blocks = imageBlocks(shape.outputs)
  let plane = shape.outputHeight * shape.outputWidth * lanes
  let padded = scratch + 12 * lanes
  var sample = 0
  while sample < shape.samples {
    var channel = 0
    while channel < shape.inputs {
      pad(shape, src + (sample * shape.inputs + channel) * shape.height * shape.width, into: padded)
      var block = 0
      while block < blocks {
        // As many chains at once as registers hold; how many does not change them.
        let count = blocks - block >= 4 ? 4 : blocks - block >= 2 ? 2 : 1
        let diff = diffDst + (sample * blocks + block) * plane
        var i = 0
        while i < shape.windowHeight {
          var j = 0
          while j < shape.windowWidth {
            let columns = min(3, shape.windowWidth - j)
            sums(shape, padded, diff, row: i, column: j, columns: columns, blocks: count, into: scratch)
            add(
              shape, scratch, row: i, column: j, columns: columns, channel: channel, block: block,
              blocks: count, into: diffWeights)
            j += columns
          }
          i += 1
        }
        block += count
      }
      channel += 1
    }
    sample += 1
  }
}

/// One channel with its padding.
@inline(__always)
private func pad(
  _ shape: NarrowConvolutionShape, _ channel: UnsafePointer<Float>,
  into padded: UnsafeMutablePointer<Float>
) {
  let (rows, columns) = (shape.paddedHeight, shape.paddedWidth)
  var row = 0
  while row < rows {
    let source = row - shape.paddingTop
    let target = padded + row * columns
    var column = 0
    if source >= 0, source < shape.height {
      let line = channel + source * shape.width - shape.paddingLeft
      while column < min(shape.paddingLeft, columns) {
        target[column] = 0
        column += 1
      }
      let end = min(columns, shape.paddingLeft + shape.width)
      while column < end {
        target[column] = line[column]
        column += 1
      }
    }
    while column < columns {
      target[column] = 0
      column += 1
    }
    row += 1
  }
}

/// Sums over one sample's positions, of some columns of a window's row and some blocks of output channels.
///
/// - Parameters:
///   - columns: 1 to 3.
///   - blocks: 1, 2 or 4.
///   - target: the sum of column `c` and block `k` at `4 c + k`.
@inline(__always)
private func sums(
  _ shape: NarrowConvolutionShape, _ padded: UnsafePointer<Float>, _ diff: UnsafePointer<Float>, row: Int,
  column: Int, columns: Int, blocks: Int, into target: UnsafeMutablePointer<Float>
) {
  // With known numbers what is not asked for is not computed.
  @inline(__always) func known(_ columns: Int, _ blocks: Int) {
    knownSums(
      shape, padded, diff, row: row, column: column, columns: columns, blocks: blocks, into: target)
  }
  @inline(__always) func known(_ columns: Int) {
    if blocks == 4 { known(columns, 4) } else if blocks == 2 { known(columns, 2) } else { known(columns, 1) }
  }
  if columns == 3 { known(3) } else if columns == 2 { known(2) } else { known(1) }
}

@inline(__always)
private func knownSums(
  _ shape: NarrowConvolutionShape, _ padded: UnsafePointer<Float>, _ diff: UnsafePointer<Float>, row: Int,
  column: Int, columns: Int, blocks: Int, into target: UnsafeMutablePointer<Float>
) {
  let plane = shape.outputHeight * shape.outputWidth * lanes
  let zero = Lanes.zero
  var y = 0
  while y < shape.outputHeight {
    let pixels = padded + (y * shape.strideDown + row) * shape.paddedWidth + column
    let line = diff + y * shape.outputWidth * lanes
    var (a0, a1, a2, a3) = (zero, zero, zero, zero)
    var (b0, b1, b2, b3) = (zero, zero, zero, zero)
    var (c0, c1, c2, c3) = (zero, zero, zero, zero)
    var x = 0
    while x < shape.outputWidth {
      let pixel = pixels + x * shape.strideAcross
      let d0 = line.block(x * lanes)
      let d1 = blocks >= 2 ? line.block(plane + x * lanes) : zero
      let d2 = blocks == 4 ? line.block(2 * plane + x * lanes) : zero
      let d3 = blocks == 4 ? line.block(3 * plane + x * lanes) : zero
      @inline(__always) func add(
        _ column: Int, _ s0: inout Lanes, _ s1: inout Lanes, _ s2: inout Lanes, _ s3: inout Lanes
      ) {
        let p = Lanes(repeating: pixel[column])
        s0 = fused(p, d0, s0)
        if blocks >= 2 { s1 = fused(p, d1, s1) }
        if blocks == 4 {
          s2 = fused(p, d2, s2)
          s3 = fused(p, d3, s3)
        }
      }
      add(0, &a0, &a1, &a2, &a3)
      if columns >= 2 { add(1, &b0, &b1, &b2, &b3) }
      if columns == 3 { add(2, &c0, &c1, &c2, &c3) }
      x += 1
    }
    let isFirst = y == 0
    @inline(__always) func put(_ sum: Lanes, _ place: Int) {
      target.store(isFirst ? sum : target.block(place * lanes) + sum, place * lanes)
    }
    @inline(__always) func put(_ column: Int, _ s0: Lanes, _ s1: Lanes, _ s2: Lanes, _ s3: Lanes) {
      put(s0, 4 * column)
      if blocks >= 2 { put(s1, 4 * column + 1) }
      if blocks == 4 {
        put(s2, 4 * column + 2)
        put(s3, 4 * column + 3)
      }
    }
    put(0, a0, a1, a2, a3)
    if columns >= 2 { put(1, b0, b1, b2, b3) }
    if columns == 3 { put(2, c0, c1, c2, c3) }
    y += 1
  }
}

/// Adds one sample's sums to the gradient.
@inline(__always)
private func add(
  _ shape: NarrowConvolutionShape, _ sums: UnsafePointer<Float>, row: Int, column: Int, columns: Int,
  channel: Int, block: Int, blocks: Int, into diffWeights: UnsafeMutablePointer<Float>
) {
  var c = 0
  while c < columns {
    let place = ((row * shape.windowWidth + column + c) * shape.inputs + channel) * shape.outputs
    let target = diffWeights + place + block * lanes
    let count = min(blocks * lanes, shape.outputs - block * lanes)
    let source = sums + 4 * c * lanes
    var k = 0
    while k < count {
      target[k] += source[k]
      k += 1
    }
    c += 1
  }
}
