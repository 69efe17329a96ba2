public import Audio
internal import Parallel
internal import Paths
internal import Synchronization
internal import Tensors

/// Sounds with labels, which become pictures of their spectra: time downwards, frequency to the right.
///
/// Several threads decode and compute. All samples are in memory until they are written.
public struct AudioImporter: DatasetImporter {
  /// Which sounds are tested on.
  public enum Testing: Hashable, Sendable {
    /// None.
    case none
    /// Those of which a field or column says one of these: a speaker, an index.
    case field(String, values: Set<String>)
    /// Those that a file names, one in each line, by their paths below the source or by the ends of these.
    case list(String)
    /// This share, above 0 and below 1, of each class.
    case share(Double, seed: UInt64)
    /// One part of a cross-validation.
    case fold(Fold)
  }

  /// The settings of samples before anything has been read.
  public struct Settings: Hashable, Sendable {
    /// Samples of a second; nil for the rate of the first sound.
    public var rate: Int?
    /// The spectra's settings for a rate.
    public var windowSeconds = 0.025
    /// Seconds from one frame to the next.
    public var hopSeconds = 0.01
    /// Samples of a Fourier transform; nil for the least power of two that holds a window.
    public var transform: Int?
    /// How many bands there are.
    public var bands = 40
    /// The lowest frequency, in hertz.
    public var low = 0.0
    /// The highest frequency, in hertz; nil for half the rate.
    public var high: Double?
    /// How heights of tones follow from frequencies.
    public var scale = MelScale.slaney
    /// How far below the loudest band everything is lifted, in decibels; nil lifts nothing.
    public var range: Double? = 80
    /// 0 for none, 1 for changes, 2 for changes and their changes.
    public var changes = 0
    /// How long a sample is; nil for the longest training sound.
    public var seconds: Double?
    /// Where a sound lies in its sample.
    public var fit = SoundHandling.Fit.center
    /// How numbers are brought to a common size.
    public var normalization = SoundHandling.Normalization.utterance

    /// The usual settings.
    public init() {}
  }

  /// How samples are made.
  public enum Making: Hashable, Sendable {
    /// By these settings.
    case settings(Settings)
    /// As other sounds were.
    case like(SoundHandling)
  }

  /// Where the sounds are.
  public var source: AudioSource
  /// How samples are made.
  public var making: Making
  /// Which sounds are tested on.
  public var testing: Testing

  /// An importer that by default tests on nothing.
  public init(_ source: AudioSource, making: Making = .settings(Settings()), testing: Testing = .none) {
    (self.source, self.making, self.testing) = (source, making, testing)
  }

  /// Reads everything and writes the dataset.
  public func write(to output: DatasetOutput, progress: (Double) throws -> Void) throws -> ImportSummary {
    var listing = AudioListing(source)
    let sounds = AudioCollection(making, threads: output.threads, check: output.check)
    try withoutActuallyEscaping(progress) { progress in
      if source.form == .archive {
        try listing.readArchive(check: output.check) { entry, bytes, share in
          try sounds.add(entry, bytes)
          try progress(share * 0.9)
        }
      } else {
        let entries = try listing.entries(check: output.check)
        for (place, entry) in entries.enumerated() {
          try sounds.add(entry, nil)
          if place % 64 == 0 { try progress(Double(place) / Double(entries.count) * 0.9) }
        }
      }
      try sounds.finish()
    }
    guard !sounds.entries.isEmpty else {
      throw DatasetError(
        .badData,
        "\(source.path) has no sound files"
          + (listing.strays.first.map { " that fit; \($0) is one that does not" }
            ?? " (\(Sound.extensions.joined(separator: ", ")))"))
    }
    // Archives keep files in any order.
    let order = orderOfSamples(sounds.entries)
    let replaced = sounds.entries.count - order.count
    let entries = order.map { sounds.entries[$0] }
    let classes = try CSVClasses(words: entries.map { Array($0.label.utf8) }, paths: source.path)
    let labels = entries.map { classes.label(of: Array($0.label.utf8)) }
    let isTested = try isTested(entries, labels)
    guard isTested.contains(false) else {
      throw DatasetError(.badData, "all sounds are for testing; there are none to learn from")
    }
    let features = order.map { sounds.features[$0] }
    let handling = try handling(sounds, features, isTested)
    let remarks = SplitRemarks.notes(
      labels: labels, isTested: isTested, names: classes.names, noun: "sound",
      testing: testingWords)
    let writer = try DatasetWriter(output)
    var counts: [(name: String, count: Int)] = []
    for (name, tested) in [("train", false), ("test", true)] {
      let rows = isTested.indices.filter { isTested[$0] == tested }
      if rows.isEmpty { continue }
      try write(rows.map { features[$0] }, handling, to: writer, "\(name)/images")
      try writer.writeLabels("\(name)/labels", rows.map { labels[$0] }, classNames: classes.names)
      counts.append((name, rows.count))
    }
    try writer.finish()
    return ImportSummary(
      path: output.path, counts: counts,
      sampleShape: [handling.frames, handling.spectrum.bands, handling.channels], classNames: classes.names,
      notes: classes.notes + remarks
        + notes(sounds, features, isTested, handling, listing, replaced: replaced),
      details: details(handling, isTested, features))
  }

  private func orderOfSamples(_ entries: [AudioEntry]) -> [Int] {
    guard source.form == .archive else { return Array(entries.indices) }
    let order = entries.indices.sorted {
      let (left, right) = (PathText.bytes(of: entries[$0].name), PathText.bytes(of: entries[$1].name))
      return left == right ? $0 < $1 : left.lexicographicallyPrecedes(right)
    }
    // A file that an archive has again takes the place of the earlier one.
    return order.indices.filter {
      $0 + 1 == order.count || entries[order[$0]].name != entries[order[$0 + 1]].name
    }.map { order[$0] }
  }

  private func write(
    _ features: [Features], _ handling: SoundHandling, to writer: DatasetWriter, _ name: String
  ) throws {
    var next = 0
    let size = 4 * handling.count
    try writer.writeImages(
      name, sampleShape: [handling.frames, handling.spectrum.bands, handling.channels], pixelType: .float32,
      capacity: features.count, facts: DatasetWriter.ImageFacts(origin: .sounds(handling))
    ) { memory in
      let count = min(memory.count / size, features.count - next)
      for place in 0..<count {
        handling.sample(of: features[next + place]).withUnsafeBytes {
          UnsafeMutableRawBufferPointer(rebasing: memory[place * size..<(place + 1) * size]).copyMemory(
            from: $0)
        }
      }
      next += count
      return count
    }
  }

  // MARK: - Settings

  private func handling(
    _ sounds: AudioCollection, _ features: [Features], _ isTested: [Bool]
  ) throws -> SoundHandling {
    switch making {
    case .like(let handling): return handling
    case .settings(let settings):
      guard let spectrum = sounds.spectrum else { preconditionFailure("no sound was read") }
      let training = isTested.indices.filter { !isTested[$0] }.map { features[$0] }
      let frames =
        try settings.seconds.map {
          max(1, Int(($0 * Double(spectrum.rate) / Double(spectrum.hop)).rounded()))
        }
        ?? SampleLength.longest(
          training.map(\.frames), count: features.count,
          elementByteCount: 4 * spectrum.bands * (1 + settings.changes), noun: "frame", option: "--seconds",
          path: source.path)
      var handling = SoundHandling(
        spectrum: spectrum, changes: settings.changes, frames: frames, fit: settings.fit,
        normalization: settings.normalization)
      if settings.normalization == .global { handling.learn(from: training) }
      return handling
    }
  }

  // MARK: - Splits

  /// What asked for test samples; nil where nothing did.
  private var testingWords: String? {
    switch testing {
    case .none: nil
    case .field(let field, _): "what was asked of \"\(field)\""
    case .list(let path): path
    case .share(let share, _): "a share of \(share)"
    case .fold(let fold): "part \(fold.number) of \(fold.count)"
    }
  }

  private func isTested(_ entries: [AudioEntry], _ labels: [Int32]) throws -> [Bool] {
    switch testing {
    case .none: return entries.map { _ in false }
    case .field(let field, let values):
      let known = Set(entries.compactMap { $0.fields[field] })
      guard !known.isEmpty else {
        throw DatasetError(
          .badData,
          "\(source.path): no sound has a \"\(field)\"; known are \(Set(entries.flatMap(\.fields.keys)).sorted().joined(separator: ", "))"
        )
      }
      if let missing = values.subtracting(known).sorted().first {
        throw DatasetError(
          .badData,
          "\(source.path): no sound has \(field)=\(missing); there are \(known.sorted().prefix(12).joined(separator: ", "))"
        )
      }
      return entries.map { values.contains($0.fields[field] ?? "") }
    case .list(let path):
      let reader = try LineReader(path, encoding: nil)
      var names: Set<String> = []
      while let line = try reader.next() {
        let name = line.split(separator: "/", omittingEmptySubsequences: true).filter { $0 != "." }.joined(
          separator: "/")
        if !name.allSatisfy(\.isWhitespace) { names.insert(name) }
      }
      var used: Set<String> = []
      let marks = entries.map { entry in
        let parts = entry.name.split(separator: "/")
        for count in 1...parts.count {
          let end = parts.suffix(count).joined(separator: "/")
          if names.contains(end) {
            used.insert(end)
            return true
          }
        }
        return false
      }
      if let missing = names.subtracting(used).sorted().first {
        throw DatasetError(
          .badData,
          "\(path) names \(counted(names.count - used.count, "file")) that \(source.path) does not have, such as \(missing)"
        )
      }
      return marks
    case .share(let share, let seed):
      var marks = [Bool](repeating: false, count: labels.count)
      for row in SplitAssignment.rows(labels: labels, shares: [share], seed: seed)[0] {
        marks[Int(row)] = true
      }
      return marks
    case .fold(let fold): return fold.isTested(labels)
    }
  }

  // MARK: - Remarks

  private func notes(
    _ sounds: AudioCollection, _ features: [Features], _ isTested: [Bool], _ handling: SoundHandling,
    _ listing: AudioListing, replaced: Int
  ) -> [String] {
    var notes = listing.circles.map { "\($0) leads back to a folder that it is in, and was passed over" }
    notes += [SplitRemarks.passedOver(listing.others, "without the name of a sound")].compactMap(\.self)
    if listing.linkCount > 0 {
      notes.append("passed over \(counted(listing.linkCount, "link")) of \(source.path)")
    }
    if replaced > 0 {
      notes.append("\(counted(replaced, "file")) of \(source.path) came again later, which counts")
    }
    notes += doubts(features, isTested)
    let strays = listing.strays
    if let first = strays.first {
      notes.append(
        "\(counted(strays.count, "sound file")) \(strays.count == 1 ? "has" : "have") no label and \(strays.count == 1 ? "was" : "were") left out: \(first)"
          + (strays.count > 1 ? ", …" : ""))
    }
    let others = sounds.rates.filter { $0.key != handling.spectrum.rate }.sorted { $0.key < $1.key }
    if !others.isEmpty {
      let list = others.map { "\($0.value) of \($0.key)" }.joined(separator: ", ")
      notes.append(
        "sounds of other rates were resampled to \(handling.spectrum.rate) samples a second: \(list)")
    }
    let long = features.filter { $0.frames > handling.frames }.count
    if long > 0 {
      notes.append(
        "\(counted(long, "sound")) \(long == 1 ? "is" : "are") longer than \(handling.frames) frames, of which the "
          + "\(handling.fit == .center ? "middle" : "beginning") was kept; --seconds keeps more")
    }
    return notes
  }

  /// Sounds that are silent, and those that are tested on although they were learnt.
  private func doubts(_ features: [Features], _ isTested: [Bool]) -> [String] {
    var notes: [String] = []
    let silent = features.count { sound in sound.values.allSatisfy { $0 == sound.values.first } }
    if silent > 0 {
      notes.append("\(counted(silent, "sound")) \(silent == 1 ? "is" : "are") silent from beginning to end")
    }
    let learned = Set(isTested.indices.filter { !isTested[$0] }.map { features[$0].values })
    let shared = isTested.indices.count { isTested[$0] && learned.contains(features[$0].values) }
    if shared > 0 {
      notes.append(
        "\(counted(shared, "test sound")) \(shared == 1 ? "is" : "are") among the training sounds, number for number"
      )
    }
    return notes
  }

  private func details(_ handling: SoundHandling, _ isTested: [Bool], _ features: [Features]) -> [String] {
    let spectrum = handling.spectrum
    let lengths = features.map(\.frames).sorted()
    return [
      "spectra: \(spectrum.bands) bands (\(spectrum.scale.rawValue)) from \(spectrum.low) to \(spectrum.high) Hz, windows of "
        + "\(spectrum.window) samples every \(spectrum.hop) at \(spectrum.rate) a second"
        + (handling.changes > 0 ? ", with \(handling.changes == 1 ? "Δ" : "Δ and ΔΔ")" : ""),
      "samples: \(handling.frames) frames; sounds have \(lengths[0]) to \(lengths[lengths.count - 1]), the median \(lengths[lengths.count / 2])",
      "normalised: \(handling.normalization.rawValue)",
    ]
  }
}

extension SoundHandling {
  /// Takes the mean and deviation of each band and channel from these sounds.
  mutating func learn(from features: [Features]) {
    let width = spectrum.bands * channels
    var (sums, squares, count) = (
      [Double](repeating: 0, count: width), [Double](repeating: 0, count: width), 0
    )
    for sound in features {
      count += sound.frames
      for (place, value) in sound.values.enumerated() { sums[place % width] += Double(value) }
    }
    let means = sums.map { $0 / Double(max(1, count)) }
    for sound in features {
      for (place, value) in sound.values.enumerated() {
        let distance = Double(value) - means[place % width]
        squares[place % width] += distance * distance
      }
    }
    self.means = means.map { Float($0) }
    deviations = squares.map { Float(max(1e-5, ($0 / Double(max(1, count))).squareRoot())) }
  }
}

/// The features of one sound with its rate, or what was wrong with it.
private final class DecodedSound: Sendable {
  let result = Guarded<Result<(Features, Int), any Error>?>(nil)
}

/// Decodes sounds, some at a time on several threads, and keeps their features in the order in which they were added.
private final class AudioCollection {
  private(set) var entries: [AudioEntry] = []
  private(set) var features: [Features] = []
  /// How many sounds had each rate.
  private(set) var rates: [Int: Int] = [:]
  /// The settings, once the first sound has told its rate.
  private(set) var spectrum: LogMel?
  private let making: AudioImporter.Making
  private let threads: Int
  private let check: @Sendable () throws -> Void
  private var waiting: [(entry: AudioEntry, bytes: [UInt8]?)] = []
  private var waitingBytes = 0

  init(_ making: AudioImporter.Making, threads: Int, check: @escaping @Sendable () throws -> Void) {
    (self.making, self.threads, self.check) = (making, threads, check)
  }

  /// - Parameter bytes: nil for a file that is read by its path.
  func add(_ entry: AudioEntry, _ bytes: [UInt8]?) throws {
    waiting.append((entry, bytes))
    waitingBytes += bytes?.count ?? 0
    if waiting.count >= 256 || waitingBytes > 64 << 20 { try finish() }
  }

  /// Decodes what waits.
  func finish() throws {
    guard let first = waiting.first else { return }
    if spectrum == nil { spectrum = try Self.spectrum(making, first.entry, first.bytes) }
    guard let spectrum else { return }
    let changes: Int =
      switch making {
      case .like(let handling): handling.changes
      case .settings(let settings): settings.changes
      }
    let waiting = waiting
    let results = waiting.map { _ in DecodedSound() }
    let next = Atomic<Int>(0)
    let isStopped = Atomic<Bool>(false)
    let check = check
    WorkerThreads.share(among: max(1, min(threads, waiting.count))) { _ in
      do {
        let analyzer = try LogMelAnalyzer(spectrum)
        let handling = SoundHandling(spectrum: spectrum, changes: changes, frames: 1)
        while !isStopped.load(ordering: .relaxed) {
          let place = next.wrappingAdd(1, ordering: .relaxed).oldValue
          guard place < waiting.count else { return }
          let result = Result<(Features, Int), any Error> {
            try check()
            let sound = try Self.sound(waiting[place].entry, waiting[place].bytes)
            return (
              try handling.features(of: sound, by: analyzer, name: waiting[place].entry.path), sound.rate
            )
          }
          if case .failure = result { isStopped.store(true, ordering: .relaxed) }
          results[place].result.withLock { $0 = result }
        }
      } catch {
        isStopped.store(true, ordering: .relaxed)
        results[0].result.withLock { if $0 == nil { $0 = .failure(error) } }
      }
    }
    // Files are handed out in order, so the first problem is always found.
    for (place, result) in results.enumerated() {
      guard let result = result.result.withLock({ $0 }) else { continue }
      do {
        let (sound, rate) = try result.get()
        entries.append(waiting[place].entry)
        features.append(sound)
        rates[rate, default: 0] += 1
      } catch let error as SoundError {
        throw DatasetError(error)
      }
    }
    self.waiting = []
    waitingBytes = 0
  }

  private static func sound(_ entry: AudioEntry, _ bytes: [UInt8]?) throws(SoundError) -> Sound {
    if let bytes { return try Sound.read(bytes, name: entry.path) }
    return try Sound.read(entry.path)
  }

  private static func spectrum(
    _ making: AudioImporter.Making, _ entry: AudioEntry, _ bytes: [UInt8]?
  ) throws -> LogMel {
    switch making {
    case .like(let handling): return handling.spectrum
    case .settings(let settings):
      let rate: Int
      do { rate = try settings.rate ?? sound(entry, bytes).rate } catch let error as SoundError {
        throw DatasetError(error)
      }
      return try settings.spectrum(rate: rate)
    }
  }
}

extension AudioImporter.Settings {
  /// The spectra's settings for a rate.
  ///
  /// - Throws: ``DatasetError`` where they do not fit the rate.
  func spectrum(rate: Int) throws(DatasetError) -> LogMel {
    let spectrum = LogMel(
      rate: rate, window: max(2, Int((windowSeconds * Double(rate)).rounded())),
      hop: max(1, Int((hopSeconds * Double(rate)).rounded())), transform: transform, bands: bands, low: low,
      high: high, scale: scale, range: range)
    guard spectrum.transform >= spectrum.window else {
      throw DatasetError(
        .badData,
        "a window of \(spectrum.window) samples at \(rate) a second does not fit a transform of \(spectrum.transform)"
      )
    }
    guard spectrum.low < spectrum.high, spectrum.high <= Double(rate) / 2 else {
      throw DatasetError(
        .badData,
        "bands from \(spectrum.low) to \(spectrum.high) Hz do not fit \(rate) samples a second, which hold frequencies up to \(Double(rate) / 2)"
      )
    }
    if let empty = spectrum.emptyBands.first {
      throw DatasetError(
        .badData,
        "band \(empty) of \(bands) is narrower than the frequencies of a transform of \(spectrum.transform) samples lie apart; --transform "
          + "\(spectrum.transform * 2) or fewer bands helps")
    }
    return spectrum
  }
}

extension DatasetError {
  init(_ error: SoundError) {
    self.init(error.kind == .missingInput ? .missingInput : .badData, error.description)
  }
}
