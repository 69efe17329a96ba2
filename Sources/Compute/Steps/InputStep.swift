internal import OneDNN
internal import Tensors

/// Reads a shard's samples: converts pixels, rescales, and lays them out as the first kernel wants.
struct InputStep: CustomStep {
  private let pixelCount: Int
  private let channels: Int
  private let isPlanar: Bool
  /// The factors, one for each channel, or one for all; likewise the offsets.
  private let scale: [Float]
  private let offset: [Float]
  private let dst: Operand
  /// The result for each of a byte's 256 values, one channel's after another.
  private let table: [Float]

  init(shape: Shape, _ affine: ChannelAffine, dst: Operand) {
    pixelCount = shape.elementCount
    channels = shape[shape.rank - 1]
    let strides = dst.descriptor.plainStrides ?? []
    isPlanar = strides.count == 4 && channels > 1 && strides[1] != 1
    let scale = affine.scale.map(Float.init)
    let offset = affine.offset.map(Float.init)
    self.scale = scale
    self.offset = offset
    self.dst = dst
    table = scale.indices.flatMap { channel in (0..<256).map { Float($0) * scale[channel] + offset[channel] }
    }
  }

  var name: String { "read" }
  var operands: [Operand] { [dst] }
  var results: [Operand] { [dst] }

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) {
    let target = memory.floats(dst)
    for sample in 0..<shard.source.sampleCount {
      let pixels = shard.source.pixels(at: sample)
      let out = target + sample * pixelCount
      switch shard.source.element {
      case .uint8: copy(pixels.assumingMemoryBound(to: UInt8.self), to: out)
      case .float32: copy(pixels.assumingMemoryBound(to: Float.self), to: out)
      }
    }
  }

  private func copy(_ pixels: UnsafePointer<UInt8>, to out: UnsafeMutablePointer<Float>) {
    table.withUnsafeBufferPointer { table in
      guard isPlanar || scale.count > 1 else {
        for index in 0..<pixelCount { out[index] = table[Int(pixels[index])] }
        return
      }
      let (plane, step) = strides
      for channel in 0..<channels {
        let first = scale.count == 1 ? 0 : channel * 256
        let target = out + channel * plane
        for index in 0..<pixelCount / channels {
          target[index * step] = table[first + Int(pixels[index * channels + channel])]
        }
      }
    }
  }

  private func copy(_ pixels: UnsafePointer<Float>, to out: UnsafeMutablePointer<Float>) {
    guard isPlanar || scale.count > 1 else {
      let (scale, offset) = (scale[0], offset[0])
      for index in 0..<pixelCount { out[index] = pixels[index] * scale + offset }
      return
    }
    let (plane, step) = strides
    for channel in 0..<channels {
      let (scale, offset) = (scale[channel % scale.count], offset[channel % offset.count])
      let target = out + channel * plane
      for index in 0..<pixelCount / channels {
        target[index * step] = pixels[index * channels + channel] * scale + offset
      }
    }
  }

  /// The elements from one channel to the next, and from one pixel to the next.
  private var strides: (channel: Int, pixel: Int) {
    isPlanar ? (pixelCount / channels, 1) : (1, channels)
  }
}
