internal import HDF5

extension ImageDataset {
  /// The files that a dataset file shows samples of, by the names that it has for them: those of virtual datasets.
  ///
  /// - Throws: ``DatasetError`` as opening the samples does.
  public static func otherFiles(
    of path: String, images: String, target: TargetName?, weights: String? = nil
  ) throws -> [String] {
    try translatingErrors {
      let contents = try DatasetContents(path: path, images, target, weights)
      var files: [String] = []
      for dataset in [contents.images, contents.labels, contents.weights].compactMap(\.self) {
        for file in try otherFiles(of: dataset, in: contents.root) where !files.contains(file) {
          files.append(file)
        }
      }
      return files
    }
  }

  /// - Parameter deepest: how many virtual datasets of the same file may be made of each other; more than opening lets pass.
  private static func otherFiles(of dataset: Dataset, in root: Group, deepest: Int = 8) throws -> [String] {
    guard deepest > 0, case .virtual = try dataset.layout() else { return [] }
    return try dataset.sources().flatMap { source in
      source.file == "."
        ? try otherFiles(of: try root.dataset(source.dataset), in: root, deepest: deepest - 1)
        : [source.file]
    }
  }
}
