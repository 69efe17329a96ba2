public import Audio
public import Texts

/// What the samples of a dataset were before, and how they were made of it, which is how others become samples like these.
public enum SampleOrigin: Hashable, Sendable {
  /// Pictures.
  case pictures(PictureHandling)
  /// Texts; the samples are numbers of words.
  case texts(TextHandling)
  /// Sounds; the samples are logarithmic spectra.
  case sounds(SoundHandling)

  /// How pictures became samples; nil where the samples were no pictures.
  public var pictures: PictureHandling? { if case .pictures(let handling) = self { handling } else { nil } }

  /// How texts became samples; nil where the samples were no texts.
  public var texts: TextHandling? { if case .texts(let handling) = self { handling } else { nil } }

  /// What the samples were, for messages: `texts`.
  public var noun: String {
    switch self {
    case .pictures: "pictures"
    case .texts(let handling): "texts of \(handling.vocabulary.count) words"
    case .sounds: "sounds"
    }
  }

  /// How sounds became samples; nil where the samples were no sounds.
  public var sounds: SoundHandling? { if case .sounds(let handling) = self { handling } else { nil } }

  // MARK: - Files

  /// The names of the attributes that may hold it in HDF5 files.
  public static let attributes = [PictureHandling.attribute, TextHandling.attribute, SoundHandling.attribute]

  /// The name of its attribute.
  public var attribute: String {
    switch self {
    case .pictures: PictureHandling.attribute
    case .texts: TextHandling.attribute
    case .sounds: SoundHandling.attribute
    }
  }

  /// What its attribute holds: `key=value`, one string for each.
  public var pairs: [String] {
    switch self {
    case .pictures(let handling): handling.pairs
    case .texts(let handling): handling.pairs
    case .sounds(let handling): handling.pairs
    }
  }

  /// The words that stand in a dataset ``TextHandling/vocabularyName`` of their own; nil without any.
  public var vocabulary: [String]? { texts?.vocabulary.words }

  /// Reads what an attribute holds.
  ///
  /// - Parameters:
  ///   - attribute: its name.
  ///   - pairs: what it holds.
  ///   - vocabulary: the words by number; asked for only where they are needed, and nil where there are none.
  /// - Returns: nil where it is not said in words that are known here: another program's attribute means something else.
  public init?(attribute: String, pairs: [String], vocabulary: () throws -> [String]?) rethrows {
    switch attribute {
    case PictureHandling.attribute:
      guard let handling = PictureHandling(pairs: pairs) else { return nil }
      self = .pictures(handling)
    case TextHandling.attribute:
      guard let words = try vocabulary(), let vocabulary = Vocabulary(words: words),
        let handling = TextHandling(pairs: pairs, vocabulary: vocabulary)
      else { return nil }
      self = .texts(handling)
    case SoundHandling.attribute:
      guard let handling = SoundHandling(pairs: pairs) else { return nil }
      self = .sounds(handling)
    default: return nil
    }
  }

  // MARK: - Agreement

  /// Why samples of this origin mean something else than those of another, in words that follow their file's name; nil where they
  /// mean the same.
  ///
  /// Pictures of other sizes and fits may be compared; a word number of another vocabulary is another word, and a spectrum of other
  /// bands another sound.
  public func problem(beside other: SampleOrigin) -> String? {
    switch (self, other) {
    case (.texts(let own), .texts(let others)):
      guard own.vocabulary == others.vocabulary else {
        return
          "numbers its words by another vocabulary (\(own.vocabulary.count) words, not \(others.vocabulary.count))"
      }
      guard own.tokens == others.tokens, own.lowersCase == others.lowersCase else {
        return
          "was cut into words by another rule (\(own.pairs[0]), \(own.pairs[1]), not \(others.pairs[0]), \(others.pairs[1]))"
      }
      return nil
    case (.sounds(let own), .sounds(let others)):
      func isLearned(_ pair: String) -> Bool { pair.hasPrefix("means=") || pair.hasPrefix("deviations=") }
      let differences = zip(own.pairs, others.pairs).filter { $0 != $1 }
      guard let (mine, yours) = differences.first(where: { !isLearned($0.0) }) ?? differences.first else {
        return nil
      }
      return isLearned(mine)
        ? "has sounds that were normalised by other means and deviations"
        : "has sounds with \(mine), not \(yours)"
    default: return nil
    }
  }

  /// How others can be made to mean the same.
  var remedy: String {
    switch self {
    case .pictures: "import the pictures in the same way"
    case .texts: "`convoy import text --vocabulary FILE|RUN` numbers texts by a vocabulary that exists"
    case .sounds: "`convoy import audio --like FILE|RUN` takes the settings of one that exists"
    }
  }
}

extension ImageDataset {
  /// Checks that samples mean what those of a network's training meant.
  ///
  /// - Parameters:
  ///   - known: the origin of those; nil where it is not known.
  ///   - channels: the names of their channels; nil where they are not known.
  ///   - role: what messages call the dataset: `data.test`; nil for its path.
  /// - Throws: ``DatasetError`` of kind `badData` where they do not.
  public func checkOrigin(
    _ known: SampleOrigin?, channels: [String]? = nil, role: String? = nil
  ) throws(DatasetError) {
    let start = "\(role.map { "\($0): " } ?? "")\(path)"
    if let channels, let channelNames, channels.count == channelNames.count,
      let (own, other) = zip(channelNames, channels).first(where: { $0 != $1 })
    {
      let place = zip(channelNames, channels).prefix { $0 == $1 }.count
      throw DatasetError(
        .badData,
        "\(start) has other channels: number \(place) is '\(own)', not '\(other)'; import it with the same planes in the same order"
      )
    }
    guard let known, let origin, let problem = origin.problem(beside: known) else { return }
    throw DatasetError(.badData, "\(start) \(problem); \(known.remedy)")
  }
}
