public import ArgumentParser
public import Audio
internal import Datasets
internal import Foundation
internal import Paths
internal import Training

extension MelScale: ExpressibleByArgument {}
extension SoundHandling.Fit: ExpressibleByArgument {}
extension SoundHandling.Normalization: ExpressibleByArgument {}

struct ImportAudio: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audio",
    abstract: "Sound files with labels, as logarithmic spectra.",
    discussion: """
      Sounds (WAV, FLAC, OGG and others, of any rate; several channels become their mean) come from a folder and the folders in it, \
      from an archive (tar, zip or 7z, packed or not), or from a table (.csv) with a column of paths. The label is the folder's name, a field of the \
      file's name (--pattern), or a column (--label).

      A sample is a picture: time downwards, frequency to the right, and as its values the logarithms of the power in bands of equal \
      distance to the ear, ln max(mel·|FFT|², floor), in windows of 25 ms every 10 ms. Configs/SPEECH.md has the formula. With --deltas 1 or 2 \
      the changes over time follow as further channels. Each sound gets the mean 0 and the deviation 1 (--normalize utterance), or each band \
      over all training sounds (global); what lies beyond a short sound's ends is 0. Silence below --range decibels under the loudest place \
      is lifted to there: digital silence would tell who recorded a sound.

        convoy import audio --from free-spoken-digit-dataset.tar.gz --pattern "{label}_{speaker}_{index}" --test-where index=0-4 \
          --seconds 0.8 --to words.h5
        convoy import audio --from speech_commands --test-list testing_list.txt --seconds 1 --to commands.h5
        convoy import audio --from list.csv --path file --label word --test-where speaker=anna,ben --bands 80 --deltas 2 --to words.h5
      """)

  @Option(name: .customLong("from"), help: ArgumentHelp("The folder, archive or table.", valueName: "path"))
  var path: String

  @Option(
    help: ArgumentHelp(
      "What file names mean, such as '{label}_{speaker}_{index}'; * stands for anything.",
      valueName: "pattern"))
  var pattern: String?

  @Option(
    help: ArgumentHelp(
      "Field of the pattern, or column of the table, with the label; 'label' by default, or without a pattern the folder's name.",
      valueName: "name"))
  var label: String?

  @Option(
    name: .customLong("path"),
    help: ArgumentHelp("Column of a table with the paths, from its own folder.", valueName: "name"))
  var column: String?

  @Option(help: ArgumentHelp("The character between a table's columns, or 'tab'.", valueName: "character"))
  var delimiter = ","

  @Option(
    help: ArgumentHelp(
      "Test on sounds of which a field or column has one of these values: speaker=anna,ben, index=0-4.",
      valueName: "field=values"))
  var testWhere: String?

  @Option(help: ArgumentHelp("Test on the files that this file names, one in each line.", valueName: "file"))
  var testList: String?

  @OptionGroup var part: TestPartOptions

  @Option(
    help: ArgumentHelp(
      "Make samples as those of this dataset file, checkpoint or run.", valueName: "file|run"))
  var like: String?

  @Option(
    100...1_000_000,
    help: ArgumentHelp(
      "Samples of a second, to which others are resampled; the first file's by default.", valueName: "hz"))
  var rate: Int?

  @Option(help: ArgumentHelp("Milliseconds of a window; 25 by default.", valueName: "ms"))
  var window: Double?

  @Option(help: ArgumentHelp("Milliseconds from one window to the next; 10 by default.", valueName: "ms"))
  var hop: Double?

  @Option(
    2...1 << 20,
    help: ArgumentHelp(
      "Samples of a Fourier transform, even; by default the least power of 2 that holds a window.",
      valueName: "n"))
  var transform: Int?

  @Option(1...4096, help: ArgumentHelp("Number of bands; 40 by default.", valueName: "n"))
  var bands: Int?

  @Option(help: ArgumentHelp("The lowest frequency; 0 by default.", valueName: "hz"))
  var low: Double?

  @Option(help: ArgumentHelp("The highest frequency; half the rate by default.", valueName: "hz"))
  var high: Double?

  @Option(
    help:
      "The scale of the ear: slaney (linear below 1000 Hz, triangles of area 1; the default) or htk (2595 log10(1 + f/700), height 1)."
  )
  var mel: MelScale?

  @Option(
    help: ArgumentHelp(
      "Decibels under the loudest place, below which everything is lifted; 80 by default, or 'none'.",
      valueName: "db"))
  var range: String?

  @Option(
    0...2, help: ArgumentHelp("1 adds changes over time (Δ), 2 also their changes (ΔΔ).", valueName: "n"))
  var deltas: Int?

  @Option(
    help: ArgumentHelp("Length of a sample; that of the longest training sound by default.", valueName: "s"))
  var seconds: Double?

  @Option(
    help: "Which part of a long sound is kept, and where a short one lies: center (the default) or start.")
  var fit: SoundHandling.Fit?

  @Option(
    help:
      "Bring values to mean 0 and deviation 1 for each utterance (the default), by global figures, or none.")
  var normalize: SoundHandling.Normalization?

  @OptionGroup var output: OutputOptions

  func validate() throws {
    if let pattern, NamePattern(pattern) == nil {
      throw ValidationError(
        "--pattern takes a text with fields in braces and something between them, such as '{label}_{speaker}_{index}', not '\(pattern)'"
      )
    }
    if part.count + [testWhere, testList].count(where: { $0 != nil }) > 1 {
      throw ValidationError(
        "--test-where, --test-list, --test-share and --folds each choose the test sounds; give one")
    }
    _ = try testValues()
    let own: [Any?] = [
      rate, window, hop, transform, bands, low, high, mel, range, deltas, seconds, fit, normalize,
    ]
    if like != nil, own.contains(where: { $0 != nil }) {
      throw ValidationError("--like takes all settings of samples from elsewhere; leave out the others")
    }
    for (option, value) in [("--window", window), ("--hop", hop), ("--seconds", seconds)] {
      if let value, !(value > 0 && value <= 100_000) {
        throw ValidationError("\(option) takes a number above 0, not \(value)")
      }
    }
    if let transform, !transform.isMultiple(of: 2) {
      throw ValidationError("--transform takes an even number")
    }
    if let low, low < 0 { throw ValidationError("--low takes a frequency of at least 0") }
    _ = try rangeInDecibels()
    let isTable = isTable
    guard (column != nil) == isTable else {
      throw ValidationError(
        isTable ? "\(path) needs --path, the column with the files" : "--path is for tables (.csv, .tsv)")
    }
    if isTable, pattern == nil, label == nil {
      throw ValidationError("\(path) needs --label, the column with the labels, or --pattern")
    }
    if !isTable, label != nil, pattern == nil {
      throw ValidationError("--label names a field of --pattern, or a column of a table")
    }
    if !isTable, let pattern, let fields = NamePattern(pattern)?.fields, !fields.contains(label ?? "label") {
      throw ValidationError("--pattern has no {\(label ?? "label")}; --label names the field with the label")
    }
  }

  private var isTable: Bool {
    [".csv", ".tsv", ".csv.gz", ".tsv.gz"].contains { path.lowercased().hasSuffix($0) }
  }

  /// Nil for no bound.
  private func rangeInDecibels() throws -> Double? {
    guard let range else { return 80 }
    if range == "none" { return nil }
    guard let value = Double(range), value > 0, value.isFinite else {
      throw ValidationError("--range takes a number of decibels above 0, or 'none', not '\(range)'")
    }
    return value
  }

  /// The values of `--test-where`, with ranges of numbers written out.
  private func testValues() throws -> (field: String, values: Set<String>)? {
    guard let testWhere else { return nil }
    let parts = testWhere.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
      throw ValidationError("--test-where takes field=values, as in speaker=anna,ben, not '\(testWhere)'")
    }
    var values: Set<String> = []
    for value in parts[1].split(separator: ",") {
      let ends = value.split(separator: "-", omittingEmptySubsequences: false).compactMap { Int($0) }
      if ends.count == 2, value.split(separator: "-").count == 2, ends[0] <= ends[1],
        ends[1] - ends[0] < 1 << 20
      {
        values.formUnion((ends[0]...ends[1]).map(String.init))
      } else {
        values.insert(String(value))
      }
    }
    return (String(parts[0]), values)
  }

  private func source() throws -> AudioSource {
    let names = pattern.flatMap(NamePattern.init)
    let form: AudioSource.Form
    if let column {
      let mark =
        delimiter == "tab" || (delimiter == "," && path.lowercased().contains(".tsv")) ? "\t" : delimiter
      guard mark.utf8.count == 1, let character = mark.first else {
        throw CommandError.usage("--delimiter takes one character, or 'tab', not '\(delimiter)'")
      }
      form = .list(
        path: column, CSVFormat(delimiter: character, decimal: character == "." ? "," : ".", hasHeader: true))
    } else {
      form = FileStatus.isFolder(path) ? .folder : .archive
    }
    if form == .archive, !FileStatus.exists(path) {
      throw CommandError.missing("there is no file or folder \(path)")
    }
    let isNamed = names != nil || column != nil
    return AudioSource(
      path, form, pattern: names, label: isNamed ? .field(label ?? "label") : .folder)
  }

  private func making() throws -> AudioImporter.Making {
    if let like { return .like(try KnownSounds.handling(like)) }
    var settings = AudioImporter.Settings()
    settings.rate = rate
    if let window { settings.windowSeconds = window / 1000 }
    if let hop { settings.hopSeconds = hop / 1000 }
    settings.transform = transform
    if let bands { settings.bands = bands }
    if let low { settings.low = low }
    settings.high = high
    if let mel { settings.scale = mel }
    settings.range = try rangeInDecibels()
    if let deltas { settings.changes = deltas }
    settings.seconds = seconds
    if let fit { settings.fit = fit }
    if let normalize { settings.normalization = normalize }
    return .settings(settings)
  }

  private func testing() throws -> AudioImporter.Testing {
    if let (field, values) = try testValues() { return .field(field, values: values) }
    if let testList { return .list(testList) }
    return switch part.choice {
    case .fold(let fold): .fold(fold)
    case .share(let share, let seed): .share(share, seed: seed)
    case nil: .none
    }
  }

  func run() throws {
    try output.write(
      AudioImporter(try source(), making: try making(), testing: try testing()),
      reading: InputFiles([path, testList, like]))
  }
}

/// How the sounds of a dataset file, a checkpoint or a run became samples.
enum KnownSounds {
  static func handling(_ path: String) throws -> SoundHandling {
    guard let sounds = try KnownOrigin.of(path)?.sounds else {
      throw CommandError.badData("\(path) does not say how sounds became samples: its samples were no sounds")
    }
    return sounds
  }
}
