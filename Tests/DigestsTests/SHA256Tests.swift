import Digests
import Testing

@Suite("SHA-256")
struct SHA256Tests {
  // NIST's examples (FIPS 180-4, "SHA256.pdf" and the additional vectors of the Cryptographic Standards page).
  @Test(
    "messages have the digests that NIST published",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
      (
        "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrs"
          + "mnopqrstnopqrstu",
        "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
      ),
    ])
  func published(message: String, digest: String) {
    #expect(SHA256.digest(of: message).hexadecimal == digest)
    #expect(SHA256.digest(of: Array(message.utf8)).hexadecimal == digest)
  }

  @Test("a million letters a have the digest that NIST published")
  func long() {
    #expect(
      SHA256.digest(of: String(repeating: "a", count: 1_000_000)).hexadecimal
        == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  @Test("pieces of any size give the digest of the whole", arguments: [1, 3, 55, 56, 63, 64, 65, 127, 1000])
  func pieces(size: Int) {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ $0 >> 3) }
    var hash = SHA256()
    for start in stride(from: 0, to: bytes.count, by: size) {
      hash.update(bytes[start..<min(start + size, bytes.count)])
      hash.update([])
    }
    // hashlib.sha256(bytes((i * 37 + (i >> 3)) & 255 for i in range(1000))).hexdigest() of Python.
    #expect(hash.finalize().hexadecimal == "c17eb3ee3fb86a9648611ce0696b7143a1f2529dd4a8a2fd2c1169545b5d07eb")
  }

  @Test("memory that a collection cannot lend is hashed like memory that it can")
  func anyCollection() {
    let bytes = (0..<200).lazy.map { UInt8($0) }
    var raw = SHA256()
    Array(bytes).withUnsafeBytes { raw.update($0) }
    let whole = SHA256.digest(of: Array(bytes))
    #expect(SHA256.digest(of: bytes) == whole)
    #expect(raw.finalize() == whole)
    #expect(SHA256.Digest(whole.bytes) == whole)
  }

  @Test("digests that threads compute at the same time do not disturb each other")
  func concurrent() async {
    let digests = await withTaskGroup(of: SHA256.Digest.self) { group in
      for _ in 0..<64 { group.addTask { SHA256.digest(of: String(repeating: "a", count: 100_000)) } }
      return await group.reduce(into: Set()) { $0.insert($1) }
    }
    #expect(digests == [SHA256.digest(of: String(repeating: "a", count: 100_000))])
  }

  @Test("stored bytes that are not 32 are no digest")
  func wrongCount() async {
    await #expect(processExitsWith: .failure) { _ = SHA256.Digest([1, 2, 3]) }
  }
}
