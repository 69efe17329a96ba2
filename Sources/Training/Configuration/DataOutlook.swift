internal import Compute
internal import Datasets
internal import Glibc
public import Networks
public import Tensors

/// What can be said of a run's data, as far as it is there, without reading a pixel.
public struct DataOutlook: Sendable {
  /// How many training samples there are; nil where the file is not there.
  public private(set) var trainingSamples: Int?
  /// How many test samples there are; nil where the file is not there, or there are no test samples.
  public private(set) var testSamples: Int?
  /// The shape of one sample; nil where no data is there.
  public private(set) var sampleShape: Shape?
  /// What a training would do to bring the names of classes together; nil where they agree.
  public private(set) var nameNote: String?
  /// What a training would copy to the nodes' own disks; nil for nothing.
  public fileprivate(set) var stagingNote: String?
  /// Files that are not there.
  public private(set) var missing: [String] = []

  /// `60000 train and 10000 test samples of 28×28×1`; nil where no data is there.
  public var summary: String? {
    let counts = [(trainingSamples, "train"), (testSamples, "test")].compactMap { count, role in
      count.map { "\($0) \(role)" }
    }
    guard let sampleShape else { return nil }
    let isOne = counts.count == 1 && (trainingSamples ?? testSamples) == 1
    return "\(counts.joined(separator: " and ")) \(isOne ? "sample" : "samples") of \(sampleShape)"
  }

  fileprivate mutating func add(_ dataset: ImageDataset, _ role: String) {
    if role == "train" { trainingSamples = dataset.count } else { testSamples = dataset.count }
    sampleShape = dataset.sampleShape
  }

  fileprivate mutating func note(_ text: String?) { nameNote = text ?? nameNote }

  fileprivate mutating func miss(_ file: String) {
    if !missing.contains(file) { missing.append(file) }
  }
}

extension RunConfiguration {
  /// Opens the data that is there already, and holds it against the network and the loss as a training does before its first step.
  ///
  /// - Throws: an error of the data, or ``TrainingError`` where it does not fit; not for files that are not there.
  public func dataOutlook(for network: ResolvedNetwork) throws -> DataOutlook {
    var outlook = DataOutlook()
    var training: ImageDataset?
    for (role, source) in [("train", data.train), ("test", data.test)] {
      guard let source else { continue }
      guard access(source.file, F_OK) == 0 else {
        outlook.miss(source.file)
        continue
      }
      var dataset = try source.open()
      if let training {
        let matched = try dataset.matchedForTest(of: training)
        dataset = matched.dataset
        outlook.note(matched.note)
      } else if role == "train" {
        training = dataset
      }
      try dataset.check(network, criterion(of: network), role: role)
      if role == "train" { _ = try RunSamples.trained(self, dataset) }
      outlook.add(dataset, role)
    }
    outlook.stagingNote = try data.stagingNote()
    return outlook
  }
}
