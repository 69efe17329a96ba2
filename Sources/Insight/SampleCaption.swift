internal import Compute
public import Datasets
internal import Foundation
internal import Networks
internal import Tensors

extension Subject {
  /// Checks that a dataset's samples, and what the file says of them, fit the network.
  ///
  /// - Throws: ``InsightError`` of kind `badData` for samples of another shape, classes that the network does not know, and a
  ///   number of targets other than that of the outputs.
  public func check(_ dataset: ImageDataset) throws(InsightError) {
    guard dataset.fits(network.inputShape) else {
      throw .badData(
        "the samples of \(dataset.path) are \(dataset.sampleShape) and the network takes \(network.inputShape)"
      )
    }
    let outputs = network.outputShape.elementCount
    if let targets = dataset.targets, targets.width != outputs {
      throw .badData(
        "\"\(dataset.targetName)\" in \(dataset.path) has \(counted(targets.width, "number")) for each sample, and the network gives "
          + "\(outputs)")
    }
    guard criterion.task != .values else { return }
    // A single output tells two classes apart.
    let classes = max(outputs, 2)
    if let bad = dataset.labels.firstIndex(where: { $0 >= classes }) {
      throw .badData(
        "sample \(bad) of \"\(dataset.targetName)\" in \(dataset.path) has label \(dataset.labels[bad]), but the network "
          + "knows \(classes) classes")
    }
  }

  /// What the dataset says of a sample, in short: its class, its labels, or its numbers; empty where it says nothing.
  public func caption(row: Int, of dataset: ImageDataset) -> String {
    if let targets = dataset.targets {
      let values = targets[row]
      guard criterion.task == .labels else {
        return values.prefix(4).map { String(format: "%g", Double($0)) }.joined(separator: ", ")
          + (values.count > 4 ? ", …" : "")
      }
      let present = zip(classNames, values).filter { $1 > 0.5 }.map(\.0)
      return present.isEmpty ? "none" : present.joined(separator: ", ")
    }
    guard dataset.labels.indices.contains(row) else { return "" }
    let label = Int(dataset.labels[row])
    let names = sampleClassNames.isEmpty ? dataset.classNames ?? [] : sampleClassNames
    return names.indices.contains(label) ? names[label] : "\(label)"
  }

  /// The text of ``caption(row:of:)`` for a picture: the class's number where its name has letters that cannot be drawn, and the
  /// row where there is no caption.
  public func drawnCaption(row: Int, of dataset: ImageDataset) -> String {
    let caption = caption(row: row, of: dataset)
    if !caption.isEmpty, BitmapFont.canDraw(caption) { return caption }
    return dataset.labels.indices.contains(row) ? "class \(dataset.labels[row])" : "row \(row)"
  }
}
