internal import OneDNN
internal import Parallel
internal import Tensors

/// The gradients that are taken over a whole minibatch: its rows, and the multiplications of them.
///
/// Shards write rows of their own, side by side; when all are there, each task gives the gradient of some units of a layer. Tasks follow from
/// shapes alone, so that neither shards nor workers change a bit.
public final class GatheredGradients: @unchecked Sendable {
  // @unchecked because shards write disjoint rows, and tasks run when all shards are done.

  /// A piece of a parameter's gradient.
  public struct Task: Sendable {
    /// Index of the parameter among the compiled network's segments.
    public let segment: Int
    /// The place in the flat buffer of parameters.
    public let range: Range<Int>
    fileprivate let layer: Int
    /// The units that it belongs to.
    fileprivate let units: Range<Int>
    fileprivate let isBias: Bool
  }

  /// A piece of an embedding's table, whose gradient is zero unless a word of the minibatch is in it.
  public struct Block: Sendable {
    /// Index of the parameter among the compiled network's segments.
    public let segment: Int
    /// The place in the flat buffer of parameters.
    public let range: Range<Int>
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
  /// The number of each table's first block.
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
    var (blocks, firstBlocks) = ([Block](), [Int]())
    for (table, rows) in tables.enumerated() {
      firstBlocks.append(blocks.count)
      let segment = compiled.segments.firstIndex { $0.range == rows.table.segment.range } ?? 0
      blocks += rows.blocks.enumerated().map {
        Block(segment: segment, range: $0.element, table: table, index: $0.offset)
      }
    }
    (self.blocks, self.firstBlocks) = (blocks, firstBlocks)
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
    tasks = Self.tasks(of: layers, compiled.segments)
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

  private static func tasks(of layers: [GatheredLayer], _ segments: [Segment]) -> [Task] {
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
            segment: place(layer.kernel), range: start + floats.lowerBound..<start + end, layer: index,
            units: slice, isBias: false))
      }
      guard let bias = layer.bias else { continue }
      tasks.append(
        Task(
          segment: place(bias), range: bias.range, layer: index, units: 0..<layer.units, isBias: true))
    }
    return tasks
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
