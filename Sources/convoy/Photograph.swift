internal import ArgumentParser
internal import Foundation
internal import ImageFiles
internal import Insight
internal import Networks
internal import Reporting
internal import Tensors

/// Pictures that are computed on at a size of their own.
enum Photograph {
  /// Reads a picture in the network's channels.
  ///
  /// - Parameters:
  ///   - side: the longer side is brought down to this; nil keeps the size.
  ///   - large: whether pictures of more than 40 megapixels are wanted.
  static func read(_ path: String, side: Int?, large: Bool, for subject: Subject) throws -> FloatImage {
    let limit = large ? ImageFile.defaultPixelLimit * 10 : 40_000_000
    let picture: Image
    do { picture = try ImageFile.read(path, pixelLimit: limit) } catch {
      guard error.kind == .badData, error.description.contains("too large") else { throw error }
      throw CommandError.badData("\(error); --large reads larger ones")
    }
    let shape = try subject.imageShape()
    guard let channels = Image.Channels(rawValue: shape[2]), channels != .rgba else {
      throw CommandError.badData("the network takes images of \(shape[2]) channels, which no image file has")
    }
    switch (picture.channels, channels) {
    case (.grey, .rgb):
      TerminalOutput.warn(
        "\(path) is grey and was made three equal channels for this network of colour images")
    case (.rgb, .grey), (.rgba, .grey):
      TerminalOutput.warn("\(path) was turned grey for this network of grey images")
    default: break
    }
    let image = FloatImage(picture.converted(to: channels))
    let longer = max(image.height, image.width)
    guard let side, longer > side else { return image }
    let scale = Double(side) / Double(longer)
    return image.resized(
      height: max(1, Int((Double(image.height) * scale).rounded())),
      width: max(1, Int((Double(image.width) * scale).rounded())))
  }

  /// `name:weight,name` as people write layers.
  static func layers(_ text: String, option: String) throws -> [WeightedLayer] {
    try text.split(separator: ",").map { part in
      let pieces = part.split(separator: ":", omittingEmptySubsequences: false)
      let weight = pieces.count == 2 ? Double(pieces[1]) : 1
      guard pieces.count <= 2, let weight, weight.isFinite, !pieces[0].isEmpty else {
        throw CommandError.usage(
          "\(option) takes layers with weights like conv2d:1,conv2d_1:0.5, not '\(part)'")
      }
      return WeightedLayer(pieces[0].trimmingCharacters(in: .whitespaces), weight)
    }
  }

  /// Refuses what would not fit into the memory that is free.
  static func checkMemory(_ bytes: Int, advice: String) throws {
    guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("MemAvailable:") }),
      let kilobytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
    else { return }
    if bytes / 1024 > kilobytes / 10 * 9 {
      throw CommandError.badData(
        "this takes \(bytes >> 20) MiB of memory, and \(kilobytes >> 10) MiB are free; \(advice)")
    }
  }

  /// Says what a picture that is smaller than the part of it that one value sees means.
  static func warnIfSmall(
    _ path: String, _ image: FloatImage, _ layers: [WeightedLayer], _ network: ResolvedNetwork
  ) {
    let fields = layers.compactMap { layer in
      ReceptiveField.size(of: layer.name, in: network).map { (layer.name, $0) }
    }
    guard let largest = fields.max(by: { $0.1.height < $1.1.height }),
      min(image.height, image.width) < min(largest.1.height, largest.1.width)
    else { return }
    TerminalOutput.warn(
      "\(path) (\(image.height)x\(image.width)) is smaller than what one value of '\(largest.0)' sees "
        + "(\(largest.1.height)x\(largest.1.width))")
  }
}
