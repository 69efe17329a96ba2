public import ImageFiles

/// How pictures became the samples of a dataset, which is how other pictures become samples like these.
///
/// Their size and channels are those of the samples.
public struct PictureHandling: Hashable, Sendable {
  /// How pictures were brought to the proportions of samples.
  public var fit: ImageFit
  /// What was done with the orientation that a camera noted.
  public var orientation: OrientationUse

  /// Takes both ways.
  public init(fit: ImageFit, orientation: OrientationUse) {
    (self.fit, self.orientation) = (fit, orientation)
  }

  /// The name of the attribute that holds it in HDF5 files.
  public static let attribute = "pictures"

  /// Its form in HDF5 files: `fit=pad`, `orientation=upright`.
  public var pairs: [String] { ["fit=\(fit.rawValue)", "orientation=\(orientation.rawValue)"] }

  /// Reads that form.
  ///
  /// - Returns: nil for pairs that do not say both, or not in words that are known here.
  public init?(pairs: [String]) {
    func value<Word: RawRepresentable<String>>(_ key: String) -> Word? {
      pairs.first { $0.hasPrefix("\(key)=") }.flatMap { Word(rawValue: String($0.dropFirst(key.count + 1))) }
    }
    guard let fit: ImageFit = value("fit"), let orientation: OrientationUse = value("orientation") else {
      return nil
    }
    self.init(fit: fit, orientation: orientation)
  }
}
