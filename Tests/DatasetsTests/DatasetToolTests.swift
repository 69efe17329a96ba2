import Foundation
import HDF5
import ImageFiles
import Tensors
import Testing

@testable import Datasets

/// Writes a file of the splits given by their samples and labels.
private func write(
  _ path: String, _ splits: [(name: String, samples: [[Float]], labels: [Int32])], shape: Shape = [2, 2, 1],
  classNames: [String]? = ["a", "b", "c"], storage: DatasetStorage = DatasetStorage()
) throws {
  let writer = try DatasetWriter(DatasetOutput(path, storage: storage))
  for split in splits {
    var next = 0
    try writer.writeImages(
      "\(split.name)/images", sampleShape: shape, pixelType: .float32, capacity: split.samples.count
    ) { memory in
      let count = min(memory.count / (4 * shape.elementCount), split.samples.count - next)
      let values = split.samples[next..<next + count].flatMap { $0 }
      values.withUnsafeBytes { memory.copyMemory(from: $0) }
      next += count
      return count
    }
    try writer.writeLabels("\(split.name)/labels", split.labels, classNames: classNames)
  }
  try writer.finish()
}

/// Samples that all differ, of four numbers.
private func distinct(_ count: Int, from first: Int = 0) -> [[Float]] {
  (first..<first + count).map { [Float($0), 1, 2, Float($0) / 3] }
}

private func samples(_ path: String, _ split: String) throws -> ([Float], [Int32]) {
  let dataset = try ImageDataset(path: path, images: "\(split)/images", labels: "\(split)/labels")
  return (try dataset.samples(Array(0..<dataset.count)).pixels, dataset.labels)
}

@Suite("Checking datasets")
struct DatasetCheckTests {
  private func findings(_ body: (String) throws -> Void) throws -> [DatasetReport.Finding] {
    try withTemporaryFolder { folder in
      try body("\(folder)/a.h5")
      return try DatasetFile("\(folder)/a.h5").report(threads: 3).findings
    }
  }

  @Test("a sound file has no findings")
  func sound() throws {
    let found = try findings {
      try write(
        $0, [("train", distinct(6), [0, 1, 2, 0, 1, 2]), ("test", distinct(3, from: 10), [0, 1, 2])])
    }
    #expect(found.isEmpty)
  }

  @Test("samples in two splits, NaN, doubles, contradictions, flat and missing classes are told apart")
  func everything() throws {
    var train = distinct(8)
    train[3] = train[1]
    train[5] = [4, 4, 4, 4]
    train[6] = [1, .nan, 2, 3]
    var test = distinct(3, from: 20)
    test[2] = train[0]
    let found = try findings {
      try write($0, [("train", train, [0, 1, 0, 0, 1, 0, 0, 0]), ("test", test, [0, 1, 1])])
    }
    let errors = found.filter { $0.severity == .error }.map(\.text)
    #expect(errors.count == 2)
    #expect(errors[0].hasPrefix("train: 1 sample with NaN or infinite values: row 6"))
    #expect(errors[1].contains("train 0 = test 2"))
    let warnings = found.filter { $0.severity == .warning }.map(\.text)
    #expect(warnings.contains { $0.hasPrefix("train: 1 sample equal to an earlier one: 1 = 3") })
    #expect(
      warnings.contains { $0.hasPrefix("train: 1 sample equal to others with another label: row 3") })
    #expect(
      warnings.contains { $0.hasPrefix("test: 1 sample equal to others with another label: row 2") })
    #expect(warnings.contains { $0.hasPrefix("train: 1 sample of one single value: row 5") })
    #expect(warnings.contains { $0.hasPrefix("train: 1 class without samples: c") })
  }

  @Test("classes of very different sizes are told")
  func balance() throws {
    let labels = (0..<33).map { Int32($0 < 30 ? 0 : $0 - 30) }
    let found = try findings { try write($0, [("train", distinct(33), labels)]) }
    #expect(found.map(\.text) == ["train: the largest class has 31 samples, the smallest 1"])
  }

  @Test("splits that do not fit each other are an error")
  func misfit() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/a.h5"
      let file = try File.create(path)
      for (name, side) in [("train", 2), ("test", 3)] {
        let root = try file.root
        try root.write("\(name)/images", (0..<2 * side * side).map { UInt8($0) }, shape: [2, side, side])
        try root.write("\(name)/labels", [UInt8(0), 1], shape: [2])
      }
      try file.close()
      let report = try DatasetFile(path).report()
      #expect(report.hasErrors)
      #expect(report.findings[0].text.contains("3×3×1"))
    }
  }

  @Test("slow storage is told with what to do")
  func storage() throws {
    func advice(_ name: String) throws -> [String] {
      try ImageDataset(path: fixture("layouts.h5"), images: "\(name)/images", labels: "\(name)/labels")
        .storageAdvice
    }
    #expect(
      try advice("float16") == [
        "stored as float16, chunks of 6×4×5×3: only libhdf5 can read this, one call at a time; "
          + "`convoy dataset repack` helps"
      ])
    #expect(
      try advice("chunked-channels") == [
        "chunks hold parts of samples (chunks of 5×3×4×3); `convoy dataset repack` makes them whole"
      ])
    #expect(try advice("contiguous").isEmpty && advice("gzip-shuffle").isEmpty)
    let found = try findings {
      try write(
        $0, [("train", (0..<70_000).map { [Float($0), 1, 2, 3] }, (0..<70_000).map { Int32($0 % 3) })],
        storage: DatasetStorage(samplesPerChunk: 4))
    }
    #expect(found.count == 2 && found[0].text.contains("small") && found[1].text.contains("too many chunks"))
  }

  @Test("a file without images and labels is named with what it has")
  func nothing() throws {
    try withTemporaryFolder { folder in
      let file = try File.create("\(folder)/a.h5")
      try file.root.write("x/pictures", [UInt8(1)], shape: [1])
      try file.close()
      #expect(datasetError(.badData) { _ = try DatasetFile("\(folder)/a.h5") }.contains("x/pictures"))
    }
    datasetError(.missingInput) { _ = try DatasetFile("/nowhere/a.h5") }
  }
}

@Suite("Repacking and splitting datasets")
struct DatasetCopyTests {
  @Test(
    "a repacked file has the same samples under the same names, for every storage",
    arguments: [
      DatasetStorage(), DatasetStorage(compressionLevel: 5), DatasetStorage(shuffle: true),
      DatasetStorage(compressionLevel: 1, shuffle: true, samplesPerChunk: 7),
      DatasetStorage(samplesPerChunk: 1000),
    ])
  func repack(storage: DatasetStorage) throws {
    try withTemporaryFolder { folder in
      let labels = (0..<40).map { Int32($0 % 3) }
      try write(
        "\(folder)/a.h5", [("train", distinct(40), labels), ("test", distinct(2), [0, 1])], classNames: nil)
      try DatasetFile("\(folder)/a.h5").repack(to: DatasetOutput("\(folder)/b.h5", storage: storage))
      for split in ["train", "test"] {
        let (old, new) = (try samples("\(folder)/a.h5", split), try samples("\(folder)/b.h5", split))
        #expect(old.0 == new.0 && old.1 == new.1)
      }
      let dataset = try ImageDataset(path: "\(folder)/b.h5", images: "train/images", labels: "train/labels")
      #expect(dataset.classNames == nil)
      #expect(dataset.fits([2, 2]) && dataset.fits([2, 2, 1]) && !dataset.fits([4]))
      if storage.shuffle { #expect(dataset.storage.contains("shuffle")) }
      // In any order, too.
      #expect(try dataset.samples([39, 0, 17]).pixels == [39, 0, 17].flatMap { distinct(40)[$0] })
    }
  }

  @Test(
    "features without rows and columns are read back in any order, plain or deflated", arguments: [nil, 6])
  func features(level: Int?) throws {
    try withTemporaryFolder { folder in
      try write(
        "\(folder)/a.h5", [("train", distinct(30), (0..<30).map { Int32($0 % 3) })], shape: [4],
        storage: DatasetStorage(compressionLevel: level, samplesPerChunk: 8))
      let dataset = try ImageDataset(path: "\(folder)/a.h5", images: "train/images", labels: "train/labels")
      #expect(dataset.sampleShape == [4])
      #expect(dataset.fits([4]) && dataset.fits([4, 1]) && !dataset.fits([1, 4]) && !dataset.fits([4, 2]))
      #expect(try dataset.samples([29, 8, 0, 7]).pixels == [29, 8, 0, 7].flatMap { distinct(30)[$0] })
    }
  }

  @Test("the parts are disjoint, in order, stratified to within one sample, and follow from the seed")
  func assignment() {
    let labels: [Int32] = (0..<997).map { row in Int32((row * row + row / 7) % 10) }
    let shares = [0.8, 0.15, 0.05]
    let parts = SplitAssignment.rows(labels: labels, shares: shares, seed: 1)
    #expect(parts.flatMap { $0 }.sorted() == (0..<997).map { Int32($0) })
    for (part, share) in zip(parts, shares) {
      #expect(part == part.sorted())
      #expect(abs(Double(part.count) - share * 997) <= 1)
      for label in 0..<10 {
        let all = Double(labels.count { $0 == label })
        let own = Double(part.count { labels[Int($0)] == label })
        #expect(abs(own - share * all) <= 1)
      }
    }
    #expect(SplitAssignment.rows(labels: labels, shares: shares, seed: 1) == parts)
    #expect(SplitAssignment.rows(labels: labels, shares: shares, seed: 2) != parts)
    // With less than everything asked for, some samples stay out.
    let half = SplitAssignment.rows(labels: labels, shares: [0.25, 0.25], seed: 1)
    #expect(Set(half[0]).isDisjoint(with: half[1]) && abs(half[0].count - 249) <= 1)
  }

  @Test("a split file has the parts and the other splits, and names that clash are refused")
  func splitFile() throws {
    try withTemporaryFolder { folder in
      let labels = (0..<60).map { Int32($0 % 3) }
      try write(
        "\(folder)/a.h5", [("train", distinct(60), labels), ("test", distinct(3, from: 90), [0, 1, 2])])
      let file = try DatasetFile("\(folder)/a.h5")
      #expect(file.splits.map(\.name) == ["train", "test"])
      try file.split(
        file.splits[0], into: [("train", 0.75), ("validation", 0.25)], seed: 3,
        to: DatasetOutput("\(folder)/b.h5"))
      let (train, validation) = (
        try samples("\(folder)/b.h5", "train"), try samples("\(folder)/b.h5", "validation")
      )
      #expect(train.1.count == 45 && validation.1.count == 15)
      let firsts = stride(from: 0, to: 240, by: 4).map { ($0 < 180 ? train.0[$0] : validation.0[$0 - 180]) }
      #expect(firsts.sorted() == (0..<60).map { Float($0) })
      // Labels go with their samples.
      #expect(zip(firsts, train.1 + validation.1).allSatisfy { Int32($0) % 3 == $1 })
      #expect(try samples("\(folder)/b.h5", "test").1 == [0, 1, 2])
      func refusal(_ parts: [(name: String, share: Double)]) -> String {
        datasetError(.badData) {
          try file.split(file.splits[0], into: parts, seed: 3, to: DatasetOutput("\(folder)/c.h5"))
        }
      }
      #expect(refusal([("train", 0.5), ("test", 0.5)]).contains("has a split \"test\" already"))
      #expect(refusal([("train", 0.5), ("tiny", 1e-6)]).contains("\"tiny\" would have no samples"))
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/c.h5"))
    }
  }

  @Test("a check that throws ends the work and leaves nothing")
  func stopped() throws {
    struct Stop: Error {}
    try withTemporaryFolder { folder in
      try write("\(folder)/a.h5", [("train", distinct(40), (0..<40).map { Int32($0 % 3) })])
      let output = DatasetOutput("\(folder)/b.h5", check: { throw Stop() })
      let file = try DatasetFile("\(folder)/a.h5")
      #expect(throws: Stop.self) { try file.repack(to: output) }
      #expect(throws: Stop.self) { try file.report(check: { throw Stop() }) }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.h5"])
    }
  }
}

@Suite("Contact sheets")
struct ContactSheetTests {
  @Test("a row has the sample as it is, then each epoch's variant, enlarged")
  func variants() throws {
    try withTemporaryFolder { folder in
      let writer = try DatasetWriter(path: "\(folder)/a.h5")
      try writer.writeSplit(
        "train", sampleShape: [1, 2, 1], labels: [0, 0, 0], classNames: ["a"]
      ) { range, memory in
        for index in 0..<2 * range.count { memory[index] = UInt8(index % 2 == 0 ? 10 : 250) }
      }
      try writer.finish()
      let dataset = try ImageDataset(path: "\(folder)/a.h5", images: "train/images", labels: "train/labels")
      let sheet = try ContactSheet.draw(
        dataset, rows: [0, 2], augmentation: Augmentation([.flipHorizontal(Flip(probability: 1))]), seed: 0,
        epochs: 4)
      // Cells of 42×84, three pixels between them, and nine more behind the first column.
      #expect(sheet.width == 5 * 87 + 3 + 9 && sheet.height == 2 * 45 + 3)
      #expect(sheet[3, 3, 0] == 10 && sheet[3, 86, 0] == 250)
      for column in 1..<5 {
        let left = 3 + 87 * column + 9
        #expect(sheet[44 + 45 - 2, left, 0] == 250 && sheet[44, left + 83, 0] == 10)
      }
      #expect(sheet[0, 0, 0] == 128)
      let plain = try ContactSheet.draw(dataset, rows: [0, 1, 2], augmentation: .none, seed: 0, epochs: 4)
      #expect(plain.width == 3 * 87 + 3 && plain.height == 48)
      let refused = datasetError(.badData) {
        _ = try ContactSheet.draw(
          dataset, rows: [0], augmentation: Augmentation([.boardSymmetry(RandomSymmetry())]), seed: 0,
          epochs: 1)
      }
      #expect(refused.contains("does not fit the augmentation"), "\(refused)")
    }
  }
}
