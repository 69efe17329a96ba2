internal import Glibc
internal import Synchronization

/// Workers that take part in one group of pieces after another, and look for the next instead of sleeping: for groups of a few
/// microseconds, which waking a thread would double.
///
/// ``WorkerPool/lead(_:)`` makes one. Whoever leads hands groups out and works, too. It only waits for pieces that a helper has begun, so
/// that work ends on however few threads the system gives.
public final class WorkerTeam: @unchecked Sendable {
  // @unchecked because the work at hand is set before a group's ticket is published, and read by who has taken a piece of that group.

  private typealias Work = (Int) -> Void

  /// The group's number, how many pieces it has, and the next that nobody has taken: in one word, so that nobody can take a piece of a
  /// group that is over.
  private let ticket = Atomic<UInt64>(0)
  private let done = Atomic<Int>(0)
  private let isOver = Atomic<Bool>(false)
  private var work: Work?

  fileprivate init() {}

  /// Runs `body` for every index in `0..<count` and waits for all.
  ///
  /// Only the leader may call it, outside of pieces.
  /// - Throws: the error of the lowest index that failed; all pieces run in any case.
  public func forEach<Failure: Error>(
    count: Int, _ body: @escaping @Sendable (_ index: Int) throws(Failure) -> Void
  ) throws(Failure) {
    guard count > 1 else {
      if count == 1 { try body(0) }
      return
    }
    let failure = Guarded<(index: Int, error: Failure)?>(nil)
    run(count: count) { index in
      do throws(Failure) { try body(index) } catch {
        failure.withLock { first in
          if first.map({ index < $0.index }) ?? true { first = (index, error) }
        }
      }
    }
    if let first = failure.withLock({ $0 }) { throw first.error }
  }

  private func run(count: Int, _ work: @escaping Work) {
    precondition(count <= Self.pieceMask, "a group of \(count) pieces")
    self.work = work
    done.store(0, ordering: .relaxed)
    let number = ticket.load(ordering: .relaxed) >> (2 * Self.pieceBits) &+ 1
    ticket.store(
      number << (2 * Self.pieceBits) | UInt64(count) << Self.pieceBits, ordering: .releasing)
    while takePiece() {}
    // Helpers have begun what is left, so that it ends.
    var looks = 0
    while done.load(ordering: .acquiring) < count { Self.look(&looks) }
    self.work = nil
  }

  /// Takes a piece of the group at hand and does it; false where none is left.
  private func takePiece() -> Bool {
    while true {
      let seen = ticket.load(ordering: .acquiring)
      let piece = seen & Self.pieceMask
      guard piece < seen >> Self.pieceBits & Self.pieceMask else { return false }
      let (isTaken, _) = ticket.compareExchange(
        expected: seen, desired: seen + 1, ordering: .acquiringAndReleasing)
      guard isTaken else { continue }
      // Nobody changes the work before this piece is done.
      work?(Int(piece))
      done.add(1, ordering: .releasing)
      return true
    }
  }

  /// Bits of the ticket for a number of pieces.
  private static let pieceBits: UInt64 = 20
  private static let pieceMask: UInt64 = 1 << pieceBits - 1

  // MARK: - Helpers

  fileprivate func help() {
    var looks = 0
    while !isOver.load(ordering: .acquiring) {
      if takePiece() { looks = 0 } else { Self.look(&looks) }
    }
  }

  fileprivate func end() { isOver.store(true, ordering: .releasing) }

  /// Waits a moment; who has looked often lets other threads have the core.
  private static func look(_ looks: inout Int) {
    looks += 1
    if looks > patience { sched_yield() }
  }

  /// Looks before a core is offered to others: some ten microseconds.
  private static let patience = 20_000
}

extension WorkerPool {
  /// Runs `body` on this thread, with the pool's other workers ready for the groups of pieces that it hands out.
  ///
  /// Helpers keep a core each until `body` ends, which should not be long and should have little between groups.
  /// - Returns: what `body` returns.
  /// - Throws: what `body` throws.
  public func lead<Result, Failure: Error>(
    _ body: (WorkerTeam) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let team = WorkerTeam()
    var outcome: Swift.Result<Result, Failure>?
    withoutActuallyEscaping(body) { body in
      // Worker 0 is this thread, and alone touches both.
      nonisolated(unsafe) let body = body
      withUnsafeMutablePointer(to: &outcome) { outcome in
        nonisolated(unsafe) let outcome = outcome
        perform { worker in
          guard worker == 0 else { return team.help() }
          do throws(Failure) { outcome.pointee = .success(try body(team)) } catch {
            outcome.pointee = .failure(error)
          }
          team.end()
        }
      }
    }
    guard let outcome else { preconditionFailure("the calling thread is worker 0 of every share") }
    return try outcome.get()
  }
}
