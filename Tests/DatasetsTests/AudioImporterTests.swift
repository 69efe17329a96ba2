import Audio
import Foundation
import Tensors
import Testing

@testable import Datasets

@Suite("Importing sounds")
struct AudioImporterTests {
  /// A WAV file of 16 bits.
  private func wave(_ samples: [Double], rate: Int = 8000) -> Data {
    var data = Data()
    func put(_ value: Int, _ bytes: Int) {
      for byte in 0..<bytes { data.append(UInt8(value >> (8 * byte) & 255)) }
    }
    data += Data("RIFF".utf8)
    put(36 + 2 * samples.count, 4)
    data += Data("WAVEfmt ".utf8)
    put(16, 4)
    put(1, 2)
    put(1, 2)
    put(rate, 4)
    put(2 * rate, 4)
    put(2, 2)
    put(16, 2)
    data += Data("data".utf8)
    put(2 * samples.count, 4)
    for sample in samples { put(Int(max(-1, min(1, sample)) * 32767) & 0xFFFF, 2) }
    return data
  }

  private func tone(_ height: Double, _ count: Int, rate: Int = 8000) -> [Double] {
    (0..<count).map { 0.4 * sin(2 * .pi * height * Double($0) / Double(rate)) }
  }

  /// Files `{word}_{speaker}_{index}.wav` below a folder, in any order.
  private func makeFiles(_ folder: String) throws -> [String] {
    var names: [String] = []
    for (word, height) in [("low", 300.0), ("high", 1500.0)] {
      for speaker in ["ann", "bob"] {
        for index in 0..<3 {
          let name = "\(word)_\(speaker)_\(index).wav"
          try wave(tone(height + Double(index) * 40, 900 + index * 300)).write(
            to: URL(fileURLWithPath: "\(folder)/\(name)"))
          names.append(name)
        }
      }
    }
    return names.sorted()
  }

  private func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

  private func tar(_ arguments: [String]) throws {
    let tar = Process()
    tar.executableURL = URL(fileURLWithPath: "/bin/tar")
    tar.arguments = arguments
    try tar.run()
    tar.waitUntilExit()
    #expect(tar.terminationStatus == 0)
  }

  private func put(_ data: Data, _ path: String) throws {
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try data.write(to: URL(fileURLWithPath: path))
  }

  @Test(
    "an archive of any format keeps its names: beyond ASCII, longer than 100 bytes, after a point",
    arguments: ["pax", "gnu"])
  func archiveNames(format: String) throws {
    try withTemporaryFolder { folder in
      let long = String(repeating: "l", count: 120)
      for (place, name) in ["Ärger", "Ölig", long].enumerated() {
        for index in 0..<2 {
          try put(wave(tone(300 + Double(place) * 400, 900)), "\(folder)/in/\(name)/\(index).wav")
        }
      }
      try tar(["cf", "\(folder)/in.tar", "--format=\(format)", "-C", "\(folder)/in", "."])
      func summary(_ path: String, _ form: AudioSource.Form, _ name: String) throws -> (ImportSummary, Data) {
        let output = "\(folder)/\(name).h5"
        let summary = try AudioImporter(AudioSource(path, form, label: .folder)).write(to: output)
        return (summary, try bytes(output))
      }
      let (packed, packedBytes) = try summary("\(folder)/in.tar", .archive, "archive")
      #expect(packed.classNames == [long, "Ärger", "Ölig"])
      #expect(packed.counts.map(\.count) == [6])
      #expect(try summary("\(folder)/in", .folder, "folder").1 == packedBytes)
    }
  }

  @Test("an archive's splits, hidden files, links and files that come again are no samples, and are said")
  func archiveContents() throws {
    try withTemporaryFolder { folder in
      let first = wave(tone(300, 900))
      for name in ["low/0", "high/0", ".trash/low/9", "high/1"] { try put(first, "\(folder)/in/\(name).wav") }
      try put(Data("licence".utf8), "\(folder)/in/LICENSE")
      try FileManager.default.createSymbolicLink(
        atPath: "\(folder)/in/low/7.wav", withDestinationPath: "0.wav")
      try tar(["cf", "\(folder)/in.tar", "-C", folder, "in"])
      try put(wave(tone(900, 900)), "\(folder)/in/high/1.wav")
      try tar(["rf", "\(folder)/in.tar", "-C", folder, "in/high/1.wav"])
      let summary = try AudioImporter(
        AudioSource("\(folder)/in.tar", .archive, label: .folder)
      ).write(to: "\(folder)/a.h5")
      #expect(summary.counts.map(\.count) == [3])
      let notes = summary.notes.joined(separator: "\n")
      #expect(notes.contains("passed over 1 link of "))
      #expect(notes.contains("1 file of \(folder)/in.tar came again later"))
      #expect(notes.contains("passed over 1 file without the name of a sound: in/LICENSE of "))
      for part in ["train", "test"] { try put(first, "\(folder)/two/\(part)/low/0.wav") }
      try tar(["cf", "\(folder)/two.tar", "-C", folder, "two"])
      let message = datasetError(.badData) {
        _ = try AudioImporter(AudioSource("\(folder)/two.tar", .archive, label: .folder)).write(
          to: "\(folder)/b.h5")
      }
      #expect(message.contains("seem to be splits"))
    }
  }

  @Test("a sound that ends early is refused, and one whose length nobody knew is read")
  func shortSounds() throws {
    let whole = Array(wave(tone(300, 900)))
    #expect(try Sound.read(whole, name: "x").samples.count == 900)
    let error = #expect(throws: SoundError.self) { try Sound.read(Array(whole[..<1000]), name: "x") }
    #expect(
      error?.description.hasPrefix("x ends early: it says that it has 1800 bytes of sound, and 956") ?? false)
    var endless = whole
    endless.replaceSubrange(40..<44, with: [0xFF, 0xFF, 0xFF, 0xFF])
    #expect(try Sound.read(endless, name: "x").samples.count == 900)
  }

  @Test("sounds that are silent, that are tested on and learnt, and tests of nothing are said")
  func doubts() throws {
    try withTemporaryFolder { folder in
      for (index, name) in ["a/0", "a/1", "b/0"].enumerated() {
        try put(wave(index == 2 ? tone(0, 900) : tone(300, 900)), "\(folder)/in/\(name).wav")
      }
      try put(Data("a/1.wav\n".utf8), "\(folder)/list.txt")
      var importer = AudioImporter(
        AudioSource("\(folder)/in", .folder, label: .folder), testing: .list("\(folder)/list.txt"))
      let notes = try importer.write(to: "\(folder)/a.h5").notes
      #expect(notes.contains("1 sound is silent from beginning to end"))
      #expect(notes.contains("1 test sound is among the training sounds, number for number"))
      #expect(notes.contains("the class \"b\" has no test sounds"))
      importer.testing = .share(0.01, seed: 0)
      let none = try importer.write(to: "\(folder)/b.h5").notes
      #expect(none.contains { $0 == "no sound of 3 is for testing, by a share of 0.01" })
    }
  }

  @Test("sounds that were normalised by other means are other sounds")
  func otherMeans() throws {
    try withTemporaryFolder { folder in
      var settings = AudioImporter.Settings()
      settings.normalization = .global
      let datasets = try [0.4, 0.01].enumerated().map { place, loudness in
        for name in ["a/0", "b/0"] {
          let samples = tone(name == "a/0" ? 300 : 900, 900).map { $0 * loudness }
          try put(wave(samples), "\(folder)/\(place)/\(name).wav")
        }
        _ = try AudioImporter(
          AudioSource("\(folder)/\(place)", .folder, label: .folder), making: .settings(settings)
        ).write(to: "\(folder)/\(place).h5")
        return try ImageDataset(
          path: "\(folder)/\(place).h5", images: "train/images", labels: "train/labels")
      }
      try datasets[0].checkOrigin(datasets[0].origin)
      let message = datasetError(.badData) { try datasets[1].checkOrigin(datasets[0].origin) }
      #expect(message.contains("normalised by other means") && message.contains("--like"))
    }
  }

  @Test("folders, archives and lists of the same sounds give the same bytes on any number of threads")
  func formsAgree() throws {
    try withTemporaryFolder { folder in
      try FileManager.default.createDirectory(atPath: "\(folder)/in", withIntermediateDirectories: true)
      let names = try makeFiles("\(folder)/in")
      let tar = Process()
      tar.executableURL = URL(fileURLWithPath: "/bin/tar")
      tar.arguments = ["czf", "\(folder)/in.tar.gz", "-C", folder] + names.reversed().map { "in/\($0)" }
      try tar.run()
      tar.waitUntilExit()
      let rows = names.map { name in
        let parts = name.dropLast(4).split(separator: "_")
        return "in/\(name),\(parts[0]),\(parts[1])"
      }
      try Data(("file,word,speaker\n" + rows.joined(separator: "\n")).utf8).write(
        to: URL(fileURLWithPath: "\(folder)/list.csv"))
      let pattern = try #require(NamePattern("{label}_{speaker}_{index}"))
      let sources: [(String, AudioSource)] = [
        ("folder", AudioSource("\(folder)/in", .folder, pattern: pattern, label: .field("label"))),
        ("archive", AudioSource("\(folder)/in.tar.gz", .archive, pattern: pattern, label: .field("label"))),
        (
          "list",
          AudioSource(
            "\(folder)/list.csv", .list(path: "file", CSVFormat(hasHeader: true)), label: .field("word"))
        ),
      ]
      for normalization in SoundHandling.Normalization.allCases {
        var settings = AudioImporter.Settings()
        settings.bands = 20
        settings.changes = 1
        settings.normalization = normalization
        var written: [Data] = []
        for (name, source) in sources {
          for threads in [1, 3] {
            let path = "\(folder)/\(name)-\(threads)-\(normalization).h5"
            let summary = try AudioImporter(
              source, making: .settings(settings), testing: .field("speaker", values: ["bob"])
            ).write(to: path, threads: threads)
            #expect(summary.classNames == ["high", "low"] && summary.counts.map(\.count) == [6, 6])
            // 1,500 samples in hops of 80.
            #expect(summary.sampleShape == [19, 20, 2])
            written.append(try bytes(path))
          }
        }
        for data in written.dropFirst() { #expect(data == written[0]) }
        let dataset = try ImageDataset(
          path: "\(folder)/folder-1-\(normalization).h5", images: "train/images", labels: "train/labels")
        #expect(dataset.labels == [0, 0, 0, 1, 1, 1])
        let handling = try #require(dataset.origin?.sounds)
        #expect(handling.frames == 19 && handling.normalization == normalization)
        // The settings of the file make the same samples of the same sounds.
        let minibatch = try dataset.samples([0, 4])
        let analyzer = try LogMelAnalyzer(handling.spectrum)
        for (place, name) in ["high_ann_0", "low_ann_1"].enumerated() {
          let own = handling.sample(
            of: try handling.features(of: Sound.read("\(folder)/in/\(name).wav"), by: analyzer))
          let stored = minibatch.withSample(place) { Array($0.assumingMemoryBound(to: Float.self)) }
          #expect(own == stored)
        }
        let again = try AudioImporter(
          sources[0].1, making: .like(handling), testing: .field("speaker", values: ["bob"])
        ).write(to: "\(folder)/again-\(normalization).h5")
        #expect(again.sampleShape == [19, 20, 2])
        #expect(try bytes("\(folder)/again-\(normalization).h5") == written[0])
      }
    }
  }

  @Test("global figures are those of the training sounds alone")
  func globalFigures() throws {
    try withTemporaryFolder { folder in
      try FileManager.default.createDirectory(atPath: "\(folder)/in", withIntermediateDirectories: true)
      _ = try makeFiles("\(folder)/in")
      let pattern = try #require(NamePattern("{label}_{speaker}_{index}"))
      var settings = AudioImporter.Settings()
      settings.bands = 10
      settings.normalization = .global
      _ = try AudioImporter(
        AudioSource("\(folder)/in", .folder, pattern: pattern, label: .field("label")),
        making: .settings(settings),
        testing: .field("index", values: ["0", "2"])
      ).write(to: "\(folder)/a.h5")
      let dataset = try ImageDataset(path: "\(folder)/a.h5", images: "train/images", labels: "train/labels")
      let handling = try #require(dataset.origin?.sounds)
      let analyzer = try LogMelAnalyzer(handling.spectrum)
      var rows: [[Double]] = []
      for word in ["high", "low"] {
        for speaker in ["ann", "bob"] {
          let found = try handling.features(
            of: Sound.read("\(folder)/in/\(word)_\(speaker)_1.wav"), by: analyzer)
          for frame in 0..<found.frames {
            rows.append(found.values[frame * 10..<(frame + 1) * 10].map { Double($0) })
          }
        }
      }
      for band in 0..<10 {
        let mean = rows.reduce(0) { $0 + $1[band] } / Double(rows.count)
        let variance = rows.reduce(0) { $0 + ($1[band] - mean) * ($1[band] - mean) } / Double(rows.count)
        #expect(abs(Double(handling.means[band]) - mean) < 1e-4)
        #expect(abs(Double(handling.deviations[band]) - variance.squareRoot()) < 1e-4)
      }
    }
  }

  @Test("labels come from folders, test sounds from lists, shares and parts")
  func splits() throws {
    try withTemporaryFolder { folder in
      for (word, count) in [("yes", 4), ("no", 6)] {
        try FileManager.default.createDirectory(
          atPath: "\(folder)/in/\(word)", withIntermediateDirectories: true)
        for index in 0..<count {
          try wave(tone(400 + Double(index) * 90, 800)).write(
            to: URL(fileURLWithPath: "\(folder)/in/\(word)/\(index).wav"))
        }
      }
      try Data("stray".utf8).write(to: URL(fileURLWithPath: "\(folder)/in/README.txt"))
      try Data("./yes/1.wav\nno/0.wav\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/tests.txt"))
      let source = AudioSource("\(folder)/in", .folder, label: .folder)
      func counts(_ testing: AudioImporter.Testing) throws -> [Int] {
        let summary = try AudioImporter(source, testing: testing).write(to: "\(folder)/x.h5", overwrite: true)
        #expect(summary.classNames == ["no", "yes"])
        return summary.counts.map(\.count)
      }
      #expect(try counts(.none) == [10])
      #expect(try counts(.list("\(folder)/tests.txt")) == [8, 2])
      #expect(try counts(.share(0.5, seed: 1)) == [5, 5])
      #expect(try counts(.fold(Fold(1, of: 2))) == [5, 5])
      try Data("yes/9.wav\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/tests.txt"))
      #expect(datasetError(.badData) { _ = try counts(.list("\(folder)/tests.txt")) }.contains("yes/9.wav"))
      #expect(datasetError(.badData) { _ = try counts(.field("speaker", values: ["a"])) }.contains("speaker"))
    }
  }

  @Test("what cannot be read, or does not fit, is refused with its file, and leaves nothing")
  func refusals() throws {
    try withTemporaryFolder { folder in
      try FileManager.default.createDirectory(atPath: "\(folder)/in/a", withIntermediateDirectories: true)
      let source = AudioSource("\(folder)/in", .folder, label: .folder)
      datasetError(.badData) { _ = try AudioImporter(source).write(to: "\(folder)/x.h5") }
      try wave(tone(400, 800)).write(to: URL(fileURLWithPath: "\(folder)/in/a/0.wav"))
      try wave(tone(400, 800)).prefix(20).write(to: URL(fileURLWithPath: "\(folder)/in/a/1.wav"))
      #expect(
        datasetError(.badData) { _ = try AudioImporter(source).write(to: "\(folder)/x.h5") }.contains("1.wav")
      )
      try FileManager.default.removeItem(atPath: "\(folder)/in/a/1.wav")
      var settings = AudioImporter.Settings()
      settings.bands = 200
      let message = datasetError(.badData) {
        _ = try AudioImporter(source, making: .settings(settings)).write(to: "\(folder)/x.h5")
      }
      #expect(message.contains("--transform 512"))
      settings.bands = 10
      settings.high = 5000
      datasetError(.badData) {
        _ = try AudioImporter(source, making: .settings(settings)).write(to: "\(folder)/x.h5")
      }
      try wave(tone(400, 1600), rate: 16000).write(to: URL(fileURLWithPath: "\(folder)/in/a/1.wav"))
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/x.h5"))
      let summary = try AudioImporter(source).write(to: "\(folder)/x.h5")
      #expect(summary.notes.joined().contains("1 of 16000"))
      #expect(summary.sampleShape[0] == 11)
    }
  }

  @Test("patterns find the parts of names")
  func patterns() {
    func fields(_ pattern: String, _ path: String) -> [String: String]? {
      NamePattern(pattern).flatMap { $0.fields(of: path) }
    }
    #expect(
      fields("{label}_{speaker}_{index}", "x/7_jackson_32.wav") == [
        "label": "7", "speaker": "jackson", "index": "32",
      ])
    #expect(fields("{label}_{rest}", "a_b_c.wav") == ["label": "a", "rest": "b_c"])
    #expect(fields("{speaker}/*/{label}.wav", "ann/one/yes.wav") == ["speaker": "ann", "label": "yes"])
    #expect(fields("{speaker}/{label}", "ann/one/yes.wav") == nil)
    #expect(fields("{label}-*", "no.wav") == nil)
    #expect(fields("{label}.flac", "no.wav") == nil)
    for wrong in ["", "label", "{label", "label}", "{}", "{a}{b}", "{a}*", "{a}_{a}", "{a b}"] {
      #expect(NamePattern(wrong) == nil, "\(wrong)")
    }
  }
}
