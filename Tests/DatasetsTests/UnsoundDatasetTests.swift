import Foundation
import HDF5
import Testing

@testable import Datasets

@Suite("Unsound datasets")
struct UnsoundDatasetTests {
  func error(_ name: String, labels: String? = nil, file: String = fixture("unsound.h5")) -> String {
    datasetError(.badData) {
      let dataset = try ImageDataset(path: file, images: "\(name)/images", labels: "\(labels ?? name)/labels")
      _ = try SampleStore(dataset, memoryLimitByteCount: 1 << 30)
    }
  }

  @Test(
    "shapes, types and labels that make no sense are named",
    arguments: [
      ("rank5", "\"rank5/images\" of"), ("rank5", "13×4×5×3×1"),
      ("short-labels", "\"short-labels/images\" has 13 samples but \"short-labels/labels\" has 12 labels"),
      ("wide-labels", "13×2, but labels need one number per sample"),
      ("negative-label", "sample 5 of \"negative-label/labels\""), ("negative-label", "label -1"),
      ("large-label", "sample 6"), ("large-label", "label 1099511627776"),
      ("label-outside", "sample 1 of \"label-outside/labels\""),
      ("label-outside", "label 3, but there are 3 classes"),
      ("no-samples", "has no samples: its shape is 0×4×5×3"), ("no-pixels", "images without pixels"),
      ("text-images", "holds string of 1 bytes"),
    ])
  func shapes(name: String, expected: String) {
    let text = error(name)
    #expect(text.contains(expected), "\(text)")
    #expect(text.contains("unsound.h5"), "\(text)")
  }

  @Test("a pixel that is NaN or infinite is found, with its sample", arguments: ["nan", "infinite"])
  func notFinite(name: String) throws {
    for storage in [name, "\(name)-gzip", "\(name)-float64"] {
      let text = error(storage)
      #expect(text.contains("sample 9 of"), "\(text)")
      #expect(text.contains("NaN or infinite"), "\(text)")
      let dataset = try ImageDataset(
        path: fixture("unsound.h5"), images: "\(storage)/images", labels: "\(storage)/labels")
      // Streaming finds it when it comes to the sample, and again when asked again.
      let store = try SampleStore(dataset, memoryLimitByteCount: 0)
      let reader = BatchReader(
        store, order: SampleOrder(seed: 0, count: 13, shuffle: false), batchSize: 3, endEpoch: 1)
      for _ in 0..<3 { #expect(try reader.next()?.count == 3) }
      for _ in 0..<2 { #expect(datasetError(.badData) { _ = try reader.next() }.contains("sample 9 of")) }
    }
    #expect(error("beyond-float32").contains("NaN or infinite"))
  }

  @Test("declared sizes beyond any file take no memory")
  func hugeSizes() {
    #expect(error("huge").contains("more data than a file"))
    #expect(error("overflow").contains("larger than any memory"))
  }

  @Test("data in other files is refused", arguments: ["external-link", "external-data"])
  func otherFiles(name: String) {
    let text = error(name)
    #expect(text.contains("not followed") || text.contains("are not opened"), "\(text)")
  }

  @Test("a missing dataset is answered with those that there are")
  func missingDataset() {
    let file = fixture("class-names.h5")
    #expect(
      error("none", file: file)
        == "\(file) has no dataset \"none/images\": there are on-file/images, on-file/labels, on-group/images, "
        + "on-group/labels, on-images/images, on-images/labels, on-labels/images, on-labels/labels, soft/images, soft/labels"
    )
    #expect(error("on-file", labels: "none", file: file).contains("no dataset \"none/labels\""))
    #expect(error("dangling").contains("no dataset \"dangling/images\""))
  }

  @Test("a missing file, a file of another kind and one that cannot be made are told apart")
  func files() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/a.h5"
      func open() throws { _ = try ImageDataset(path: path, images: "images", labels: "labels") }
      let text = datasetError(.missingInput, open)
      #expect(text.hasPrefix("there is no dataset \(path); "))
      #expect(
        datasetError(.missingInput) { _ = try ImageDataset(path: folder, images: "a", labels: "b") }.contains(
          "is a folder; `convoy import images --from"))
      try Data("network:\n".utf8).write(to: URL(fileURLWithPath: path))
      #expect(datasetError(.badData, open).contains("it is not an HDF5 file"))
      try Data().write(to: URL(fileURLWithPath: path))
      #expect(datasetError(.badData, open).contains("it is not an HDF5 file"))
      for (name, advice) in [
        ("a b.csv", "`convoy import csv --from '\(folder)/a b.csv'"),
        ("x.npy", "`convoy import numpy --images"),
        ("x.npz", "`convoy import numpy --from"),
        ("train-images-idx3-ubyte.gz", "`convoy import idx --images"),
        ("1.JPG", "`convoy import images --from \(folder) "), ("x.mat", "-v7.3"),
      ] {
        let other = "\(folder)/\(name)"
        try Data("1,2,3\n".utf8).write(to: URL(fileURLWithPath: other))
        let text = datasetError(.badData) { _ = try ImageDataset(path: other, images: "a", labels: "b") }
        #expect(text.contains("it is not an HDF5 file") && text.contains(advice), "\(text)")
      }
      // A sound file of any name gets no advice for what is missing in it.
      let sound = "\(folder)/sound.csv"
      try File.create(sound).root.makeDataset("x", type: .float32, shape: [3]).write([1, 2, 3] as [Float])
      let other = datasetError(.badData) { _ = try ImageDataset(path: sound, images: "a", labels: "b") }
      #expect(!other.contains("convoy import csv"), "\(other)")
    }
  }

  @Test("each trouble has its kind")
  func kinds() throws {
    func kind(_ body: () throws -> Void) -> DatasetError.Kind? {
      do { try body() } catch { return (error as? DatasetError)?.kind }
      return nil
    }
    #expect(
      kind { _ = try ImageDataset(path: fixture("make_fixtures.py"), images: "a", labels: "b") } == .badData)
    #expect(kind { _ = try ImageDataset(path: "/nowhere", images: "a", labels: "b") } == .missingInput)
    #expect(kind { _ = try DatasetWriter(path: fixture("layouts.h5")) } == .cannotCreate)
    #expect(kind { _ = try DatasetWriter(path: "/nowhere/a.h5") } == .cannotCreate)
    #expect(DatasetError(.inputOutput, system: "writing", code: ENOSPC).kind == .inputOutput)
  }

  @Test("a truncated file is refused, wherever it ends")
  func truncated() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/a.h5"
      let whole = try Data(contentsOf: URL(fileURLWithPath: fixture("layouts-old-format.h5")))
      for length in stride(from: 1, to: whole.count, by: 997) {
        try whole.prefix(length).write(to: URL(fileURLWithPath: path))
        for name in ["contiguous", "gzip-odd"] { _ = error(name, file: path) }
      }
    }
  }

  @Test("a file cut short after it was opened is refused", arguments: ["contiguous", "gzip-odd"])
  func cutWhileReading(name: String) throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/a.h5"
      try FileManager.default.copyItem(atPath: fixture("layouts.h5"), toPath: path)
      let dataset = try ImageDataset(path: path, images: "\(name)/images", labels: "\(name)/labels")
      try #require(truncate(path, 100) == 0)
      #expect(datasetError(.badData) { _ = try dataset.samples([0]) }.contains("truncated"))
    }
  }

  @Test("damaged compressed data is refused or read, never more", .timeLimit(.minutes(1)))
  func damaged() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/a.h5"
      let whole = try Data(contentsOf: URL(fileURLWithPath: fixture("layouts.h5")))
      var refused = 0
      for position in stride(from: 5, to: whole.count, by: 211) {
        var bytes = whole
        bytes[position] ^= 0xff
        try bytes.write(to: URL(fileURLWithPath: path))
        for name in ["gzip-odd", "chunked-rows", "float32-gzip-shuffle"] {
          do {
            let dataset = try ImageDataset(path: path, images: "\(name)/images", labels: "\(name)/labels")
            _ = try SampleStore(dataset, memoryLimitByteCount: 1 << 24)
          } catch {
            #expect(error is DatasetError, "\(error)")
            refused += 1
          }
        }
      }
      #expect(refused > 10)
    }
  }
}
