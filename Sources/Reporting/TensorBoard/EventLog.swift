internal import Foundation
internal import Glibc
internal import Paths
internal import Protobuf

/// Scalars over steps in TensorBoard's event files; each appears once, however often a run is restarted.
///
/// Every process of a run has a file of its own, as TensorBoard expects. Records that earlier processes wrote after the step from
/// which training goes on are cut off, and a record in the new file tells a TensorBoard that has already read them to forget them.
public final class EventLog {
  /// What could not be done to a file, with the system's reason.
  public struct Failure: Error, CustomStringConvertible, Sendable {
    /// What could not be done, and why.
    public let description: String

    init(_ what: String) { description = "\(what): \(String(cString: strerror(errno)))" }
  }

  /// A figure with its name.
  public struct Scalar: Hashable, Sendable {
    /// The name, such as `test/accuracy`; TensorBoard groups by the part before the slash.
    public let tag: String
    /// The value, which the file holds as a `Float`.
    public let value: Double

    /// A figure with its name.
    public init(_ tag: String, _ value: Double) {
      self.tag = tag
      self.value = value
    }
  }

  /// Whether a record is kept when a training goes on: the record of a step, or of an epoch (from 1) that ended with that step.
  public typealias Rule = (_ step: Int, _ epoch: Int?) -> Bool

  /// The tag by which the records of epochs are recognised; its value is the epoch's number.
  public static let epochTag = "epoch"
  /// How the names of event files begin.
  public static let prefix = "events.out.tfevents."

  /// The path of this process's file.
  public let path: String
  private let file: Int32
  private var pending: [UInt8] = []

  /// Cuts earlier files and begins a new one.
  ///
  /// - Parameters:
  ///   - step: the step after which training goes on; nil for a new training, which deletes all earlier files.
  ///   - isKept: decides which records of earlier files are kept; they end at the first record that is not.
  ///   - time: seconds since 1970, which become part of the file's name.
  /// - Throws: ``Failure`` for files that cannot be read or written.
  public init(
    directory: String, host: String, goingOnAfter step: Int?, keeping isKept: Rule = { _, _ in true },
    time: Double
  ) throws {
    guard let found = Folder.names(in: directory) else { throw Failure("\(directory) cannot be read") }
    let names = found.filter { $0.hasPrefix(Self.prefix) }
    for name in names { try Self.cut("\(directory)/\(name)", isFresh: step == nil, keeping: isKept) }
    // Readers take files in the order of their names.
    let last = names.last.flatMap { Int($0.dropFirst(Self.prefix.count).prefix { $0.isNumber }) } ?? 0
    let safeHost = String(host.map { $0.isLetter || $0.isNumber || "-_.".contains($0) ? $0 : "_" })
    path = "\(directory)/\(Self.prefix)\(max(Int(time), last + 1)).\(safeHost)"
    file = open(path.systemPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard file >= 0 else { throw Failure("\(path) cannot be made") }
    try add(Event(time: time, .fileVersion("brain.Event:2")))
    if let step { try add(Event(time: time, step: step + 1, .start)) }
    try flush()
  }

  deinit {
    try? flush()
    if file >= 0 { close(file) }
  }

  /// Adds figures of a step; they reach the file with ``flush()`` at the latest.
  public func append(_ scalars: [Scalar], step: Int, time: Double) throws {
    try add(Event(time: time, step: step, .scalars(scalars)))
  }

  /// Adds a value that is more than a scalar.
  func append(_ value: TensorBoardSummary.Value, step: Int, time: Double) throws {
    try add(Event(time: time, step: step, .value(value)))
  }

  /// Writes everything that was added to the file.
  public func flush() throws {
    guard !pending.isEmpty else { return }
    var rest = pending[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw Failure("\(path) cannot be written") }
      rest = rest.dropFirst(count)
    }
    pending.removeAll(keepingCapacity: true)
  }

  private func add(_ event: Event) throws {
    pending.append(contentsOf: EventRecord.frame(try event.serialized()))
    if pending.count > 1 << 14 { try flush() }
  }

  /// Leaves the records that are kept, up to the first damaged one, and deletes a file that then holds no figures.
  private static func cut(_ path: String, isFresh: Bool, keeping isKept: Rule) throws {
    guard !isFresh, let bytes = try? WholeFile.read(path, limit: .max) else { return try remove(path) }
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
    guard hasFigures else { return try remove(path) }
    guard end == bytes.count || truncate(path.systemPath, end) == 0 else {
      throw Failure("\(path) cannot be cut")
    }
  }

  private static func remove(_ path: String) throws {
    guard unlink(path.systemPath) == 0 else { throw Failure("\(path) cannot be removed") }
  }
}
