import ImageFiles
import TestSupport
import Testing

@Suite("Image files")
struct ImageFileTests {
  private func sample(_ channels: Image.Channels, height: Int = 7, width: Int = 5) -> Image {
    let count = height * width * channels.rawValue
    return Image(
      height: height, width: width, channels: channels, pixels: (0..<count).map { UInt8($0 * 37 % 256) })
  }

  @Test("a PNG comes back pixel by pixel", arguments: [Image.Channels.grey, .rgb, .rgba])
  func png(_ channels: Image.Channels) throws {
    let image = sample(channels)
    let folder = try TemporaryDirectory()
    try ImageFile.write(image, to: folder.file("a.png"))
    #expect(try ImageFile.read(folder.file("a.png")) == image)
  }

  @Test("a JPEG of a smooth image comes back within a few steps", arguments: [Image.Channels.grey, .rgb])
  func jpeg(_ channels: Image.Channels) throws {
    let (height, width) = (24, 40)
    let pixels = (0..<height).flatMap { row in
      (0..<width).flatMap { column in
        [UInt8](repeating: UInt8(row * 3 + column * 4), count: channels.rawValue)
      }
    }
    let image = Image(height: height, width: width, channels: channels, pixels: pixels)
    let back = try JPEG.decode(try JPEG.encode(image, quality: 95), name: "a.jpg")
    #expect(back.height == height && back.width == width && back.channels == channels)
    let worst = zip(back.pixels, pixels).map { abs(Int($0) - Int($1)) }.max() ?? 255
    #expect(worst <= 6, "\(worst)")
  }

  @Test("every truncation of a file is refused with one line and code 65, and none ends the process")
  func truncated() throws {
    let folder = try TemporaryDirectory()
    for (name, bytes) in [
      ("a.png", try PNG.encode(sample(.rgb))),
      ("a.jpg", try JPEG.encode(sample(.rgb, height: 16, width: 16))),
    ] {
      // The last bytes of a JPEG are its end marker; what is cut before them loses pixels.
      for length in stride(from: 0, to: bytes.count - 12, by: 3) {
        let path = try folder.write(bytes.prefix(length), to: name)
        do {
          _ = try ImageFile.read(path)
          Issue.record("\(name) of \(length) bytes of \(bytes.count) was read")
        } catch {
          #expect(error.kind == .badData && !error.description.contains("\n"))
        }
      }
    }
  }

  @Test("damaged bytes are an image or an error, never the end of the process")
  func damaged() throws {
    let folder = try TemporaryDirectory()
    for (name, bytes) in [
      ("a.png", try PNG.encode(sample(.rgb))),
      ("a.jpg", try JPEG.encode(sample(.rgb, height: 16, width: 16))),
    ] {
      for index in bytes.indices {
        var broken = bytes
        broken[index] ^= 0xFF
        _ = try? ImageFile.read(try folder.write(broken, to: name), pixelLimit: 1_000_000)
      }
    }
  }

  @Test("a missing file is 66, another kind of file 65, too many pixels 65 before they are decoded")
  func refused() throws {
    let folder = try TemporaryDirectory()
    func refusal(_ path: String, pixelLimit: Int = 1000) -> (kind: ImageError.Kind?, text: String) {
      let error = #expect(throws: ImageError.self) { try ImageFile.read(path, pixelLimit: pixelLimit) }
      return (error?.kind, error?.description ?? "")
    }
    let missing = refusal(folder.file("none.png"))
    #expect(missing.kind == .missingInput && missing.text.contains("none.png"), "\(missing)")
    let other = refusal(try folder.write("no image at all", to: "a.png"))
    #expect(other.kind == .badData && other.text.contains("neither a PNG nor a JPEG"), "\(other)")
    // It ends where its pixels begin: only what is refused before they are decoded says that it is too large.
    let bytes = try PNG.encode(sample(.grey, height: 20, width: 20))
    let header = bytes.prefix(33) + [0, 0, 1, 0] + Array("IDAT".utf8)
    let large = refusal(try folder.write(header, to: "b.png"), pixelLimit: 399)
    #expect(large.kind == .badData && large.text.contains("too large: 20×20"), "\(large)")
    #expect(try ImageFile.read(try folder.write(bytes, to: "b.png"), pixelLimit: 400).height == 20)
  }

  @Test("halving averages four pixels; a constant stays; nothing changes at the same size")
  func resizing() {
    let image = Image(height: 2, width: 4, channels: .grey, pixels: [0, 10, 100, 200, 20, 30, 100, 200])
    #expect(image.resized(height: 1, width: 2).pixels == [15, 150])
    #expect(image.resized(height: 2, width: 4) == image)
    let flat = Image(height: 9, width: 5, channels: .rgb, pixels: Array(repeating: 77, count: 135))
    for (height, width) in [(1, 1), (4, 4), (28, 28)] {
      #expect(flat.resized(height: height, width: width).pixels.allSatisfy { $0 == 77 })
    }
  }

  @Test("what cannot be seen lends its colour to no neighbour, whatever the size becomes")
  func resizingTransparency() {
    // Opaque red beside invisible green, and half-visible blue beside it.
    let image = Image(
      height: 1, width: 4, channels: .rgba,
      pixels: [255, 0, 0, 255, 0, 255, 0, 0, 0, 0, 240, 128, 80, 255, 255, 0])
    #expect(image.resized(height: 1, width: 2).pixels == [255, 0, 0, 128, 0, 0, 240, 64])
    let wide = image.resized(height: 2, width: 8)
    #expect((0..<2).allSatisfy { row in (0..<8).allSatisfy { wide[row, $0, 1] == 0 } })
  }

  @Test("filling cuts the middle; colours turn grey by BT.601; alpha is laid on the background")
  func converting() {
    let wide = Image(height: 1, width: 3, channels: .grey, pixels: [1, 2, 3])
    #expect(wide.filling(height: 1, width: 1).pixels == [2])
    let colours = Image(height: 1, width: 3, channels: .rgb, pixels: [255, 0, 0, 0, 255, 0, 0, 0, 255])
    #expect(colours.converted(to: .grey).pixels == [76, 150, 29])
    let half = Image(height: 1, width: 1, channels: .rgba, pixels: [200, 100, 0, 128])
    #expect(half.converted(to: .rgb).pixels == [100, 50, 0])
    #expect(wide.converted(to: .rgb).pixels == [1, 1, 1, 2, 2, 2, 3, 3, 3])
  }
}
