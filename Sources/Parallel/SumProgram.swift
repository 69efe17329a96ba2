/// A tree of additions over partial sums, flattened into a few passes over one slice that stay in the first-level cache.
///
/// Operands are partial sums (by number) and scratch rows; row 0 receives the result.
struct SumProgram: Sendable {
  enum Operation: BitwiseCopyable, Sendable {
    case copy(Int32, row: Int32)
    case sumTwo(Int32, Int32, row: Int32)
    case sumFour(Int32, Int32, Int32, Int32, row: Int32)
    case addBuffer(Int32, row: Int32)
    case addRow(Int32, row: Int32)
  }

  private(set) var operations: [Operation] = []
  private(set) var rowCount = 1

  /// - Parameters:
  ///   - node: whose sum is wanted; nil for that of all shards.
  ///   - operand: the number of a finished partial sum, nil if the node must be made from its children.
  init(_ tree: SumTree, of node: SumTree.Node? = nil, operand: (SumTree.Node) -> Int?) {
    emit(SumProgram.term(tree, node ?? tree.root, operand), row: 0)
  }

  private indirect enum Term {
    case buffer(Int32)
    case sum(Term, Term)
  }

  private static func term(_ tree: SumTree, _ node: SumTree.Node, _ operand: (SumTree.Node) -> Int?) -> Term {
    if let found = operand(node) { return .buffer(Int32(found)) }
    precondition(node.level > 0, "the sum of shard \(node.index) is missing")
    let left = term(tree, node.left, operand)
    return tree.contains(node.right) ? .sum(left, term(tree, node.right, operand)) : left
  }

  private mutating func emit(_ term: Term, row: Int32) {
    rowCount = max(rowCount, Int(row) + 1)
    switch term {
    case .buffer(let a):
      operations.append(.copy(a, row: row))
    case .sum(.buffer(let a), .buffer(let b)):
      operations.append(.sumTwo(a, b, row: row))
    case .sum(.sum(.buffer(let a), .buffer(let b)), .sum(.buffer(let c), .buffer(let d))):
      operations.append(.sumFour(a, b, c, d, row: row))
    case .sum(let x, .buffer(let b)), .sum(.buffer(let b), let x):
      // a + b and b + a are the same bits.
      emit(x, row: row)
      operations.append(.addBuffer(b, row: row))
    case .sum(let x, let y):
      emit(x, row: row)
      emit(y, row: row + 1)
      operations.append(.addRow(row + 1, row: row))
    }
  }

  /// Sums one slice into row 0 of `scratch`.
  ///
  /// - Parameters:
  ///   - operands: the partial sums by number, each from the element that `offset` counts from.
  ///   - offset: where the slice begins.
  ///   - scratch: ``rowCount`` rows of `rowLength` floats.
  func run(
    _ operands: UnsafePointer<UnsafePointer<Float>>, offset: Int, count: Int,
    scratch: UnsafeMutablePointer<Float>, rowLength: Int
  ) {
    @inline(__always) func source(_ index: Int32) -> UnsafePointer<Float> {
      operands[Int(index)] + offset
    }
    @inline(__always) func line(_ row: Int32) -> UnsafeMutablePointer<Float> {
      scratch + Int(row) * rowLength
    }
    operations.withUnsafeBufferPointer { operations in
      for operation in operations {
        switch operation {
        case .copy(let a, let row):
          line(row).update(from: source(a), count: count)
        case .sumTwo(let a, let b, let row):
          add(source(a), source(b), into: line(row), count: count)
        case .sumFour(let a, let b, let c, let d, let row):
          addFour(source(a), source(b), source(c), source(d), into: line(row), count: count)
        case .addBuffer(let a, let row):
          add(line(row), source(a), into: line(row), count: count)
        case .addRow(let from, let row):
          add(line(row), line(from), into: line(row), count: count)
        }
      }
    }
  }
}
