internal import Datasets
internal import Foundation
internal import Insight
internal import Networks
internal import Reporting
internal import Tensors
internal import Texts
internal import Training

extension ExplainLook {
  /// The words of a text that a prediction rests on.
  func words(_ handling: TextHandling, in context: LookContext) throws -> LookResult {
    guard layer == nil, patch == nil, stride == nil else {
      throw CommandError.usage(
        "layer, patch and stride are for images; of a text, each word is left out in turn")
    }
    let subject = context.subject
    let text = try SampleTexts.checked([image.path])[0]
    let sample = SampleTexts(handling, context.title, subject.network.inputShape).sample(text)
    let explanation = try WordExplanation(
      of: sample, in: subject, classIndex: try classText.map { try subject.classIndex($0) },
      pool: context.pool)
    let isProbability = subject.criterion.givesProbabilities
    let name = subject.classNames[explanation.classIndex]
    let value = explanation.outputs[explanation.classIndex]
    let title =
      isProbability ? "\(name): p \(NumberText.fixed(value, 4))" : "\(name): \(NumberText.short(value))"
    let page = try context.folder.write(
      WordColors.page(explanation, title: title, network: context.title), as: "explain.html")
    var table = Table([Table.Column("word"), Table.Column("effect", .trailing)])
    let ranked = explanation.words.indices.sorted {
      (abs(explanation.effects[$1]), $0) < (abs(explanation.effects[$0]), $1)
    }
    for place in ranked.prefix(10) {
      table.add([
        explanation.words[place] + (explanation.isKnown[place] ? "" : " (unknown)"),
        NumberText.fixed(explanation.effects[place], 4),
      ])
    }
    let terminal = TerminalOutput.standardOutput
    return LookResult(
      name: "explain",
      findings: WordFindings(
        text: text, class: name, probability: isProbability ? value : nil,
        probabilities: isProbability ? explanation.outputs : nil, value: isProbability ? nil : value,
        values: isProbability ? nil : explanation.outputs, classes: subject.classNames,
        page: ResultPath(page),
        words: explanation.words.indices.map {
          WordFindings.Word(
            word: explanation.words[$0], effect: explanation.effects[$0], isKnown: explanation.isKnown[$0])
        }),
      lines: ["\(title); what changes without each word:"]
        + table.lines(width: terminal.tableWidth, unicode: terminal.hasUnicode) + [page],
      colored: WordColors.terminal(explanation))
  }
}

/// The words that a network's answer rests on.
private struct WordFindings: Encodable {
  struct Word: Encodable {
    let word: String
    /// The answer with the word less that without it.
    let effect: Double
    let isKnown: Bool
  }

  let text: String
  let `class`: String
  let probability: Double?
  let probabilities: [Double]?
  let value: Double?
  let values: [Double]?
  let classes: [String]
  let page: ResultPath
  let words: [Word]
}

/// Words in colours: orange for those that speak for an answer, blue for those that speak against it.
enum WordColors {
  /// The share of full colour for each word, from −1 to 1: the effect over the largest one.
  private static func shares(_ explanation: WordExplanation) -> [Double] {
    let most = explanation.effects.map(abs).max() ?? 0
    return explanation.effects.map { most > 0 ? $0 / most : 0 }
  }

  /// Steps of the terminal's 256 colours from weak to strong.
  private static let (orange, blue) = ([223, 215, 208], [153, 111, 69])

  /// The text with a background for each word that counts, as escape sequences.
  static func terminal(_ explanation: WordExplanation) -> String {
    zip(explanation.words, shares(explanation)).map { word, share in
      let plain = TextWidth.printable(word)
      let level = Int(abs(share) * 3.999)
      guard level > 0 else { return plain }
      return "\u{1B}[48;5;\((share > 0 ? orange : blue)[level - 1]);38;5;16m\(plain)\u{1B}[0m"
    }.joined(separator: " ")
  }

  /// A page of its own with the text in colours.
  static func page(_ explanation: WordExplanation, title: String, network: String) -> String {
    let words = zip(explanation.words.indices, shares(explanation)).map { place, share in
      let color = share >= 0 ? "245, 140, 40" : "60, 120, 215"
      let known = explanation.isKnown[place] ? "" : " class=\"unknown\""
      let effect = NumberText.fixed(explanation.effects[place], 4)
      return
        "<span\(known) style=\"background: rgba(\(color), \(NumberText.fixed(abs(share) * 0.85, 3)))\" title=\"\(effect)\">"
        + "\(escaped(explanation.words[place]))</span>"
    }
    return """
      <!doctype html>
      <html lang="en"><head><meta charset="utf-8"><title>\(escaped(title))</title><style>
      body { font: 1.1rem/2 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
      span { padding: .15rem .3rem; border-radius: .25rem; color: #111; }
      .unknown { text-decoration: underline dotted; }
      .legend { font-size: .85rem; color: #555; }
      @media (prefers-color-scheme: dark) { body { background: #fff; color: #111; } }
      </style></head><body>
      <h1>\(escaped(title))</h1>
      <p>\(words.joined(separator: " "))</p>
      <p class="legend">Orange words speak for this answer of \(escaped(network)): without one, it becomes less. Blue ones speak against it.
      Words that the network does not know are underlined. The number appears when the pointer rests on a word.</p>
      </body></html>

      """
  }

  private static func escaped(_ text: String) -> String {
    text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
      .replacingOccurrences(of: ">", with: "&gt;").replacingOccurrences(of: "\"", with: "&quot;")
  }
}

extension ExampleLook {
  /// The phrases that excite filters most, each once.
  func phrases(
    of dataset: ImageDataset, _ handling: TextHandling, _ layer: ResolvedLayer, _ filters: [Int],
    in context: LookContext
  ) throws -> LookResult {
    let subject = context.subject
    let stop = context.stop
    let progress = TerminalOutput.progressLine()
    // The same phrase may be in many texts.
    let found = try TopExamples(
      dataset, layer: layer.name, in: subject, keep: top * Self.repetitions, by: ranking ?? .largest,
      pool: context.pool, while: { !stop.isRequested },
      progress: { done in
        progress.update(
          ProgressReading(title: "examples", done: done, total: dataset.count), now: TerminalOutput.seconds)
      })
    progress.finish()
    guard let found else { throw context.stopped("the samples", isKept: false) }
    let results = try filters.map { filter in
      var phrases: [PhraseFindings.Phrase] = []
      for example in found.examples[filter] where example.activation > 0 || phrases.isEmpty {
        let phrase = try self.phrase(example, dataset, handling, layer, subject)
        if !phrases.contains(where: { $0.words == phrase.words }) { phrases.append(phrase) }
        if phrases.count == top { break }
      }
      return PhraseFindings.Filter(
        filter: filter, mean: found.means[filter], activeSamples: found.activeCounts[filter], phrases: phrases
      )
    }
    let dead = filters.filter { found.activeCounts[$0] == 0 }
    var table = Table([
      Table.Column("filter", .trailing), Table.Column("activation", .trailing), Table.Column("phrase"),
      Table.Column("text of"),
    ])
    for result in results.prefix(Self.mostShown) {
      for (rank, phrase) in result.phrases.enumerated() {
        table.add([
          rank == 0 ? "\(result.filter)" : "", NumberText.short(phrase.activation),
          phrase.words.joined(separator: " "), phrase.label ?? "",
        ])
      }
    }
    let title = "\(layer.name): the phrases that excite each filter most, out of \(dataset.count) texts"
    let terminal = TerminalOutput.standardOutput
    return LookResult(
      name: "examples-\(layer.name)",
      findings: PhraseFindings(
        layer: layer.name, data: ResultPath(dataset.path), samples: dataset.count, dead: dead,
        filters: results),
      lines: [title] + table.lines(width: terminal.tableWidth, unicode: terminal.hasUnicode)
        + (results.count > Self.mostShown
          ? ["the first \(Self.mostShown) of \(results.count) filters; examples-\(layer.name).json has all"]
          : [])
        + (dead.isEmpty ? [] : ["never active: \(dead.map(String.init).joined(separator: ", "))"]))
  }

  /// How many examples are kept for each phrase that is shown.
  private static let repetitions = 8
  private static let mostShown = 20

  /// The words that the filter sees where its map is largest; all words of the text where it sees them all.
  private func phrase(
    _ example: TopExamples.Example, _ dataset: ImageDataset, _ handling: TextHandling, _ layer: ResolvedLayer,
    _ subject: Subject
  ) throws -> PhraseFindings.Phrase {
    let words = try dataset.samples([example.row]).withSample(0) { bytes in
      bytes.assumingMemoryBound(to: Float.self).map { number in
        let place = Int(number)
        return handling.vocabulary.words.indices.contains(place)
          ? handling.vocabulary.words[place] : "\(place)"
      }
    }
    let field = example.peak.flatMap {
      ReceptiveField(row: $0.row, column: $0.column, of: layer.name, in: subject.network)
    }
    let seen = field?.columns ?? words.indices
    let caption = subject.caption(row: example.row, of: dataset)
    return PhraseFindings.Phrase(
      words: words[seen].filter { !$0.isEmpty }, row: example.row, first: seen.lowerBound,
      label: caption.isEmpty ? nil : caption, activation: example.activation)
  }
}

/// The phrases that excite the filters of a layer.
private struct PhraseFindings: Encodable {
  struct Phrase: Encodable {
    /// The words that the most active place sees, without the padding.
    let words: [String]
    let row: Int
    /// The place in the sample at which they begin.
    let first: Int
    /// The text's class, labels or numbers; left out where the file has none.
    let label: String?
    let activation: Double
  }

  struct Filter: Encodable {
    let filter: Int
    let mean: Double
    let activeSamples: Int
    let phrases: [Phrase]
  }

  let layer: String
  let data: ResultPath
  let samples: Int
  /// Filters that no sample excites.
  let dead: [Int]
  let filters: [Filter]
}
