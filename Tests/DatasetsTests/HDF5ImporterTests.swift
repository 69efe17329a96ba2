import Foundation
import HDF5
import Tensors
import Testing

@testable import Datasets

@Suite("Importing HDF5 files of any layout")
struct HDF5ImporterTests {
  private let file = fixture("kinds.h5")
  private static let all = (0..<FixtureData.count).flatMap { FixtureData.sample($0) }

  private func split(
    _ name: String = "train", images: String = "images", labels: String = "labels", rows: String? = nil,
    files: [String]? = nil
  ) -> HDF5Importer.Split {
    HDF5Importer.Split(
      name: name, files: files ?? [file], images: images, target: .labels(labels),
      rows: rows.flatMap { RowChoice($0) })
  }

  /// What an import writes.
  private func imported<Result>(
    _ splits: [HDF5Importer.Split], axes: String? = nil, reading: LabelReading = LabelReading(),
    names: HDF5Importer.ClassNames? = nil, _ body: (DatasetFile, ImportSummary) throws -> Result
  ) throws -> Result {
    try withTemporaryFolder { folder in
      let importer = HDF5Importer(
        splits: splits, axes: axes.flatMap { AxisOrder($0) }, labelReading: reading, classNames: names)
      let summary = try importer.write(to: "\(folder)/a.h5")
      return try body(DatasetFile("\(folder)/a.h5"), summary)
    }
  }

  private func pixels(_ dataset: ImageDataset) throws -> [Float] {
    try dataset.samples(Array(0..<dataset.count)).pixels
  }

  private func failure(
    _ splits: [HDF5Importer.Split], axes: String? = nil, reading: LabelReading = LabelReading(),
    names: HDF5Importer.ClassNames? = nil
  ) -> String {
    datasetError(.badData) { try imported(splits, axes: axes, reading: reading, names: names) { _, _ in } }
  }

  @Test(
    "dimensions in any order give the same samples",
    arguments: [
      ("images", nil, 3, true), ("axes/nchw", "NCHW", 3, true), ("axes/ncwh", "NCWH", 3, false),
      ("axes/hwcn", "hwcn", 3, true), ("axes/hwn", "HWN", 1, true), ("axes/ncl", "NCL", 0, false),
      ("axes/fn", "FN", -1, false),
    ])
  func axes(name: String, axes: String?, channels: Int, isBytes: Bool) throws {
    try imported([split(images: name)], axes: axes) { file, _ in
      let dataset = try file.open(file.splits[0])
      #expect(dataset.pixelType == (isBytes ? .uint8 : .float32))
      let samples = (0..<FixtureData.count).flatMap {
        FixtureData.sample($0, channels: channels == 3 || channels < 0 ? 3 : 1)
      }
      #expect(try pixels(dataset) == samples.map { isBytes ? Float($0) : Float($0) / 8 - 3 })
      let shape: Shape = channels == 3 ? [4, 5, 3] : channels < 0 ? [60] : [4, 5, 1]
      #expect(dataset.sampleShape == shape)
      #expect(dataset.labels == FixtureData.labels)
    }
  }

  @Test(
    "words become classes in the order of their bytes",
    arguments: ["words/variable", "words/fixed", "words/column"])
  func words(labels: String) throws {
    try imported([split(labels: labels)]) { file, summary in
      let dataset = try file.open(file.splits[0])
      #expect(summary.classNames == ["ant", "bee", "cat", "zèbre"])
      #expect(dataset.classNames == summary.classNames)
      #expect(dataset.labels == FixtureData.labels.map { [3, 0, 1, 2][Int($0)] })
    }
    let names = HDF5Importer.ClassNames.list(["zèbre", "cat", "bee", "ant", "dog"])
    try imported([split(labels: labels)], names: names) { file, _ in
      let dataset = try file.open(file.splits[0])
      #expect(dataset.labels == FixtureData.labels.map { [0, 3, 2, 1][Int($0)] })
    }
    let short = failure([split(labels: labels)], names: .list(["zèbre", "ant", "bee"]))
    #expect(short.contains("is \"cat\", which --classes does not name"), "\(short)")
  }

  @Test("words that are not UTF-8 are refused, and no classes merged")
  func latin1() {
    let text = failure([split(labels: "words/latin1")])
    #expect(text.contains("element 0 is not UTF-8") && text.contains("232"), "\(text)")
  }

  @Test("rows with a single 1, in rows or columns, are classes")
  func oneHot() throws {
    for (labels, names) in [
      ("one-hot/labels", ["a", "b", "c", "d"]), ("one-hot/columns", ["0", "1", "2", "3"]),
      ("bool/targets", ["0", "1", "2", "3"]),
    ] {
      try imported([split(labels: labels)]) { file, summary in
        let dataset = try file.open(file.splits[0])
        #expect(dataset.labels == FixtureData.labels)
        #expect(summary.classNames == names)
      }
    }
    // A class that no sample has is one all the same.
    let found = FoundLabels(values: .oneHot([2, 0, 2], width: 5), names: nil, name: "labels")
    let (labels, names) = try LabelReading().classes([found], given: nil)
    #expect(labels == [[2, 0, 2]] && names == ["0", "1", "2", "3", "4"])
    let text = failure([split(labels: "one-hot/broken")])
    #expect(text.contains("sample 5 are not a single 1") && text.contains("--targets"), "\(text)")
  }

  @Test("labels that do not count from 0 are refused until somebody says what they are")
  func otherNumbers() throws {
    let text = failure([split(labels: "from-1/labels")])
    #expect(text.contains("go from 1 to 4: pass --first-label 1"), "\(text)")
    try imported([split(labels: "from-1/labels")], reading: LabelReading(firstLabel: 1)) { file, summary in
      let dataset = try file.open(file.splits[0])
      #expect(dataset.labels == FixtureData.labels)
      #expect(summary.classNames == ["0", "1", "2", "3"])
    }
    try imported([split(labels: "axes/row")], reading: LabelReading(firstLabel: 0)) { file, summary in
      let dataset = try file.open(file.splits[0])
      #expect(dataset.labels == FixtureData.labels.map { $0 + 1 })
      #expect(summary.classNames.count == 5)
    }
    #expect(failure([split(labels: "from-1/signs")]).contains("go from -1 to 1"))
    try imported([split(labels: "from-1/signs")], reading: LabelReading(renumbers: true)) { file, summary in
      let dataset = try file.open(file.splits[0])
      #expect(dataset.labels == FixtureData.labels.map { $0 > 1 ? 1 : 0 })
      #expect(summary.classNames == ["-1", "1"])
    }
    let far = failure([split(labels: "from-1/far")], reading: LabelReading(firstLabel: -1))
    #expect(far.contains("classes count from 0"), "\(far)")
    let low = failure([split(labels: "labels")], reading: LabelReading(firstLabel: 1))
    #expect(low.contains("has label 0, which is below --first-label 1"), "\(low)")
  }

  @Test("names come from a dataset of words, or from an enumeration")
  func names() throws {
    try imported([split()], names: .dataset("words/names")) { file, _ in
      let dataset = try file.open(file.splits[0])
      #expect(dataset.classNames == ["ant", "bee", "cat", "zèbre"])
    }
    try imported([split(labels: "enum/labels")]) { file, _ in
      let dataset = try file.open(file.splits[0])
      #expect(dataset.classNames == ["ant", "bee", "cat", "dog"])
    }
  }

  @Test("an enumeration's names are the classes, in the order of its values, whatever these are")
  func sparseEnumeration() throws {
    try withTemporaryFolder { folder in
      let from = fixture("enumeration.h5")
      let importer = HDF5Importer(
        splits: [.init(name: "train", files: [from], images: "images", target: .labels("labels"))])
      _ = try importer.write(to: "\(folder)/a.h5")
      let dataset = try ImageDataset(path: "\(folder)/a.h5", images: "train/images", labels: "train/labels")
      #expect(dataset.classNames == ["cat", "dog", "eel"])
      #expect(dataset.labels == [1, 0, 2, 0, 1, 2])
    }
  }

  @Test(
    "rows are chosen by slices, by numbers and by truth values, in the order of the file",
    arguments: [
      ("0:4", [0, 1, 2, 3]), ("10:", [10, 11, 12]), (":", Array(0..<13)), ("7,1,3:6:2", [1, 3, 5, 7]),
      ("::5", [0, 5, 10]), ("rows/even", [0, 2, 4, 6, 8, 10, 12]), ("rows/mask", [0, 2, 4, 6, 8, 10, 12]),
    ])
  func rows(text: String, expected: [Int]) throws {
    for axes in [nil, "NCHW"] {
      let images = axes == nil ? "images" : "axes/nchw"
      try imported([split(images: images, rows: text)], axes: axes) { file, summary in
        let dataset = try file.open(file.splits[0])
        #expect(try pixels(dataset) == expected.flatMap { FixtureData.sample($0).map { Float($0) } })
        #expect(dataset.labels == expected.map { FixtureData.labels[$0] })
        #expect(summary.counts[0].count == expected.count)
      }
    }
  }

  @Test("rows that are not there, come twice or are for two splits are refused")
  func badRows() {
    #expect(failure([split(rows: "12:14")]).contains("there is no row 13"))
    #expect(failure([split(rows: "3,3")]).contains("row 3 of"))
    #expect(failure([split(rows: "5:5")]).contains("are empty"))
    let both = failure([split(rows: "0:8"), split("test", rows: "7:")])
    #expect(both.contains("row 7 of") && both.contains("train and test"), "\(both)")
    for text in ["1:2:3:4", "1:2:0", ",", "1,,2", "99999999999999999999"] { #expect(RowChoice(text) == nil) }
    #expect(AxisOrder("NHWCC") == nil && AxisOrder("HWC") == nil && AxisOrder("") == nil)
  }

  @Test("several files are read one after another, and an array may be in a file of its own")
  func severalFiles() throws {
    let part = fixture("kinds-part.h5")
    let images = HDF5Importer.Split(
      name: "train", files: [file, file], images: "images", target: .labels("labels"))
    try imported([images]) { file, _ in
      let dataset = try file.open(file.splits[0])
      #expect(try pixels(dataset) == (Self.all + Self.all).map { Float($0) })
      #expect(dataset.labels == FixtureData.labels + FixtureData.labels)
    }
    let own = split(images: "\(part):second", labels: "labels", rows: nil)
    #expect(failure([own]).contains("has 7 samples, but \"labels\" of \(file) has 13 labels"))
    let across = split(images: "images", rows: "4:20:3", files: [file, file])
    try imported([across]) { file, _ in
      let rows = Array(stride(from: 4, to: 20, by: 3)).map { $0 % 13 }
      let pixels = try pixels(file.open(file.splits[0]))
      #expect(pixels == rows.flatMap { FixtureData.sample($0).map { Float($0) } })
    }
  }

  @Test(
    "numbers for each point of an image become a row in the order of its pixels, however the file has them")
  func points() throws {
    // Samples of 2×3 points with 2 channels, and with 2 numbers at each point, in three orders.
    let (count, height, width, channels) = (3, 2, 3, 2)
    func array(_ letters: String, _ value: (_ n: Int, _ h: Int, _ w: Int, _ c: Int) -> Float) -> (
      values: [Float], shape: [Int]
    ) {
      let sizes: [Character: Int] = ["N": count, "H": height, "W": width, "C": channels]
      let shape = letters.map { sizes[$0] ?? 0 }
      let values = (0..<shape.reduce(1, *)).map { place in
        var (rest, at) = (place, [Character: Int]())
        for letter in letters.reversed() {
          at[letter] = rest % (sizes[letter] ?? 1)
          rest /= sizes[letter] ?? 1
        }
        return value(at["N"] ?? 0, at["H"] ?? 0, at["W"] ?? 0, at["C"] ?? 0)
      }
      return (values, shape)
    }
    func number(_ n: Int, _ h: Int, _ w: Int, _ c: Int) -> Float {
      Float(n * 1000 + h * 100 + w * 10 + c)
    }
    try withTemporaryFolder { folder in
      let path = "\(folder)/points.h5"
      let file = try HDF5.File.create(path)
      for letters in ["NHWC", "NCHW", "NCWH", "NHW", "NWH", "WHN"] {
        let (values, shape) = array(letters, number)
        try file.root.write(letters, values, shape: shape)
      }
      try file.root.write("rows", (0..<15).map { Float($0) }, shape: [3, 5])
      try file.close()
      for (images, targets, axes, hasChannels) in [
        ("NHWC", "NHWC", nil, true), ("NHWC", "NHW", nil, false), ("NCHW", "NCHW", "NCHW", true),
        ("NCHW", "NHW", "NCHW", false), ("NCWH", "NCWH", "NCWH", true), ("NCWH", "NWH", "NCWH", false),
        ("WHN", "WHN", "WHN", false), ("rows", "NHWC", nil, true), ("NHW", "NHWC", nil, true),
      ] {
        let split = HDF5Importer.Split(name: "train", files: [path], images: images, target: .values(targets))
        try imported([split], axes: axes) { file, summary in
          let table = try #require(try file.open(file.splits[0]).targets)
          let wanted = array("NHW" + (hasChannels ? "C" : ""), number).values
          #expect((0..<table.count).flatMap { Array(table[$0]) } == wanted, "\(images), \(targets)")
          #expect(table.width == wanted.count / count && summary.hasTargets)
        }
      }
      let unclear = HDF5Importer.Split(name: "train", files: [path], images: "WHN", target: .values("NHWC"))
      let text = failure([unclear], axes: "WHN")
      #expect(text.contains("\"NHWC\"") && text.contains("WHN: it is not clear which is which"), "\(text)")
    }
  }

  @Test("targets and weights are numbers, with their names")
  func targets() throws {
    let split = HDF5Importer.Split(
      name: "train", files: [file], images: "images", target: .values("pairs"), weights: "bool/weights",
      rows: RowChoice("1:5"))
    try imported([split]) { file, summary in
      let dataset = try file.open(file.splits[0])
      #expect(summary.hasTargets && summary.classNames == ["up", "down"])
      let table = try #require(dataset.targets)
      #expect(Array(table[0]) == [3, -3])
      #expect(dataset.weights == FixtureData.labels[1..<5].map { $0 > 0 ? 1 : 0 })
    }
  }

  @Test("what is in doubt is asked, and nothing is left behind")
  func doubts() throws {
    #expect(
      failure([split(images: "axes/nchw")]).contains("looks as if channels came first: pass --axes NCHW"))
    #expect(failure([split(images: "wide")]).contains("too large for float32"))
    #expect(failure([split(images: "nothing")]).contains("no dataset \"nothing\": there are first, images"))
    #expect(failure([split(images: "words/fixed")]).contains("images need"))
    #expect(failure([split(images: "images", labels: "wide")]).contains("labels need one value"))
    #expect(failure([split(images: "images")], axes: "NHW").contains("names 3 dimensions"))
    let unlike = failure([split(), split("test", images: "axes/ncl")])
    #expect(unlike.contains("samples of"), "\(unlike)")
  }
}
