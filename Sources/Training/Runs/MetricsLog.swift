internal import Foundation

#if canImport(Glibc)
  internal import Glibc
#endif

/// `metrics.csv`, one row per epoch, or `steps.csv`, one per step: without gaps or doubles over any number of restarts.
struct MetricsLog {
  private var file: FileDescriptor
  /// Bytes of whole rows in the file.
  private var length: Int
  /// Rows that the disk has not taken yet.
  private var pending = ""
  private let bufferByteCount: Int

  /// Opens the table and cuts off every row that the checkpoint does not know, and a last row that was not finished.
  ///
  /// - Parameters:
  ///   - columns: their names, `step` and `epoch` among them; a table with others is started over.
  ///   - sumsUpEpochs: whether a row stands for its epoch, or else for its step.
  ///   - progress: how far the checkpoint is that training goes on from; nil starts an empty table.
  ///   - emptied: columns whose cells are emptied in the rows that stay.
  ///   - bufferByteCount: rows are written once there are more bytes of them; 0 writes each at once.
  init(
    path: String, columns: [String], sumsUpEpochs: Bool = true, goingOnFrom progress: TrainingProgress?,
    emptying emptied: Set<String> = [], bufferByteCount: Int = 0
  ) throws(TrainingError) {
    self.bufferByteCount = bufferByteCount
    file = try FileDescriptor(path, O_RDWR | O_CREAT | O_NOFOLLOW, or: .cannotCreate)
    let header = columns.joined(separator: ",") + "\n"
    let text = String(decoding: try file.readAll(), as: UTF8.self)
    var kept = header
    if let progress, text.hasPrefix(header) {
      // Line by line: a table's lines together would take many times its memory.
      var rest = text.utf8.dropFirst(header.utf8.count)
      while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
        let line = Substring(rest[..<end])
        rest = rest[end...].dropFirst()
        let cells = line.split(separator: ",", omittingEmptySubsequences: false)
        func number(_ column: String) -> Int? {
          columns.firstIndex(of: column).flatMap { cells.indices.contains($0) ? Int(cells[$0]) : nil }
        }
        guard let step = number("step"), let epoch = number("epoch"),
          progress.covers(step: step, epoch: sumsUpEpochs ? epoch : nil)
        else { break }
        let row = cells.enumerated().map {
          columns.indices.contains($0.offset) && emptied.contains(columns[$0.offset]) ? "" : $0.element
        }
        kept += row.joined(separator: ",") + "\n"
      }
    }
    length = kept.utf8.count
    if !text.hasPrefix(kept) {
      // Whoever is killed now leaves the former table or the new one.
      let parts = path.split(separator: "/", omittingEmptySubsequences: false)
      try AtomicFile.write(kept, as: String(parts.last ?? ""), in: parts.dropLast().joined(separator: "/"))
      file = try FileDescriptor(path, O_RDWR | O_NOFOLLOW, or: .cannotCreate)
    }
    // A table that only grows is cut in place; cutting cannot leave half a row behind.
    guard ftruncate(file.value, off_t(length)) == 0, lseek(file.value, 0, SEEK_END) >= 0 else {
      throw .system(.inputOutput, "cannot cut \(path)")
    }
  }

  /// Adds a row.
  ///
  /// - Throws: what writing it failed with; the row is kept and written before the next one.
  mutating func append(_ row: [String]) throws(TrainingError) {
    pending += row.joined(separator: ",") + "\n"
    if pending.utf8.count > bufferByteCount { try write() }
  }

  /// Writes the rows that wait.
  mutating func flush() throws(TrainingError) { try write() }

  /// Makes the rows so far durable; before a checkpoint, which must not know more than the table.
  mutating func synchronize() throws(TrainingError) {
    try write()
    try file.synchronize()
  }

  private mutating func write() throws(TrainingError) {
    guard !pending.isEmpty else { return }
    do throws(TrainingError) { try file.write(pending) } catch {
      // Half a row must not stay in front of the next attempt; cutting needs no room.
      _ = ftruncate(file.value, off_t(length))
      _ = lseek(file.value, 0, SEEK_END)
      throw error
    }
    length += pending.utf8.count
    pending = ""
  }
}
