internal import OneDNN

/// How the channels of an image lie in memory, for steps that go through it themselves: sample by sample, block of channels
/// by block, position by position, channel by channel within the block.
///
/// Channels last are one block of all channels, planes are blocks of one channel, a matrix [N, C] is an image of one position.
struct ChannelBlocks: Hashable, Sendable {
  let samples: Int
  let channels: Int
  let blocks: Int
  let positions: Int
  /// Channels of a block; those of the last one beyond ``channels`` are zeros.
  let width: Int

  init(samples: Int, channels: Int, blocks: Int, positions: Int, width: Int) {
    self.samples = samples
    self.channels = channels
    self.blocks = blocks
    self.positions = positions
    self.width = width
  }

  /// - Returns: nil for a layout of another kind.
  init?(_ descriptor: MemoryDescriptor) {
    let d = descriptor.dimensions
    guard d.count == 4 else {
      guard d.count == 2, descriptor.plainStrides == [d[1], 1] else { return nil }
      self.init(samples: d[0], channels: d[1], blocks: 1, positions: 1, width: d[1])
      return
    }
    let positions = d[2] * d[3]
    switch descriptor.plainStrides {
    case [d[1] * positions, 1, d[3] * d[1], d[1]]:
      self.init(samples: d[0], channels: d[1], blocks: 1, positions: positions, width: d[1])
    case [d[1] * positions, positions, d[3], 1]:
      self.init(samples: d[0], channels: d[1], blocks: d[1], positions: positions, width: 1)
    default:
      guard let width = descriptor.channelBlock else { return nil }
      let blocks = descriptor.paddedDimensions[1] / width
      self.init(samples: d[0], channels: d[1], blocks: blocks, positions: positions, width: width)
    }
  }

  /// The same layout for an image of another size.
  func descriptor(_ dimensions: [Int], _ type: DataType) throws(OneDNNError) -> MemoryDescriptor {
    if blocks == 1, width == channels {
      let (c, w) = (dimensions[1], dimensions[3])
      return try .strided(dimensions, type, strides: [c * dimensions[2] * w, 1, w * c, c])
    }
    return width == 1
      ? try .dense(dimensions, type) : try .channelBlocks(of: width, dimensions, type)
  }

  /// Calls `body` for each block of each sample: where its elements start, its first channel, and how many it has.
  @inline(__always)
  func forEach(_ body: (_ sample: Int, _ start: Int, _ firstChannel: Int, _ count: Int) -> Void) {
    for sample in 0..<samples {
      for block in 0..<blocks {
        let first = block * width
        body(
          sample, (sample * blocks + block) * positions * width, first, min(width, channels - first))
      }
    }
  }
}
