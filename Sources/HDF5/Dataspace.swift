internal import CHDF5

/// Shapes as the library keeps them.
enum Dataspace {
  /// A new dataspace; the empty shape is a scalar.
  static func make(shape: [Int], _ context: String) throws -> Handle {
    if shape.isEmpty { return try Handle("H5Screate", context) { H5Screate(H5S_SCALAR) } }
    let dimensions = shape.map { hsize_t($0) }
    return try Handle("H5Screate_simple", context) {
      H5Screate_simple(Int32(dimensions.count), dimensions, nil)
    }
  }

  /// The dimensions of a dataspace; `[0]` for one that is declared empty.
  ///
  /// - Throws: `tooLarge` when a dimension or the number of elements does not fit in an `Int`.
  static func shape(of space: Handle, _ context: String) throws -> [Int] {
    let kind = Library.withLock { H5Sget_simple_extent_type(space.id) }
    if kind == H5S_NULL { return [0] }
    let rank = try Library.call("H5Sget_simple_extent_ndims", context) {
      H5Sget_simple_extent_ndims(space.id)
    }
    var dimensions = [hsize_t](repeating: 0, count: Int(rank))
    if rank > 0 {
      try Library.call("H5Sget_simple_extent_dims", context) {
        H5Sget_simple_extent_dims(space.id, &dimensions, nil)
      }
    }
    let shape = dimensions.compactMap { Int(exactly: $0) }
    // The byte count must fit as well, with room for any element met in practice.
    guard shape.count == dimensions.count, let count = checkedProduct(shape), count <= Int.max >> 16 else {
      let text = dimensions.map { "\($0)" }.joined(separator: "×")
      throw HDF5Error(.tooLarge, context, "its dimensions \(text) are larger than any memory")
    }
    return shape
  }
}
