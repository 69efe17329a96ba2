public import Networks
internal import Tensors

/// The part of an image that a place in a layer's maps sees, in rows and columns of the image.
///
/// A sequence is an image of one row, and so is a row of word numbers that an embedding makes a sequence of.
public struct ReceptiveField: Hashable, Sendable {
  /// Rows of the image, inside it.
  public let rows: Range<Int>
  /// Columns of the image, inside it.
  public let columns: Range<Int>

  /// The part seen by one place, without what lies in some layer's padding.
  ///
  /// - Returns: nil where the layer is not in the network, the network takes neither images nor sequences, or the place sees nothing
  ///   but padding.
  public init?(row: Int, column: Int, of layer: String, in network: ResolvedNetwork) {
    let place = Extent(rows: row...row, columns: column...column)
    guard let shape = network.gridShape,
      let field = place.back(from: layer, in: network, cut: true)?.cut(to: shape)
    else {
      return nil
    }
    rows = Range(field.rows)
    columns = Range(field.columns)
  }

  /// Height and width of the part that one place sees where no edge cuts it, in pixels.
  ///
  /// - Returns: nil where the layer is not in the network.
  public static func size(of layer: String, in network: ResolvedNetwork) -> Size2D? {
    guard let field = Extent(rows: 0...0, columns: 0...0).back(from: layer, in: network, cut: false) else {
      return nil
    }
    return Size2D(field.rows.count, field.columns.count)
  }
}

/// Rows and columns of a layer's output or of an image; they may reach past its edges.
private struct Extent {
  var rows: ClosedRange<Int>
  var columns: ClosedRange<Int>

  /// What the layer's output in this extent is computed from, down to the image.
  ///
  /// - Parameter cut: whether to leave out, at every layer, what lies beyond its edges: padding, for which nothing was computed.
  func back(from name: String, in network: ResolvedNetwork, cut isCut: Bool) -> Extent? {
    guard network.layers.contains(where: { $0.name == name }) else { return nil }
    var extents = [name: self]
    for layer in network.layers.reversed() {
      guard let whole = extents[layer.name], let extent = isCut ? whole.cut(to: layer.outputShape) : whole
      else { continue }
      let source = extent.before(layer)
      for input in layer.layer.inputs {
        extents[input] = extents[input].map { $0.joined(with: source) } ?? source
      }
    }
    return extents[Network.inputName]
  }

  /// The part inside `[H, W, C]` or `[L, C]`; inside a vector it is everything.
  ///
  /// - Returns: nil where no part lies inside.
  func cut(to shape: Shape) -> Extent? {
    guard let grid = shape.grid else { return self }
    let (allRows, allColumns) = (0...grid.height - 1, 0...grid.width - 1)
    guard rows.overlaps(allRows), columns.overlaps(allColumns) else { return nil }
    return Extent(rows: rows.clamped(to: allRows), columns: columns.clamped(to: allColumns))
  }

  private func joined(with other: Extent) -> Extent {
    Extent(
      rows: min(rows.lowerBound, other.rows.lowerBound)...max(rows.upperBound, other.rows.upperBound),
      columns: min(
        columns.lowerBound, other.columns.lowerBound)...max(
          columns.upperBound, other.columns.upperBound))
  }

  /// The extent of the layer's input that this extent of its output sees.
  private func before(_ layer: ResolvedLayer) -> Extent {
    let input = layer.inputShapes[0]
    // Each word has a place in the sequence of its vectors.
    if case .embedding = layer.spec { return self }
    let grid = input.grid ?? (input[0], 1)
    let everything = Extent(rows: 0...max(0, grid.height - 1), columns: 0...max(0, grid.width - 1))
    guard input.grid != nil, layer.outputShape.rank == input.rank else { return everything }
    return switch layer.view {
    case .samePlace: self
    case .window(let rows, let columns):
      Extent(rows: seen(self.rows, rows), columns: seen(self.columns, columns))
    case .spread(let rows, let columns):
      Extent(rows: covered(self.rows, rows), columns: covered(self.columns, columns))
    case .shifted(let down, let right): moved(down: down, right: right)
    case .everything: everything
    }
  }

  private func moved(down: Int, right: Int) -> Extent {
    Extent(
      rows: rows.lowerBound + down...rows.upperBound + down,
      columns: columns.lowerBound + right...columns.upperBound + right)
  }

  private func seen(_ range: ClosedRange<Int>, _ window: LayerWindow) -> ClosedRange<Int> {
    let low = range.lowerBound * window.stride - window.paddingBefore
    let last = range.upperBound * window.stride - window.paddingBefore
    return low...last + (window.size - 1) * window.dilation
  }

  /// The places whose windows, which begin at `i·stride − padding`, reach into the range.
  ///
  /// A stride larger than the window leaves places that no window reaches; they count as seen by the place before them.
  private func covered(_ range: ClosedRange<Int>, _ window: LayerWindow) -> ClosedRange<Int> {
    func floored(_ position: Int) -> Int {
      position >= 0 ? position / window.stride : (position + 1) / window.stride - 1
    }
    let last = floored(range.upperBound + window.paddingBefore)
    let first = floored(
      range.lowerBound + window.paddingBefore - (window.size - 1) * window.dilation + window.stride - 1)
    return min(first, last)...last
  }
}

extension Shape {
  /// Height and width of `[H, W, C]`, or of a sequence `[L, C]`, which is a row; nil for a vector.
  fileprivate var grid: (height: Int, width: Int)? {
    switch rank {
    case 3: (self[0], self[1])
    case 2: (1, self[0])
    default: nil
    }
  }
}

extension ResolvedNetwork {
  /// The shape of the network's input as an image or sequence: `[L, 1]` for numbers of words; nil for other vectors.
  fileprivate var gridShape: Shape? {
    if inputShape.rank > 1 { return inputShape }
    let takesWords = layers.contains {
      if case .embedding = $0.spec { $0.layer.inputs == [Network.inputName] } else { false }
    }
    return takesWords ? [inputShape[0], 1] : nil
  }
}
