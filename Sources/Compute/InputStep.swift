internal import OneDNN
internal import Tensors

/// Reads a shard's samples: converts pixels, rescales, and lays them out as the first kernel wants.
struct InputStep: CustomStep {
  private let pixelCount: Int
  private let channels: Int
  private let isPlanar: Bool
  private let scale: Float
  private let offset: Float
  private let dst: Operand
  /// The result for each of a byte's 256 values.
  private let table: [Float]

  init(shape: Shape, scale: Float, offset: Float, dst: Operand) {
    pixelCount = shape.elementCount
    channels = shape[shape.rank - 1]
    let strides = dst.descriptor.plainStrides ?? []
    isPlanar = strides.count == 4 && channels > 1 && strides[1] != 1
    self.scale = scale
    self.offset = offset
    self.dst = dst
    table = (0..<256).map { Float($0) * scale + offset }
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
      guard isPlanar else {
        for index in 0..<pixelCount { out[index] = table[Int(pixels[index])] }
        return
      }
      let plane = pixelCount / channels
      for channel in 0..<channels {
        for index in 0..<plane {
          out[channel * plane + index] = table[Int(pixels[index * channels + channel])]
        }
      }
    }
  }

  private func copy(_ pixels: UnsafePointer<Float>, to out: UnsafeMutablePointer<Float>) {
    guard isPlanar else {
      for index in 0..<pixelCount { out[index] = pixels[index] * scale + offset }
      return
    }
    let plane = pixelCount / channels
    for channel in 0..<channels {
      for index in 0..<plane {
        out[channel * plane + index] = pixels[index * channels + channel] * scale + offset
      }
    }
  }
}
