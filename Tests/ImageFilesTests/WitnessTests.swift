import Foundation
import TestSupport
import Testing

@testable import ImageFiles

/// Pictures beside what Pillow reads of them; `Fixtures/make_pictures.py` made both.
struct PictureWitness: Decodable, Sendable, CustomTestStringConvertible {
  struct Pixels: Decodable {
    let shape: [Int]
    let pixels: Data
  }

  let name: String
  let file: Data
  let orientation: Int
  let deep: Bool
  /// How far pixels may be apart.
  let near: Int
  let stored: Pixels
  let upright: Pixels

  var testDescription: String { name }

  static let all: [PictureWitness] = {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/pictures.json")
    return (try? JSONDecoder().decode([PictureWitness].self, from: Data(contentsOf: path))) ?? []
  }()
}

@Suite("Pictures as Pillow reads them")
struct WitnessTests {
  @Test("there are all pictures")
  func count() { #expect(PictureWitness.all.count == 63) }

  @Test("stored and upright pixels, orientation and depth", arguments: PictureWitness.all)
  func same(_ witness: PictureWitness) throws {
    let folder = try TemporaryDirectory()
    let path = try folder.write(Array(witness.file), to: witness.name)
    let picture = try ImageFile.picture(path)
    #expect(picture.orientation.rawValue == witness.orientation)
    #expect(picture.isDeep == witness.deep)
    for (use, wanted) in [(OrientationUse.stored, witness.stored), (.upright, witness.upright)] {
      let image = try ImageFile.read(path, orientation: use)
      #expect([image.height, image.width, image.channels.rawValue] == wanted.shape)
      let far = zip(image.pixels, wanted.pixels).map { abs(Int($0) - Int($1)) }
      #expect(far.count == wanted.pixels.count)
      #expect(
        far.max() ?? 255 <= witness.near, "\(use): \(far.enumerated().max { $0.element < $1.element }!)")
    }
    #expect(
      picture.isTransparent
        == zip(0..., witness.stored.pixels).contains { index, value in
          witness.stored.shape[2] == 4 && index % 4 == 3 && value < 255
        })
  }

  @Test("what a camera should not have noted is no orientation")
  func oddNotes() {
    func tiff(_ value: UInt8, type: UInt8 = 3, order: [UInt8] = [0x4D, 0x4D], start: UInt8 = 8) -> [UInt8] {
      order + [0, 42, 0, 0, 0, start, 0, 1, 0x01, 0x12, 0, type, 0, 0, 0, 1, 0, value, 0, 0, 0, 0, 0, 0]
    }
    #expect(Exif.orientation(in: tiff(6)[...]) == .turnedLeft)
    for value in [0, 9, 255] as [UInt8] { #expect(Exif.orientation(in: tiff(value)[...]) == nil) }
    #expect(Exif.orientation(in: tiff(6, order: [0x4D, 0x49])[...]) == nil)
    #expect(Exif.orientation(in: tiff(6, order: [0x49, 0x49])[...]) == nil)
    for start in [200, 255] as [UInt8] { #expect(Exif.orientation(in: tiff(6, start: start)[...]) == nil) }
    for length in 0..<tiff(6).count { _ = Exif.orientation(in: tiff(6)[..<length]) }
  }

  @Test("notes of any bytes end nothing")
  func damagedNotes() {
    var random = SplitMix64(seed: 3)
    for witness in PictureWitness.all where witness.orientation != 1 {
      let bytes = Array(witness.file)
      guard let format = ImageFile.Format(firstBytes: bytes) else { continue }
      for _ in 0..<300 {
        var broken = bytes
        for _ in 0..<4 {
          broken[2 + random.next(below: min(120, bytes.count - 2))] = UInt8(random.next(below: 256))
        }
        _ = Exif.orientation(in: broken, format: format)
        _ = Exif.orientation(in: Array(broken.prefix(random.next(below: broken.count))), format: format)
      }
    }
  }

  @Test("turning upright takes each pixel to where it belongs", arguments: PictureOrientation.allCases)
  func turning(_ orientation: PictureOrientation) {
    let (height, width) = (3, 4)
    let image = Image(
      height: height, width: width, channels: .rgb, pixels: (0..<36).map { UInt8($0 * 7) })
    let turned = image.turnedUpright(from: orientation)
    for row in 0..<turned.height {
      for column in 0..<turned.width {
        // Exif's own words: which edges of the picture its first row and column are.
        let (fromRow, fromColumn) =
          switch orientation.rawValue {
          case 1: (row, column)
          case 2: (row, width - 1 - column)
          case 3: (height - 1 - row, width - 1 - column)
          case 4: (height - 1 - row, column)
          case 5: (column, row)
          case 6: (height - 1 - column, row)
          case 7: (height - 1 - column, width - 1 - row)
          default: (column, width - 1 - row)
          }
        for channel in 0..<3 {
          #expect(turned[row, column, channel] == image[fromRow, fromColumn, channel])
        }
      }
    }
  }
}
