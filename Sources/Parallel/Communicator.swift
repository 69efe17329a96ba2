internal import Tensors

/// One of the ranks that take every step of a training together: processes on several nodes, or threads of one process.
///
/// All ranks call the same methods in the same order. Ranks only move bytes here; nothing is added or compared, so that
/// no result depends on how a library moves them.
public protocol Communicator: Sendable {
  /// This rank's number, from 0.
  var rank: Int { get }
  /// How many ranks there are, 1 or more.
  var size: Int { get }
  /// The names of the nodes that the ranks run on, by rank.
  var nodes: [String] { get }

  /// Begins to send bytes to each rank and to receive bytes from each; what a rank has for itself is left alone.
  ///
  /// The memory belongs to the exchange until ``finish(_:)``. Several may be under way, up to eight; all ranks begin and finish them in
  /// the same order.
  /// - Parameters:
  ///   - outgoing: what each rank gets, by rank; empty for nothing.
  ///   - incoming: where to put what comes from each, by rank, as many bytes as that rank sends.
  /// - Throws: ``CommunicationError`` where a rank is gone.
  func startExchange(
    _ outgoing: [UnsafeRawBufferPointer], _ incoming: [UnsafeMutableRawBufferPointer]
  ) throws(CommunicationError) -> Exchange

  /// Waits until everything of an exchange is sent and received.
  ///
  /// - Throws: ``CommunicationError`` where a rank is gone or does not answer in time.
  func finish(_ exchange: Exchange) throws(CommunicationError)

  /// Gives every rank the parts of all: each has its own part in place and receives the others.
  ///
  /// - Parameters:
  ///   - base: the start of the memory that the parts are of.
  ///   - parts: the bytes of each rank, by rank; the same on all of them.
  /// - Throws: ``CommunicationError`` where a rank is gone or does not answer in time.
  func gather(_ base: UnsafeMutableRawPointer, parts: [Range<Int>]) throws(CommunicationError)

  /// Ends all ranks, because this one cannot go on; returns only where ranks are threads, whose calls then fail.
  ///
  /// - Parameter code: the exit code of the process.
  func abort(code: Int32)
}

/// An exchange under way.
public struct Exchange: Hashable, Sendable {
  /// The communicator's own number for it.
  public let number: Int

  /// Takes the communicator's own number.
  public init(number: Int) { self.number = number }
}

/// Why ranks cannot go on together.
public struct CommunicationError: Error, CustomStringConvertible, Sendable {
  /// One line: which rank on which node, and what about it.
  public let description: String

  /// Takes the reason as one line.
  public init(_ description: String) { self.description = description }
}

/// The only rank of a training that runs in one process.
public struct SoleRank: Communicator {
  /// A rank without others.
  public init() {}

  /// 0.
  public var rank: Int { 0 }
  /// 1.
  public var size: Int { 1 }
  /// No name: there is nothing to tell apart.
  public var nodes: [String] { [""] }

  /// Nothing: there is nobody to send to.
  public func startExchange(
    _ outgoing: [UnsafeRawBufferPointer], _ incoming: [UnsafeMutableRawBufferPointer]
  ) -> Exchange { Exchange(number: 0) }

  /// Nothing: nothing was sent.
  public func finish(_ exchange: Exchange) {}

  /// Nothing: the own part is all there is.
  public func gather(_ base: UnsafeMutableRawPointer, parts: [Range<Int>]) {}

  /// Nothing: nobody waits for this rank.
  public func abort(code: Int32) {}
}

// MARK: - What ranks tell each other

extension Communicator {
  /// Whether this is the rank that speaks and writes for all.
  public var isFirst: Bool { rank == 0 }
  /// Whether there are no others.
  public var isAlone: Bool { size == 1 }

  /// Sends bytes to each rank and receives bytes from each, as ``startExchange(_:_:)`` begins it.
  ///
  /// - Throws: ``CommunicationError`` where a rank is gone or does not answer in time.
  public func exchange(
    _ outgoing: [UnsafeRawBufferPointer], _ incoming: [UnsafeMutableRawBufferPointer]
  ) throws(CommunicationError) { try finish(try startExchange(outgoing, incoming)) }

  /// Returns once every rank has come here.
  ///
  /// - Throws: ``CommunicationError`` where a rank does not come.
  public func meet() throws(CommunicationError) { _ = try gather(UInt8(0)) }

  /// The values of all ranks, by rank.
  ///
  /// - Throws: ``CommunicationError`` where a rank is gone or does not answer in time.
  public func gather<Value: BitwiseCopyable & Sendable>(
    _ value: Value
  ) throws(CommunicationError) -> [Value] {
    if isAlone { return [value] }
    let values = AlignedBuffer(repeatElement(value, count: size))
    let stride = MemoryLayout<Value>.stride
    try gather(values.baseAddress, parts: (0..<size).map { $0 * stride..<($0 + 1) * stride })
    return values.array()
  }

  /// The bytes of all ranks, by rank, which may be of different lengths.
  ///
  /// - Throws: ``CommunicationError`` where a rank is gone or does not answer in time.
  public func gather(bytes own: [UInt8]) throws(CommunicationError) -> [[UInt8]] {
    if isAlone { return [own] }
    var ends: [Int] = []
    for count in try gather(own.count) { ends.append((ends.last ?? 0) + count) }
    let parts = ends.indices.map { ($0 == 0 ? 0 : ends[$0 - 1])..<ends[$0] }
    let all = AlignedBuffer<UInt8>(count: ends.last ?? 0)
    for (index, byte) in own.enumerated() { all.baseAddress[parts[rank].lowerBound + index] = byte }
    try gather(all.baseAddress, parts: parts)
    return parts.map { Array(all.elements[$0]) }
  }

  /// The texts of all ranks, by rank.
  ///
  /// - Throws: ``CommunicationError`` where a rank is gone or does not answer in time.
  public func gather(text: String) throws(CommunicationError) -> [String] {
    try gather(bytes: Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
  }

  /// What the first rank says.
  ///
  /// - Parameter value: taken on the first rank alone.
  /// - Throws: ``CommunicationError`` where a rank is gone or does not answer in time.
  public func first<Value: BitwiseCopyable & Sendable>(_ value: Value) throws(CommunicationError) -> Value {
    try gather(value)[0]
  }

  /// The text that the first rank has.
  ///
  /// - Throws: ``CommunicationError`` where a rank is gone or does not answer in time.
  public func first(text: String) throws(CommunicationError) -> String {
    try gather(text: isFirst ? text : "")[0]
  }

  /// Brings parts of a buffer, one of each rank, together on the first rank.
  ///
  /// - Parameters:
  ///   - own: this rank's part.
  ///   - whole: where the first rank puts all parts, as many bytes as they have; nil on the others.
  ///   - parts: the bytes of each rank in the whole, by rank.
  /// - Throws: ``CommunicationError`` where a rank is gone or does not answer in time.
  public func collect(
    _ own: UnsafeRawBufferPointer, into whole: UnsafeMutableRawPointer?, parts: [Range<Int>]
  ) throws(CommunicationError) {
    let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
    let nowhere = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    guard isFirst, let whole else {
      var outgoing = [UnsafeRawBufferPointer](repeating: nothing, count: size)
      outgoing[0] = own
      return try exchange(outgoing, [UnsafeMutableRawBufferPointer](repeating: nowhere, count: size))
    }
    if let start = own.baseAddress {
      (whole + parts[rank].lowerBound).copyMemory(from: start, byteCount: own.count)
    }
    let incoming = parts.map {
      UnsafeMutableRawBufferPointer(start: whole + $0.lowerBound, count: $0.count)
    }
    try exchange([UnsafeRawBufferPointer](repeating: nothing, count: size), incoming)
  }
}
