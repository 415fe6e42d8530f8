// Relax: lets another thread come first.

#if SKEIN_MODEL
internal import SkeinModelCheck

/// One turn of a short wait; `turns` counts them.
@usableFromInline
func skeinRelax(_ turns: inout Int) { ModelRun.relax() }

/// Some turns.
@usableFromInline
func skeinPause() { ModelRun.relax() }
#else
internal import SkeinPlatform

/// One turn of a short wait; `turns` counts them. Whoever is waited for may have lost its core: some turns give ours away.
@usableFromInline
func skeinRelax(_ turns: inout Int) {
  turns &+= 1
  if turns % 32 == 0 { PlatformThread.yield() } else { PlatformThread.relax() }
}

/// Some turns.
@usableFromInline
func skeinPause() { for _ in 0..<24 { PlatformThread.relax() } }
#endif
