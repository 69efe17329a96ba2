import Foundation

/// What a disk may hold after the power fails at some point of a recorded sequence of calls.
///
/// The model is stricter than most file systems: what a file holds is certain only after `fsync` of the file, which names a
/// folder has only after `fsync` of the folder. Until then each write may be missing or torn, and each change of a name
/// missing, in any combination: a rename may arrive before the data.
struct PowerLoss {
  /// Names and contents before the first call; all of it durable.
  let before: [String: [UInt8]]
  let calls: [RecordedCall]

  typealias Disk = [String: [UInt8]]

  /// Calls `body` with every disk that may be found if the power fails after the first `count` calls.
  func states(after count: Int, _ body: (Disk) throws -> Void) rethrows {
    let done = Array(calls[..<count])
    // Open choices: for each change that is not certain, in how many ways it may have arrived.
    var changes: [(call: RecordedCall, ways: Int)] = []
    for (index, call) in done.enumerated() {
      switch call.kind {
      case .write:
        changes.append((call, isFlushed(call.path, after: index, in: done) ? 1 : 2 + Self.tears(call).count))
      case .truncate:
        changes.append((call, isFlushed(call.path, after: index, in: done) ? 1 : 2))
      case .create, .rename, .unlink:
        let folder = Self.folder(call.kind == .rename ? call.target : call.path)
        changes.append((call, isFlushed(folder, after: index, in: done) ? 1 : 2))
      case .flush, .disturbance: break
      }
    }
    var choice = [Int](repeating: 0, count: changes.count)
    while true {
      try body(apply(zip(changes, choice).map { ($0.0.call, $0.1) }))
      guard let next = choice.indices.first(where: { choice[$0] + 1 < changes[$0].ways }) else { return }
      choice[next] += 1
      for index in 0..<next { choice[index] = 0 }
    }
  }

  /// Lengths to which a write may be cut: at every sector, and within the first and the last one.
  private static func tears(_ call: RecordedCall) -> [Int] {
    [1, call.data.count - 1].filter { $0 > 0 && $0 < call.data.count }
      + stride(from: 512, to: call.data.count, by: 512)
  }

  private static func folder(_ path: String) -> String {
    String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
  }

  private func isFlushed(_ path: String, after index: Int, in calls: [RecordedCall]) -> Bool {
    calls[(index + 1)...].contains { $0.kind == .flush && $0.path == path }
  }

  /// The disk after changes that arrived in the given way: 0 whole, 1 not at all, then torn.
  private func apply(_ changes: [(call: RecordedCall, way: Int)]) -> Disk {
    var contents: [Int: [UInt8]] = [:]
    var names: [String: Int] = [:]
    for (name, bytes) in before {
      names[name] = contents.count
      contents[contents.count] = bytes
    }
    // Which file a name means while the program runs; on the disk the name may be missing.
    var live = names
    for (call, way) in changes {
      switch call.kind {
      case .create:
        let file = live[call.path] ?? contents.count
        if contents[file] == nil { contents[file] = [] }
        live[call.path] = file
        if way == 0 { names[call.path] = file }
      case .rename:
        live[call.target] = live.removeValue(forKey: call.path)
        if way == 0 {
          names[call.target] = live[call.target]
          names[call.path] = nil
        }
      case .unlink:
        live[call.path] = nil
        if way == 0 { names[call.path] = nil }
      case .write:
        guard way != 1, let file = live[call.path] else { continue }
        let data = way == 0 ? call.data : Array(call.data[..<Self.tears(call)[way - 2]])
        var bytes = contents[file] ?? []
        let end = call.offset + data.count
        if bytes.count < end { bytes += [UInt8](repeating: 0, count: end - bytes.count) }
        bytes.replaceSubrange(call.offset..<end, with: data)
        contents[file] = bytes
      case .truncate:
        guard way == 0, let file = live[call.path] else { continue }
        contents[file] = Array((contents[file] ?? []).prefix(call.offset))
      case .flush, .disturbance: break
      }
    }
    return names.compactMapValues { contents[$0] }
  }
}
