import Foundation
import ImageFiles
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
        #expect(summary.notes.count == 1)
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
    func sample(_ fit: ImageFolderImporter.Fit) -> [UInt8] {
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
}
