internal import Foundation
public import ImageFiles
internal import Protobuf
internal import SwiftProtobuf

/// What TensorBoard shows besides curves.
extension EventLog {
  /// A setting of a run, for TensorBoard's page HPARAMS.
  public struct HyperParameter: Hashable, Sendable {
    /// The setting's name.
    public let name: String
    /// The value, which is shown as a number, true or false where it is one.
    public let text: String

    /// A setting with its value.
    public init(_ name: String, _ text: String) {
      (self.name, self.text) = (name, text)
    }

    fileprivate var message: TensorBoardSessionStartInfo.Setting {
      .with {
        $0.key = name
        $0.value =
          if let number = Double(text), number.isFinite {
            .init(numberValue: number)
          } else if let isOn = Bool(text) {
            .init(boolValue: isOn)
          } else {
            .init(stringValue: text)
          }
      }
    }
  }

  /// Adds the settings of the run; this is done once, before its figures.
  public func append(_ settings: [HyperParameter], time: Double) throws {
    let content = TensorBoardHParamsPluginData.with {
      $0.sessionStartInfo.hparams = settings.map(\.message)
      $0.sessionStartInfo.startTimeSecs = time
    }
    let value = try TensorBoardSummary.Value.with {
      $0.tag = "_hparams_/session_start_info"
      $0.metadata.pluginData.pluginName = "hparams"
      $0.metadata.pluginData.content = try content.serializedData()
    }
    try append(value, step: 0, time: time)
  }

  /// Adds a picture, under the name `tag`.
  public func append(_ image: Image, tag: String, step: Int, time: Double) throws {
    let value = try TensorBoardSummary.Value.with {
      $0.tag = tag
      ($0.image.height, $0.image.width) = (Int32(image.height), Int32(image.width))
      $0.image.colorspace = Int32(image.channels.rawValue)
      $0.image.encodedImageString = Data(try PNG.encode(image))
    }
    try append(value, step: step, time: time)
  }

  /// Adds a histogram, under the name `tag`.
  public func append(_ histogram: Histogram, tag: String, step: Int, time: Double) throws {
    let value = TensorBoardSummary.Value.with {
      $0.tag = tag
      ($0.histo.min, $0.histo.max, $0.histo.num) = (
        histogram.least, histogram.largest, Double(histogram.count)
      )
      ($0.histo.sum, $0.histo.sumSquares) = (histogram.sum, histogram.sumOfSquares)
      ($0.histo.bucketLimit, $0.histo.bucket) = (histogram.limits, histogram.counts.map { Double($0) })
    }
    try append(value, step: step, time: time)
  }
}

/// How many values lie in each of a row of bins.
public struct Histogram: Hashable, Sendable {
  /// The least value.
  public let least: Double
  /// The largest value.
  public let largest: Double
  /// The number of values.
  public let count: Int
  /// The sum of the values.
  public let sum: Double
  /// The sum of the values' squares.
  public let sumOfSquares: Double
  /// The upper limit of each bin; the last one is ``largest``.
  public let limits: [Double]
  /// The number of values in each bin.
  public let counts: [Int]

  /// Counts values in bins of equal width from the least to the largest.
  ///
  /// - Parameters:
  ///   - values: the values; those that are not finite are left out.
  ///   - bins: the number of bins, at least 1; values that are all equal take one.
  /// - Returns: nil where there are no values.
  public init?(_ values: some Collection<Float>, bins: Int = 30) {
    precondition(bins >= 1, "a histogram needs a bin, got \(bins)")
    let numbers = values.lazy.filter(\.isFinite).map { Double($0) }
    var (low, high) = (Double.infinity, -Double.infinity)
    var (count, sum, squares) = (0, 0.0, 0.0)
    for number in numbers {
      (low, high) = (min(low, number), max(high, number))
      (count, sum, squares) = (count + 1, sum + number, squares + number * number)
    }
    guard count > 0 else { return nil }
    let width = (high - low) / Double(bins)
    var counts = [Int](repeating: 0, count: width > 0 ? bins : 1)
    for number in numbers {
      counts[width > 0 ? min(bins - 1, Int((number - low) / width)) : 0] += 1
    }
    (least, largest, self.count, self.sum, sumOfSquares) = (low, high, count, sum, squares)
    self.counts = counts
    limits = counts.indices.map { $0 == counts.count - 1 ? high : low + width * Double($0 + 1) }
  }
}
