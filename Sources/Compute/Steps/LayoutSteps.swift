internal import OneDNN

/// Moves the columns of a matrix between kernel order and canonical order.
struct ColumnsStep: CustomStep {
  let samples: Int
  let columns: [Int32]
  let canonical: Operand
  let ordered: Operand
  let toCanonical: Bool

  var name: String { "columns" }
  var operands: [Operand] { [canonical, ordered] }
  var results: [Operand] { [toCanonical ? canonical : ordered] }

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) {
    guard let left = memory.address(of: canonical), let right = memory.address(of: ordered) else { return }
    if canonical.descriptor.dataType == .bf16 {
      move(left.assumingMemoryBound(to: UInt16.self), right.assumingMemoryBound(to: UInt16.self))
    } else {
      move(left.assumingMemoryBound(to: UInt32.self), right.assumingMemoryBound(to: UInt32.self))
    }
  }

  private func move<Bits: FixedWidthInteger>(
    _ canonical: UnsafeMutablePointer<Bits>, _ ordered: UnsafeMutablePointer<Bits>
  ) {
    let width = self.canonical.descriptor.dimensions[1]
    for sample in 0..<samples {
      let (row, orderedRow) = (canonical + sample * width, ordered + sample * columns.count)
      for (position, column) in columns.enumerated() {
        if toCanonical {
          if column >= 0 { row[Int(column)] = orderedRow[position] }
        } else {
          orderedRow[position] = column >= 0 ? row[Int(column)] : 0
        }
      }
    }
  }
}

/// Takes some channels out of a channels-last tensor: a concatenation's gradient for one of its inputs.
struct ChannelSliceStep: CustomStep {
  let src: Operand
  let dst: Operand
  let firstChannel: Int

  var name: String { "slice" }
  var operands: [Operand] { [src, dst] }
  var results: [Operand] { [dst] }

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) {
    guard let source = memory.address(of: src), let target = memory.address(of: dst) else { return }
    let size = src.descriptor.dataType.byteCount
    let wide = src.descriptor.dimensions[1] * size
    let narrow = dst.descriptor.dimensions[1] * size
    for pixel in 0..<dst.descriptor.byteCount / narrow {
      (target + pixel * narrow).copyMemory(
        from: source + pixel * wide + firstChannel * size, byteCount: narrow)
    }
  }
}

/// Copies a vector of floats, for statistics that live outside the workspace.
struct CopyVectorStep: CustomStep {
  let src: Operand
  let dst: Operand

  var name: String { "copy" }
  var operands: [Operand] { [src, dst] }
  var results: [Operand] { [dst] }

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) {
    memory.floats(dst).update(from: memory.floats(src), count: src.descriptor.byteCount / 4)
  }
}

/// Adds a bias of its own to every position of a sample.
struct PositionBiasStep: CustomStep {
  let samples: Int
  let count: Int
  let src: Operand
  let bias: Operand
  let dst: Operand

  var name: String { "position bias" }
  var operands: [Operand] { [src, bias, dst] }
  var results: [Operand] { [dst] }

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) {
    let (source, values, target) = (memory.floats(src), memory.floats(bias), memory.floats(dst))
    for sample in 0..<samples {
      let start = sample * count
      for index in 0..<count { target[start + index] = source[start + index] + values[index] }
    }
  }
}

/// The bias's gradient: the sum over samples, in order.
struct PositionBiasGradientStep: CustomStep {
  let samples: Int
  let count: Int
  let diffDst: Operand
  let diffBias: Operand

  var name: String { "position bias gradient" }
  var operands: [Operand] { [diffDst, diffBias] }
  var results: [Operand] { [diffBias] }

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) {
    let (diff, target) = (memory.floats(diffDst), memory.floats(diffBias))
    target.update(repeating: 0, count: count)
    for sample in 0..<samples {
      for index in 0..<count { target[index] += diff[sample * count + index] }
    }
  }
}
