internal import Foundation

/// Scalars over steps in TensorBoard's event files, each once over any number of restarts.
///
/// Every process of a run has a file of its own, as TensorBoard expects. What earlier ones wrote after the step that training goes on
/// from is cut off, and a record in the new file tells a TensorBoard that has read it already to forget it.
public final class EventLog {
  /// A figure with its name, `test/accuracy`; TensorBoard groups by what stands before the slash.
  public struct Scalar: Hashable, Sendable {
    public let tag: String
    public let value: Double

    public init(_ tag: String, _ value: Double) {
      self.tag = tag
      self.value = value
    }
  }

  /// Whether a record stays when a training goes on: one of a step, or of an epoch (from 1) that ended with the step.
  public typealias Rule = (_ step: Int, _ epoch: Int?) -> Bool

  /// The tag by whose value the records of epochs are known.
  public static let epochTag = "epoch"
  public static let prefix = "events.out.tfevents."

  public let path: String
  private let file: FileHandle
  private var pending = Data()

  /// Cuts earlier files and begins a new one.
  ///
  /// - Parameters:
  ///   - step: after which training goes on; nil for a training from its beginning, which takes all earlier files away.
  ///   - isKept: what stays of the earlier files, up to the first record that does not.
  ///   - time: seconds since 1970; part of the file's name.
  /// - Throws: Foundation's errors of reading and writing.
  public init(
    directory: String, host: String, goingOnAfter step: Int?, keeping isKept: Rule = { _, _ in true },
    time: Double
  ) throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: directory)
      .filter { $0.hasPrefix(Self.prefix) }.sorted()
    for name in names { try Self.cut("\(directory)/\(name)", isFresh: step == nil, keeping: isKept) }
    // Readers take files in the order of their names.
    let last = names.last.flatMap { Int($0.dropFirst(Self.prefix.count).prefix { $0.isNumber }) } ?? 0
    let safeHost = String(host.map { $0.isLetter || $0.isNumber || "-_.".contains($0) ? $0 : "_" })
    path = "\(directory)/\(Self.prefix)\(max(Int(time), last + 1)).\(safeHost)"
    guard FileManager.default.createFile(atPath: path, contents: nil) else {
      throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: path])
    }
    file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try add(Event(time: time, .fileVersion("brain.Event:2")))
    if let step { try add(Event(time: time, step: step + 1, .start)) }
    try flush()
  }

  deinit {
    try? flush()
    try? file.close()
  }

  /// Adds figures of a step; they are in the file after ``flush()``.
  public func append(_ scalars: [Scalar], step: Int, time: Double) throws {
    try add(Event(time: time, step: step, .scalars(scalars)))
  }

  /// Adds a message `Summary.Value`.
  func append(_ value: [UInt8], step: Int, time: Double) throws {
    try add(Event(time: time, step: step, .value(value)))
  }

  /// Hands everything that was added to the system.
  public func flush() throws {
    guard !pending.isEmpty else { return }
    try file.write(contentsOf: pending)
    pending.removeAll(keepingCapacity: true)
  }

  private func add(_ event: Event) throws {
    pending.append(contentsOf: EventRecord.frame(event.serialized()))
    if pending.count > 1 << 14 { try flush() }
  }

  /// Leaves the records that are to be kept, and nothing behind the first damaged one; a file without figures goes.
  private static func cut(_ path: String, isFresh: Bool, keeping isKept: Rule) throws {
    guard !isFresh, let contents = FileManager.default.contents(atPath: path) else {
      return try FileManager.default.removeItem(atPath: path)
    }
    let bytes = Array(contents)
    var end = 0
    var hasFigures = false
    while let record = EventRecord.read(bytes, at: end),
      let event = Event(record.message)
    {
      if case .scalars(let scalars) = event.what {
        let epoch = scalars.first { $0.tag == epochTag }.map { Int($0.value) }
        guard isKept(event.step, epoch) else { break }
        if !scalars.isEmpty { hasFigures = true }
      }
      end = record.end
    }
    guard hasFigures else { return try FileManager.default.removeItem(atPath: path) }
    guard end < bytes.count else { return }
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try file.truncate(atOffset: UInt64(end))
    try file.close()
  }
}
