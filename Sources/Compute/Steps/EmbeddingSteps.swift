internal import OneDNN

/// Looks up the vector of each word: `dst[n, t, …] = table[src[n, t], …]`.
struct EmbeddingStep: CustomStep {
  /// Words of a sample.
  let length: Int
  let samples: Int
  let vocabulary: Int
  let dimension: Int
  let src: Operand
  let table: Operand
  let dst: Operand

  var name: String { "embedding" }
  var operands: [Operand] { [src, table, dst] }
  var results: [Operand] { [dst] }

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) throws(ComputeError) {
    let (words, vectors, target) = (memory.floats(src), memory.floats(table), memory.floats(dst))
    for index in 0..<samples * length {
      guard words[index] >= 0, words[index] < Float(vocabulary), words[index].rounded() == words[index] else {
        throw .sample(
          reason:
            "word \(words[index]) at position \(index % length) is not one of the embedding's \(vocabulary) "
            + "words, which are whole numbers from 0 to \(vocabulary - 1)")
      }
      (target + index * dimension).update(from: vectors + Int(words[index]) * dimension, count: dimension)
    }
  }
}

/// The table's gradient: each word's vector gets the sum over its places, sample by sample, position by position.
struct EmbeddingGradientStep: CustomStep {
  /// How many words the shard has.
  let words: Int
  let vocabulary: Int
  let dimension: Int
  /// A word whose vector is never trained; nil without one.
  let paddingWord: Int?
  let diffDst: Operand
  let src: Operand
  let diffTable: Operand

  var name: String { "embedding gradient" }
  var operands: [Operand] { [src, diffTable, diffDst] }
  var results: [Operand] { [diffTable] }

  func run(_ memory: ShardMemory, _ shard: inout ShardContext) {
    let target = memory.floats(diffTable)
    target.update(repeating: 0, count: vocabulary * dimension)
    let (ids, diff) = (memory.floats(src), memory.floats(diffDst))
    for index in 0..<words {
      let word = Int(ids[index])
      if word == paddingWord { continue }
      let (row, part) = (target + word * dimension, diff + index * dimension)
      for element in 0..<dimension { row[element] += part[element] }
    }
  }
}
