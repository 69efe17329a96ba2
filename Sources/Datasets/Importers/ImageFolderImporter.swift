internal import Foundation
public import ImageFiles
internal import Parallel
internal import Synchronization
internal import Tensors

/// A folder with a folder of PNG and JPEG files per class, or one level more: `train/cat/1.png`, `test/dog/7.jpg`.
///
/// Classes and files are taken in the order of their names' bytes. Several threads decode images. Transparent
/// images are laid on black; of 16 bits per channel the upper 8 are kept.
public struct ImageFolderImporter: DatasetImporter {
  /// What happens to a file that cannot be read.
  public enum Unreadable: String, Sendable, CaseIterable {
    /// The import fails.
    case stop
    /// The file is left out, with a note.
    case skip
  }

  /// The folder of class folders, or of splits.
  public var path: String
  /// Rows of each sample.
  public var height: Int
  /// Columns of each sample.
  public var width: Int
  /// Grey or RGB.
  public var channels: Image.Channels
  /// How an image is brought to the wanted proportions.
  public var fit: ImageFit
  /// What happens to a file that cannot be read.
  public var unreadable: Unreadable
  /// What is done with the orientation that a camera noted.
  public var orientation: OrientationUse

  /// An importer that by default crops to the wanted size and stops at unreadable files.
  public init(
    _ path: String, height: Int, width: Int, channels: Image.Channels = .rgb, fit: ImageFit = .crop,
    unreadable: Unreadable = .stop, orientation: OrientationUse = .upright
  ) {
    precondition(channels != .rgba, "samples are grey or RGB")
    self.path = path
    self.height = height
    self.width = width
    self.channels = channels
    self.fit = fit
    self.unreadable = unreadable
    self.orientation = orientation
  }

  /// Reads everything and writes the dataset.
  public func write(to output: DatasetOutput, progress: (Double) throws -> Void) throws -> ImportSummary {
    let listing = try ImageFolderListing(path, check: output.check)
    let writer = try DatasetWriter(output)
    let total = Double(listing.splits.reduce(0) { $0 + $1.files.count })
    let sampleByteCount = height * width * channels.rawValue
    var notes = listing.notes
    let remarks = PictureRemarks()
    var counts: [(name: String, count: Int)] = []
    var done = 0
    for split in listing.splits {
      var labels: [Int32] = []
      var next = 0
      let count = try writer.writeImages(
        "\(split.name)/images", sampleShape: [height, width, channels.rawValue], pixelType: .uint8,
        capacity: split.files.count,
        facts: DatasetWriter.ImageFacts(pictures: PictureHandling(fit: fit, orientation: orientation))
      ) { memory in
        // One file for each place; unreadable files leave holes, which are closed before the next files come.
        while next < split.files.count {
          let files = Array(split.files[next..<min(next + memory.count / sampleByteCount, split.files.count)])
          next += files.count
          let problems = try decode(files, into: memory, output, remarks)
          var kept = 0
          for (place, file) in files.enumerated() {
            if let problem = problems[place] {
              notes.append("left out: \(problem)")
              continue
            }
            if kept != place, let base = memory.baseAddress {
              (base + kept * sampleByteCount).copyMemory(
                from: base + place * sampleByteCount, byteCount: sampleByteCount)
            }
            labels.append(file.label)
            kept += 1
          }
          try progress(Double(done + next) / total)
          if kept > 0 { return kept }
        }
        return 0
      }
      try writer.writeLabels("\(split.name)/labels", labels, classNames: listing.classNames)
      counts.append((split.name, count))
      done += split.files.count
    }
    try writer.finish()
    return ImportSummary(
      path: output.path, counts: counts, sampleShape: [height, width, channels.rawValue],
      classNames: listing.classNames, notes: notes + remarks.notes(orientation))
  }

  /// Decodes files side by side, each to its place.
  ///
  /// - Returns: for each file why it could not be read, nil where it could.
  /// - Throws: the first problem that stops the import.
  private func decode(
    _ files: [ImageFolderListing.File], into memory: UnsafeMutableRawBufferPointer, _ output: DatasetOutput,
    _ remarks: PictureRemarks
  ) throws -> [String?] {
    let size = height * width * channels.rawValue
    let samples = AlignedBuffer<UInt8>(count: files.count * size)
    let problems = files.map { _ in FileProblem() }
    let next = Atomic<Int>(0)
    let isStopped = Atomic<Bool>(false)
    WorkerThreads.share(among: max(1, min(output.threads, files.count))) { _ in
      while !isStopped.load(ordering: .relaxed) {
        let place = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard place < files.count else { return }
        do {
          try output.check()
          let picture = try ImageFile.picture(files[place].path)
          remarks.count(picture)
          let pixels = sample(picture.image(orientation))
          (samples.baseAddress + place * size).update(from: pixels, count: size)
        } catch {
          problems[place].error.withLock { $0 = error }
          // Files are handed out in order, so the first problem is always found.
          if unreadable == .stop || !(error is ImageError) { isStopped.store(true, ordering: .relaxed) }
        }
      }
    }
    let errors = problems.map { problem in problem.error.withLock { $0 } }
    for error in errors {
      guard let error else { continue }
      guard let image = error as? ImageError else { throw error }
      if unreadable == .stop { throw DatasetError(image) }
    }
    UnsafeMutableRawBufferPointer(rebasing: memory[..<samples.byteCount]).copyMemory(
      from: UnsafeRawBufferPointer(samples.elements))
    return errors.map { $0.map { "\($0)" } }
  }

  /// The pixels of an image at the wanted size, in the wanted channels.
  func sample(_ image: Image) -> [UInt8] {
    image.converted(to: channels).fitted(fit, height: height, width: width).pixels
  }
}

/// How many pictures were changed in ways that a person should know of.
private final class PictureRemarks: Sendable {
  private let turned = Atomic<Int>(0)
  private let transparent = Atomic<Int>(0)
  private let deep = Atomic<Int>(0)

  /// Counts a picture; it may be called from any thread.
  func count(_ picture: ImageFile.Picture) {
    if picture.orientation != .upright { turned.wrappingAdd(1, ordering: .relaxed) }
    if picture.isTransparent { transparent.wrappingAdd(1, ordering: .relaxed) }
    if picture.isDeep { deep.wrappingAdd(1, ordering: .relaxed) }
  }

  func notes(_ orientation: OrientationUse) -> [String] {
    let turned =
      switch orientation {
      case .upright: "turned as the camera noted (--orientation stored keeps them as they are stored)"
      case .stored: "left as stored, although the camera noted another orientation"
      }
    let texts = [
      (self.turned.load(ordering: .relaxed), turned),
      (transparent.load(ordering: .relaxed), "partly transparent and laid on black"),
      (deep.load(ordering: .relaxed), "stored with 16 bits per channel, of which the upper 8 were kept"),
    ]
    return texts.filter { $0.0 > 0 }.map { count, text in
      "\(counted(count, "picture")) \(count == 1 ? "was" : "were") \(text)"
    }
  }
}

/// What was wrong with one file.
private final class FileProblem: Sendable {
  let error = Guarded<(any Error)?>(nil)
}

extension DatasetError {
  init(_ error: ImageError) {
    let kind: Kind =
      switch error.kind {
      case .missingInput: .missingInput
      case .badData: .badData
      case .cannotCreate: .cannotCreate
      case .inputOutput: .inputOutput
      }
    self.init(kind, error.description)
  }
}
