internal import Networks
internal import OneDNN
internal import Tensors

extension PlanBuilder {
  /// A vector for each word.
  ///
  /// The shard's gradient is the whole table's, zeros included: a shard's gradient costs time and memory as the vocabulary
  /// does. No gradient goes to the word numbers.
  func embedding(_ index: Int, _ operation: Operation, _ embedding: Embedding, _ src: Value) throws -> Value {
    let length = operation.inputShapes[0][0]
    let (vocabulary, dimension) = (embedding.vocabulary, embedding.dimension)
    let (source, _) = try canonical(src, madeBy: operation.inputs.first)
    let words = try adapt(source.operand, to: .dense([samples, length], .f32))
    let tableLayout = try MemoryDescriptor.dense([vocabulary, dimension], .f32)
    let table = try segment("embeddings", ofLayer: operation.layer, as: tableLayout, .strided(tableLayout))
    let dst = buffer(try channelsLast(.dense([samples, dimension, 1, length], .f32)))
    emit(
      EmbeddingStep(
        length: length, samples: samples, vocabulary: vocabulary, dimension: dimension, src: words,
        table: table.operand(), dst: dst))
    onBackward(index) { [self] gradient in
      guard isTraining else { return }
      passes(.backwardWeights)
      emit(
        EmbeddingGradientStep(
          words: samples * length, vocabulary: vocabulary, dimension: dimension,
          paddingWord: embedding.paddingWord,
          diffDst: try adapt(gradient.operand, to: dst.descriptor), src: words,
          diffTable: self.gradient(of: table)))
    }
    return Value(operand: dst)
  }
}
