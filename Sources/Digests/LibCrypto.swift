internal import CCrypto

/// What the process uses of libcrypto.
enum LibCrypto {
  /// A method of the library.
  ///
  /// `Sendable` because a fetched method never changes and is never freed.
  struct Method: @unchecked Sendable {
    /// An `EVP_MD`.
    let pointer: OpaquePointer
  }

  /// Fetched once: a search by name costs more than the digest of a short text.
  static let sha256: Method = {
    // Without the system's configuration, which could take the algorithm away; and without cleaning up when the process
    // exits, because other threads may compute digests until it is gone.
    let options = OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT
    guard OPENSSL_init_crypto(UInt64(options), nil) == 1 else { fail("OPENSSL_init_crypto") }
    guard let method = EVP_MD_fetch(nil, "SHA2-256", nil) else { fail("EVP_MD_fetch") }
    return Method(pointer: method)
  }()

  /// Stops the process: a call failed that can only fail without memory or with a broken library.
  static func fail(_ function: String) -> Never {
    var text = [CChar](repeating: 0, count: 256)
    ERR_error_string_n(ERR_get_error(), &text, text.count)
    let reason = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    fatalError("libcrypto's \(function) failed: \(reason)")
  }
}
