// Relax: tells the core that this thread waits for another one.

#if SKEIN_MODEL
internal import SkeinModelCheck

/// One turn of a short wait.
@usableFromInline
func skeinRelax() { ModelRun.relax() }
#else
internal import SkeinPlatform

/// One turn of a short wait.
@usableFromInline
func skeinRelax() { PlatformThread.relax() }
#endif
