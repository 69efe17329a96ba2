internal import COneDNN

/// Keeps parallel regions of the calling thread one thread wide.
///
/// oneDNN reads OpenMP's width when a descriptor is created and when a primitive runs, and the setting belongs to the
/// calling thread. All parallel work shares threads, so every piece of it begins with this call; it costs nanoseconds.
public enum ThreadConfinement {
  /// Makes the calling thread's parallel regions one thread wide.
  @inline(__always)
  public static func confine() { omp_set_num_threads(1) }

  /// Lets primitives of the calling thread use several threads, for `parallelism: intra` and for tests.
  public static func widen(to threads: Int) { omp_set_num_threads(Int32(clamping: threads)) }

  /// How many threads the calling thread's parallel regions have.
  public static var width: Int { Int(omp_get_max_threads()) }
}
