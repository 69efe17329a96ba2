internal import Networks
internal import OneDNN
internal import Tensors

extension PlanBuilder {
  /// A vector for each word.
  ///
  /// Of a large table shards keep their words and the gradients of these words' vectors (``GatheredTable``); of a small one each
  /// shard has the whole gradient, zeros included. No gradient goes to the word numbers.
  func embedding(_ index: Int, _ operation: Operation, _ embedding: Embedding, _ src: Value) throws -> Value {
    let length = operation.inputShapes[0][0]
    let (vocabulary, dimension) = (embedding.vocabulary, embedding.dimension)
    let (source, _) = try canonical(src, madeBy: operation.inputs.first)
    let words = try adapt(source.operand, to: .dense([samples, length], .f32))
    let tableLayout = try MemoryDescriptor.dense([vocabulary, dimension], .f32)
    // What is frozen has no gradient.
    let gathers =
      isTrained(operation.parameterNames, ofLayer: operation.layer)
      && gathersTable(operation.layer, weights: vocabulary * dimension)
    let table = try segment(
      "embeddings", ofLayer: operation.layer, as: tableLayout, isGathered: gathers, .strided(tableLayout))
    let dst = buffer(try channelsLast(.dense([samples, dimension, 1, length], .f32)))
    emit(
      EmbeddingStep(
        length: length, samples: samples, vocabulary: vocabulary, dimension: dimension, src: words,
        table: table.operand(), dst: dst))
    onBackward(index) { [self] gradient in
      guard isTraining, table.isTrained else { return }
      passes(.backwardWeights)
      if gathers {
        let index = gatheredTable(
          GatheredTable(
            layer: operation.layer, segment: table, length: length, vocabulary: vocabulary,
            dimension: dimension, paddingWord: embedding.paddingWord))
        emit(
          TableGatherStep(
            index: index, layer: operation.layer, samples: samples, words: words,
            diffDst: try adapt(gradient.operand, to: dst.descriptor)))
        return
      }
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
