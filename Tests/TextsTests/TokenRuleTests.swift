import Foundation
import Testing
import Texts

/// Tokens as Python's regular expressions make them, from `Fixtures/make_tokens.py`.
@Suite struct TokenRuleTests {
  struct Case: Decodable {
    let text: String
    let kim: [String]
    let kimKept: [String]
    let words: [String]
    let space: [String]
    let characters: [String]
  }

  static func cases() throws -> [Case] {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
      "Fixtures/tokens.json")
    return try JSONDecoder().decode([Case].self, from: Data(contentsOf: url))
  }

  @Test func tokensAreThoseOfRegularExpressions() throws {
    let cases = try Self.cases()
    #expect(cases.count > 300)
    for item in cases {
      let text = TextHandling.composed(item.text)
      #expect(TokenRule.kim.tokens(of: text, lowersCase: true) == item.kim, "\(item.text.debugDescription)")
      #expect(
        TokenRule.kim.tokens(of: text, lowersCase: false) == item.kimKept, "\(item.text.debugDescription)")
      #expect(
        TokenRule.words.tokens(of: text, lowersCase: true) == item.words, "\(item.text.debugDescription)")
      #expect(
        TokenRule.space.tokens(of: text, lowersCase: false) == item.space, "\(item.text.debugDescription)")
      #expect(
        TokenRule.characters.tokens(of: text, lowersCase: false) == item.characters,
        "\(item.text.debugDescription)")
    }
  }
}

@Suite struct TextHandlingTests {
  private func vocabulary(_ words: [String]) throws -> Vocabulary {
    try #require(Vocabulary(words: ["", "[UNK]"] + words))
  }

  @Test func frequentWordsComeFirstAndEqualOnesInTheOrderOfTheirBytes() {
    let counts = [("b", 2), ("a", 2), ("rare", 1), ("é", 2), ("most", 9), ("", 5), ("[UNK]", 7)]
    let all = Vocabulary(counts: counts)
    #expect(all.words == ["", "[UNK]", "most", "a", "b", "é", "rare"])
    #expect(Vocabulary(counts: counts, minimum: 2).words == ["", "[UNK]", "most", "a", "b", "é"])
    #expect(Vocabulary(counts: counts, most: 4).words == ["", "[UNK]", "most", "a"])
    #expect(all.number(of: "most") == 2)
    #expect(all.number(of: "unheard") == 1)
    #expect(!all.contains("[UNK]") && all.contains("a") && !all.contains("unheard"))
  }

  @Test func listsThatDoNotBeginWithPaddingAndUnknownOrRepeatAWordAreRefused() {
    #expect(Vocabulary(words: ["", "[UNK]", "a"]) != nil)
    #expect(Vocabulary(words: ["[UNK]", "", "a"]) == nil)
    #expect(Vocabulary(words: ["", "[UNK]", "a", "a"]) == nil)
    #expect(Vocabulary(words: [""]) == nil)
  }

  /// Against a plain reading of the rule: pad or drop one word at a time.
  @Test func samplesArePaddedAndCutAtTheSidesThatAreSaid() throws {
    let words = (0..<9).map { "w\($0)" }
    let vocabulary = try vocabulary(words)
    var random = SystemRandomNumberGenerator()
    for _ in 0..<300 {
      let text = (0..<Int.random(in: 0...9, using: &random)).map { _ in
        Bool.random(using: &random) ? "unheard" : words.randomElement(using: &random) ?? ""
      }
      let length = Int.random(in: 1...9, using: &random)
      for padding in TextHandling.Side.allCases {
        for cut in TextHandling.Side.allCases {
          let handling = TextHandling(
            tokens: .space, length: length, padding: padding, cut: cut, vocabulary: vocabulary)
          var expected = text.map { word in
            words.firstIndex(of: word).map { Int32($0 + 2) } ?? 1
          }
          while expected.count > length {
            if cut == .end { expected.removeLast() } else { expected.removeFirst() }
          }
          while expected.count < length {
            if padding == .end { expected.append(0) } else { expected.insert(0, at: 0) }
          }
          let sample = handling.sample(of: text.joined(separator: " "))
          #expect(sample.numbers == expected)
          #expect(sample.words == text)
          for place in sample.kept {
            #expect(
              sample.numbers[sample.first + place - sample.kept.lowerBound]
                == vocabulary.number(of: text[place]))
          }
        }
      }
    }
  }

  @Test func pairsSayAllButTheVocabulary() throws {
    let vocabulary = try vocabulary(["a", "b"])
    for rule in TokenRule.allCases {
      for side in TextHandling.Side.allCases {
        let handling = TextHandling(
          tokens: rule, lowersCase: side == .end, length: 17, padding: side,
          cut: side == .end ? .start : .end,
          vocabulary: vocabulary)
        #expect(TextHandling(pairs: handling.pairs, vocabulary: vocabulary) == handling)
        for missing in handling.pairs.indices {
          var pairs = handling.pairs
          pairs.remove(at: missing)
          #expect(TextHandling(pairs: pairs, vocabulary: vocabulary) == nil)
        }
      }
    }
    let sound = ["tokens=kim", "case=lower", "length=0", "pad=end", "cut=end"]
    #expect(TextHandling(pairs: sound, vocabulary: vocabulary) == nil)
  }

  /// é as one character and as a letter with an accent after it.
  @Test func accentsWrittenInTwoWaysAreOneWord() throws {
    let handling = TextHandling(tokens: .words, length: 3, vocabulary: try vocabulary(["caf\u{E9}"]))
    #expect(handling.sample(of: "cafe\u{301} CAF\u{C9}").numbers == [2, 2, 0])
  }

  @Test func unknownWordsAreToldOnceEach() throws {
    let handling = TextHandling(tokens: .space, length: 5, vocabulary: try vocabulary(["a"]))
    #expect(handling.sample(of: "x a y x b c d").unknownWords == ["x", "y", "b"])
  }
}
