internal import Networks
internal import OneDNN
internal import Parallel
internal import Tensors

/// An embedding whose gradient is taken once, over the words of a whole minibatch.
///
/// A shard's gradient of a whole table costs what the vocabulary costs, although a shard has few of its words. Such a layer's shards
/// keep their words and the gradients of their vectors instead; when all are there, each block of the table gets the sum of
/// what belongs to its rows, in the order of samples and of places in them.
struct GatheredTable: Sendable {
  let layer: String
  let segment: Segment
  /// Words of a sample.
  let length: Int
  let vocabulary: Int
  let dimension: Int
  /// A word whose vector is never trained; nil without one.
  let paddingWord: Int?

  /// Fewer floats are not worth a piece of work of their own.
  private static let leastFloats = 1024

  /// Rows of a block: as few as are worth a piece of work, so that what no word touches is left alone, and whole lanes.
  var rowsPerBlock: Int {
    // The fewest rows whose floats are a multiple of the lanes.
    var whole = 1
    while (whole * dimension) % Lanes.scalarCount != 0 { whole += 1 }
    return whole * max(1, Self.leastFloats / (whole * dimension))
  }

  /// The place of each block in the flat buffer of parameters; the last one has what rounds the table up.
  var blocks: [Range<Int>] {
    let start = segment.range.lowerBound
    let floats = rowsPerBlock * dimension
    return stride(from: 0, to: vocabulary * dimension, by: floats).map { first in
      let isLast = first + floats >= vocabulary * dimension
      return start + first..<(isLast ? segment.range.upperBound : start + first + floats)
    }
  }
}

/// The words of a minibatch with the gradients of their vectors, and the blocks that they belong to.
final class TableRows: @unchecked Sendable {
  // @unchecked because shards write disjoint rows, and blocks are computed when all shards are done.

  let table: GatheredTable
  let blocks: [Range<Int>]
  /// The word of each place, sample by sample.
  private let words: AlignedBuffer<Int32>
  /// The gradient of each place's vector.
  private let gradients: AlignedBuffer<Float>
  private let capacity: Int
  /// Places sorted by their words' blocks, in each block in the order of samples and places.
  private let sorted: AlignedBuffer<Int32>
  /// Where the places of each block begin in ``sorted``, and where the last ones end.
  private let starts: AlignedBuffer<Int32>
  /// Blocks that a word of the minibatch is in, in rising order.
  private(set) var touched: [Int32] = []

  /// - Parameter samples: the most samples that a minibatch has.
  init(_ table: GatheredTable, samples: Int) {
    self.table = table
    blocks = table.blocks
    capacity = samples * table.length
    words = AlignedBuffer(count: capacity)
    gradients = AlignedBuffer(count: capacity * table.dimension)
    sorted = AlignedBuffer(count: capacity)
    starts = AlignedBuffer(count: blocks.count + 1)
    touched.reserveCapacity(min(capacity, blocks.count))
  }

  var byteCount: Int { words.byteCount + gradients.byteCount + sorted.byteCount + starts.byteCount }

  /// Keeps a shard's words with the gradients of their vectors.
  func keep(_ words: UnsafePointer<Float>, _ gradients: UnsafePointer<Float>, samples: Int, firstRow: Int) {
    let (first, count) = (firstRow * table.length, samples * table.length)
    precondition(first + count <= capacity, "\(capacity) words have no place for more")
    for place in 0..<count { self.words.baseAddress[first + place] = Int32(words[place]) }
    (self.gradients.baseAddress + first * table.dimension).update(
      from: gradients, count: count * table.dimension)
  }

  /// Brings the words of all ranks together on each, with the gradients of their vectors.
  ///
  /// - Parameter parts: the samples of each rank in the minibatch, by rank.
  func gather(rows parts: [Range<Int>], over communicator: any Communicator) throws(CommunicationError) {
    func bytes(perWord: Int) -> [Range<Int>] {
      let width = table.length * perWord
      return parts.map { $0.lowerBound * width..<$0.upperBound * width }
    }
    try communicator.gather(words.baseAddress, parts: bytes(perWord: MemoryLayout<Int32>.stride))
    try communicator.gather(
      gradients.baseAddress, parts: bytes(perWord: table.dimension * MemoryLayout<Float>.stride))
  }

  /// Sorts the places of a minibatch by blocks.
  func sort(samples: Int) {
    let count = samples * table.length
    let rows = Int32(table.rowsPerBlock)
    let padding = table.paddingWord.map { Int32($0) } ?? -1
    let (words, starts, sorted) = (words.baseAddress, starts.baseAddress, sorted.baseAddress)
    starts.update(repeating: 0, count: blocks.count + 1)
    for place in 0..<count where words[place] != padding { starts[Int(words[place] / rows) + 1] += 1 }
    touched.removeAll(keepingCapacity: true)
    for block in 0..<blocks.count {
      if starts[block + 1] > 0 { touched.append(Int32(block)) }
      starts[block + 1] += starts[block]
    }
    // Each start moves to the block's end while its places are filled in; those before it say where it began.
    for place in 0..<count where words[place] != padding {
      let block = Int(words[place] / rows)
      sorted[Int(starts[block])] = Int32(place)
      starts[block] += 1
    }
  }

  /// The gradient of a block: for each of its rows the sum over the row's places.
  ///
  /// - Parameter target: out, as many floats as the block has.
  func compute(_ block: Int, into target: UnsafeMutablePointer<Float>) {
    target.update(repeating: 0, count: blocks[block].count)
    let (words, starts, sorted) = (words.baseAddress, starts.baseAddress, sorted.baseAddress)
    let first = block * table.rowsPerBlock
    let dimension = table.dimension
    for index in (block == 0 ? 0 : Int(starts[block - 1]))..<Int(starts[block]) {
      let place = Int(sorted[index])
      let row = target + (Int(words[place]) - first) * dimension
      let part = gradients.baseAddress + place * dimension
      for element in 0..<dimension { row[element] += part[element] }
    }
  }
}

extension CompileOptions {
  /// Whether an embedding's gradient is taken over the whole minibatch, and not in each shard.
  func gathersTable(ofLayer layer: String, weights: Int) -> Bool {
    if case .chosen(let choices) = kernels {
      if let isGathered = choices[gathersGradientOf: layer] { return isGathered }
      if hasAllChoices { return false }
    }
    return mayTakeOwnKernels && weights >= min(weightsToGather, CostModel.tableWeightsToGather)
  }
}

extension PlanBuilder {
  /// Whether an embedding's gradient is taken over the whole minibatch.
  func gathersTable(_ layer: String, weights: Int) -> Bool {
    guard isTraining else { return false }
    if storage.tables.contains(where: { $0.layer == layer }) { return true }
    let parameter = parameters.parameters.first { $0.layer == layer && $0.spec.name == "embeddings" }
    // An earlier plan has settled that each shard takes its own.
    if let parameter, storage.segment(for: parameter) != nil { return false }
    let gathers = options.gathersTable(ofLayer: layer, weights: weights)
    if gathers { chooseGradient(gathered: true, ofLayer: layer) }
    return gathers
  }

  /// The table's number among those of its kind.
  func gatheredTable(_ table: GatheredTable) -> Int {
    if let known = storage.tables.firstIndex(where: { $0.layer == table.layer }) { return known }
    storage.gather(table)
    return storage.tables.count - 1
  }
}

/// Keeps a shard's words and the gradients of their vectors.
struct TableGatherStep: CustomStep {
  let index: Int
  let layer: String
  let samples: Int
  /// [samples · length], numbers of words.
  let words: Operand
  /// [samples · length, dimension].
  let diffDst: Operand

  var name: String { "gather" }
  var operands: [Operand] { [words, diffDst] }
  var results: [Operand] { [] }

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) {
    guard let gathered = shard.options.gathered else {
      preconditionFailure("nowhere to keep the words of '\(layer)'")
    }
    gathered.keepWords(memory.floats(words), memory.floats(diffDst), samples: samples, ofTable: index)
  }
}
