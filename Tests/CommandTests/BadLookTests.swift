import Foundation
import HDF5
import ImageFiles
import TestSupport
import Testing

/// What goes wrong when people look into networks: every command that takes it is tried.
@Suite("Bad input of looks")
struct BadLookTests {
  private let folder: TemporaryDirectory
  private let network: String
  private var to: [String] { ["--to", folder.file("out"), "--workers", "1"] }

  init() throws {
    folder = try TemporaryDirectory()
    network = folder.file("net.h5")
    try LookSample.network(network)
    try LookSample.picture(folder.file("good.png"), height: 40, width: 36)
    try Sample.dataset(folder.file("data.h5"), imageShape: [40, 9, 8, 3])
  }

  private var data: [String] {
    ["--data", folder.file("data.h5"), "--images", "train/images", "--labels", "train/labels"]
  }

  /// Every command that reads a picture, with the picture in every place that takes one.
  private func readers(_ picture: String) -> [[String]] {
    let good = folder.file("good.png")
    let layers = ["--content-layers", "conv2d", "--style-layers", "conv2d"]
    return [
      ["look", "maps", network, picture], ["explain", network, picture],
      ["look", "maximize", network, "--classes", "0", "--start", picture],
      ["look", "gallery", network, "--start", picture] + data,
      ["dream", network, picture, "--layers", "conv2d"],
      ["dream", network, good, "--layers", "conv2d", "--guide", picture],
      ["style", network, "--content", picture, "--style", good] + layers,
      ["style", network, "--content", good, "--style", picture] + layers,
      ["style", network, "--content", good, "--style", good, "--start", picture] + layers,
    ].map { $0 + to }
  }

  @Test("a picture that is cut off, missing, of no kind or enormous is refused by every command in one line")
  func pictures() throws {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.file("good.png")))
    let cutPNG = try folder.write(bytes.prefix(bytes.count / 2), to: "cut.png")
    try LookSample.picture(folder.file("good.jpg"), height: 40, width: 36)
    let jpeg = try Data(contentsOf: URL(fileURLWithPath: folder.file("good.jpg")))
    let cutJPEG = try folder.write(jpeg.prefix(jpeg.count / 2), to: "cut.jpg")
    for command in readers(cutPNG) { try expectFailure(command, code: 65, says: "cut.png", "truncated") }
    for command in readers(cutJPEG) { try expectFailure(command, code: 65, says: "cut.jpg", "truncated") }
    // The rest is found out in the same place for all.
    func some(_ picture: String) -> [[String]] {
      readers(picture).filter { ["explain", "dream", "style"].contains($0[0]) && !$0.contains("--guide") }
    }
    for command in some(try folder.write("no picture", to: "text.png")) {
      try expectFailure(command, code: 65, says: "neither a PNG nor a JPEG")
    }
    for command in some(folder.file("none.png")) { try expectFailure(command, code: 66, says: "none.png") }
    // 100 megapixels of which nothing but the header is there: refused before memory is taken.
    let huge = try folder.write(Self.header(width: 10_000, height: 10_000), to: "huge.png")
    for command in some(huge) {
      try expectFailure(command, code: 65, says: "too large: 10000×10000", "--large")
    }
  }

  @Test("a grey picture for a colour network, and colours for a grey one, are converted, and that is said")
  func channels() throws {
    let grey = folder.file("grey.png")
    try LookSample.picture(grey, height: 40, width: 36, channels: .grey)
    for command in readers(grey) {
      let steps =
        ["dream", "style"].contains(command[0]) || command.contains("maximize") || command.contains("gallery")
      let result = try Program.run(command + (steps ? ["--steps", "1"] : []))
      #expect(result.code == 0, "\(command): \(result.errors)")
      #expect(result.errors.contains("grey.png is grey and was made three equal channels"), "\(command)")
      try? FileManager.default.removeItem(atPath: folder.file("out"))
    }
    let config = try Sample.config(
      folder, network: "[conv2d: {filters: 5, kernel: 3}, flatten, dense: {units: 3}]", epochs: 1)
    try Sample.dataset(folder.file("data.h5"))
    #expect(try Program.run(["train", config, "--run-dir", folder.file("run"), "--quiet"]).code == 0)
    let good = folder.file("good.png")
    for command in [
      ["look", "maps", folder.file("run"), good], ["explain", folder.file("run"), good],
      ["look", "maximize", folder.file("run"), "--classes", "0", "--start", good, "--steps", "1"],
      ["dream", folder.file("run"), good, "--steps", "1"],
      ["style", folder.file("run"), "--content", good, "--style", good, "--steps", "1"],
    ] {
      let result = try Program.run(command + to)
      #expect(result.code == 0, "\(command): \(result.errors)")
      #expect(result.errors.contains("good.png was turned grey"), "\(command)")
      try? FileManager.default.removeItem(atPath: folder.file("out"))
    }
  }

  @Test("a layer, filter, unit or class that is not there is answered with those that are")
  func missing() throws {
    let good = folder.file("good.png")
    for command in [
      ["look", "filters", network, "--layer", "conv9"],
      ["look", "maps", network, good, "--layer", "conv9"],
      ["look", "examples", network, "--layer", "conv9"] + data,
      ["look", "maximize", network, "--layer", "conv9"],
      ["explain", network, good, "--layer", "conv9"], ["dream", network, good, "--layers", "conv9"],
      ["style", network, "--content", good, "--style", good, "--content-layers", "conv9"],
      ["style", network, "--content", good, "--style", good, "--style-layers", "conv9"],
    ] {
      try expectFailure(command + to, code: 64, says: "no layer 'conv9'", "its layers are ", "conv2d")
    }
    for command in [
      ["look", "filters", network, "--layer", "conv2d", "--which", "900"],
      ["look", "maps", network, good, "--layer", "conv2d", "--which", "900"],
      ["look", "examples", network, "--layer", "conv2d", "--which", "900"] + data,
      ["look", "maximize", network, "--layer", "conv2d", "--filters", "0-900"],
    ] {
      try expectFailure(command + to, code: 64, says: "has no filter 900; it has ", "from 0 to ")
    }
    try expectFailure(
      ["look", "maximize", network, "--layer", "conv2d", "--neurons", "0"] + to, code: 64,
      says: "ask for its filters")
    for command in [
      ["look", "maximize", network, "--classes", "cat"], ["explain", network, good, "--class", "cat"],
    ] { try expectFailure(command + to, code: 64, says: "no class 'cat'; the names are: 0, 1, 2, 3") }
  }

  @Test(
    "a picture that a layer does not fit into is refused, one smaller than a receptive field is warned of")
  func small() throws {
    let dot = folder.file("dot.png")
    try LookSample.picture(dot, height: 1, width: 1)
    let config = try Sample.config(
      folder, network: "[conv2d: {filters: 5, kernel: 3}, flatten, dense: {units: 3}]", epochs: 1)
    try Sample.dataset(folder.file("data.h5"))
    let run = folder.file("run")
    #expect(try Program.run(["train", config, "--run-dir", run, "--quiet"]).code == 0)
    let good = folder.file("good.png")
    try expectFailure(["dream", run, dot] + to, code: 65, says: "dot.png (1x1) is too small", "conv2d")
    try expectFailure(
      ["dream", run, good, "--guide", dot] + to, code: 65, says: "dot.png (1x1) is too small")
    try expectFailure(
      ["style", run, "--content", dot, "--style", good] + to, code: 65, says: "dot.png (1x1)")
    try expectFailure(
      ["style", run, "--content", good, "--style", dot] + to, code: 65, says: "dot.png (1x1)")
    // One that pads fits, and sees mostly padding.
    let padded = try Program.run(["dream", network, dot, "--layers", "conv2d", "--steps", "1"] + to)
    #expect(
      padded.code == 0 && padded.errors.contains("is smaller than the part that one value of 'conv2d' sees"))
  }

  @Test("weights that are NaN do not even become a checkpoint")
  func notFinite() throws {
    let model = folder.file("model.h5")
    try LookSample.copyModel(to: model)
    try LookSample.putNaN(into: model)
    try expectFailure(
      ["import", "keras", model, "--to", folder.file("nan.h5")], code: 65, says: "conv2d/kernel holds nan")
    #expect(!FileManager.default.fileExists(atPath: folder.file("nan.h5")))
  }

  /// A PNG file that ends where its pixels begin.
  private static func header(width: UInt32, height: UInt32) -> [UInt8] {
    func bytes(_ number: UInt32) -> [UInt8] {
      (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
    }
    let chunk = Array("IHDR".utf8) + bytes(width) + bytes(height) + [8, 2, 0, 0, 0]
    var crc: UInt32 = ~0
    for byte in chunk {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    let start: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    return start + bytes(13) + chunk + bytes(~crc) + bytes(1000) + Array("IDAT".utf8)
  }
}

extension LookSample {
  static func copyModel(to path: String) throws {
    try FileManager.default.copyItem(atPath: model, toPath: path)
  }

  /// Makes the first weight of the first convolution NaN.
  static func putNaN(into path: String) throws {
    let root = try HDF5.File.open(path).root
    let groups = try root.group("model_weights").group("conv2d")
    let names = try groups.attributes.strings("weight_names")
    let kernel = try #require(names.first { $0.contains("kernel") })
    let values = try groups.dataset(kernel).read(Float.self)
    let needle = values.prefix(8).withUnsafeBytes { Data($0) }
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    let place = try #require(bytes.range(of: needle))
    bytes.replaceSubrange(
      place.lowerBound..<place.lowerBound + 4, with: withUnsafeBytes(of: Float.nan) { Data($0) })
    try bytes.write(to: URL(fileURLWithPath: path))
  }
}
