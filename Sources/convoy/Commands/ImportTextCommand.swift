public import ArgumentParser
internal import Datasets
internal import Foundation
internal import Paths
public import Texts
internal import Training

extension TokenRule: ExpressibleByArgument {}
extension TextHandling.Side: ExpressibleByArgument {}

/// Whether capitals become small letters.
enum LetterCase: String, ExpressibleByArgument, CaseIterable {
  case lower
  case keep
}

struct ImportText: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "text",
    abstract: "Texts with labels, as rows of word numbers with their vocabulary.",
    discussion: """
      Texts come from files with a text in each line and a file for each class (--class), or (--from) from a table (.csv, .tsv), from \
      JSON objects with one in each line (.jsonl, .ndjson), or from a folder with a folder of files for each class. Files may be gzip. A line ends at a \
      line feed alone, whatever else some programs take for the end of a line. Text is UTF-8 and checked, unless --encoding says otherwise.

      Words get numbers by a vocabulary of the training texts: 0 pads short texts, 1 stands for unknown words, the most frequent words \
      come next. It is the dataset `vocabulary` of the file, and goes into checkpoints, so that predict takes sentences.

        convoy import text --class neg=rt-polarity.neg --class pos=rt-polarity.pos --tokens kim --length 56 --folds 10 --fold 1 --to mr-1.h5
        convoy import text --from train.csv --test test.csv --text title,body --label category --to news.h5
        convoy import text --from reviews.jsonl --text text --label stars --test-share 0.1 --words 20000 --to reviews.h5
        convoy import text --from aclImdb/train --test aclImdb/test --length 400 --cut start --to imdb.h5

      Tokens: 'kim' is Kim 2014's rule for English (characters other than letters, digits and ( ) , ! ? ' ` become blanks; 's, 've, n't, \
      're, 'd, 'll and , ! ( ) ? are words of their own; small letters); 'words' takes runs of letters and digits, with apostrophes \
      inside, in small letters; 'characters' takes each character, 'space' what stands between blanks.
      """)

  @Option(
    name: .customLong("class"),
    help: ArgumentHelp(
      "A file with a text of this class in each line; once for each class, in the order of the labels.",
      valueName: "name=file"))
  var classes: [String] = []

  @Option(
    name: .customLong("test-class"),
    help: ArgumentHelp("The same for texts to test on.", valueName: "name=file"))
  var testClasses: [String] = []

  @Option(
    name: .customLong("from"),
    help: ArgumentHelp("A table, JSON lines, or a folder of folders, to train on.", valueName: "path"))
  var path: String?

  @Option(help: ArgumentHelp("The same for texts to test on.", valueName: "path"))
  var test: String?

  @Option(
    help: ArgumentHelp(
      "The column or key of the text; several, separated by commas, are joined.", valueName: "names"))
  var text: String?

  @Option(help: ArgumentHelp("The column or key of the label.", valueName: "name"))
  var label: String?

  @Option(
    help: ArgumentHelp(
      "The character between columns, or 'tab'; a comma, and in .tsv files a tab, by default.",
      valueName: "character"))
  var delimiter: String?

  @Flag(
    inversion: .prefixedNo,
    help: "Whether a table's first row holds names; by default it does where columns are named.")
  var header: Bool?

  @OptionGroup var encoding: EncodingOption

  @Option(help: "How texts are cut into words: kim, words, characters or space; words by default.")
  var tokens: TokenRule?

  @Option(
    name: .customLong("case"),
    help: "Whether capitals become small letters: lower, or keep; by default lower for kim and words.")
  var letters: LetterCase?

  @Option(
    1...1 << 20,
    help: ArgumentHelp("Words of a sample; those of the longest training text by default.", valueName: "n"))
  var length: Int?

  @Option(help: "Where short texts are padded: at their end or start; end by default.")
  var pad: TextHandling.Side?

  @Option(help: "Where long texts are cut off: at their end or start; end by default.")
  var cut: TextHandling.Side?

  @Option(
    3...Vocabulary.mostWords,
    help: ArgumentHelp(
      "Size of the vocabulary at most, with the padding and unknown words; the rarest words go.",
      valueName: "n"))
  var words: Int?

  @Option(
    1...1 << 30,
    help: ArgumentHelp("Leave out words that the training texts have less often.", valueName: "n"))
  var minCount: Int?

  @Option(
    help: ArgumentHelp(
      "Number words as this dataset file, checkpoint or run does.", valueName: "file|run"))
  var vocabulary: String?

  @Option(
    help: ArgumentHelp(
      "Vectors of words, a text file of word2vec or GloVe, with which `embedding: {pretrained: true}` starts.",
      valueName: "file"))
  var vectors: String?

  @OptionGroup var part: TestPartOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard classes.isEmpty != (path == nil) else {
      throw ValidationError("name the texts either by --class NAME=FILE, once for each class, or by --from")
    }
    guard classes.isEmpty || test == nil, path == nil || testClasses.isEmpty else {
      throw ValidationError("--test goes with --from, and --test-class with --class")
    }
    for option in classes + testClasses where Self.pair(option) == nil {
      throw ValidationError("--class takes NAME=FILE, not '\(option)'")
    }
    let names = Set(classes.compactMap { Self.pair($0)?.name })
    if let stray = testClasses.compactMap({ Self.pair($0)?.name }).first(where: { !names.contains($0) }) {
      throw ValidationError("--test-class names a class '\(stray)' that no --class has")
    }
    if classes.count == 1 {
      throw ValidationError("one class alone leaves nothing to learn; --class names each")
    }
    if let problem = ClassNaming.problem(Array(names).sorted()) {
      throw ValidationError("--class: \(problem)")
    }
    if part.count + (test != nil || !testClasses.isEmpty ? 1 : 0) > 1 {
      throw ValidationError(
        "texts to test on come either from files of their own, from --folds or from --test-share")
    }
    if vocabulary != nil, words != nil || minCount != nil {
      throw ValidationError(
        "--words and --min-count make a vocabulary, and --vocabulary takes one that exists")
    }
    if let path {
      for source in [path, test].compactMap(\.self) { _ = try form(source) }
    } else if text != nil || label != nil || delimiter != nil || header != nil {
      throw ValidationError(
        "--text, --label, --delimiter and --header are for tables and JSON lines, which --from names")
    }
  }

  private static func pair(_ text: String) -> (name: String, file: String)? {
    guard let place = text.firstIndex(of: "=") else { return nil }
    let (name, file) = (String(text[..<place]), String(text[text.index(after: place)...]))
    return name.isEmpty || file.isEmpty ? nil : (name, file)
  }

  /// What a source holds, by its name.
  private func form(_ path: String) throws -> TextSource.Form {
    if FileStatus.isFolder(path) {
      guard text == nil, label == nil else {
        throw ValidationError(
          "\(path) is a folder, whose folders are the labels; leave out --text and --label")
      }
      return .folders
    }
    guard let text, let label else {
      throw ValidationError("\(path) needs --text and --label, the names of its columns or keys")
    }
    let texts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard !texts.contains(""), !label.isEmpty else { throw ValidationError("a column's name is empty") }
    let name = path.lowercased().replacingOccurrences(of: ".gz", with: "")
    if [".jsonl", ".ndjson", ".json"].contains(where: { name.hasSuffix($0) }) {
      return .jsonLines(texts: texts, label: label)
    }
    let mark = delimiter ?? (name.hasSuffix(".tsv") || name.hasSuffix(".tab") ? "tab" : ",")
    let byte = mark == "tab" ? "\t" : mark
    guard byte.utf8.count == 1, let character = byte.first, !character.isNewline, byte != "\"", byte != "\0"
    else {
      throw ValidationError("--delimiter takes one character, or 'tab', not '\(mark)'")
    }
    return .table(
      texts: texts, label: label,
      CSVFormat(
        delimiter: character, decimal: character == "." ? "," : ".", encoding: encoding.encoding,
        hasHeader: header))
  }

  private func sources() throws -> [TextSource] {
    var sources: [TextSource] = []
    for (options, isTest) in [(classes, false), (testClasses, true)] {
      for pair in options.compactMap(Self.pair) {
        sources.append(TextSource(pair.file, .lines(className: pair.name), isTest: isTest))
      }
    }
    if let path { sources.append(TextSource(path, try form(path))) }
    if let test { sources.append(TextSource(test, try form(test), isTest: true)) }
    return sources
  }

  private func testing() -> TextImporter.Testing {
    switch part.choice {
    case .fold(let fold): .fold(fold)
    case .share(let share, let seed): .share(share, seed: seed)
    case nil: .none
    }
  }

  func run() throws {
    let sources = try sources()
    var importer = TextImporter(
      sources, encoding: encoding.encoding, tokens: tokens ?? .words,
      lowersCase: letters.map { $0 == .lower }, length: length, padding: pad ?? .end, cut: cut ?? .end,
      words: .frequent(minimum: minCount ?? 1, most: words ?? Vocabulary.mostWords), testing: testing())
    importer.vectors = vectors
    if let vocabulary {
      let known = try KnownTexts.handling(vocabulary)
      importer.words = .known(known.vocabulary)
      guard tokens.map({ $0 == known.tokens }) ?? true,
        letters.map({ ($0 == .lower) == known.lowersCase }) ?? true
      else {
        throw CommandError.usage(
          "\(vocabulary) has words by \(known.pairs[0]), \(known.pairs[1]); leave out --tokens and --case, which follow it"
        )
      }
      (importer.tokens, importer.lowersCase) = (known.tokens, known.lowersCase)
      importer.length = length ?? known.length
      (importer.padding, importer.cut) = (pad ?? known.padding, cut ?? known.cut)
    }
    try output.write(
      importer, reading: InputFiles(sources.map(\.path) + [vocabulary, vectors], pictures: []))
  }
}

/// What the samples of a dataset file, a checkpoint or a run were before.
enum KnownOrigin {
  static func of(_ path: String) throws -> SampleOrigin? {
    let path = RunPath.resolve(path)
    if FileStatus.isFolder(path) || (try? CheckpointFile.header(of: path)) != nil {
      return try CheckpointStore.choose(path) { TerminalOutput.warn("\($0)") }.checkpoint.identity.origin
    }
    let file = try DatasetFile(path)
    guard let split = file.splits.first else { throw CommandError.badData("\(path) has no samples") }
    return try file.open(split).origin
  }
}

/// How the texts of a dataset file, a checkpoint or a run became samples.
enum KnownTexts {
  static func handling(_ path: String) throws -> TextHandling {
    guard let texts = try KnownOrigin.of(path)?.texts else {
      throw CommandError.badData("\(path) has no vocabulary: its samples were no texts")
    }
    return texts
  }
}
