import Foundation
import Tensors
import Testing

@testable import Datasets

/// A path in the folder of fixtures beside this file.
func fixture(_ name: String, file: String = #filePath) -> String {
  URL(fileURLWithPath: file).deletingLastPathComponent().appendingPathComponent("Fixtures/\(name)").path
}

/// Gives `body` a fresh folder and removes it afterwards.
func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("datasets-tests-\(UUID().uuidString)").path
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try body(folder)
}

/// The text of `body`'s error, which must be a `DatasetError` of one line and of this kind.
@discardableResult
func datasetError(
  _ kind: DatasetError.Kind, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) -> String {
  do {
    try body()
    Issue.record("nothing was thrown", sourceLocation: sourceLocation)
  } catch let error as DatasetError {
    #expect(error.kind == kind, "\(error)", sourceLocation: sourceLocation)
    #expect(!error.description.contains("\n"), sourceLocation: sourceLocation)
    return error.description
  } catch {
    Issue.record("expected a DatasetError, got \(error)", sourceLocation: sourceLocation)
  }
  return ""
}

/// What `make_fixtures.py` writes.
enum FixtureData {
  static let count = 13
  static let shape: Shape = [4, 5, 3]
  static let labels = (0..<count).map { Int32($0 * 7 % 4) }

  static func pixel(_ n: Int, _ h: Int, _ w: Int, _ c: Int) -> Int {
    (n * 131 + h * 17 + w * 5 + c * 3 + n * n % 7) % 256
  }

  /// A sample's pixels, channels innermost.
  static func sample(_ n: Int, channels: Int = 3) -> [Int] {
    (0..<shape[0]).flatMap { h in
      (0..<shape[1]).flatMap { w in (0..<channels).map { pixel(n, h, w, $0) } }
    }
  }
}

extension Minibatch {
  /// All pixels, sample after sample.
  var pixels: [Float] {
    let total = count * sampleShape.elementCount
    return [Float](unsafeUninitializedCapacity: total) { buffer, initialized in
      copyPixels(of: 0..<count, to: UnsafeMutableBufferPointer(rebasing: buffer[..<total]))
      initialized = total
    }
  }

  /// All bytes as they are held.
  var bytes: [UInt8] { (0..<count).flatMap { withSample($0) { Array($0) } } }
}

/// Writes a dataset file of one split `train` whose uint8 pixels are a formula, some of it noise.
func writeDataset(
  _ path: String, count: Int, shape: Shape = [4, 3, 2], pixelType: PixelType = .uint8,
  compressionLevel: Int? = nil
) throws {
  let writer = try DatasetWriter(path: path)
  try writer.writeSplit(
    "train", sampleShape: shape, pixelType: pixelType, labels: (0..<count).map { Int32($0 % 3) },
    classNames: ["a", "b", "c"], compressionLevel: compressionLevel
  ) { range, memory in
    for (place, sample) in range.enumerated() {
      for index in 0..<shape.elementCount {
        let value = writtenPixel(sample, index)
        let element = place * shape.elementCount + index
        switch pixelType {
        case .uint8: memory[element] = value
        case .float32: memory.bindMemory(to: Float.self)[element] = Float(value) / 4
        }
      }
    }
  }
  try writer.finish()
}

func writtenPixel(_ sample: Int, _ index: Int) -> UInt8 {
  UInt8(truncatingIfNeeded: (sample &* 2_654_435_761) >> 13 &+ index &* 7)
}

/// A sample whose numbers all differ where bytes allow.
func sample<T: PixelValue>(_ shape: Shape, _: T.Type, salt: Int = 0) -> [T] {
  (0..<shape.elementCount).map { T(nearest: Float(($0 &* 37 &+ $0 / 11 &+ salt &* 91) % 256)) }
}

/// A number that looks like noise, the same for the same place.
func noise(_ place: Int) -> UInt8 { UInt8(truncatingIfNeeded: (place &* 2_654_435_761) >> 11) }

/// Pixels of an imported split, sample after sample, with its labels.
func contents(_ path: String, _ split: String = "train") throws -> (
  dataset: ImageDataset, bytes: [UInt8], labels: [Int32]
) {
  let dataset = try ImageDataset(path: path, images: "\(split)/images", labels: "\(split)/labels")
  return (dataset, try dataset.samples(Array(0..<dataset.count)).bytes, dataset.labels)
}
