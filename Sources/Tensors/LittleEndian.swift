extension Array where Element: BitwiseCopyable {
  /// Numbers as files hold them, the lowest byte first, which is also how they lie in memory here.
  ///
  /// Nil for bytes that are no whole number of elements.
  ///
  /// - Parameter bytes: the elements' bytes, one element after another.
  public init?(littleEndian bytes: some Collection<UInt8>) {
    let numbers = bytes.withContiguousStorageIfAvailable { Self(copying: UnsafeRawBufferPointer($0)) }
    guard let found = numbers ?? [UInt8](bytes).withUnsafeBytes({ Self(copying: $0) }) else { return nil }
    self = found
  }

  private init?(copying bytes: UnsafeRawBufferPointer) {
    let size = MemoryLayout<Element>.stride
    guard bytes.count.isMultiple(of: size) else { return nil }
    self.init(unsafeUninitializedCapacity: bytes.count / size) { target, count in
      UnsafeMutableRawBufferPointer(target).copyMemory(from: bytes)
      count = bytes.count / size
    }
  }
}
