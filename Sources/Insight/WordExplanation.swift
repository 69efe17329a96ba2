internal import Compute
internal import Networks
public import Parallel
internal import Tensors
public import Texts
internal import Training

/// How much each word of a text counts for a network's answer.
///
/// The effect of a word is the change of the answer when the padding stands in its place: the probability with the word less that
/// without it, or the number with it less that without it. Above 0 a word speaks for the answer, below 0 against it.
///
/// - SeeAlso: Li, Monroe & Jurafsky 2016, "Understanding Neural Networks through Representation Erasure",
///   <https://arxiv.org/abs/1612.08220>.
public struct WordExplanation: Sendable {
  /// The output that is explained.
  public let classIndex: Int
  /// The network's answer for the text: probabilities of classes or labels, or numbers.
  public let outputs: [Double]
  /// The words of the text that the network sees.
  public let words: [String]
  /// Whether the vocabulary has each of these words.
  public let isKnown: [Bool]
  /// The effect of each of these words.
  public let effects: [Double]

  private static let shard = 16

  /// Asks the network once for the text, and once without each of its words.
  ///
  /// - Parameter classIndex: the output to explain; nil takes the most probable one, or the first where outputs are numbers.
  /// - Throws: ``InsightError`` for an output that the network lacks, and for a network that takes other samples.
  public init(
    of text: TextSample, in subject: Subject, classIndex: Int? = nil, pool: WorkerPool
  ) throws {
    let length = subject.network.inputShape.elementCount
    guard text.numbers.count == length else {
      throw InsightError.badData(
        "the network takes inputs of \(subject.network.inputShape), but its texts have \(text.numbers.count) words"
      )
    }
    let own = text.numbers.map { Float($0) }
    // The text itself, then without each word.
    let variants = 1 + text.kept.count
    let tap = subject.logits
    let sharding = Sharding(sampleCount: variants, shardSize: Self.shard)
    var traces: [Int: LayerTrace] = [:]
    for size in sharding.sizes {
      traces[size] = try LayerTrace(
        subject.network, values: subject.values, taps: [tap], samples: size, gradient: false)
    }
    let known = traces
    let found = IndexedValues<[Double]>(count: variants)
    try pool.forEach(count: sharding.count) { shard, _ in
      let range = sharding[shard]
      guard let trace = known[range.count] else { return }
      var numbers: [Float] = []
      for variant in range {
        var sample = own
        if variant > 0 { sample[text.first + variant - 1] = Float(Vocabulary.paddingNumber) }
        numbers += sample
      }
      let logits = try trace.makeSession().values(for: numbers)[tap] ?? []
      let count = logits.count / range.count
      for (index, variant) in range.enumerated() {
        found[variant] = subject.criterion.values(logits[index * count..<(index + 1) * count])
      }
    }
    let answers = (0..<variants).map { found[$0] ?? [] }
    outputs = answers[0]
    let chosen = classIndex ?? subject.mainOutput(of: outputs)
    guard outputs.indices.contains(chosen) else {
      throw InsightError.usage("the network has no output \(chosen); it has \(outputs.count), from 0")
    }
    self.classIndex = chosen
    words = Array(text.words[text.kept])
    isKnown = words.indices.map { text.numbers[text.first + $0] > Vocabulary.unknownNumber }
    effects = answers.dropFirst().map { [outputs] in outputs[chosen] - $0[chosen] }
  }
}
