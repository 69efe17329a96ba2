import Foundation
import HDF5

/// What a training left in its run directory: all that no interruption may change.
struct RunContents {
  let directory: String

  private var folder: String { "\(directory)/checkpoints" }

  /// Names of the checkpoints, the oldest first.
  var checkpoints: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
      .filter { $0.hasPrefix("checkpoint-") }.sorted()
  }

  var lastCheckpoint: String? { checkpoints.last.map { "\(folder)/\($0)" } }

  /// Whether a checkpoint is being written now.
  var isWritingCheckpoint: Bool {
    guard let stream = opendir(folder) else { return false }
    defer { closedir(stream) }
    while let entry = readdir(stream) {
      let isPart = withUnsafePointer(to: &entry.pointee.d_name) { name in
        name.withMemoryRebound(to: CChar.self, capacity: 256) {
          $0[0] == 46 && String(cString: $0).hasSuffix(".part")
        }
      }
      if isPart { return true }
    }
    return false
  }

  /// Whether so many epochs are done, or as many of them as it takes to stop early.
  func isFinished(epochs: Int) -> Bool {
    struct State: Decodable {
      let phase: String
      let epochs: Int
    }
    let state = try? JSONDecoder().decode(State.self, from: Data(text("state.json").utf8))
    return state?.phase == "finished" && state?.epochs == epochs
  }

  func text(_ name: String) -> String {
    String(decoding: FileManager.default.contents(atPath: "\(directory)/\(name)") ?? Data(), as: UTF8.self)
  }

  // MARK: - Differences

  /// What differs from another run, one line each; at most some of it.
  func differences(from other: RunContents) -> [String] {
    var lines: [String] = []
    if checkpoints.last != other.checkpoints.last {
      lines.append(
        "the last checkpoint is \(checkpoints.last ?? "none"), not \(other.checkpoints.last ?? "none")")
    }
    let common = checkpoints.filter(Set(other.checkpoints).contains)
    for name in common.reversed() {
      do {
        let found = try Self.objects("\(folder)/\(name)")
        let wanted = try Self.objects("\(other.folder)/\(name)")
        // Of the last step of an epoch there is a state before the evaluation and one behind it.
        guard Self.moment.allSatisfy({ found[$0] == wanted[$0] }) || name == checkpoints.last else {
          continue
        }
        lines += Self.differences(found, wanted).map { "\(name): \($0)" }
      } catch {
        lines.append("\(name): \(error)")
      }
    }
    for (name, drops) in [("metrics.csv", true), ("steps.csv", false)] {
      let found = Self.rows(text(name), dropsTimes: drops)
      let wanted = Self.rows(other.text(name), dropsTimes: drops)
      if let row = (0..<max(found.count, wanted.count)).first(where: { found.at($0) != wanted.at($0) }) {
        lines.append(
          "\(name), line \(row + 1): \(found.at(row) ?? "missing"), not \(wanted.at(row) ?? "there")")
      }
    }
    if text("log.txt").localizedCaseInsensitiveContains("damaged") {
      lines.append("log.txt tells of a damaged file")
    }
    return lines
  }

  /// The rows of a table, without the columns of wall-clock time.
  private static func rows(_ text: String, dropsTimes: Bool) -> [String] {
    let rows = text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    let kept = (rows.first ?? []).indices.filter { !dropsTimes || !rows[0][$0].contains("second") }
    return rows.map { row in
      row.count == rows[0].count ? kept.map { row[$0] }.joined(separator: ",") : row.joined(separator: ",")
    }
  }

  // MARK: - Checkpoints

  /// An attribute or a dataset.
  private enum Object: Equatable {
    case texts([String])
    /// Numbers by their bits, so that NaN is NaN.
    case numbers(shape: [Int], [UInt64])
  }

  /// What every run has of its own.
  private static let ownAttributes: Set<String> = ["/convoy@run_id", "/convoy/state@seconds"]

  /// Where in a training a checkpoint is.
  private static let moment = ["/convoy/state@epoch", "/convoy/state@position"]

  private static func objects(_ path: String) throws -> [String: Object] {
    let file = try HDF5.File.open(path)
    var found: [String: Object] = [:]
    try collect(try file.root, "", &found)
    return found.filter { !ownAttributes.contains($0.key) }
  }

  private static func collect(_ group: Group, _ path: String, _ found: inout [String: Object]) throws {
    try collect(group.attributes, path, &found)
    for member in try group.members() {
      let name = "\(path)/\(member.name)"
      switch member.kind {
      case .group: try collect(try group.group(member.name), name, &found)
      case .dataset:
        let dataset = try group.dataset(member.name)
        found[name] = .numbers(shape: dataset.shape, try dataset.read(Double.self).map(\.bitPattern))
        try collect(dataset.attributes, name, &found)
      case .namedType, .unresolved: found[name] = .texts(["\(member.kind)"])
      }
    }
  }

  private static func collect(
    _ attributes: Attributes, _ path: String, _ found: inout [String: Object]
  ) throws {
    for name in try attributes.names() {
      let key = "\(path)@\(name)"
      if let texts = try? attributes.strings(name) {
        // These may change from start to start.
        found[key] = .texts(
          texts.map { text in
            text.split(separator: "\n").filter { line in
              !["memory_limit:", "epochs:"].contains { line.contains($0) }
            }.joined(separator: "\n")
          })
      } else {
        found[key] = .numbers(
          shape: try attributes.shape(name), try attributes.numbers(name, as: Double.self).map(\.bitPattern))
      }
    }
  }

  private static func differences(_ found: [String: Object], _ wanted: [String: Object]) -> [String] {
    Set(found.keys).union(wanted.keys).sorted().compactMap { key in
      switch (found[key], wanted[key]) {
      case (let left?, let right?): left == right ? nil : "\(key) \(describe(left, right))"
      case (nil, _): "\(key) is missing"
      case (_, nil): "\(key) is there and should not be"
      }
    }
  }

  private static func describe(_ left: Object, _ right: Object) -> String {
    guard case .numbers(let shape, let found) = left, case .numbers(shape, let wanted) = right else {
      return "is \(left), not \(right)"
    }
    let places = found.indices.filter { found[$0] != wanted[$0] }
    guard let first = places.first else { return "differs" }
    let values = "\(Double(bitPattern: found[first])), not \(Double(bitPattern: wanted[first]))"
    return "differs in \(places.count) of \(found.count) numbers, first at \(first): \(values)"
  }
}

extension Array {
  fileprivate func at(_ index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
