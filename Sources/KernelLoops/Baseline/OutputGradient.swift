/// How many blocks of an image's channels there are.
@inline(__always)
func imageBlocks(_ channels: Int) -> Int { (channels + lanes - 1) / lanes }

/// The sum of the output's gradient over samples and positions, channel by channel.
///
/// Four sums of every fourth position, added in pairs, so that additions need not wait for each other.
@inline(never)
func sumOutputGradient(
  samples: Int, outputs: Int, positions: Int, _ diffDst: UnsafePointer<Float>,
  into diffBias: UnsafeMutablePointer<Float>
) {
  let blocks = imageBlocks(outputs)
  var block = 0
  while block < blocks {
    var (s0, s1, s2, s3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
    var sample = 0
    while sample < samples {
      let image = diffDst + (sample * blocks + block) * positions * lanes
      var position = 0
      while position + 4 <= positions {
        s0 += image.block(position * lanes)
        s1 += image.block(position * lanes + lanes)
        s2 += image.block(position * lanes + 2 * lanes)
        s3 += image.block(position * lanes + 3 * lanes)
        position += 4
      }
      while position < positions {
        s0 += image.block(position * lanes)
        position += 1
      }
      sample += 1
    }
    writeFirst(outputs - block * lanes, of: (s0 + s1) + (s2 + s3), to: diffBias + block * lanes)
    block += 1
  }
}

/// Writes the first `count` of a block's channels.
@inline(__always)
private func writeFirst(_ count: Int, of block: Lanes, to target: UnsafeMutablePointer<Float>) {
  if count >= lanes { return target.store(block, 0) }
  var index = 0
  while index < count {
    target[index] = block[index]
    index += 1
  }
}
