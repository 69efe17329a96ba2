internal import Foundation
internal import Glibc
internal import Paths

/// The ranks that a launcher started on the same node, as the system's list of processes shows them.
///
/// It is for ranks that met the same error as others: some launchers let all of them end by themselves, each with the same words.
enum Neighbours {
  /// Whether a rank of this node with a lower number has ended already.
  ///
  /// It has then said why, or it was killed, of which launchers and other ranks take note.
  /// - Returns: false where that cannot be known: where something between the launcher and its ranks has made a process of its own, for
  ///   instance, or the launcher belongs to somebody else.
  static func hasLowerEnded(than launcher: Launcher) -> Bool {
    guard let localRank = launcher.localRank, localRank > 0, launcher.rank > 0 else { return false }
    let parent = getppid()
    // A shell that is started for each rank knows the rank; the launcher does not.
    guard let environment = environment(of: parent), rank(in: environment, launcher) == nil else {
      return false
    }
    let living = (Folder.names(in: "/proc") ?? []).compactMap { Int32($0) }.filter { process in
      guard self.parent(of: process) == parent, let environment = self.environment(of: process),
        let rank = rank(in: environment, launcher)
      else { return false }
      return rank < launcher.rank
    }
    return living.count < localRank
  }

  /// The rank in a process's variables; nil where it is none.
  private static func rank(in environment: [String], _ launcher: Launcher) -> Int? {
    let start = "\(launcher.kind.rankVariable)="
    return environment.lazy.compactMap { $0.hasPrefix(start) ? Int($0.dropFirst(start.count)) : nil }.first
  }

  /// The variables of a process; nil where they may not be seen, none for a process that has ended.
  private static func environment(of process: Int32) -> [String]? {
    FileManager.default.contents(atPath: "/proc/\(process)/environ")?.split(separator: 0).map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  private static func parent(of process: Int32) -> Int32? {
    guard let bytes = FileManager.default.contents(atPath: "/proc/\(process)/stat") else { return nil }
    // The name in parentheses may contain anything.
    let text = String(decoding: bytes, as: UTF8.self)
    guard let end = text.lastIndex(of: ")") else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ")
    return fields.count > 1 ? Int32(fields[1]) : nil
  }
}
