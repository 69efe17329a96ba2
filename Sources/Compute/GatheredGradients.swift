internal import OneDNN
public import Parallel
internal import Tensors

/// The gradients that are taken over a whole minibatch: its rows, and the multiplications of them.
///
/// Shards write rows of their own, side by side; when all are there, each task gives the gradient of some units of a layer. Tasks follow from
/// shapes alone, so that neither shards nor workers change a bit.
public final class GatheredGradients: @unchecked Sendable {
  // @unchecked because shards write disjoint rows, and tasks run when all shards are done.

  /// A place in the parameters whose gradient is computed at once.
  public struct Piece: Sendable {
    /// Index of the parameter among the compiled network's segments.
    public let segment: Int
    /// The place in the flat buffer of parameters.
    public let range: Range<Int>
  }

  /// A piece of a dense layer's gradient.
  public struct Task: Sendable {
    /// Where it is.
    public let piece: Piece
    /// The place in the flat buffer of parameters.
    public var range: Range<Int> { piece.range }
    fileprivate let layer: Int
    /// The units that it belongs to.
    fileprivate let units: Range<Int>
    fileprivate let isBias: Bool
  }

  /// A piece of an embedding's table, whose gradient is zero unless a word of the minibatch is in it.
  public struct Block: Sendable {
    /// Where it is.
    public let piece: Piece
    /// The place in the flat buffer of parameters.
    public var range: Range<Int> { piece.range }
    fileprivate let table: Int
    /// The number among the table's blocks.
    fileprivate let index: Int
  }

  /// The tasks, those of a segment in order and without gaps.
  public let tasks: [Task]
  /// The blocks of tables, those of a segment in order and without gaps.
  public let blocks: [Block]
  /// Floats of the longest task or block.
  public var longestTask: Int {
    max(tasks.map(\.range.count).max() ?? 0, blocks.map(\.range.count).max() ?? 0)
  }
  /// Bytes of the rows of a minibatch.
  public var byteCount: Int { memory.count + tables.reduce(0) { $0 + $1.byteCount } }

  private let layers: [GatheredLayer]
  private let tables: [TableRows]
  /// The number of each table's first block, and how many there are in all.
  private let firstBlocks: [Int]
  private let capacity: Int
  private let memory: AlignedBuffer<UInt8>
  /// The places of each layer's inputs and output gradients, in bytes.
  private let places: [(inputs: Int, gradients: Int)]
  /// The kernels by samples, layer and units.
  private let kernels: [Key: Primitive]
  private let scratchpads: [AlignedBuffer<UInt8>]

  private struct Key: Hashable {
    let rows: Int
    let layer: Int
    let units: Int
  }

  /// Makes memory and kernels for minibatches of some sizes.
  ///
  /// - Parameters:
  ///   - sizes: the numbers of samples of all minibatches that will be trained on.
  ///   - workers: how many workers compute tasks.
  /// - Returns: nil for a network without such layers.
  /// - Throws: ``ComputeError`` where the library has no kernel.
  public init?(_ compiled: CompiledNetwork, minibatches sizes: Set<Int>, workers: Int) throws(ComputeError) {
    layers = compiled.gatheredLayers
    guard !layers.isEmpty || !compiled.gatheredTables.isEmpty else { return nil }
    let capacity = sizes.max() ?? 0
    self.capacity = capacity
    tables = compiled.gatheredTables.map { TableRows($0, samples: capacity) }
    blocks = compiled.gatheredBlocks
    firstBlocks = tables.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1.blocks.count) }
    var (byteCount, places) = (0, [(inputs: Int, gradients: Int)]())
    func reserve(_ columns: Int, _ type: DataType) -> Int {
      defer { byteCount += (capacity * columns * type.byteCount + 127) & ~63 }
      return byteCount
    }
    for layer in layers {
      places.append((reserve(layer.inputs, layer.type), reserve(layer.units, layer.type)))
    }
    self.places = places
    memory = AlignedBuffer(count: byteCount)
    tasks = compiled.gatheredTasks
    var kernels: [Key: Primitive] = [:]
    for rows in sizes {
      for task in tasks where !task.isBias {
        let layer = layers[task.layer]
        let key = Key(rows: rows, layer: task.layer, units: task.units.count)
        if kernels[key] != nil { continue }
        do {
          let descriptor = try GatheredLayer.multiplication(
            rows: rows, inputs: layer.inputs, units: task.units.count, layer.type,
            diffWeights: layer.layout(of: task.units))
          guard let descriptor else {
            throw ComputeError.noKernel(layer: layer.layer, pass: Pass.backwardWeights.rawValue)
          }
          kernels[key] = try Primitive(descriptor)
        } catch let error as OneDNNError {
          throw .library(layer: layer.layer, error)
        } catch let error as ComputeError {
          throw error
        } catch { throw .output(reason: "\(error)") }
      }
    }
    self.kernels = kernels
    let scratchpad = kernels.values.map(\.descriptor.scratchpad.byteCount).max() ?? 0
    scratchpads = (0..<workers).map { _ in AlignedBuffer(count: scratchpad + 64) }
  }

  fileprivate static func tasks(of layers: [GatheredLayer], _ segments: [Segment]) -> [Task] {
    var tasks: [Task] = []
    for (index, layer) in layers.enumerated() {
      func place(_ segment: Segment) -> Int {
        segments.firstIndex { $0.range == segment.range } ?? 0
      }
      for slice in layer.slices {
        let floats = layer.floats(of: slice)
        let start = layer.kernel.range.lowerBound
        let end = slice.upperBound == layer.units ? layer.kernel.range.count : floats.upperBound
        tasks.append(
          Task(
            piece: Piece(segment: place(layer.kernel), range: start + floats.lowerBound..<start + end),
            layer: index, units: slice, isBias: false))
      }
      guard let bias = layer.bias else { continue }
      tasks.append(
        Task(
          piece: Piece(segment: place(bias), range: bias.range), layer: index, units: 0..<layer.units,
          isBias: true))
    }
    return tasks
  }

  fileprivate static func blocks(of tables: [GatheredTable], _ segments: [Segment]) -> [Block] {
    tables.enumerated().flatMap { number, table in
      let segment = segments.firstIndex { $0.range == table.segment.range } ?? 0
      return table.blocks.enumerated().map {
        Block(piece: Piece(segment: segment, range: $0.element), table: number, index: $0.offset)
      }
    }
  }

  // MARK: - Rows

  /// Where a shard's rows go.
  ///
  /// - Parameter firstRow: the place of the shard's first sample in its minibatch.
  public func rows(from firstRow: Int) -> GatheredRows { GatheredRows(owner: self, firstRow: firstRow) }

  fileprivate func keep(
    _ source: UnsafeRawPointer, samples: Int, _ rows: GatheredLayer.Rows, ofLayer index: Int, firstRow: Int
  ) {
    precondition(firstRow + samples <= capacity, "rows of \(capacity) samples have no place for more")
    let layer = layers[index]
    let size = layer.type.byteCount
    switch rows {
    case .inputs:
      let rowByteCount = layer.inputs * size
      (memory.baseAddress + places[index].inputs + firstRow * rowByteCount).withMemoryRebound(
        to: UInt8.self, capacity: samples * rowByteCount
      ) { UnsafeMutableRawPointer($0).copyMemory(from: source, byteCount: samples * rowByteCount) }
    case .gradients:
      // Those of a slice's units lie together, one row after another, as its kernel reads them.
      for slice in layer.slices {
        let target = UnsafeMutableRawPointer(memory.baseAddress + gradients(of: slice, index))
        for sample in 0..<samples {
          (target + (firstRow + sample) * slice.count * size).copyMemory(
            from: source + (sample * layer.units + slice.lowerBound) * size, byteCount: slice.count * size)
        }
      }
    }
  }

  /// Brings the rows of all ranks together on each.
  ///
  /// - Parameter rows: the samples of each rank in the minibatch, by rank.
  /// - Throws: ``CommunicationError`` where ranks cannot exchange them.
  public func gather(
    rows parts: [Range<Int>], over communicator: any Communicator
  ) throws(CommunicationError) {
    for (index, layer) in layers.enumerated() {
      let inputs = layer.inputs * layer.type.byteCount
      try communicator.gather(
        memory.baseAddress + places[index].inputs, parts: parts.map { Self.bytes($0, inputs) })
      try gatherGradients(index, parts, over: communicator)
    }
    for table in tables { try table.gather(rows: parts, over: communicator) }
  }

  /// The output gradients lie by units, so they travel as rows of a buffer of their own.
  private func gatherGradients(
    _ index: Int, _ parts: [Range<Int>], over communicator: any Communicator
  ) throws(CommunicationError) {
    let layer = layers[index]
    let (size, width) = (layer.type.byteCount, layer.units * layer.type.byteCount)
    let travelling = AlignedBuffer<UInt8>(count: (parts.map(\.upperBound).max() ?? 0) * width)
    func each(
      _ rows: Range<Int>,
      _ body: (_ row: UnsafeMutableRawPointer, _ kept: UnsafeMutableRawPointer, Int) -> Void
    ) {
      for slice in layer.slices {
        let kept = UnsafeMutableRawPointer(memory.baseAddress + gradients(of: slice, index))
        let byteCount = slice.count * size
        for row in rows {
          body(
            travelling.baseAddress + row * width + slice.lowerBound * size, kept + row * byteCount, byteCount)
        }
      }
    }
    each(parts[communicator.rank]) { $0.copyMemory(from: $1, byteCount: $2) }
    try communicator.gather(travelling.baseAddress, parts: parts.map { Self.bytes($0, width) })
    for (rank, rows) in parts.enumerated() where rank != communicator.rank {
      each(rows) { $1.copyMemory(from: $0, byteCount: $2) }
    }
  }

  private static func bytes(_ rows: Range<Int>, _ width: Int) -> Range<Int> {
    rows.lowerBound * width..<rows.upperBound * width
  }

  /// The place of the output gradients of some units, in bytes.
  private func gradients(of slice: Range<Int>, _ index: Int) -> Int {
    places[index].gradients + slice.lowerBound * capacity * layers[index].type.byteCount
  }

  fileprivate func keepWords(
    _ words: UnsafePointer<Float>, _ gradients: UnsafePointer<Float>, samples: Int, ofTable index: Int,
    firstRow: Int
  ) {
    tables[index].keep(words, gradients, samples: samples, firstRow: firstRow)
  }

  // MARK: - Tables

  /// Sorts the words of a minibatch whose shards are all done.
  ///
  /// - Parameter rows: samples of the minibatch.
  /// - Returns: the numbers of the blocks that have words of it, in rising order.
  public func sortWords(rows: Int) -> [Int] {
    tables.indices.flatMap { index -> [Int] in
      tables[index].sort(samples: rows)
      return tables[index].touched.map { firstBlocks[index] + Int($0) }
    }
  }

  /// Computes the gradient of a block, once words are sorted.
  ///
  /// - Parameter target: out, as many floats as the block's range has.
  public func compute(block: Int, into target: UnsafeMutablePointer<Float>) {
    let block = blocks[block]
    tables[block.table].compute(block.index, into: target)
  }

  // MARK: - Gradients

  /// Computes a piece of a minibatch's gradient.
  ///
  /// - Parameters:
  ///   - task: its number.
  ///   - rows: samples of the minibatch, one of the announced sizes.
  ///   - target: out, as many floats as the task's range has, 64 bytes aligned.
  ///   - worker: who computes; two tasks of one worker do not run at once.
  /// - Throws: ``ComputeError`` where a kernel fails.
  public func compute(
    _ task: Int, rows: Int, into target: UnsafeMutablePointer<Float>, worker: Int
  ) throws(ComputeError) {
    let task = tasks[task]
    if task.isBias { return addRows(task, rows, into: target) }
    let layer = layers[task.layer]
    guard let kernel = kernels[Key(rows: rows, layer: task.layer, units: task.units.count)] else {
      preconditionFailure("no kernel for minibatches of \(rows) samples")
    }
    ThreadConfinement.confine()
    let (sources, place) = (places[task.layer], gradients(of: task.units, task.layer))
    do {
      let descriptor = kernel.descriptor
      let execution = Execution(
        kernel, on: try Stream(),
        [
          (.src, try Memory(descriptor.descriptor(of: .src), at: memory.baseAddress + sources.inputs)),
          (.diffDst, try Memory(descriptor.descriptor(of: .diffDst), at: memory.baseAddress + place)),
          (.diffWeights, try Memory(descriptor.descriptor(of: .diffWeights), at: target)),
          (.scratchpad, try Memory(descriptor.scratchpad, at: scratchpads[worker].baseAddress)),
        ])
      try execution.run()
    } catch { throw .library(layer: layer.layer, error) }
    // What rounds the kernel's end up to a multiple of 16 has no gradient.
    let written = descriptorFloats(kernel)
    for index in written..<max(written, task.range.count) { target[index] = 0 }
  }

  private func descriptorFloats(_ kernel: Primitive) -> Int {
    kernel.descriptor.descriptor(of: .diffWeights).byteCount / 4
  }

  /// The gradient of a bias: the sum of all rows, one after another.
  private func addRows(_ task: Task, _ rows: Int, into target: UnsafeMutablePointer<Float>) {
    let layer = layers[task.layer]
    for index in 0..<task.range.count { target[index] = 0 }
    for slice in layer.slices {
      let source = UnsafeRawPointer(memory.baseAddress + gradients(of: slice, task.layer))
      let sums = target + slice.lowerBound
      for row in 0..<rows {
        switch layer.type {
        case .bf16:
          let values = source.assumingMemoryBound(to: UInt16.self) + row * slice.count
          for unit in 0..<slice.count { sums[unit] += Float(bitPattern: UInt32(values[unit]) << 16) }
        case .f32, .u8, .s32:
          let values = source.assumingMemoryBound(to: Float.self) + row * slice.count
          for unit in 0..<slice.count { sums[unit] += values[unit] }
        }
      }
    }
  }
}

extension CompiledNetwork {
  /// The pieces of those gradients that are taken over a whole minibatch, those of a parameter in order and without gaps; none without
  /// such layers.
  public var gatheredPieces: [GatheredGradients.Piece] {
    gatheredTasks.map(\.piece) + gatheredBlocks.map(\.piece)
  }

  /// Bytes that each sample keeps until gradients are taken over the whole minibatch, which are also those that other ranks get of it:
  /// rows of dense layers; words, with the gradients of their vectors.
  public var gatheredBytesPerSample: Int {
    let rows = gatheredLayers.reduce(0) { $0 + ($1.inputs + $1.units) * $1.type.byteCount }
    let words = gatheredTables.reduce(0) {
      $0 + $1.length * (MemoryLayout<Int32>.stride + $1.dimension * MemoryLayout<Float>.stride)
    }
    return rows + words
  }

  /// Floats of the longest piece of those gradients, which each worker has a place for.
  public var longestGatheredPiece: Int { gatheredPieces.map(\.range.count).max() ?? 0 }

  fileprivate var gatheredTasks: [GatheredGradients.Task] {
    GatheredGradients.tasks(of: gatheredLayers, segments)
  }

  fileprivate var gatheredBlocks: [GatheredGradients.Block] {
    GatheredGradients.blocks(of: gatheredTables, segments)
  }
}

/// Where a shard's rows of a minibatch go.
public struct GatheredRows: Sendable {
  fileprivate let owner: GatheredGradients
  fileprivate let firstRow: Int

  func keep(_ source: UnsafeRawPointer, samples: Int, _ rows: GatheredLayer.Rows, ofLayer index: Int) {
    owner.keep(source, samples: samples, rows, ofLayer: index, firstRow: firstRow)
  }

  func keepWords(
    _ words: UnsafePointer<Float>, _ gradients: UnsafePointer<Float>, samples: Int, ofTable index: Int
  ) {
    owner.keepWords(words, gradients, samples: samples, ofTable: index, firstRow: firstRow)
  }
}
