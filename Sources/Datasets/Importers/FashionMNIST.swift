/// Zalando's Fashion-MNIST: 60,000 and 10,000 grey images of 28×28 pixels in ten classes of clothing.
///
/// - SeeAlso: Xiao, Rasul and Vollgraf 2017, <https://arxiv.org/abs/1708.07747>.
public enum FashionMNIST {
  /// The names of the classes, by label.
  public static let classNames = [
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
  ]

  /// Where Debian's package `dataset-fashion-mnist` puts the files.
  public static let defaultFolder = "/usr/share/datasets/fashion-mnist"

  /// An importer of the four files in a folder, gzip or plain.
  ///
  /// - Throws: ``DatasetError`` of kind `missingInput`, naming the first file that is missing.
  public static func importer(from folder: String = defaultFolder) throws -> IDXImporter {
    func find(_ name: String) throws -> String {
      for candidate in ["\(folder)/\(name).gz", "\(folder)/\(name)"] where RawFile.exists(candidate) {
        return candidate
      }
      throw DatasetError(
        .missingInput,
        "there is no \(name).gz in \(folder); on Debian: apt-get install dataset-fashion-mnist")
    }
    return IDXImporter(
      splits: [
        .init(
          name: "train", imagesPath: try find("train-images-idx3-ubyte"),
          labelsPath: try find("train-labels-idx1-ubyte")),
        .init(
          name: "test", imagesPath: try find("t10k-images-idx3-ubyte"),
          labelsPath: try find("t10k-labels-idx1-ubyte")),
      ], classNames: classNames)
  }
}
