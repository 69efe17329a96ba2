import Foundation
import Glibc
import ImageFiles
import Paths
import Tensors
import Testing

@testable import Datasets

@Suite("Importing a folder of images")
struct ImageFolderImporterTests {
  private func write(_ image: Image, _ path: String) throws {
    try FileManager.default.createDirectory(
      atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path, withIntermediateDirectories: true)
    try ImageFile.write(image, to: path)
  }

  private func image(_ salt: Int, height: Int = 6, width: Int = 5, channels: Image.Channels = .rgb) -> Image {
    Image(
      height: height, width: width, channels: channels,
      pixels: (0..<height * width * channels.rawValue).map { noise($0 + salt * 1000) })
  }

  @Test("samples come by class and file name, whatever the number of threads")
  func order() throws {
    try withTemporaryFolder { folder in
      let files = [("dog/2.png", 2), ("dog/10.png", 1), ("Cat/a.png", 0), ("dog/more/0.png", 3)]
      for (name, salt) in files { try write(image(salt), "\(folder)/in/\(name)") }
      try Data().write(to: URL(fileURLWithPath: "\(folder)/in/dog/notes.txt"))
      var all: [Data] = []
      for threads in [1, 3] {
        let path = "\(folder)/\(threads).h5"
        let summary = try ImageFolderImporter("\(folder)/in", height: 6, width: 5).write(
          to: path, threads: threads)
        #expect(summary.classNames == ["Cat", "dog"])
        // On the text file, and on the folder in a class's folder.
        #expect(summary.notes.count == 2)
        let found = try contents(path)
        #expect(found.labels == [0, 1, 1, 1])
        // "10" before "2" before "more".
        #expect(found.bytes == [0, 1, 2, 3].flatMap { image($0).pixels })
        all.append(try Data(contentsOf: URL(fileURLWithPath: path)))
      }
      #expect(all[0] == all[1])
    }
  }

  @Test("train and test folders become splits, and a class that only the test has is an error")
  func splits() throws {
    try withTemporaryFolder { folder in
      try write(image(0), "\(folder)/in/train/a/1.png")
      try write(image(1), "\(folder)/in/train/b/1.png")
      try write(image(2), "\(folder)/in/test/b/1.png")
      _ = try ImageFolderImporter("\(folder)/in", height: 6, width: 5).write(to: "\(folder)/out.h5")
      #expect(try contents("\(folder)/out.h5").labels == [0, 1])
      #expect(try contents("\(folder)/out.h5", "test").labels == [1])
      try write(image(2), "\(folder)/in/test/c/1.png")
      let text = datasetError(.badData) {
        _ = try ImageFolderImporter("\(folder)/in", height: 6, width: 5).write(to: "\(folder)/no.h5")
      }
      #expect(text.contains("test/c"))
    }
  }

  @Test("an unreadable file stops the import by name, or is left out with a note")
  func unreadable() throws {
    try withTemporaryFolder { folder in
      for index in 0..<7 where index != 3 { try write(image(index), "\(folder)/in/a/\(index).png") }
      try Data("no image".utf8).write(to: URL(fileURLWithPath: "\(folder)/in/a/3.png"))
      var importer = ImageFolderImporter("\(folder)/in", height: 6, width: 5)
      let text = datasetError(.badData) { _ = try importer.write(to: "\(folder)/no.h5") }
      #expect(text.contains("a/3.png"))
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/no.h5"))
      importer.unreadable = .skip
      let summary = try importer.write(to: "\(folder)/out.h5")
      #expect(summary.notes.count == 1 && summary.notes[0].contains("a/3.png"))
      #expect(summary.counts[0].count == 6)
      let found = try contents("\(folder)/out.h5")
      #expect(found.bytes == [0, 1, 2, 4, 5, 6].flatMap { image($0).pixels })
      #expect(try found.dataset.samples([5]).bytes == image(6).pixels)
    }
  }

  @Test("proportions are met by cutting, stretching or padding")
  func fit() {
    let wide = Image(
      height: 2, width: 6, channels: .grey, pixels: [0, 50, 100, 150, 200, 250, 0, 50, 100, 150, 200, 250])
    func sample(_ fit: ImageFit) -> [UInt8] {
      ImageFolderImporter("", height: 2, width: 2, channels: .grey, fit: fit).sample(wide)
    }
    #expect(sample(.crop) == [100, 150, 100, 150])
    #expect(sample(.stretch) == [50, 200, 50, 200])
    #expect(sample(.pad) == [50, 200, 0, 0])
    let tall = ImageFolderImporter("", height: 3, width: 6, channels: .grey, fit: .pad)
      .sample(Image(height: 3, width: 2, channels: .grey, pixels: [1, 2, 3, 4, 5, 6]))
    #expect(tall == [0, 0, 1, 2, 0, 0, 0, 0, 3, 4, 0, 0, 0, 0, 5, 6, 0, 0])
  }

  @Test("folders without classes or images are named")
  func empty() throws {
    try withTemporaryFolder { folder in
      let importer = ImageFolderImporter("\(folder)/in", height: 6, width: 5)
      #expect(datasetError(.missingInput) { _ = try importer.write(to: "\(folder)/o.h5") }.contains("/in"))
      try FileManager.default.createDirectory(atPath: "\(folder)/in", withIntermediateDirectories: true)
      #expect(datasetError(.badData) { _ = try importer.write(to: "\(folder)/o.h5") }.contains("each class"))
      try FileManager.default.createDirectory(atPath: "\(folder)/in/a", withIntermediateDirectories: true)
      #expect(datasetError(.badData) { _ = try importer.write(to: "\(folder)/o.h5") }.contains("no PNG"))
    }
  }

  private func bytes(_ path: String) throws -> [UInt8] { try WholeFile.read(path, limit: 1 << 20) }

  /// Writes pictures under these names, of whatever bytes, each of its own colours.
  private func write(_ names: [[UInt8]], in folder: String) throws {
    for (index, name) in names.enumerated() {
      let path = "\(folder)/\(PathText.text(of: name))"
      #expect(Folder.make(Folder.parent(of: path)))
      try ImageFile.write(image(index), to: path)
    }
  }

  private func write(_ names: String..., in folder: String) throws {
    try write(names.map { Array($0.utf8) }, in: folder)
  }

  private func importing(_ folder: String) -> (summary: ImportSummary?, error: String) {
    do {
      let summary = try ImageFolderImporter(folder, height: 6, width: 5).write(
        to: "\(folder).h5", overwrite: true)
      return (summary, "")
    } catch { return (nil, "\(error)") }
  }

  @Test("folders and files whose names are not UTF-8 are read like others")
  func bytesOfNames() throws {
    try withTemporaryFolder { folder in
      let caf = Array("caf".utf8)
      let one = Array("/1.png".utf8)
      var names = ["a/1.png", "a/2.png"].map { Array($0.utf8) }
      names.append(Array("a/".utf8) + [0xE4] + Array(".png".utf8))
      names.append(caf + [0xE9] + one)
      names.append(caf + [0xE8] + one)
      names.append(Array("café/1.png".utf8))
      try write(names, in: "\(folder)/in")
      let found = importing("\(folder)/in")
      // By bytes: C3 A9, E8, E9.
      #expect(found.summary?.classNames == ["a", "café", "caf\\xE8", "caf\\xE9"], "\(found)")
      #expect(found.summary?.notes.count == 2)
      let stored = try contents("\(folder)/in.h5")
      #expect(stored.labels == [0, 0, 0, 1, 2, 3])
      #expect(stored.bytes == [0, 1, 2, 5, 4, 3].flatMap { image($0).pixels })
    }
  }

  @Test("names that look alike are told apart: in one folder refused, of two splits the same class")
  func alikeNames() throws {
    try withTemporaryFolder { folder in
      try write("train/B\u{e4}r/1.png", "train/x/1.png", "test/Ba\u{308}r/1.png", in: "\(folder)/in")
      #expect(importing("\(folder)/in").summary?.counts.map(\.count) == [2, 1])
      #expect(try contents("\(folder)/in.h5", "test").labels == [0])
      try write("train/Ba\u{308}r/1.png", in: "\(folder)/in")
      #expect(importing("\(folder)/in").error.contains("look alike"))
    }
  }

  @Test(
    "folders of splits are known in the spellings that people use",
    arguments: [
      (["train", "test"], ["train", "test"]), (["Training", "Testing"], ["train", "test"]),
      (["TRAIN", "VAL", "TEST"], ["train", "val", "test"]), (["Train", "Valid"], ["train", "valid"]),
      (["training_set", "test_set"], ["train", "test"]),
      (["train2017", "val2017"], ["train", "validation"]),
      (["Training Set", "Validation Set"], ["train", "validation"]),
      (["train", "dev"], ["train", "validation"]),
      (["train-images", "test-images"], ["train", "test"]),
      (["train", "eval", "test1"], ["train", "validation", "test"]),
      (["train"], ["train"]), (["trainset", "valset"], ["train", "validation"]),
    ])
  func spellings(folders: [String], splits: [String]) throws {
    try withTemporaryFolder { folder in
      for name in folders { try write("\(name)/a/1.png", "\(name)/b/1.png", in: "\(folder)/in") }
      let found = importing("\(folder)/in")
      #expect(found.summary?.counts.map(\.name) == splits, "\(found)")
      #expect(found.summary?.classNames == ["a", "b"] && found.summary?.notes == [])
    }
  }

  @Test("what could be splits or classes is asked about, and what is no split is not taken for one")
  func doubtfulFolders() throws {
    func outcome(_ names: String...) throws -> (summary: ImportSummary?, error: String) {
      try withTemporaryFolder { folder in
        try write(names.map { Array($0.utf8) }, in: "\(folder)/in")
        return importing("\(folder)/in")
      }
    }
    #expect(try outcome("train/1.png", "bus/1.png").summary?.classNames == ["bus", "train"])
    #expect(try outcome("train/a/1.png", "bus/1.png").error.contains("stands beside it"))
    #expect(try outcome("train/a/1.png", "Train/a/1.png", "test/a/1.png").error.contains("the same split"))
    #expect(try outcome("train/a/1.png", "test/a/1.png", "extra/a/1.png").error.contains("beside the splits"))
    #expect(try outcome("test/a/1.png", "val/a/1.png").error.contains("none for training"))
    #expect(
      try outcome("train/a/1.png", "train/b/1.png", "test/1.png").error.contains(
        "holds pictures but no class"))
    #expect(try outcome("1.png", "2.png").error.contains("holds pictures but no class"))
    #expect(try outcome("pets/cat/1.png", "pets/dog/1.png").error.contains("did you mean --from"))
    let wrapped = try outcome(
      "set/train/a/1.png", "set/train/b/1.png", "set/test/a/1.png", "set/test/b/1.png")
    #expect(wrapped.error.contains("did you mean --from") && wrapped.error.contains("/set"))
    for (training, later) in [
      ("seg_train", "seg_test"), ("train-10k", "val-10k"), ("birds train", "birds valid"),
    ] {
      let names = [training, later].flatMap { split in ["a", "b"].map { "\(split)/\(split)/\($0)/1.png" } }
      let doubtful = try withTemporaryFolder { folder in
        try write(names.map { Array($0.utf8) }, in: "\(folder)/in")
        return importing("\(folder)/in").error
      }
      #expect(doubtful.contains("seem to be splits") && doubtful.contains(later), "\(training): \(doubtful)")
    }
    #expect(try outcome("bullet train/1.png", "bus/1.png").summary?.classNames == ["bullet train", "bus"])
    let tested = try outcome("negative/1.png", "positive/1.png", "test/1.png").summary
    #expect(tested?.classNames == ["negative", "positive", "test"])
    #expect(tested?.notes.contains { $0.contains("/test was taken as a class") } == true)
    let nested = try outcome("a/x/1.png", "a/y/1.png", "b/x/1.png").summary
    #expect(nested?.classNames == ["a", "b"])
    #expect(
      nested?.notes.contains { $0.contains("a/x") && $0.contains("is a class") } == true,
      "\(nested?.notes ?? [])")
    let stray = try outcome("a/1.png", "b/1.png", "left.png").summary
    #expect(stray?.notes.contains { $0.contains("left.png") } == true)
  }

  @Test("what archives, file managers and notebooks leave behind is passed over")
  func litter() throws {
    try withTemporaryFolder { folder in
      let home = "\(folder)/in"
      try write(
        "a/1.png", "b/1.png", "__MACOSX/a/._1.png", "a/@eaDir/1.png", ".ipynb_checkpoints/1.png", in: home)
      for name in [".DS_Store", "a/.DS_Store", "a/Thumbs.db", "b/desktop.ini", "b/Icon\r", "a/._1.png"] {
        try WholeFile.write(Array("x".utf8), to: "\(home)/\(name)")
      }
      let found = importing(home)
      #expect(found.summary?.classNames == ["a", "b"] && found.summary?.counts[0].count == 2, "\(found)")
      #expect(found.summary?.notes == [])
      for name in ["a/2.webp", "a/3.WEBP", "b/2.bmp", "b/read me"] {
        try WholeFile.write([1], to: "\(home)/\(name)")
      }
      let notes = importing(home).summary?.notes ?? []
      #expect(notes.count == 1 && notes[0].contains("2 .webp, 1 .bmp, 1 read me"), "\(notes)")
      try Data(try bytes("\(home)/a/1.png")).write(to: URL(fileURLWithPath: "\(home)/b/2.JPEG"))
      try Data(try bytes("\(home)/a/1.png")).write(to: URL(fileURLWithPath: "\(home)/b/3.jfif"))
      #expect(importing(home).summary?.counts[0].count == 4)
    }
  }

  @Test("a link back to a folder above is no class's pictures; a file that is there twice gets a word")
  func links() throws {
    try withTemporaryFolder { folder in
      let home = "\(folder)/in"
      try write("a/1.png", "b/1.png", in: home)
      for (target, link) in [
        ("..", "a/up"), (".", "b/here"), ("../..", "b/far"), ("/", "a/root"), ("../../in", "a/round"),
      ] {
        #expect(symlink(target, "\(home)/\(link)") == 0)
      }
      let found = importing(home)
      #expect(try contents("\(home).h5").labels == [0, 1])
      #expect(found.summary?.notes.count { $0.contains("leads back") } == 5, "\(found)")
      #expect(symlink("../b", "\(home)/a/other") == 0)
      #expect(symlink("1.png", "\(home)/b/2.png") == 0)
      let notes = importing(home).summary?.notes ?? []
      #expect(notes.contains { $0.contains("in two classes") && $0.contains("more") }, "\(notes)")
    }
  }

  @Test("pictures of cameras lie as people see them, and how many were changed is said")
  func orientation() throws {
    try withTemporaryFolder { folder in
      let home = "\(folder)/in"
      let turned = Image(
        height: 5, width: 6, channels: .rgb, pixels: (0..<90).map { noise($0) })
      try write("a/1.png", in: home)
      try ImageFile.write(turned, to: "\(folder)/t.png")
      // A quarter turn clockwise, as a chunk behind the header.
      let exif: [UInt8] = [
        0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0,
      ]
      var png = try bytes("\(folder)/t.png")
      let chunk = [0, 0, 0, UInt8(exif.count)] + Array("eXIf".utf8) + exif + [0, 0, 0, 0]
      png.insert(contentsOf: chunk, at: 33)
      try WholeFile.write(png, to: "\(home)/a/2.png")
      var clear = Image(height: 6, width: 5, channels: .rgba, pixels: Array(repeating: 255, count: 120))
      clear.pixels[3] = 0
      try ImageFile.write(clear, to: "\(home)/a/3.png")
      var importer = ImageFolderImporter(home, height: 6, width: 5)
      var summary = try importer.write(to: "\(folder)/o.h5")
      let upright = turned.turnedUpright(from: .turnedLeft)
      #expect(try contents("\(folder)/o.h5").bytes[90..<180].elementsEqual(upright.pixels))
      #expect(try contents("\(folder)/o.h5").bytes[180..<184].elementsEqual([0, 0, 0, 255]))
      #expect(
        summary.notes.count == 2 && summary.notes[0].contains("1 picture was turned"), "\(summary.notes)")
      #expect(summary.notes[1].contains("laid on black"))
      importer.orientation = .stored
      summary = try importer.write(to: "\(folder)/s.h5")
      let cut = turned.filling(height: 6, width: 5)
      #expect(try contents("\(folder)/s.h5").bytes[90..<180].elementsEqual(cut.pixels))
      #expect(summary.notes[0].contains("left as stored"))
    }
  }

  @Test("a dataset says how its pictures were fitted, also after repacking")
  func handling() throws {
    try withTemporaryFolder { folder in
      try FileManager.default.createDirectory(atPath: "\(folder)/in/a", withIntermediateDirectories: true)
      try write(
        Image(height: 2, width: 8, channels: .grey, pixels: (0..<16).map { $0 }), "\(folder)/in/a/0.png")
      for fit in ImageFit.allCases {
        let handling = PictureHandling(fit: fit, orientation: .stored)
        #expect(PictureHandling(pairs: handling.pairs) == handling)
        let importer = ImageFolderImporter(
          "\(folder)/in", height: 4, width: 4, fit: fit, orientation: .stored)
        try importer.write(to: "\(folder)/\(fit).h5")
        try DatasetFile("\(folder)/\(fit).h5").repack(to: DatasetOutput("\(folder)/\(fit)-again.h5"))
        for file in ["\(fit)", "\(fit)-again"] {
          let dataset = try ImageDataset(
            path: "\(folder)/\(file).h5", images: "train/images", labels: "train/labels")
          #expect(dataset.origin?.pictures == handling)
        }
      }
      #expect(PictureHandling(pairs: ["fit=pad"]) == nil)
      #expect(PictureHandling(pairs: ["fit=squeeze", "orientation=upright"]) == nil)
    }
  }
}
