extension Board {
  /// Black's area less White's: stones, and empty regions that stones of one colour alone touch.
  ///
  /// All stones count as alive, so that it is right when captures have been played out. An empty board counts for nobody.
  public func area() -> Int {
    var score = stones(of: .black).count - stones(of: .white).count
    var rest = empty
    while let point = rest.first {
      let region = shape.connected(PointSet(point), within: empty)
      rest = rest - region
      let edge = shape.neighbours(of: region)
      let (black, white) = (
        !(edge & stones(of: .black)).isEmpty, !(edge & stones(of: .white)).isEmpty
      )
      if black != white { score += black ? region.count : -region.count }
    }
    return score
  }
}
