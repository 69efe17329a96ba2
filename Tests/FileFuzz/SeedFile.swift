import Foundation
import TestSupport

/// A sound file, and how the program reads it.
struct SeedFile {
  /// Its name and the command, for messages.
  let name: String
  let format: String
  let bytes: [UInt8]
  /// Its path in a folder of its own.
  private let path: String
  /// Other files of that folder, by their paths.
  private let others: [String: [UInt8]]
  /// The command, with FILE, FOLDER and OUT for paths.
  private let command: [String]
  /// What it is packed in.
  private let packing: Packing?
  private let isText: Bool
  private let checksums: MetadataChecksums?

  /// - Parameters:
  ///   - source: where the file is.
  ///   - path: its path in the folder; `a` with its ending where nil.
  ///   - others: the other files, by their paths in the folder.
  ///   - command: with FILE, FOLDER/… and OUT for paths.
  init(
    _ format: String, _ source: String, as path: String? = nil, others: [String: String] = [:],
    packing: Packing? = nil, isText: Bool = false, _ command: String
  ) throws {
    self.format = format
    name = "\(URL(fileURLWithPath: source).lastPathComponent) (\(command.prefix(40)))"
    bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: source)))
    self.path = path ?? "a.\(URL(fileURLWithPath: source).pathExtension)"
    self.others = try others.mapValues { [UInt8](try Data(contentsOf: URL(fileURLWithPath: $0))) }
    self.command = command.split(separator: " ").map(String.init)
    self.packing = packing
    self.isText = isText
    checksums = source.hasSuffix(".h5") ? MetadataChecksums(bytes) : nil
  }

  func arguments(_ folder: String) -> [String] {
    command.map { word in
      switch word {
      case "FILE": "\(folder)/\(path)"
      case "OUT": "\(folder)/out.h5"
      case "FOLDER": folder
      case _ where word.hasSuffix("=FILE"): "\(word.dropLast("FILE".count))\(folder)/\(path)"
      default: word.hasPrefix("FOLDER/") ? folder + word.dropFirst("FOLDER".count) : word
      }
    }
  }

  /// Puts bytes in the file's place into a new folder.
  ///
  /// - Returns: the folder.
  func place(_ bytes: [UInt8], in folder: String) throws -> String {
    try? FileManager.default.removeItem(atPath: folder)
    for (path, bytes) in others.merging([path: bytes], uniquingKeysWith: { $1 }) {
      let target = URL(fileURLWithPath: "\(folder)/\(path)")
      try FileManager.default.createDirectory(
        at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(bytes).write(to: target)
    }
    return folder
  }

  /// Whether the command writes one file, so that one that is refused leaves nothing behind.
  var leavesOneFile: Bool { command.contains("OUT") }

  /// The names of the files that ``place(_:in:)`` makes at the top of the folder.
  var placedNames: Set<String> {
    Set((others.keys + [path]).map { String($0.prefix { $0 != "/" }) })
  }

  // MARK: - Damage

  /// The file with damage, with the checksums that a person would put right who wants to do harm.
  func damaged(_ dice: inout SplitMix64) -> [UInt8] {
    if let packing, dice.next(below: 3) > 0 {
      let isBomb = dice.next(below: 150) == 0
      let packed = packing.repacked(bytes) { inner in
        inner = Mutation.damaged(inner, isText: isText, &dice)
        if isBomb { inner += [UInt8](repeating: UInt8(dice.next(below: 2)), count: 160 << 20) }
      }
      if let packed { return packed }
    }
    let damaged = Mutation.damaged(bytes, isText: isText && packing == nil, &dice)
    // Now and then not: what a broken disk does is tried, too.
    guard dice.next(below: 6) > 0 else { return damaged }
    return sealed(damaged)
  }

  private func sealed(_ damaged: [UInt8]) -> [UInt8] {
    switch format {
    case "checkpoint":
      let inner = checksums?.sealing(damaged, as: bytes) ?? damaged
      return Checksums.sealingCheckpoint(inner)
    case "PNG": return Checksums.sealingPNG(damaged)
    default: return checksums?.sealing(damaged, as: bytes) ?? damaged
    }
  }
}
