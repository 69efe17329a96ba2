import Datasets
import Foundation
import HDF5
import Tensors
import Testing

@Suite("Importing and writing datasets")
struct ImportTests {
  /// An IDX file of unsigned bytes.
  static func idx(_ dimensions: [Int], _ elements: [UInt8], type: UInt8 = 8) -> Data {
    var data = Data([0, 0, type, UInt8(dimensions.count)])
    for dimension in dimensions {
      withUnsafeBytes(of: UInt32(dimension).bigEndian) { data.append(contentsOf: $0) }
    }
    return data + Data(elements)
  }

  /// Writes `data` and compresses it with the system's gzip when the name ends so.
  static func put(_ data: Data, _ path: String) throws {
    guard path.hasSuffix(".gz") else { return try data.write(to: URL(fileURLWithPath: path)) }
    let plain = String(path.dropLast(3))
    try data.write(to: URL(fileURLWithPath: plain))
    let gzip = Process()
    gzip.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    gzip.arguments = ["gzip", "-f", "-n", plain]
    try gzip.run()
    gzip.waitUntilExit()
    try #require(gzip.terminationStatus == 0)
  }

  static func pixels(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) } }

  /// Puts a pair of files into `folder` and gives an importer of them as the split `train`.
  func importer(
    _ folder: String, images: Data = idx([5, 3, 2], pixels(30)), labels: Data = idx([5], [0, 2, 1, 2, 0]),
    suffix: String = "", classNames: [String]? = nil
  ) throws -> IDXImporter {
    try Self.put(images, "\(folder)/images\(suffix)")
    try Self.put(labels, "\(folder)/labels\(suffix)")
    return IDXImporter(
      splits: [
        .init(name: "train", imagesPath: "\(folder)/images\(suffix)", labelsPath: "\(folder)/labels\(suffix)")
      ], classNames: classNames)
  }

  @Test("an imported file has the samples, labels and class names", arguments: ["", ".gz"], [nil, 9])
  func roundTrip(suffix: String, compressionLevel: Int?) throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/a.h5"
      let summary = try importer(folder, suffix: suffix, classNames: ["x", "y", "ž"])
        .write(to: path, compressionLevel: compressionLevel)
      #expect(summary.counts.map(\.count) == [5])
      #expect(summary.sampleShape == [3, 2, 1])
      let dataset = try ImageDataset(path: path, images: "train/images", labels: "train/labels")
      #expect(dataset.labels == [0, 2, 1, 2, 0])
      #expect(dataset.classNames == ["x", "y", "ž"])
      #expect(dataset.sampleShape == [3, 2, 1])
      #expect(dataset.pixelType == .uint8)
      #expect(try dataset.samples(Array(0..<5)).bytes == Self.pixels(30))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 3)
      // libhdf5 itself reads the same: our deflate is its deflate.
      let stored = try File.open(path).root.dataset("train/images")
      #expect(try stored.read(UInt8.self) == Self.pixels(30))
      #expect(try stored.filters().map(\.id) == (compressionLevel == nil ? [] : [Dataset.Filter.deflateId]))
    }
  }

  @Test("the same samples give the same bytes, however many threads compress")
  func deterministic() throws {
    try withTemporaryFolder { folder in
      var files: [Data] = []
      for threads in [1, 2, 5] {
        let images = Self.idx([1000, 28, 28], Self.pixels(784_000))
        let labels = Self.idx([1000], (0..<1000).map { UInt8($0 % 10) })
        _ = try importer(folder, images: images, labels: labels)
          .write(to: "\(folder)/a.h5", overwrite: true, compressionLevel: 6, threads: threads)
        files.append(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/a.h5")))
      }
      #expect(files[0] == files[1] && files[0] == files[2])
      let dataset = try ImageDataset(path: "\(folder)/a.h5", images: "train/images", labels: "train/labels")
      #expect(dataset.storage == "chunks of 167×28×28×1, deflate")
      #expect(dataset.classNames == (0..<10).map { "\($0)" })
      #expect(try dataset.samples(Array(0..<1000)).bytes == Self.pixels(784_000))
    }
  }

  @Test("the last chunk is filled up with zeros, whatever was in memory before")
  func padding() throws {
    try withTemporaryFolder { folder in
      // More than the writer holds at once, so that its memory is used again.
      let (count, size) = (301, 40_000)
      let images = Self.idx([count, 200, 200], [UInt8](repeating: 7, count: count * size))
      let labels = Self.idx([count], [UInt8](repeating: 0, count: count))
      _ = try importer(folder, images: images, labels: labels).write(to: "\(folder)/a.h5")
      let stored = try File.open("\(folder)/a.h5").root.dataset("train/images")
      guard case .chunked(let chunk) = try stored.layout() else {
        Issue.record("expected chunks")
        return
      }
      let lastRow = (count - 1) / chunk[0] * chunk[0]
      let last = try #require(try stored.readChunk(at: [lastRow, 0, 0, 0], maximumByteCount: 1 << 20))
      let used = (count - lastRow) * size
      try #require(used < last.bytes.count, "the example must leave the last chunk partly empty")
      #expect(last.bytes[..<used].allSatisfy { $0 == 7 })
      #expect(last.bytes[used...].allSatisfy { $0 == 0 })
    }
  }

  @Test("images may have channels, and classes without names are numbered")
  func channels() throws {
    try withTemporaryFolder { folder in
      _ = try importer(folder, images: Self.idx([5, 3, 2, 3], Self.pixels(90))).write(to: "\(folder)/a.h5")
      let dataset = try ImageDataset(path: "\(folder)/a.h5", images: "train/images", labels: "train/labels")
      #expect(dataset.sampleShape == [3, 2, 3])
      #expect(dataset.classNames == ["0", "1", "2"])
    }
  }

  @Test(
    "what is not a sound IDX file is refused, and nothing is written",
    arguments: [
      (Data(), "truncated"), (Data([0, 0, 8]), "truncated"), (Data("hello world".utf8), "magic number"),
      (idx([5, 3, 2], pixels(30), type: 0x0d), "float32 elements"),
      (idx([5, 3, 2], pixels(29)), "truncated"),
      (idx([5, 3, 2], pixels(31)), "bytes after its last element"), (Data([0, 0, 8, 3, 0, 0]), "truncated"),
      (idx([5, 3], pixels(15)), "5×3, but images need"), (idx([0, 3, 2], []), "has no samples"),
      (idx([4, 3, 2], pixels(24)), "has 4 images, but"),
      (idx([1 << 31, 1 << 31, 1 << 31], []), "larger than any file"),
      (idx([5, 1 << 20, 1 << 20], pixels(9)), "truncated"),
    ], ["", ".gz"])
  func unsoundImages(example: (Data, String), suffix: String) throws {
    try withTemporaryFolder { folder in
      let text = datasetError(.badData) {
        _ = try importer(folder, images: example.0, suffix: suffix).write(to: "\(folder)/a.h5")
      }
      #expect(text.contains(example.1), "\(text)")
      #expect(text.contains("\(folder)/images"), "\(text)")
      let left = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      #expect(left == ["images\(suffix)", "labels\(suffix)"])
    }
  }

  @Test("a gzip file cut, extended or damaged anywhere is refused")
  func unsoundGzip() throws {
    try withTemporaryFolder { folder in
      // Noise, so that every byte of the compressed file matters.
      let pixels = (0..<600).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 7) }
      let importer = try importer(folder, images: Self.idx([5, 12, 10], pixels), suffix: ".gz")
      let url = URL(fileURLWithPath: "\(folder)/images.gz")
      let whole = try Data(contentsOf: url)
      func attempt(_ data: Data) throws -> String {
        try data.write(to: url)
        return datasetError(.badData) { _ = try importer.write(to: "\(folder)/a.h5") }
      }
      for length in stride(from: 0, to: whole.count, by: 13) + [whole.count - 1] {
        _ = try attempt(whole.prefix(length))
      }
      #expect(try attempt(whole + Data([1, 2, 3])).contains("after its gzip data"))
      #expect(try attempt(whole + whole).contains("bytes after its last element"))
      for position in stride(from: 12, to: whole.count, by: 29) {
        var data = whole
        data[position] ^= 0x55
        _ = try attempt(data)
      }
    }
  }

  @Test("labels outside the classes are refused with their sample")
  func labelRange() throws {
    try withTemporaryFolder { folder in
      let text = datasetError(.badData) {
        _ = try importer(folder, classNames: ["a", "b"]).write(to: "\(folder)/a.h5")
      }
      #expect(text.contains("sample 1 has label 2, but there are 2 classes"))
    }
  }

  @Test("an existing file is kept unless overwriting is asked for")
  func overwriting() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/a.h5"
      try Data("precious".utf8).write(to: URL(fileURLWithPath: path))
      #expect(
        datasetError(.cannotCreate) { _ = try importer(folder).write(to: path) }.contains("exists already"))
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
      _ = try importer(folder).write(to: path, overwrite: true)
      #expect(try ImageDataset(path: path, images: "train/images", labels: "train/labels").count == 5)
      for bad in ["\(folder)/none/a.h5", folder, "\(folder)/"] {
        datasetError(.cannotCreate) { _ = try importer(folder).write(to: bad, overwrite: true) }
      }
    }
  }

  @Test("a progress closure sees the end, and its error stops the import and leaves nothing")
  func progress() throws {
    struct Stop: Error {}
    try withTemporaryFolder { folder in
      var shares: [Double] = []
      _ = try importer(folder).write(to: "\(folder)/a.h5") { shares.append($0) }
      #expect(shares.last == 1)
      #expect(throws: Stop.self) {
        _ = try importer(folder).write(to: "\(folder)/b.h5") { _ in throw Stop() }
      }
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["a.h5", "images", "labels"])
    }
  }

  @Test(
    "a full disk is reported, and leaves what was there", .timeLimit(.minutes(1)),
    arguments: [10_000, 400_000, 784_000])
  func fullDisk(limit: Int) async throws {
    // A limit on the size of files acts like a full disk; it is the process's, hence a process of its own.
    await #expect(processExitsWith: .success) { [limit] in
      try withTemporaryFolder { folder in
        let images = ImportTests.idx([1000, 28, 28], ImportTests.pixels(784_000))
        let importer = try ImportTests().importer(
          folder, images: images, labels: ImportTests.idx([1000], [UInt8](repeating: 1, count: 1000)))
        let path = "\(folder)/a.h5"
        try Data("precious".utf8).write(to: URL(fileURLWithPath: path))
        signal(SIGXFSZ, SIG_IGN)
        var size = rlimit(rlim_cur: rlim_t(limit), rlim_max: rlim_t(limit))
        guard setrlimit(__rlimit_resource_t(1), &size) == 0 else { throw CocoaError(.featureUnsupported) }
        do {
          _ = try importer.write(to: path, overwrite: true)
          preconditionFailure("nothing was thrown")
        } catch let error as DatasetError {
          precondition(error.kind == .inputOutput && "\(error)".contains("no space is left"), "\(error)")
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        precondition(names == ["a.h5", "images", "labels"], "\(names)")
        let kept = try String(contentsOfFile: path, encoding: .utf8)
        precondition(kept == "precious")
      }
    }
  }

  @Test("Fashion-MNIST names the package when its files are missing")
  func missingFashionMNIST() throws {
    try withTemporaryFolder { folder in
      let text = datasetError(.missingInput) { _ = try FashionMNIST.importer(from: folder) }
      #expect(text.contains("train-images-idx3-ubyte.gz") && text.contains("dataset-fashion-mnist"))
    }
  }

  @Test(
    "Fashion-MNIST imports with ten classes of 6000 and of 1000",
    .enabled(
      if: FileManager.default.fileExists(atPath: FashionMNIST.defaultFolder),
      "needs the package dataset-fashion-mnist"))
  func fashionMNIST() throws {
    try withTemporaryFolder { folder in
      _ = try FashionMNIST.importer().write(to: "\(folder)/f.h5")
      for (name, count) in [("train", 6000), ("test", 1000)] {
        let dataset = try ImageDataset(
          path: "\(folder)/f.h5", images: "\(name)/images", labels: "\(name)/labels")
        #expect(dataset.classCounts() == [Int](repeating: count, count: 10))
        #expect(dataset.classNames == FashionMNIST.classNames)
        #expect(dataset.sampleShape == [28, 28, 1])
      }
    }
  }
}
